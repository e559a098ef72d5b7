//! Downloads of whole files and of ranges, from a disk and from a bucket.

use std::thread;

use crate::client::{Address, Connection};
use crate::measure::{Process, Row, Sample, interleaved};
use crate::servers::{Hearback, Media, Nginx};

/// Number of connections that request ranges at the same time.
const CONNECTIONS: u64 = 8;
/// Number of ranges that each connection requests.
const RANGES: u64 = 250;
/// Size of a range in bytes.
const RANGE: u64 = 1 << 20;
/// How often the whole file is requested.
const FILES: u64 = 8;

/// A file on a server.
struct Source<'a> {
    process: &'a Process,
    address: &'a Address,
    path: &'a str,
    length: u64,
}

impl Source<'_> {
    /// Requests ranges over several connections. All ranges are within the file, and the connections begin at different
    /// positions.
    fn ranges(&self) -> Sample {
        let one = |number: u64| {
            let mut connection = Connection::open(self.address);
            for n in 0..RANGES {
                let from = (number * RANGES + n) * 7 % (self.length / RANGE) * RANGE;
                let range = format!("Range: bytes={from}-{}\r\n", from + RANGE - 1);
                assert_eq!(connection.get(self.path, &range).expect(206).length, RANGE);
            }
        };
        Sample::take(self.process, || {
            thread::scope(|scope| {
                for number in 0..CONNECTIONS {
                    scope.spawn(move || one(number));
                }
            });
            (CONNECTIONS * RANGES * RANGE, 0.0)
        })
    }

    fn whole(&self) -> Sample {
        Sample::take(self.process, || {
            let mut connection = Connection::open(self.address);
            for _ in 0..FILES {
                assert_eq!(
                    connection.get(self.path, "").expect(200).length,
                    self.length
                );
            }
            (FILES * self.length, 0.0)
        })
    }
}

pub(crate) fn from_disk(
    hearback: &Hearback,
    nginx: &Nginx,
    media: &Media,
    rounds: usize,
) -> Vec<Row> {
    nginx.copy(&hearback.stored_file(media), "file");
    let ours = source(hearback, media);
    let peer = Source {
        process: &nginx.process,
        address: &nginx.address,
        path: "/file",
        ..ours
    };
    let ranges = interleaved(rounds, &mut [&mut || ours.ranges(), &mut || peer.ranges()]);
    let whole = interleaved(rounds, &mut [&mut || ours.whole(), &mut || peer.whole()]);
    vec![
        Row::new("1 MiB ranges from a disk; nginx", &ranges[0], &ranges[1]),
        Row::new("whole files from a disk; nginx", &whole[0], &whole[1]),
    ]
}

/// `media` is the file in Hearback, and a presigned URL of the same file at the S3 server (`gateway`).
pub(crate) fn from_bucket(
    hearback: &Hearback,
    nginx: &Nginx,
    gateway: &Address,
    (media, url): (&Media, &str),
    rounds: usize,
) -> Vec<Row> {
    let path = url.split_once(&gateway.0).unwrap().1;
    let ours = source(hearback, media);
    let proxy = Source {
        process: &nginx.process,
        address: &nginx.proxy,
        path,
        ..ours
    };
    let unknown = Process { pids: Vec::new() };
    let direct = Source {
        process: &unknown,
        address: gateway,
        ..proxy
    };
    let samples = interleaved(
        rounds,
        &mut [&mut || ours.ranges(), &mut || proxy.ranges(), &mut || {
            direct.ranges()
        }],
    );
    let whole = interleaved(rounds, &mut [&mut || ours.whole(), &mut || proxy.whole()]);
    vec![
        Row::new(
            "1 MiB ranges from S3; nginx as a proxy",
            &samples[0],
            &samples[1],
        ),
        Row::new(
            "1 MiB ranges from S3; the S3 server",
            &samples[0],
            &samples[2],
        ),
        Row::new(
            "whole files from S3; nginx as a proxy",
            &whole[0],
            &whole[1],
        ),
    ]
}

fn source<'a>(hearback: &'a Hearback, media: &'a Media) -> Source<'a> {
    Source {
        process: &hearback.process,
        address: &hearback.address,
        path: &media.path,
        length: media.length,
    }
}
