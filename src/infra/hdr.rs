//! Maps HDR colors to SDR as Chromium does on an SDR screen.

/// The luminance of SDR white in HDR content, in cd/m² (ITU-R BT.2408).
const WHITE: f64 = 203.0;
/// The assumed peak luminance of HDR content without metadata, in cd/m².
pub(super) const DEFAULT_PEAK: f64 = 1000.0;

/// A matrix for linear colors.
pub(super) type Matrix = [[f64; 3]; 3];

pub(super) const IDENTITY: Matrix = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];

/// Converts linear BT.709 to linear BT.2020 (ITU-R BT.2087).
const BT709_TO_BT2020: Matrix = [
    [0.627_404, 0.329_283, 0.043_313],
    [0.069_097, 0.919_540, 0.011_362],
    [0.016_391, 0.088_013, 0.895_595],
];

/// A transfer function of HDR content (ITU-R BT.2100).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum HdrTransfer {
    /// Perceptual quantization.
    Pq,
    /// Hybrid log-gamma.
    Hlg,
}

impl HdrTransfer {
    /// Converts an encoded HDR color to a linear SDR color with BT.709 primaries. The encoded
    /// values range from 0 to 1. If the color is out of gamut, some of the linear values are
    /// outside that range. `to_bt709` converts from the primaries of the HDR color to those of
    /// BT.709. `peak` is the peak luminance of the content, in cd/m².
    pub(super) fn to_sdr(self, color: [f64; 3], to_bt709: &Matrix, peak: f64) -> [f64; 3] {
        let luminances = match self {
            Self::Pq => multiply(to_bt709, color.map(from_pq)),
            Self::Hlg => from_hlg_scene(multiply(to_bt709, color.map(from_hlg))),
        };
        tone_map(luminances, peak)
    }
}

/// Applies a matrix to a linear color.
pub(super) fn multiply(matrix: &Matrix, color: [f64; 3]) -> [f64; 3] {
    matrix.map(|row| row[0] * color[0] + row[1] * color[1] + row[2] * color[2])
}

/// Encodes a linear value from 0 to 1 with the transfer function of sRGB. Clips other values.
pub(super) fn encode_srgb(linear: f64) -> f64 {
    let linear = linear.clamp(0.0, 1.0);
    if linear <= 0.003_130_8 {
        linear * 12.92
    } else {
        1.055 * linear.powf(1.0 / 2.4) - 0.055
    }
}

/// Returns the luminance that a PQ value encodes, in cd/m² (ITU-R BT.2100, table 4).
fn from_pq(value: f64) -> f64 {
    let (m1, m2) = (0.159_301_757_812_5, 78.843_75);
    let (c1, c2, c3) = (0.835_937_5, 18.851_562_5, 18.687_5);
    let power = value.powf(1.0 / m2);
    10_000.0 * ((power - c1).max(0.0) / (c2 - c3 * power)).powf(1.0 / m1)
}

/// Returns the linear scene light that an HLG value encodes, from 0 to 1 (ITU-R BT.2100, table 5).
fn from_hlg(value: f64) -> f64 {
    let (a, b, c) = (0.178_832_77, 0.284_668_92, 0.559_910_73);
    if value <= 0.5 {
        value * value / 3.0
    } else {
        (((value - c) / a).exp() + b) / 12.0
    }
}

/// Converts scene light to the luminance of each channel, in cd/m², on a display with a peak of
/// 1000 cd/m². Both colors have BT.709 primaries.
fn from_hlg_scene(scene: [f64; 3]) -> [f64; 3] {
    let luminance = 0.2126 * scene[0] + 0.7152 * scene[1] + 0.0722 * scene[2];
    scene.map(|value| 1000.0 * value * luminance.max(0.0).powf(0.2))
}

/// Applies the tone curve to a color with BT.709 primaries and channels in cd/m². Multiplies all
/// channels by the same factor. The brightest channel of the same color in BT.2020 determines the
/// factor.
fn tone_map(color: [f64; 3], peak: f64) -> [f64; 3] {
    let in_bt2020 = multiply(&BT709_TO_BT2020, color);
    let brightest = in_bt2020.into_iter().fold(0.0, f64::max) / WHITE;
    if brightest == 0.0 {
        return color;
    }
    let factor = tone_curve(brightest, peak / WHITE) / brightest / WHITE;
    color.map(|value| value * factor)
}

/// The tone curve of Chromium. Takes luminances relative to SDR white. If the peak is brighter than
/// SDR white, the curve returns values from 0 to 1: up to SDR white, it is a straight line, and
/// above it, a quadratic Bézier curve that reaches 1 at the peak. SDR white becomes 0.5 if the peak
/// is [`DEFAULT_PEAK`] or higher. If the peak is not brighter than SDR white, the luminance is
/// returned unchanged and can be greater than 1.
fn tone_curve(luminance: f64, peak: f64) -> f64 {
    let headroom = peak.max(1.0).ln() / (DEFAULT_PEAK / WHITE).ln();
    let white = 1.0 - 0.5 * headroom.min(1.0);
    if luminance <= 1.0 || peak <= 1.0 {
        return luminance * white;
    }
    if luminance >= peak {
        return 1.0;
    }
    // The control points are (1, white), `middle` and (peak, 1). At the first point, the curve
    // continues in the direction of the straight line.
    let middle = (0.35 + 0.65 / white, 0.35 * white + 0.65);
    let (square, linear) = (1.0 - 2.0 * middle.0 + peak, 2.0 * (middle.0 - 1.0));
    let discriminant = linear * linear + 4.0 * square * (luminance - 1.0);
    let at = 2.0 * (luminance - 1.0) / (linear + discriminant.max(0.0).sqrt());
    let rest = 1.0 - at;
    rest * rest * white + 2.0 * at * rest * middle.1 + at * at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tone_curve_never_falls_or_jumps() {
        for peak in [0.5, 1.0, 1.5, 2.0, 4.9, 50.0] {
            let at = |step: u32| tone_curve(f64::from(step) / 100.0, peak);
            for step in 1..6000 {
                let rise = at(step) - at(step - 1);
                assert!((-1e-9..0.011).contains(&rise), "{peak} {step}: {rise}");
            }
        }
    }

    /// The expected values are those that Chromium 156 shows for gray PNG files with a cLLI chunk.
    #[test]
    fn tone_curve_depends_on_the_peak() {
        #[rustfmt::skip]
        let cases = [
            (100.0, [68, 181, 255, 255]), (400.0, [61, 163, 249, 255]), (600.0, [55, 150, 236, 255]),
            (1000.0, [48, 132, 213, 255]), (4000.0, [48, 132, 202, 226]),
        ];
        for (peak, expected) in cases {
            for (value, expected) in [80.0, 128.0, 160.0, 192.0].into_iter().zip(expected) {
                let [linear, ..] = HdrTransfer::Pq.to_sdr([value / 255.0; 3], &IDENTITY, peak);
                let shown = (encode_srgb(linear) * 255.0).round() as i32;
                assert!(shown.abs_diff(expected) <= 1, "{peak} {value}: {shown}");
            }
        }
    }
}
