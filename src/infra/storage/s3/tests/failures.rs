//! The self-test of a bucket, and how failures are reported.

use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};

use super::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Returns a client for this bucket with credentials that the server does not know.
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
    assert!(error.detail().starts_with("The storage is not responding."));
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

/// Starts a server that gives the same response to each request. Returns its URL.
async fn serve_response(content: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let Ok(byte) = socket.read_u8().await else {
                    break;
                };
                head.push(byte);
            }
            let length = content.len();
            let response = format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{content}"
            );
            let _ = socket.write_all(response.as_bytes()).await;
        }
    });
    url
}

#[tokio::test]
async fn listing_fails_if_the_server_returns_the_same_page_twice() {
    for page in [
        "<ListVersionsResult><IsTruncated>true</IsTruncated><NextKeyMarker>media/a/x</NextKeyMarker><NextVersionIdMarker>1</NextVersionIdMarker></ListVersionsResult>",
        "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>1</NextContinuationToken></ListBucketResult>",
    ] {
        let Storage::S3(s3) = stranger(&serve_response(page).await, "bucket").await else {
            unreachable!()
        };
        let deleted = tokio::time::timeout(Duration::from_secs(30), s3.delete_folder("media/a"));
        let deleted = deleted.await.expect("the listing does not end");
        assert!(
            matches!(deleted, Err(Error::Unavailable(..))),
            "{deleted:?}"
        );
    }
    let page = "<ListMultipartUploadsResult><IsTruncated>true</IsTruncated><NextKeyMarker>media/x</NextKeyMarker><NextUploadIdMarker>1</NextUploadIdMarker></ListMultipartUploadsResult>";
    let storage = stranger(&serve_response(page).await, "bucket").await;
    let swept = tokio::time::timeout(Duration::from_secs(30), storage.sweep(&[]));
    let swept = swept.await.expect("the listing does not end");
    assert!(matches!(swept, Err(Error::Unavailable(..))), "{swept:?}");
}
