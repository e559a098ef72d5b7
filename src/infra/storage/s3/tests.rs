//! Most of these tests need a real server, named by `HEARBACK_TEST_S3_ENDPOINT` and the `AWS_`
//! variables. `bin/test` starts a Ceph server. Without a server, these tests are skipped.

mod failures;
mod multipart;

use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};

use super::*;
use crate::ids;
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
    let bucket = format!("test-{}", ids::secret());
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
