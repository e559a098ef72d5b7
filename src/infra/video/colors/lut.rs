//! Makes lookup tables that convert the colors of a video to sRGB, for ffmpeg's filter `lut3d`.

use std::fmt::Write;

use super::{Primaries, Transfer};
use crate::infra::hdr::{DEFAULT_PEAK, HdrTransfer, IDENTITY, Matrix, encode_srgb, multiply};

/// The number of values per channel.
const STEPS: u32 = 33;

/// Converts linear BT.2020 to linear BT.709 (ITU-R BT.2087).
const FROM_BT2020: Matrix = [
    [1.660_491, -0.587_641, -0.072_850],
    [-0.124_550, 1.132_900, -0.008_349],
    [-0.018_151, -0.100_579, 1.118_730],
];
/// Converts linear Display P3 to linear BT.709.
const FROM_DISPLAY_P3: Matrix = [
    [1.224_940, -0.224_940, 0.0],
    [-0.042_057, 1.042_057, 0.0],
    [-0.019_638, -0.078_636, 1.098_274],
];
/// Converts linear BT.601 with 625 lines to linear BT.709.
const FROM_BT470BG: Matrix = [
    [1.044_043, -0.044_043, 0.0],
    [0.0, 1.0, 0.0],
    [0.0, 0.011_793, 0.988_207],
];

/// Returns the table in the Cube format, in which red changes fastest.
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

/// Converts a color to sRGB. All channels range from 0 to 1.
fn to_srgb(color: [f64; 3], primaries: Primaries, transfer: Transfer) -> [f64; 3] {
    let to_bt709 = match primaries {
        Primaries::Bt2020 => &FROM_BT2020,
        Primaries::DisplayP3 => &FROM_DISPLAY_P3,
        Primaries::Bt470bg => &FROM_BT470BG,
        Primaries::Bt709 | Primaries::Smpte170m => &IDENTITY,
    };
    let linear = match transfer {
        Transfer::Video => multiply(to_bt709, color.map(from_srgb)),
        Transfer::Gamma22 => multiply(to_bt709, color.map(|value| value.powf(2.2))),
        Transfer::Gamma28 => multiply(to_bt709, color.map(|value| value.powf(2.8))),
        Transfer::Linear => multiply(to_bt709, color),
        Transfer::Pq => HdrTransfer::Pq.to_sdr(color, to_bt709, DEFAULT_PEAK),
        Transfer::Hlg => HdrTransfer::Hlg.to_sdr(color, to_bt709, DEFAULT_PEAK),
    };
    linear.map(encode_srgb)
}

fn from_srgb(value: f64) -> f64 {
    if value <= 0.040_45 {
        value / 12.92
    } else {
        ((value + 0.055) / 1.055).powf(2.4)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Converts a color to sRGB with 8 bits per channel.
    fn shown(color: [f64; 3], primaries: Primaries, transfer: Transfer) -> [i32; 3] {
        to_srgb(color, primaries, transfer).map(|value| (value * 255.0).round() as i32)
    }

    #[test]
    fn hdr_reference_white_becomes_half_intensity_and_peak_white_becomes_full_intensity() {
        // `white` and `peak` are the signal values for 203 and 1000 cd/m² (ITU-R BT.2408, table 1).
        for (transfer, white, peak) in [(Transfer::Pq, 0.581, 0.752), (Transfer::Hlg, 0.75, 1.0)] {
            for (signal, expected) in [(0.0, 0), (white, 188), (peak, 255)] {
                let [red, green, blue] = shown([signal; 3], Primaries::Bt2020, transfer);
                assert!(red.abs_diff(expected) <= 1, "{transfer:?} {signal}: {red}");
                assert_eq!((red, red), (green, blue), "{transfer:?} {signal}");
            }
        }
    }

    #[test]
    fn gray_stays_gray_when_primaries_are_converted() {
        for primaries in [Primaries::Bt2020, Primaries::DisplayP3, Primaries::Bt470bg] {
            let [red, green, blue] = shown([0.5; 3], primaries, Transfer::Video);
            assert_eq!([red, green, blue], [128; 3], "{primaries:?}");
        }
    }
}
