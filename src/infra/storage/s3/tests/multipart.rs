//! Multipart uploads: completing and aborting them.

use super::*;

#[tokio::test]
async fn put_aborts_the_multipart_upload_when_the_body_fails_or_the_put_is_cancelled() {
    let Some((storage, s3)) = bucket().await else {
        return;
    };
    let big = Bytes::from(vec![1; PART_SIZE]);
    let put = storage
        .put(
            "media/broken",
            &metadata(),
            body([Ok(big.clone()), Err(Error::Malformed("cut".into()))]),
        )
        .await;
    assert!(matches!(put, Err(Error::Malformed(_))));
    let endless = Box::pin(stream::iter([Ok(big)]).chain(stream::pending()));
    let metadata = metadata();
    let put = storage.put("media/dropped", &metadata, endless);
    assert!(
        tokio::time::timeout(Duration::from_secs(2), put)
            .await
            .is_err()
    );
    let gone = async {
        while !s3
            .client
            .list_multipart_uploads()
            .bucket(&s3.settings.bucket)
            .send()
            .await
            .unwrap()
            .uploads()
            .is_empty()
        {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), gone)
        .await
        .expect("a multipart upload was not aborted");
    assert_eq!(storage.len("media/broken").await.unwrap(), None);
    storage.sweep(&[]).await.unwrap();
}

#[tokio::test]
async fn abort_all_aborts_unfinished_uploads_on_every_page_of_the_listing() {
    let Some((_, s3)) = bucket().await else {
        return;
    };
    let metadata = metadata();
    // Begin more uploads than fit on one page, because the server lists at most 1,000 per page.
    let begun = stream::iter(0..1_005)
        .map(|_| s3.create_multipart("media/x", &metadata))
        .buffer_unordered(16);
    begun
        .map(|id| assert!(id.is_ok(), "{id:?}"))
        .collect::<()>()
        .await;
    let other = s3.create_multipart("media/xy", &metadata).await.unwrap();
    s3.abort_all("media/x").await.unwrap();
    let left = s3
        .client
        .list_multipart_uploads()
        .bucket(&s3.settings.bucket)
        .send()
        .await
        .unwrap();
    assert_eq!(
        left.uploads()
            .iter()
            .filter_map(|upload| upload.upload_id())
            .collect::<Vec<_>>(),
        [other]
    );
}

#[tokio::test]
async fn complete_multipart_is_idempotent() {
    let Some((storage, s3)) = bucket().await else {
        return;
    };
    let key = "media/grown";
    let id = s3.create_multipart(key, &metadata()).await.unwrap();
    let mut parts = Vec::new();
    // Part numbers may have gaps, because another writer may have used the missing ones.
    for (number, bytes) in [
        (1, vec![1; PART_SIZE]),
        (3, vec![2; PART_SIZE]),
        (4, vec![3; 5]),
    ] {
        parts.push((
            number,
            s3.upload_part(key, &id, number, bytes.into())
                .await
                .unwrap(),
        ));
    }
    let length = 2 * PART_SIZE as u64 + 5;
    for _ in 0..2 {
        assert!(matches!(
            s3.complete_multipart(key, &id, &parts, length).await,
            Ok(Completion::Done)
        ));
    }
    assert_eq!(
        read(&storage, key, length - 6..length).await,
        [2, 3, 3, 3, 3, 3]
    );
    s3.abort_multipart(key, &id).await.unwrap();
    assert_eq!(storage.len(key).await.unwrap(), Some(length));
    // This upload was never started. Most servers respond with 404, and Ceph responds with 500.
    assert!(
        s3.complete_multipart("media/never", &id, &parts, length)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn complete_multipart_is_refused_when_a_middle_part_is_too_short() {
    let Some((_, s3)) = bucket().await else {
        return;
    };
    let key = "media/short";
    let id = s3.create_multipart(key, &metadata()).await.unwrap();
    let mut parts = Vec::new();
    for (number, length) in [(1, PART_SIZE), (2, 5), (3, 5)] {
        parts.push((
            number,
            s3.upload_part(key, &id, number, vec![0; length].into())
                .await
                .unwrap(),
        ));
    }
    let completion = s3
        .complete_multipart(key, &id, &parts, PART_SIZE as u64 + 10)
        .await
        .unwrap();
    assert!(
        matches!(completion, Completion::Refused(_)),
        "{completion:?}"
    );
    // Once the short part is replaced by a longer one with the same number, completion succeeds.
    parts[1].1 = s3
        .upload_part(key, &id, 2, vec![0; PART_SIZE].into())
        .await
        .unwrap();
    assert!(matches!(
        s3.complete_multipart(key, &id, &parts, 2 * PART_SIZE as u64 + 5)
            .await,
        Ok(Completion::Done)
    ));
}
