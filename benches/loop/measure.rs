//! Measures how long requests take, and formats the results.

use std::time::{Duration, Instant};

use crate::ROUNDS;
use crate::app::{Client, Response};

pub(crate) struct Measured {
    pub(crate) what: &'static str,
    pub(crate) times: Vec<f64>,
    pub(crate) bytes: usize,
}

/// Requests the paths in `asks` in turn, `ROUNDS` times after a warm-up round. Returns the response
/// times and the size of the last response for each path.
pub(crate) async fn interleaved(asks: &[(&'static str, &Client, String)]) -> Vec<Measured> {
    let mut measured: Vec<Measured> = asks
        .iter()
        .map(|(what, ..)| Measured {
            what,
            times: Vec::new(),
            bytes: 0,
        })
        .collect();
    for round in 0..=ROUNDS {
        for ((_, client, path), measured) in asks.iter().zip(&mut measured) {
            let (answer, time) = timed(client.get(path)).await;
            measured.bytes = answer.body.len();
            // Do not measure the first round: it warms up the caches.
            if round > 0 {
                measured.times.push(ms(time));
            }
        }
    }
    measured
}

pub(crate) async fn timed(request: impl Future<Output = Response>) -> (Response, Duration) {
    let began = Instant::now();
    let answer = request.await.expect(200);
    (answer, began.elapsed())
}

pub(crate) fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

pub(crate) fn median(times: &[f64]) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

pub(crate) fn spread(times: &[f64]) -> String {
    let (least, most) = times
        .iter()
        .fold((f64::MAX, f64::MIN), |(least, most), time| {
            (least.min(*time), most.max(*time))
        });
    let median = median(times);
    let digits = usize::from(median < 100.0);
    format!("{median:.digits$} ms ({least:.digits$}–{most:.digits$})")
}
