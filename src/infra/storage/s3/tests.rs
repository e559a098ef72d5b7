//! Most of these tests need a real server, named by `HEARBACK_TEST_S3_ENDPOINT` and the `AWS_`
//! variables. `bin/test` starts a Ceph server. Without a server, these tests are skipped.

use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};

use super::*;
use crate::clock;
use crate::infra::storage::Storage;

fn metadata() -> ObjectMetadata {
    ObjectMetadata {
        content_type: "video/webm".into(),
        disposition: "inline".into(),
        cache_control: "private".into(),
    }
}

fn body(
    blocks: impl IntoIterator<Item = Result<Bytes>>,
) -> impl Stream<Item = Result<Bytes>> + Unpin {
    stream::iter(blocks.into_iter().collect::<Vec<_>>())
}

/// Creates a bucket on the real server. Returns `None` if no server is configured.
async fn bucket() -> Option<(Storage, S3)> {
    let Ok(endpoint) = std::env::var("HEARBACK_TEST_S3_ENDPOINT") else {
        eprintln!("HEARBACK_TEST_S3_ENDPOINT is not set; skipped");
        return None;
    };
    let bucket = format!("test-{}", clock::secret());
    let settings = S3Settings {
        bucket: bucket.clone(),
        prefix: "hearback/".into(),
        public_endpoint: Some(endpoint.replace("127.0.0.1", "localhost")),
        endpoint: Some(endpoint),
        path_style: true,
        region: None,
    };
    let storage = Storage::s3(settings).await.unwrap();
    let Storage::S3(s3) = storage.clone() else {
        unreachable!()
    };
    s3.client
        .create_bucket()
        .bucket(bucket)
        .send()
        .await
        .unwrap();
    Some((storage, s3))
}

/// Returns a client for this bucket. The server does not know the client's credentials.
async fn stranger(endpoint: &str, bucket: &str) -> Storage {
    let http = HttpBuilder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https();
    let shared = aws_config::SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .http_client(http)
        .region(Region::from_static("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
            "nobody", "nothing", None, None, "test",
        )))
        .timeout_config(timeouts())
        .build();
    let settings = S3Settings {
        bucket: bucket.into(),
        endpoint: Some(endpoint.into()),
        path_style: true,
        ..Default::default()
    };
    Storage::S3(S3::from_config(&shared, settings))
}

async fn read(storage: &Storage, key: &str, range: Range<u64>) -> Vec<u8> {
    let mut body = storage.get(key, range).await.unwrap();
    let mut all = Vec::new();
    while let Some(block) = body.next().await {
        let block = block.unwrap();
        assert!(!block.is_empty() && block.len() <= BLOCK_SIZE);
        all.extend_from_slice(&block);
    }
    all
}

#[tokio::test]
async fn object_of_any_size_can_be_read_by_range_and_is_deleted_permanently() {
    let Some((storage, _)) = bucket().await else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let bytes: Vec<u8> = (0..20_000_003_u32).map(|n| (n % 251) as u8).collect();
    for (key, length) in [
        ("media/small", 1_000_003),
        ("media/one-part", PART_SIZE),
        ("media/large", bytes.len()),
        ("media/empty", 0),
    ] {
        let bytes = &bytes[..length];
        let blocks = bytes
            .chunks(65_537)
            .map(|chunk| Ok(Bytes::copy_from_slice(chunk)));
        let length = length as u64;
        assert_eq!(
            storage.put(key, &metadata(), body(blocks)).await.unwrap(),
            length
        );
        assert_eq!(storage.len(key).await.unwrap(), Some(length));
        assert!(read(&storage, key, 0..length).await == bytes);
        let tail = length.saturating_sub(5);
        assert_eq!(
            read(&storage, key, tail..length).await,
            &bytes[tail as usize..]
        );
        let local = storage.fetch(key, dir.path()).await.unwrap();
        assert!(std::fs::read(&local).unwrap() == bytes);
        assert_eq!(
            storage
                .put_file(&format!("{key}-copy"), &metadata(), &local)
                .await
                .unwrap(),
            length
        );
        storage.delete(key).await.unwrap();
        storage.delete(key).await.unwrap();
        assert_eq!(storage.len(key).await.unwrap(), None);
        assert!(matches!(storage.get(key, 0..1).await, Err(Error::NotFound)));
        assert_eq!(
            storage.len(&format!("{key}-copy")).await.unwrap(),
            Some(length),
            "deleting a key deleted a longer key too"
        );
    }
}

#[tokio::test]
async fn delete_removes_every_version_of_an_object() {
    let Some((storage, s3)) = bucket().await else {
        return;
    };
    let on = VersioningConfiguration::builder()
        .status(BucketVersioningStatus::Enabled)
        .build();
    s3.client
        .put_bucket_versioning()
        .bucket(&s3.settings.bucket)
        .versioning_configuration(on)
        .send()
        .await
        .unwrap();
    for word in ["one", "two"] {
        storage
            .put("media/x", &metadata(), body([Ok(Bytes::from(word))]))
            .await
            .unwrap();
    }
    s3.client
        .delete_object()
        .bucket(&s3.settings.bucket)
        .key("hearback/media/x")
        .send()
        .await
        .unwrap();
    storage
        .put("media/xy", &metadata(), body([Ok(Bytes::from("another"))]))
        .await
        .unwrap();
    storage.delete("media/x").await.unwrap();
    let left = s3
        .client
        .list_object_versions()
        .bucket(&s3.settings.bucket)
        .send()
        .await
        .unwrap();
    assert_eq!((left.versions().len(), left.delete_markers().len()), (1, 0));
    assert_eq!(storage.len("media/xy").await.unwrap(), Some(7));
}

#[tokio::test]
async fn put_aborts_the_multipart_upload_when_the_body_fails_or_is_dropped() {
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

#[tokio::test]
async fn presigned_url_uses_the_public_endpoint() {
    let Some((storage, _)) = bucket().await else {
        return;
    };
    storage
        .put("media/x", &metadata(), body([Ok(Bytes::from("Hearback"))]))
        .await
        .unwrap();
    let address = storage
        .presign("media/x", Duration::from_secs(60))
        .await
        .unwrap()
        .unwrap();
    assert!(address.starts_with("http://localhost:"), "{address}");
    let answer = reqwest::Client::new()
        .get(&address)
        .header("Range", "bytes=4-7")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 206);
    assert_eq!(answer.headers()["content-type"], "video/webm");
    assert_eq!(answer.text().await.unwrap(), "back");
}

#[tokio::test]
async fn self_test_passes_for_a_usable_bucket_and_explains_why_an_unusable_one_fails() {
    let Some((storage, s3)) = bucket().await else {
        return;
    };
    let lines = storage.self_test().await.unwrap();
    assert_eq!(lines.len(), 5, "{lines:?}");
    let left = s3
        .client
        .list_object_versions()
        .bucket(&s3.settings.bucket)
        .send()
        .await
        .unwrap();
    assert!(left.versions().is_empty());

    let missing = S3Settings {
        bucket: "there-is-no-such-bucket".into(),
        ..(*s3.settings).clone()
    };
    let error = Storage::s3(missing)
        .await
        .unwrap()
        .self_test()
        .await
        .unwrap_err();
    assert!(
        error
            .detail()
            .contains("The bucket does not exist: create it"),
        "{error}"
    );
    let endpoint = s3.settings.endpoint.clone().unwrap();
    let error = stranger(&endpoint, &s3.settings.bucket)
        .await
        .self_test()
        .await
        .unwrap_err();
    assert!(
        error.detail().contains("AWS_ACCESS_KEY_ID") || error.detail().contains("permissions"),
        "{error}"
    );
}

#[tokio::test]
async fn unreachable_server_is_reported_as_unavailable_and_not_as_a_missing_object() {
    let storage = stranger("http://127.0.0.1:9", "bucket").await;
    assert!(matches!(storage.check().await, Err(Error::Unavailable(..))));
    let put = storage
        .put("media/x", &metadata(), body([Ok(Bytes::from("Hearback"))]))
        .await;
    let Err(error @ Error::Unavailable(..)) = put else {
        panic!("{put:?}")
    };
    assert!(error.detail().starts_with("The storage does not respond."));
    assert!(matches!(
        storage.len("media/x").await,
        Err(Error::Unavailable(..))
    ));
    let error = storage.self_test().await.unwrap_err();
    assert!(
        error.detail().contains("Nothing responds at the endpoint"),
        "{error}"
    );
}
