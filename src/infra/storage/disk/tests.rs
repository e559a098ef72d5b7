//! Tests of the storage in a folder.

use super::*;
use crate::infra::storage::BLOCK_SIZE;

fn storage() -> (tempfile::TempDir, Storage) {
    let dir = tempfile::tempdir().unwrap();
    let storage = Storage::disk(&dir.path().join("media")).unwrap();
    (dir, storage)
}

fn body(
    blocks: impl IntoIterator<Item = Result<Bytes>>,
) -> impl Stream<Item = Result<Bytes>> + Unpin {
    stream::iter(blocks.into_iter().collect::<Vec<_>>())
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path))
        } else {
            all.push(path)
        }
    }
    all
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
async fn object_that_is_longer_than_the_buffers_of_its_writer_is_stored_completely() {
    let (_dir, storage) = storage();
    let bytes: Vec<u8> = (0..9_500_007_u32).map(|n| (n % 251) as u8).collect();
    for block in [1_000, 300_001, 2_000_003] {
        let blocks = bytes
            .chunks(block)
            .map(|chunk| Ok(Bytes::copy_from_slice(chunk)));
        let key = format!("media/0123456789{block}");
        let metadata = ObjectMetadata::default();
        let stored = storage.put(&key, &metadata, body(blocks)).await;
        assert_eq!(stored.unwrap(), 9_500_007);
        assert!(read(&storage, &key, 0..9_500_007).await == bytes, "{block}");
    }
}

#[tokio::test]
async fn object_can_be_read_by_range_and_is_deleted_permanently() {
    let (dir, storage) = storage();
    let bytes: Vec<u8> = (0..1_000_003_u32).map(|n| (n % 251) as u8).collect();
    let blocks = bytes
        .chunks(70_001)
        .map(|chunk| Ok(Bytes::copy_from_slice(chunk)));
    let key = "media/0123456789abcdefghijklmnopqrstuv";
    assert_eq!(
        storage
            .put(key, &ObjectMetadata::default(), body(blocks))
            .await
            .unwrap(),
        1_000_003
    );
    assert_eq!(storage.len(key).await.unwrap(), Some(1_000_003));
    assert_eq!(read(&storage, key, 0..1_000_003).await, bytes);
    assert_eq!(
        read(&storage, key, 999_999..1_000_003).await,
        &bytes[999_999..]
    );
    assert_eq!(read(&storage, key, 5..5).await, b"");
    assert!(storage.get(key, 0..1_000_004).await.is_err());

    let local = storage.fetch(key, dir.path()).await.unwrap();
    assert_eq!(fs::read(&local).unwrap(), bytes);
    assert_eq!(
        storage
            .put_file("media/copy", &ObjectMetadata::default(), &local)
            .await
            .unwrap(),
        1_000_003
    );
    fs::remove_file(local).unwrap();
    assert_eq!(read(&storage, "media/copy", 1..4).await, &bytes[1..4]);

    for key in [key, "media/copy", "media/never-was"] {
        storage.delete(key).await.unwrap();
        assert_eq!(storage.len(key).await.unwrap(), None);
        assert!(matches!(storage.get(key, 0..1).await, Err(Error::NotFound)));
        assert!(matches!(
            storage.fetch(key, dir.path()).await,
            Err(Error::NotFound)
        ));
    }
    assert!(files(dir.path()).is_empty());
}

#[tokio::test]
async fn put_leaves_no_file_when_the_body_fails_or_the_put_is_cancelled() {
    let (dir, storage) = storage();
    let blocks = [
        Ok(Bytes::from_static(b"half")),
        Err(Error::Malformed("cut".into())),
    ];
    let put = storage
        .put("media/broken", &ObjectMetadata::default(), body(blocks))
        .await;
    assert!(matches!(put, Err(Error::Malformed(_))));

    let endless =
        Box::pin(stream::iter([Ok(Bytes::from_static(b"half"))]).chain(stream::pending()));
    let metadata = ObjectMetadata::default();
    let put = storage.put("media/dropped", &metadata, endless);
    assert!(
        tokio::time::timeout(std::time::Duration::from_millis(50), put)
            .await
            .is_err()
    );
    assert!(files(dir.path()).is_empty());
}

#[tokio::test]
async fn storage_with_a_missing_folder_is_unavailable_and_self_test_explains_the_fix() {
    let (dir, storage) = storage();
    storage.check().await.unwrap();
    assert_eq!(storage.self_test().await.unwrap().len(), 2);
    assert!(storage.free_bytes().unwrap().unwrap() > 0);
    assert_eq!(
        storage
            .presign("media/x", std::time::Duration::from_secs(60))
            .await
            .unwrap(),
        None
    );
    fs::remove_dir_all(dir.path().join("media")).unwrap();
    assert!(matches!(storage.check().await, Err(Error::Unavailable(..))));
    assert!(matches!(
        storage
            .put("media/x", &ObjectMetadata::default(), body([]))
            .await,
        Err(Error::Unavailable(..))
    ));
    assert!(
        storage
            .self_test()
            .await
            .unwrap_err()
            .detail()
            .contains("must exist")
    );
}

#[tokio::test]
async fn storage_in_an_unmounted_folder_is_unavailable_and_does_not_report_objects_as_missing() {
    let (dir, storage) = storage();
    let key = "media/abcdef";
    storage
        .put(
            key,
            &ObjectMetadata::default(),
            body([Ok(Bytes::from_static(b"there"))]),
        )
        .await
        .unwrap();
    let (root, elsewhere) = (dir.path().join("media"), dir.path().join("elsewhere"));
    fs::rename(&root, &elsewhere).unwrap();
    // First the folder is missing. Then it is empty, like a mount point without its file system.
    for _ in 0..2 {
        assert!(matches!(
            storage.len(key).await,
            Err(Error::Unavailable(..))
        ));
        assert!(matches!(
            storage.get(key, 0..1).await,
            Err(Error::Unavailable(..))
        ));
        assert!(matches!(
            storage.fetch(key, dir.path()).await,
            Err(Error::Unavailable(..))
        ));
        assert!(matches!(
            storage.delete(key).await,
            Err(Error::Unavailable(..))
        ));
        let Storage::Disk(disk) = &storage else {
            unreachable!()
        };
        assert!(matches!(
            disk.open_growing("uploads/x").await,
            Err(Error::Unavailable(..))
        ));
        assert!(!root.join("uploads").exists());
        let _ = fs::create_dir(&root);
    }
    fs::remove_dir(&root).unwrap();
    fs::rename(&elsewhere, &root).unwrap();
    assert_eq!(read(&storage, key, 0..5).await, b"there");
    storage.delete(key).await.unwrap();
    assert_eq!(storage.len(key).await.unwrap(), None);
}

#[test]
fn storage_futures_are_send() {
    fn sendable<T: Send>(_: &T) {}
    let (dir, storage) = storage();
    let metadata = ObjectMetadata::default();
    sendable(&storage.put_file("media/x", &metadata, dir.path()));
    sendable(&storage.put("media/x", &metadata, body([])));
    sendable(&storage.get("media/x", 0..1));
    sendable(&storage.self_test());
    // Use a body that is not `Send`, because an actix payload is not `Send` either.
    let stuck = std::rc::Rc::new(());
    let payload = body([]).map(move |block| {
        let _ = &stuck;
        block
    });
    drop(storage.put("media/x", &metadata, payload));
}

#[tokio::test]
async fn sweep_removes_only_old_temporary_files() {
    let (dir, storage) = storage();
    let (old, new) = (
        dir.path().join("media/tmp/old"),
        dir.path().join("media/tmp/new"),
    );
    let yesterday = std::time::SystemTime::UNIX_EPOCH;
    File::create(&old).unwrap().set_modified(yesterday).unwrap();
    File::create(&new).unwrap();
    storage.sweep(&[]).await.unwrap();
    assert!(!old.exists() && new.exists());
}
