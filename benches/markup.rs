//! Measures how long Hearback takes to draw 50 shapes onto a picture of 2560 × 1600 pixels,
//! compared with ImageMagick's `convert -draw`. Each program reads and writes a PNG in its own
//! process; Hearback also makes the thumbnail.
//!
//! Needs ImageMagick. Run it with: `cargo bench --bench markup`
#![allow(clippy::unwrap_used, clippy::cast_precision_loss, missing_docs)]

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use hearback::infra::images::{Font, Picture};
use hearback::markup::{MarkupInput, render};
use hearback::web::assets;
use serde_json::{Value, json};

/// How many times each program runs. The result is the shortest time, because it is the least affected by other load,
/// and the largest memory use.
const ROUNDS: usize = 5;
const WIDTH: u32 = 2560;
const HEIGHT: u32 = 1600;

/// Returns fifty shapes, as JSON and as commands for ImageMagick. They include every kind of shape
/// except arrows and numbered steps.
fn shapes() -> (Value, String) {
    let (mut shapes, mut words) = (Vec::new(), String::new());
    let (w, h) = (f64::from(WIDTH), f64::from(HEIGHT));
    let stroke = "fill none stroke-linecap round stroke-linejoin round stroke-width 6.4";
    for n in 0..10 {
        let at = 0.05 + 0.08 * f64::from(n);
        shapes.push(
            json!({ "kind": "line", "from": [at, 0.1], "to": [0.95 - at, 0.9], "color": "red" }),
        );
        write!(
            words,
            "{stroke} stroke #e5322d line {},{} {},{} ",
            at * w,
            0.1 * h,
            (0.95 - at) * w,
            0.9 * h
        )
        .unwrap();
        shapes.push(json!({ "kind": "rectangle", "box": [at, at, 0.1, 0.1], "color": "blue" }));
        write!(
            words,
            "{stroke} stroke #1c7ed6 rectangle {},{} {},{} ",
            at * w,
            at * h,
            (at + 0.1) * w,
            (at + 0.1) * h
        )
        .unwrap();
        shapes
            .push(json!({ "kind": "ellipse", "box": [0.85 - at, at, 0.1, 0.1], "color": "green" }));
        write!(
            words,
            "{stroke} stroke #2f9e44 ellipse {},{} {},{} 0,360 ",
            (0.9 - at) * w,
            (at + 0.05) * h,
            0.05 * w,
            0.05 * h
        )
        .unwrap();
        let points: Vec<[f64; 2]> = (0..200)
            .map(|k| {
                [
                    0.05 + 0.0045 * f64::from(k),
                    0.05 + at * 0.9 + 0.04 * (f64::from(k) / 9.0).sin(),
                ]
            })
            .collect();
        write!(words, "{stroke} stroke #9c36b5 polyline ").unwrap();
        for [x, y] in &points {
            write!(words, "{},{} ", x * w, y * h).unwrap();
        }
        shapes.push(json!({ "kind": "freehand", "points": points, "color": "purple" }));
        if n % 2 == 0 {
            shapes.push(
                json!({ "kind": "highlight", "box": [at, 0.5, 0.15, 0.03], "color": "yellow" }),
            );
            write!(
                words,
                "stroke none fill #fcc41966 rectangle {},{} {},{} ",
                at * w,
                0.5 * h,
                (at + 0.15) * w,
                0.53 * h
            )
            .unwrap();
        } else {
            shapes.push(json!({ "kind": "text", "at": [at, 0.3], "text": "Press here first", "color": "black" }));
            for look in [
                "stroke #ffffff stroke-width 7.7 fill none",
                "stroke none fill #1a1a1a",
            ] {
                write!(
                    words,
                    "{look} font-size 48 text {},{} 'Press here first' ",
                    at * w,
                    0.3 * h + 44.6
                )
                .unwrap();
            }
        }
    }
    (Value::Array(shapes), words)
}

/// Writes the picture to draw on: four copies of one screenshot, in two rows of two.
fn picture(path: &Path) {
    let part = image::open(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/shot-1280x800.png"
    ))
    .unwrap()
    .to_rgb8();
    let whole = image::RgbImage::from_fn(WIDTH, HEIGHT, |x, y| {
        *part.get_pixel(x % part.width(), y % part.height())
    });
    whole.save(path).unwrap();
}

/// Draws the shapes onto the picture as the server does after a save. Runs in the child process
/// that is measured.
fn draw(from: &str, to: &str) {
    let font = Font::new(&assets::by_name("DejaVuSans.ttf").unwrap());
    let sent = MarkupInput::parse(&shapes().0, &Value::Null, &font).unwrap();
    let mut picture = Picture::read(&std::fs::read(from).unwrap()).unwrap();
    picture
        .draw(
            &render(&sent.shapes, WIDTH.into(), HEIGHT.into()).unwrap(),
            &font,
        )
        .unwrap();
    std::fs::write(to, picture.encode().unwrap().bytes).unwrap();
}

/// Waits until the child process ends. Returns its running time and its peak memory in kB, sampled every millisecond.
fn watch(mut child: Child, began: Instant) -> (Duration, u64) {
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    loop {
        if let Some(line) = std::fs::read_to_string(&status)
            .unwrap_or_default()
            .lines()
            .find(|line| line.starts_with("VmHWM"))
        {
            peak = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        }
        match child.try_wait().unwrap() {
            Some(ended) => {
                assert!(ended.success());
                return (began.elapsed(), peak);
            }
            None => std::thread::sleep(Duration::from_millis(1)),
        }
    }
}

fn main() {
    let words: Vec<String> = std::env::args().collect();
    if let Some(at) = words.iter().position(|word| word == "draw") {
        return draw(&words[at + 1], &words[at + 2]);
    }
    let folder = tempfile::tempdir().unwrap();
    let (from, to, font) = (
        folder.path().join("from.png"),
        folder.path().join("to.png"),
        folder.path().join("font.ttf"),
    );
    picture(&from);
    std::fs::write(&font, assets::by_name("DejaVuSans.ttf").unwrap()).unwrap();
    let drawing = shapes().1;
    let mut best = [(Duration::MAX, 0); 2];
    for _ in 0..ROUNDS {
        let mut ours = Command::new(std::env::current_exe().unwrap());
        ours.arg("draw").args([&from, &to]);
        let mut theirs = Command::new("convert");
        theirs
            .arg(&from)
            .arg("-font")
            .arg(&font)
            .args(["-draw", &drawing])
            .arg(&to);
        for (best, command) in best.iter_mut().zip([&mut ours, &mut theirs]) {
            let began = Instant::now();
            let (took, peak) = watch(command.spawn().unwrap(), began);
            *best = (best.0.min(took), best.1.max(peak));
        }
    }
    for (name, (took, peak)) in ["Hearback, with the thumbnail", "convert -draw"]
        .into_iter()
        .zip(best)
    {
        println!(
            "{name:32} {:6.2} s   {:4} MB at most",
            took.as_secs_f64(),
            peak / 1000
        );
    }
}
