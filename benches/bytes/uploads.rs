//! Uploads to a disk: with a form and with tus, compared with `PUT` to nginx.

use std::cell::Cell;
use std::fs::{self, File};

use crate::client::Connection;
use crate::measure::{Row, Sample, interleaved};
use crate::recording::Recording;
use crate::servers::{Hearback, Nginx};

pub(crate) fn measure(
    hearback: &Hearback,
    nginx: &Nginx,
    recording: Recording,
    rounds: usize,
) -> Vec<Row> {
    let number = Cell::new(0);
    let mut form = || {
        let update = hearback.draft();
        Sample::take(&hearback.process, || {
            hearback.post(&update, &recording);
            (recording.len(), 0.0)
        })
    };
    let mut tus = || {
        let location = hearback.create_upload(&recording);
        Sample::take(&hearback.process, || {
            hearback.patch(&location, &recording);
            (recording.len(), 0.0)
        })
    };
    let mut put = || {
        number.set(number.get() + 1);
        let path = format!("put/{}", number.get());
        Sample::take(&nginx.process, || {
            put_file(nginx, &path, &recording);
            let cpu = cpu_here();
            flush(nginx, &path);
            (recording.len(), cpu_here() - cpu)
        })
    };
    let samples = interleaved(rounds, &mut [&mut form, &mut tus, &mut put]);
    vec![
        Row::new(
            "upload with a form; nginx: PUT and fsync",
            &samples[0],
            &samples[2],
        ),
        Row::new(
            "upload with tus; nginx: PUT and fsync",
            &samples[1],
            &samples[2],
        ),
    ]
}

fn put_file(nginx: &Nginx, path: &str, recording: &Recording) {
    let mut connection = Connection::open(&nginx.address);
    let headers = format!("Content-Length: {}\r\n", recording.len());
    connection.send(("PUT", &format!("/{path}")), &headers, recording.pieces());
    connection.receive(|_| {}).expect(201);
}

/// Flushes a file and its folder, because nginx does not.
fn flush(nginx: &Nginx, path: &str) {
    let file = nginx.root.join(path);
    File::open(&file).unwrap().sync_all().unwrap();
    File::open(file.parent().unwrap())
        .unwrap()
        .sync_all()
        .unwrap();
}

/// The CPU time of this thread, in seconds.
fn cpu_here() -> f64 {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    stat.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
}
