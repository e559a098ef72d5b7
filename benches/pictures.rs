//! Measures how long Hearback takes to re-encode a picture and to make its thumbnail, compared with libvips, and how
//! much memory each takes at most. Each program works in its own process. libvips needs two: `vips autorot` and
//! `vipsthumbnail`.
//!
//! Needs ffmpeg, and libvips-tools. Run it with: `cargo bench --bench pictures`
#![allow(clippy::unwrap_used, missing_docs)]

mod peer;

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use hearback::infra::images;
use peer::Pair;

/// How many times each program runs.
const ROUNDS: usize = 15;
/// The filters of ffmpeg that make the pictures, and their file names.
const PICTURES: [(&str, &str); 4] = [
    (
        "movie=tests/fixtures/shot-1280x800.png,loop=3:1,tile=2x2",
        "screenshot.png",
    ),
    (
        "mandelbrot=s=4000x3000:start_scale=0.9,noise=alls=8:allf=t,scale=1800:1350,noise=alls=6",
        "photo.png",
    ),
    (
        "mandelbrot=s=4000x3000:start_scale=0.9,noise=alls=8:allf=t",
        "photo.jpg",
    ),
    (
        "mandelbrot=s=4000x3000:start_scale=0.9,noise=alls=8:allf=t",
        "portrait.jpg",
    ),
];

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "process") {
        return process(Path::new(&arguments[at + 1]), Path::new(&arguments[at + 2]));
    }
    let dir = tempfile::tempdir().unwrap();
    println!(
        "\n{:16} {:20} {:22} {:22} {:20}  memory",
        "picture", "size", "  Hearback", "  libvips", "  ratio"
    );
    for (filter, name) in PICTURES {
        let picture = dir.path().join(name);
        make_picture(filter, &picture);
        if name == "portrait.jpg" {
            turn(&picture);
        }
        let (mut pair, mut memory) = (Pair::default(), [0; 2]);
        // The first round only warms up caches.
        for round in 0..=ROUNDS {
            let ours = measure(&mut [ours(&picture, dir.path())]);
            let peer = measure(&mut libvips(&picture, dir.path()));
            if round > 0 {
                pair.ours.push(ours.0.as_secs_f64());
                pair.peers.push(peer.0.as_secs_f64());
            }
            memory = [memory[0].max(ours.1), memory[1].max(peer.1)];
        }
        let [ours, peers] = memory.map(|kilobytes| kilobytes / 1024);
        let size = std::fs::metadata(&picture).unwrap().len() as f64 / 1e6;
        println!(
            "{name:16} {size:.1} MB {} {ours} and {peers} MiB",
            pair.row()
        );
    }
}

fn make_picture(filter: &str, to: &Path) {
    let mut command = Command::new("ffmpeg");
    command.args([
        "-nostdin",
        "-v",
        "error",
        "-f",
        "lavfi",
        "-i",
        filter,
        "-frames:v",
        "1",
        "-q:v",
        "2",
    ]);
    assert!(command.arg(to).status().unwrap().success());
}

/// Marks a JPEG as taken with a camera that was turned by 90°: inserts Exif metadata with orientation 6.
fn turn(picture: &Path) {
    let bytes = std::fs::read(picture).unwrap();
    let exif =
        b"\xff\xe1\0\x22Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    std::fs::write(picture, [&bytes[..2], exif, &bytes[2..]].concat()).unwrap();
}

/// Processes a picture as the server does after an upload. Runs in the process that is measured.
fn process(from: &Path, to: &Path) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let made = runtime.block_on(images::process(from)).unwrap();
    std::fs::write(to, made.bytes).unwrap();
    std::fs::write(to.with_file_name("our-thumbnail.jpg"), made.thumbnail.bytes).unwrap();
}

fn ours(picture: &Path, dir: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .arg("process")
        .args([picture, &output(picture, dir)]);
    command
}

fn libvips(picture: &Path, dir: &Path) -> [Command; 2] {
    let options = if picture.extension().unwrap() == "jpg" {
        "[strip,Q=90]"
    } else {
        "[strip]"
    };
    let mut whole = Command::new("vips");
    whole.arg("autorot").arg(picture);
    whole.arg(format!("{}{options}", output(picture, dir).display()));
    let mut thumbnail = Command::new("vipsthumbnail");
    thumbnail.arg(picture).args(["--size", "640", "-o"]);
    thumbnail.arg(format!(
        "{}[strip,Q=80]",
        dir.join("their-thumbnail.jpg").display()
    ));
    [whole, thumbnail]
}

fn output(picture: &Path, dir: &Path) -> PathBuf {
    dir.join("output")
        .with_extension(picture.extension().unwrap())
}

/// Runs the commands one after the other. Returns their running time, and the peak memory of the largest in kB.
fn measure(commands: &mut [Command]) -> (Duration, u64) {
    let (began, mut peak) = (Instant::now(), 0);
    for command in commands {
        peak = watch(command.spawn().unwrap()).max(peak);
    }
    (began.elapsed(), peak)
}

/// Waits until the process ends. Returns its peak memory in kB, sampled every millisecond.
fn watch(mut child: Child) -> u64 {
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    loop {
        let now = std::fs::read_to_string(&status).unwrap_or_default();
        let line = now.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        if let Some(kilobytes) = line {
            peak = kilobytes
                .split_whitespace()
                .next()
                .unwrap()
                .parse()
                .unwrap();
        }
        if let Some(ended) = child.try_wait().unwrap() {
            assert!(ended.success());
            return peak;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}
