//! Makes lookup tables that convert the colours of a video to sRGB, for ffmpeg's filter `lut3d`.

use std::fmt::Write;

use super::{Primaries, Transfer};

/// The number of values per channel.
const STEPS: u32 = 33;
/// The luminance of SDR white in HDR videos, in cd/m² (ITU-R BT.2408).
const HDR_WHITE: f64 = 203.0;
/// The luminance that is shown as white when HDR is mapped to SDR, in cd/m².
const HDR_PEAK: f64 = 1000.0;

type Matrix = [[f64; 3]; 3];

/// From linear BT.2020 to linear BT.709 (ITU-R BT.2087).
const FROM_BT2020: Matrix = [
    [1.660_491, -0.587_641, -0.072_850],
    [-0.124_550, 1.132_900, -0.008_349],
    [-0.018_151, -0.100_579, 1.118_730],
];
/// From linear Display P3 to linear BT.709.
const FROM_DISPLAY_P3: Matrix = [
    [1.224_940, -0.224_940, 0.0],
    [-0.042_057, 1.042_057, 0.0],
    [-0.019_638, -0.078_636, 1.098_274],
];
/// From linear BT.601 with 625 lines to linear BT.709.
const FROM_BT470BG: Matrix = [
    [1.044_043, -0.044_043, 0.0],
    [0.0, 1.0, 0.0],
    [0.0, 0.011_793, 0.988_207],
];
const IDENTITY: Matrix = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];

/// A table in the Cube format. Red changes fastest.
pub(super) fn table(primaries: Primaries, transfer: Transfer) -> String {
    let mut table = format!("LUT_3D_SIZE {STEPS}\n");
    let value = |step: u32| f64::from(step) / f64::from(STEPS - 1);
    for blue in 0..STEPS {
        for green in 0..STEPS {
            for red in 0..STEPS {
                let [red, green, blue] =
                    to_srgb([red, green, blue].map(value), primaries, transfer);
                // Writing to a string cannot fail.
                let _ = writeln!(table, "{red:.5} {green:.5} {blue:.5}");
            }
        }
    }
    table
}

/// Converts a colour from 0 to 1 per channel.
fn to_srgb(color: [f64; 3], primaries: Primaries, transfer: Transfer) -> [f64; 3] {
    let linear = match transfer {
        Transfer::Video => color.map(from_srgb),
        Transfer::Gamma22 => color.map(|value| value.powf(2.2)),
        Transfer::Gamma28 => color.map(|value| value.powf(2.8)),
        Transfer::Linear => color,
        Transfer::Pq => tone_map(color.map(from_pq)),
        Transfer::Hlg => tone_map(from_hlg(color)),
    };
    let matrix = match primaries {
        Primaries::Bt2020 => FROM_BT2020,
        Primaries::DisplayP3 => FROM_DISPLAY_P3,
        Primaries::Bt470bg => FROM_BT470BG,
        Primaries::Bt709 | Primaries::Smpte170m => IDENTITY,
    };
    matrix.map(|[red, green, blue]| {
        encode_srgb(red * linear[0] + green * linear[1] + blue * linear[2])
    })
}

fn from_srgb(value: f64) -> f64 {
    if value <= 0.040_45 {
        value / 12.92
    } else {
        ((value + 0.055) / 1.055).powf(2.4)
    }
}

fn encode_srgb(linear: f64) -> f64 {
    let linear = linear.clamp(0.0, 1.0);
    if linear <= 0.003_130_8 {
        linear * 12.92
    } else {
        1.055 * linear.powf(1.0 / 2.4) - 0.055
    }
}

/// The luminance in cd/m² of a value in perceptual quantization (ITU-R BT.2100, table 4).
fn from_pq(value: f64) -> f64 {
    let (m1, m2) = (0.159_301_757_812_5, 78.843_75);
    let (c1, c2, c3) = (0.835_937_5, 18.851_562_5, 18.687_5);
    let power = value.powf(1.0 / m2);
    10_000.0 * ((power - c1).max(0.0) / (c2 - c3 * power)).powf(1.0 / m1)
}

/// The luminance of each channel in cd/m² in hybrid log-gamma, on a display of 1000 cd/m² (ITU-R
/// BT.2100, table 5).
fn from_hlg(color: [f64; 3]) -> [f64; 3] {
    let (a, b, c) = (0.178_832_77, 0.284_668_92, 0.559_910_73);
    let scene = color.map(|value| {
        if value <= 0.5 {
            value * value / 3.0
        } else {
            (((value - c) / a).exp() + b) / 12.0
        }
    });
    let luminance = 0.2627 * scene[0] + 0.678 * scene[1] + 0.0593 * scene[2];
    scene.map(|value| 1000.0 * value * luminance.powf(0.2))
}

/// Maps channels in cd/m² to the range from 0 to 1. Keeps their ratios.
fn tone_map(color: [f64; 3]) -> [f64; 3] {
    let brightest = color.into_iter().fold(0.0, f64::max) / HDR_WHITE;
    if brightest == 0.0 {
        return color;
    }
    let factor = tone_curve(brightest) / brightest / HDR_WHITE;
    color.map(|value| value * factor)
}

/// The curve with which Chromium maps HDR to an SDR screen. White becomes half of the range. Above,
/// the curve is a quadratic Bézier curve that reaches 1 at [`HDR_PEAK`].
fn tone_curve(luminance: f64) -> f64 {
    let peak = HDR_PEAK / HDR_WHITE;
    if luminance <= 1.0 {
        return luminance / 2.0;
    }
    if luminance >= peak {
        return 1.0;
    }
    // The control points are (1, 0.5), `middle` and (peak, 1). The tangent in the first one
    // continues the straight line.
    let middle = (1.65, 0.825);
    let (square, linear) = (1.0 - 2.0 * middle.0 + peak, 2.0 * (middle.0 - 1.0));
    let discriminant = linear * linear + 4.0 * square * (luminance - 1.0);
    let at = (discriminant.sqrt() - linear) / (2.0 * square);
    let rest = 1.0 - at;
    rest * rest / 2.0 + 2.0 * at * rest * middle.1 + at * at
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Converts to 8 bits per channel.
    fn shown(color: [f64; 3], primaries: Primaries, transfer: Transfer) -> [i32; 3] {
        to_srgb(color, primaries, transfer).map(|value| (value * 255.0).round() as i32)
    }

    #[test]
    fn hdr_white_is_half_of_the_range_and_the_peak_is_white() {
        // The signals of 203 and 1000 cd/m² (ITU-R BT.2408, table 1).
        for (transfer, white, peak) in [(Transfer::Pq, 0.581, 0.752), (Transfer::Hlg, 0.75, 1.0)] {
            for (signal, expected) in [(0.0, 0), (white, 188), (peak, 255)] {
                let [red, green, blue] = shown([signal; 3], Primaries::Bt2020, transfer);
                assert!(red.abs_diff(expected) <= 1, "{transfer:?} {signal}: {red}");
                assert_eq!((red, red), (green, blue), "{transfer:?} {signal}");
            }
        }
    }

    #[test]
    fn grey_of_wide_primaries_stays_grey() {
        for primaries in [Primaries::Bt2020, Primaries::DisplayP3, Primaries::Bt470bg] {
            let [red, green, blue] = shown([0.5; 3], primaries, Transfer::Video);
            assert_eq!([red, green, blue], [128; 3], "{primaries:?}");
        }
    }

    #[test]
    fn tone_curve_rises_without_jumps() {
        let at = |step: u32| tone_curve(f64::from(step) / 100.0);
        for step in 1..600 {
            let rise = at(step) - at(step - 1);
            assert!((0.0..0.006).contains(&rise), "{step}: {rise}");
        }
    }
}
