//! Color spaces of PNG files, which several kinds of chunks can describe.

use std::io::Cursor;

use ::png::{Decoder, Info, Limits, SourceChromaticities};
use moxcms::{
    Chromaticity, CicpColorPrimaries, CicpProfile, ColorPrimaries, ColorProfile,
    MatrixCoefficients, ToneReprCurve, TransferCharacteristics,
};

use super::{ColorSpace, HdrSpace, profile_use};
use crate::infra::hdr::{DEFAULT_PEAK, HdrTransfer};

/// The value of a gAMA chunk that describes sRGB.
const SRGB_GAMMA: f32 = 0.45455;
/// The gamma of displays for BT.709, BT.601 and BT.2020 (ITU-R BT.1886).
const BT1886_GAMMA: f32 = 2.4;

/// Reads the color space of a PNG. If several chunks describe it, the first one in this order applies: cICP, iCCP,
/// sRGB, gAMA with cHRM (PNG, third edition, §4.3). `max_memory` is in bytes.
pub(in crate::infra::images) fn read_png(bytes: &[u8], max_memory: usize) -> ColorSpace {
    let limits = Limits { bytes: max_memory };
    let Ok(reader) = Decoder::new_with_limits(Cursor::new(bytes), limits).read_info() else {
        return ColorSpace::Srgb;
    };
    let info = reader.info();
    if let Some(space) = space_from_code_points(info) {
        return space;
    }
    let color = info.palette.is_some() || info.color_type.samples() >= 3;
    match &info.icc_profile {
        Some(profile) if profile_use(profile, color).is_some() => ColorSpace::Icc(profile.to_vec()),
        _ => match profile_from_gamma(info) {
            Some(profile) => ColorSpace::Parameters(Box::new(profile)),
            None => ColorSpace::Srgb,
        },
    }
}

/// Returns the color space that the cICP chunk describes with code points of ITU-T H.273. Returns `None` if there is no
/// such chunk, or if it has values that browsers ignore, such as limited range.
fn space_from_code_points(info: &Info<'_>) -> Option<ColorSpace> {
    use TransferCharacteristics as Transfer;
    let code_points = info.coding_independent_code_points?;
    if !code_points.is_video_full_range_image {
        return None;
    }
    let primaries = CicpColorPrimaries::try_from(code_points.color_primaries).ok()?;
    let space = match Transfer::try_from(code_points.transfer_function).ok()? {
        Transfer::Srgb if primaries == CicpColorPrimaries::Bt709 => ColorSpace::Srgb,
        // For these transfer functions, H.273 specifies the curve that cameras apply, but screens
        // apply the curve of BT.1886.
        Transfer::Bt709
        | Transfer::Bt601
        | Transfer::Bt202010bit
        | Transfer::Bt202012bit
        | Transfer::Iec61966 => {
            let mut profile = profile_from_code_points(primaries, Transfer::Srgb)?;
            set_gamma(&mut profile, BT1886_GAMMA);
            ColorSpace::Parameters(profile)
        }
        Transfer::Smpte2084 => hdr_space(info, primaries, HdrTransfer::Pq)?,
        Transfer::Hlg => hdr_space(info, primaries, HdrTransfer::Hlg)?,
        Transfer::Log100 | Transfer::Log100sqrt10 | Transfer::Bt1361 => return None,
        transfer => ColorSpace::Parameters(profile_from_code_points(primaries, transfer)?),
    };
    Some(space)
}

fn profile_from_code_points(
    primaries: CicpColorPrimaries,
    transfer: TransferCharacteristics,
) -> Option<Box<ColorProfile>> {
    let mut profile = ColorProfile::new_from_cicp(CicpProfile {
        color_primaries: primaries,
        transfer_characteristics: transfer,
        matrix_coefficients: MatrixCoefficients::Identity,
        full_range: true,
    });
    profile.cicp = None;
    is_valid(&profile).then(|| Box::new(profile))
}

fn hdr_space(
    info: &Info<'_>,
    primaries: CicpColorPrimaries,
    transfer: HdrTransfer,
) -> Option<ColorSpace> {
    let profile = profile_from_code_points(primaries, TransferCharacteristics::Srgb)?;
    let content = info
        .content_light_level
        .map(|level| level.max_content_light_level);
    let screen = info
        .mastering_display_color_volume
        .map(|volume| volume.max_luminance);
    let peak = [content, screen]
        .into_iter()
        .flatten()
        .find(|peak| *peak > 0);
    // The unit in the chunks is 0.0001 cd/m².
    let peak = peak.map_or(DEFAULT_PEAK, |peak| f64::from(peak) / 10_000.0);
    Some(ColorSpace::Hdr(Box::new(HdrSpace {
        transfer,
        peak,
        to_bt709: profile.transform_matrix(&ColorProfile::new_srgb()).v,
    })))
}

/// Returns the profile that the gAMA and cHRM chunks describe. Without cHRM, the primaries are those of sRGB. Returns
/// `None` if the picture is sRGB or the values are invalid. Returns `None` without gAMA, because browsers ignore a cHRM
/// chunk alone. With cHRM, even a gamma close to that of sRGB is applied, as in browsers. Dark colors then become
/// darker than in sRGB.
fn profile_from_gamma(info: &Info<'_>) -> Option<ColorProfile> {
    let gamma = info.gama_chunk?.into_value();
    if info.srgb.is_some() {
        return None;
    }
    let mut profile = ColorProfile::new_srgb();
    match info.chrm_chunk {
        Some(chromaticities) => set_primaries(&mut profile, chromaticities),
        // Without cHRM, browsers treat a gamma within 5% of sRGB's as sRGB.
        None if (gamma / SRGB_GAMMA - 1.0).abs() < 0.05 => return None,
        None => {}
    }
    profile.cicp = None;
    set_gamma(&mut profile, 1.0 / gamma);
    is_valid(&profile).then_some(profile)
}

fn set_primaries(profile: &mut ColorProfile, from: SourceChromaticities) {
    let [white, red, green, blue] = [from.white, from.red, from.green, from.blue]
        .map(|(x, y)| Chromaticity::new(x.into_value(), y.into_value()));
    profile.update_rgb_colorimetry(white.to_xyyb(), ColorPrimaries { red, green, blue });
}

/// Whether the profile has tone curves, and whether the luminances of its primaries add up to that of white.
fn is_valid(profile: &ColorProfile) -> bool {
    let luminance = profile.red_colorant.y + profile.green_colorant.y + profile.blue_colorant.y;
    profile.is_matrix_shaper() && (luminance - 1.0).abs() < 0.01
}

fn set_gamma(profile: &mut ColorProfile, gamma: f32) {
    let curve = ToneReprCurve::Parametric(vec![gamma]);
    profile.red_trc = Some(curve.clone());
    profile.green_trc = Some(curve.clone());
    profile.blue_trc = Some(curve);
}
