//! Measures throughput and CPU time, and formats the results.

use std::fs;
use std::time::Instant;

/// A server, which can consist of several processes.
pub(crate) struct Process {
    pub(crate) pids: Vec<u32>,
}

impl Process {
    /// Used CPU time in seconds. The kernel counts it in hundredths of a second.
    fn cpu(&self) -> f64 {
        let ticks = |pid: &u32| -> u64 {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
            let (_, fields) = stat.rsplit_once(") ").unwrap();
            let fields: Vec<&str> = fields.split(' ').collect();
            fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
        };
        self.pids.iter().map(ticks).sum::<u64>() as f64 / 100.0
    }

    /// The largest memory of the first process so far, in bytes.
    pub(crate) fn peak_memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pids[0])).unwrap();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }
}

/// What a server transferred, and what it needed for that.
#[derive(Clone, Copy)]
pub(crate) struct Sample {
    bytes: u64,
    seconds: f64,
    cpu: f64,
}

impl Sample {
    /// Measures `work`, which returns the number of transferred bytes, and which may do work for the server on this
    /// thread for some seconds of CPU time.
    pub(crate) fn take(process: &Process, work: impl FnOnce() -> (u64, f64)) -> Self {
        let (cpu, began) = (process.cpu(), Instant::now());
        let (bytes, cpu_here) = work();
        let seconds = began.elapsed().as_secs_f64();
        Self {
            bytes,
            seconds,
            cpu: process.cpu() - cpu + cpu_here,
        }
    }

    /// Throughput in GB/s.
    fn rate(&self) -> f64 {
        self.bytes as f64 / 1e9 / self.seconds
    }

    /// CPU seconds per GB.
    fn cost(&self) -> f64 {
        self.cpu / (self.bytes as f64 / 1e9)
    }
}

/// One line of the table: the samples of Hearback and of its peer, round by round.
pub(crate) struct Row {
    what: String,
    samples: Vec<(Sample, Sample)>,
}

impl Row {
    pub(crate) fn new(what: &str, ours: &[Sample], peer: &[Sample]) -> Self {
        let samples = ours.iter().copied().zip(peer.iter().copied()).collect();
        Self {
            what: what.into(),
            samples,
        }
    }
}

/// Calls each of `sides` once in every round, after a round that is not measured. Returns the samples of each side.
pub(crate) fn interleaved(
    rounds: usize,
    sides: &mut [&mut dyn FnMut() -> Sample],
) -> Vec<Vec<Sample>> {
    let mut samples = vec![Vec::new(); sides.len()];
    for round in 0..=rounds {
        for (side, samples) in sides.iter_mut().zip(&mut samples) {
            let sample = side();
            if round > 0 {
                samples.push(sample);
            }
        }
    }
    samples
}

/// Returns the median with the least and the greatest value, or a dash if the values are not known.
fn spread(values: impl Iterator<Item = f64>) -> String {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    let (median, least, most) = (
        sorted[sorted.len() / 2],
        sorted[0],
        sorted[sorted.len() - 1],
    );
    if !most.is_finite() {
        return "–".into();
    }
    format!("{median:.2} ({least:.2}–{most:.2})")
}

pub(crate) fn print_table(rows: &[Row]) {
    println!(
        "| median (least–most) | throughput, × the peer | CPU time, × the peer | GB/s | CPU s per GB |"
    );
    println!("| --- | --- | --- | --- | --- |");
    for Row { what, samples } in rows {
        let of = |value: fn(&Sample) -> f64| spread(samples.iter().map(|(ours, _)| value(ours)));
        let ratio = |value: fn(&Sample) -> f64| {
            spread(samples.iter().map(|(ours, peer)| value(ours) / value(peer)))
        };
        println!(
            "| {what} | {} | {} | {} | {} |",
            ratio(Sample::rate),
            ratio(Sample::cost),
            of(Sample::rate),
            of(Sample::cost)
        );
    }
}
