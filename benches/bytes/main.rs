//! Compares how fast Hearback receives and sends files with nginx and with the S3 server itself, and how much CPU time
//! it needs. The README states the results.
//!
//!     cargo bench --bench bytes -- [--size MIB] [--rounds N]
//!
//! `--size` is the size of an upload in MiB. The measurements alternate between Hearback and its peers. The S3 server
//! is the one that `HEARBACK_TEST_S3_ENDPOINT` names; without it, only files on disk are measured. `HEARBACK_BIN` names
//! another build of Hearback to measure.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod client;
mod downloads;
mod measure;
mod recording;
mod servers;
mod uploads;

use std::time::Duration;

use hearback::infra::storage::{S3Settings, Storage};

use client::Address;
use measure::{Row, print_table};
use recording::Recording;
use servers::{Hearback, Nginx};

/// Size of the downloaded file, in MiB.
const DOWNLOAD_MIB: usize = 200;
/// The bucket that `bin/test-s3` creates.
const BUCKET: &str = "hearback-test";

#[tokio::main]
async fn main() {
    let (size, rounds) = (argument("--size", 256), argument("--rounds", 5));
    let folder = tempfile::tempdir().unwrap();
    let s3 = std::env::var("HEARBACK_TEST_S3_ENDPOINT").ok();
    let gateway = s3.as_deref().map(Address::of_url);
    let nginx = Nginx::start(&folder.path().join("nginx"), gateway.as_ref());
    let hearback = Hearback::start(&folder.path().join("disk"), &[]);
    let mut rows = uploads::measure(&hearback, &nginx, Recording::new(size), rounds);
    let media = hearback.upload(&Recording::new(DOWNLOAD_MIB));
    rows.extend(downloads::from_disk(&hearback, &nginx, &media, rounds));
    if let (Some(endpoint), Some(gateway)) = (s3, gateway) {
        rows.extend(from_bucket(folder.path(), &nginx, &endpoint, &gateway, rounds).await);
    }
    println!(
        "\nuploads of {size} MiB, downloads of a file of {DOWNLOAD_MIB} MiB, {rounds} rounds\n"
    );
    print_table(&rows);
    println!(
        "\nlargest memory of Hearback on disk: {} MiB",
        hearback.process.peak_memory() >> 20
    );
}

/// Measures downloads from a bucket.
async fn from_bucket(
    folder: &std::path::Path,
    nginx: &Nginx,
    endpoint: &str,
    gateway: &Address,
    rounds: usize,
) -> Vec<Row> {
    let storage = format!("s3://{BUCKET}");
    let settings = [
        ("HEARBACK_STORAGE", storage.as_str()),
        ("HEARBACK_S3_ENDPOINT", endpoint),
        ("HEARBACK_S3_PATH_STYLE", "true"),
    ];
    let hearback = Hearback::start(&folder.join("s3"), &settings);
    let media = hearback.upload(&Recording::new(DOWNLOAD_MIB));
    let bucket = S3Settings {
        bucket: BUCKET.into(),
        endpoint: Some(endpoint.into()),
        path_style: true,
        ..S3Settings::default()
    };
    let bucket = Storage::s3(bucket).await.unwrap();
    let url = bucket
        .presign(&media.key(), Duration::from_secs(24 * 3600))
        .await
        .unwrap();
    downloads::from_bucket(&hearback, nginx, gateway, (&media, &url.unwrap()), rounds)
}

/// Returns the number after an option of the command line.
fn argument(name: &str, default: usize) -> usize {
    let arguments: Vec<String> = std::env::args().collect();
    let at = arguments.iter().position(|argument| argument == name);
    at.map_or(default, |at| arguments[at + 1].parse().unwrap())
}
