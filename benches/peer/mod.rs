//! Compares Hearback with another program that does the same work in the same run.

/// The times that Hearback and its peer took for the same work, in seconds. Round `n` of both was measured in turn.
#[derive(Default)]
pub(crate) struct Pair {
    pub(crate) ours: Vec<f64>,
    pub(crate) peers: Vec<f64>,
}

impl Pair {
    /// Formats both medians and the median of the ratios of all rounds, each with its spread.
    pub(crate) fn row(&self) -> String {
        let ratios: Vec<f64> = self
            .ours
            .iter()
            .zip(&self.peers)
            .map(|(ours, peer)| ours / peer)
            .collect();
        format!(
            "{} s   {} s   {} ×",
            spread(&self.ours),
            spread(&self.peers),
            spread(&ratios)
        )
    }
}

/// Returns the median of the values; the upper one if their number is even.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

fn spread(values: &[f64]) -> String {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(0.0, f64::max);
    format!("{:.2} ({least:.2}–{most:.2})", median(values))
}
