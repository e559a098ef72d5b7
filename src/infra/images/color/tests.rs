//! The expected colors are those that Chromium 156 draws for the same files on an sRGB screen.

use image::DynamicImage;
use moxcms::{ColorProfile, ToneReprCurve};
use png::chunk::ChunkType;
use png::{BitDepth, ColorType, Encoder};

use super::super::Picture;

/// Every test picture has two pixels. In most of the pictures, one is red and the other is brown.
const RED: [u8; 3] = [200, 60, 60];
const BROWN: [u8; 3] = [30, 20, 10];
const PLAIN: Pixels = [RED, BROWN];
/// The colors that a browser shows for the pixels of `PLAIN` if their values are linear.
const LINEAR: Pixels = [[229, 133, 133], [96, 79, 56]];
/// The colors that a browser shows for the pixels of `PLAIN` if their primaries are those of
/// Display P3.
const P3: Pixels = [[217, 42, 52], [32, 19, 8]];

type Pixels = [[u8; 3]; 2];
type Chunk = (&'static [u8; 4], Vec<u8>);
/// A test case: its name, the chunks of a picture, and the pixels that a browser shows for the picture.
type Case = (&'static str, Vec<Chunk>, Pixels);

fn encode(kind: ColorType, depth: BitDepth, pixels: &[u8], chunks: &[Chunk]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, 2, 1);
    encoder.set_color(kind);
    encoder.set_depth(depth);
    let mut writer = encoder.write_header().unwrap();
    for (name, content) in chunks {
        writer.write_chunk(ChunkType(**name), content).unwrap();
    }
    writer.write_image_data(pixels).unwrap();
    writer.finish().unwrap();
    bytes
}

fn rgb(chunks: &[Chunk]) -> Vec<u8> {
    encode(
        ColorType::Rgb,
        BitDepth::Eight,
        PLAIN.as_flattened(),
        chunks,
    )
}

fn gamma(value: u32) -> Chunk {
    (b"gAMA", value.to_be_bytes().to_vec())
}

fn chromaticities(values: [u32; 8]) -> Chunk {
    (
        b"cHRM",
        values
            .iter()
            .flat_map(|value| value.to_be_bytes())
            .collect(),
    )
}

/// The primaries of sRGB, with a rounding error in the last digit.
fn srgb_chromaticities() -> Chunk {
    chromaticities([
        31_269, 32_899, 63_999, 33_001, 30_000, 60_000, 15_000, 5_999,
    ])
}

fn p3_chromaticities() -> Chunk {
    chromaticities([
        31_270, 32_900, 68_000, 32_000, 26_500, 69_000, 15_000, 6_000,
    ])
}

fn code_points(primaries: u8, transfer: u8, full_range: u8) -> Chunk {
    (b"cICP", vec![primaries, transfer, 0, full_range])
}

/// A cLLI chunk. `peak` is in cd/m².
fn light_level(peak: u32) -> Chunk {
    (b"cLLI", [peak * 10_000, 0].map(u32::to_be_bytes).concat())
}

/// An iCCP chunk with a stored (uncompressed) zlib stream.
fn icc(profile: &[u8]) -> Chunk {
    let length = u16::try_from(profile.len()).unwrap();
    let (mut a, mut b) = (1_u32, 0_u32);
    for byte in profile {
        a = (a + u32::from(*byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    let checksum = (b << 16 | a).to_be_bytes();
    let lengths = [length.to_le_bytes(), (!length).to_le_bytes()].concat();
    let content = [b"p\0\0\x78\x01\x01", &lengths[..], profile, &checksum].concat();
    (b"iCCP", content)
}

fn linear_p3() -> Vec<u8> {
    let mut profile = ColorProfile::new_display_p3();
    let curve = Some(ToneReprCurve::Parametric(vec![1.0]));
    (profile.red_trc, profile.green_trc, profile.blue_trc) = (curve.clone(), curve.clone(), curve);
    profile.cicp = None;
    profile.encode().unwrap()
}

fn assert_close(image: &DynamicImage, expected: Pixels, name: &str) {
    let image = image.to_rgb8();
    for (shown, expected) in image.pixels().zip(expected) {
        let close = shown
            .0
            .iter()
            .zip(expected)
            .all(|(a, b)| a.abs_diff(b) <= 2);
        assert!(close, "{name}: {:?} instead of {expected:?}", shown.0);
    }
}

#[test]
fn color_chunks_of_a_png_are_interpreted_as_in_browsers() {
    let p3 = ColorProfile::new_display_p3().encode().unwrap();
    let linear = || gamma(100_000);
    #[rustfmt::skip]
    let cases: Vec<Case> = vec![
        ("gAMA", vec![linear()], LINEAR),
        ("gAMA 0.6", vec![gamma(60_000)], [[213, 84, 84], [47, 32, 14]]),
        ("gAMA of sRGB", vec![gamma(45_455)], PLAIN),
        ("gAMA close to sRGB", vec![gamma(47_000)], PLAIN),
        ("gAMA and cHRM", vec![gamma(45_455), p3_chromaticities()], [[219, 37, 49], [26, 11, 1]]),
        ("gAMA and cHRM of sRGB", vec![gamma(45_455), srgb_chromaticities()], [[201, 57, 57], [24, 12, 3]]),
        ("linear gAMA and cHRM of sRGB", vec![linear(), srgb_chromaticities()], LINEAR),
        ("cHRM alone", vec![p3_chromaticities()], PLAIN),
        ("invalid cHRM", vec![linear(), chromaticities([0; 8])], PLAIN),
        ("sRGB", vec![(b"sRGB", vec![0]), linear()], PLAIN),
        ("cICP P3", vec![code_points(12, 13, 1)], P3),
        ("cICP sRGB", vec![code_points(1, 13, 1)], PLAIN),
        ("cICP BT.709", vec![code_points(1, 1, 1)], [[197, 49, 49], [18, 7, 1]]),
        ("cICP BT.2020", vec![code_points(9, 14, 1)], [[244, 0, 40], [23, 6, 0]]),
        ("cICP linear", vec![code_points(1, 8, 1)], LINEAR),
        ("cICP SMPTE 240M", vec![code_points(7, 7, 1)], [[201, 82, 77], [48, 38, 25]]),
        ("cICP DCI-P3", vec![code_points(11, 17, 1)], [[213, 8, 33], [15, 4, 0]]),
        ("cICP logarithmic", vec![code_points(9, 9, 1)], PLAIN),
        ("cICP BT.1361", vec![code_points(9, 12, 1)], PLAIN),
        ("cICP IEC 61966-2-4", vec![code_points(1, 11, 1)], [[197, 49, 49], [18, 7, 1]]),
        ("cICP PQ", vec![code_points(12, 16, 1)], [[255, 0, 0], [5, 1, 0]]),
        ("cICP HLG", vec![code_points(9, 18, 1)], [[230, 0, 39], [15, 4, 1]]),
        ("cICP HLG with cLLI", vec![code_points(9, 18, 1), light_level(400)], [[255, 0, 50], [21, 7, 1]]),
        ("cICP limited range", vec![code_points(12, 13, 0)], PLAIN),
        ("cICP unspecified", vec![code_points(12, 2, 1)], PLAIN),
        ("cICP before iCCP", vec![code_points(1, 13, 1), icc(&linear_p3())], PLAIN),
        ("cICP before gAMA", vec![code_points(12, 13, 1), linear()], P3),
        ("invalid iCCP", vec![icc(&[0; 200]), linear()], LINEAR),
    ];
    for (name, chunks, expected) in cases {
        let picture = Picture::read(&rgb(&chunks)).unwrap();
        assert_eq!(picture.profile, None, "{name}");
        assert_close(&picture.image, expected, name);
    }
    let picture = Picture::read(&rgb(&[icc(&p3), linear()])).unwrap();
    assert_eq!(picture.profile, Some(p3));
    assert_eq!(picture.image.as_bytes(), PLAIN.as_flattened());
}

#[test]
fn saturated_hdr_colors_are_mapped_as_in_browsers() {
    const PIXELS: Pixels = [[240, 0, 200], [0, 160, 128]];
    let (pq, hlg) = (16, 18);
    #[rustfmt::skip]
    let cases: Vec<(u8, u8, Option<u32>, Pixels)> = vec![
        (1, pq, None, [[255, 0, 163], [0, 217, 126]]),
        (1, hlg, None, [[255, 0, 181], [0, 132, 102]]),
        (9, pq, None, [[255, 0, 136], [0, 225, 110]]),
        (9, hlg, None, [[255, 0, 167], [0, 139, 99]]),
        (12, pq, None, [[255, 0, 151], [0, 220, 115]]),
        (12, hlg, None, [[255, 0, 177], [0, 134, 100]]),
        (12, pq, Some(4000), [[255, 0, 151], [0, 210, 109]]),
        (1, pq, Some(150), [[255, 0, 255], [0, 255, 181]]),
        (12, hlg, Some(150), [[255, 0, 255], [0, 184, 138]]),
    ];
    for (primaries, transfer, peak, expected) in cases {
        let chunks: Vec<Chunk> = [code_points(primaries, transfer, 1)]
            .into_iter()
            .chain(peak.map(light_level))
            .collect();
        let bytes = encode(
            ColorType::Rgb,
            BitDepth::Eight,
            PIXELS.as_flattened(),
            &chunks,
        );
        let name = format!("primaries {primaries}, transfer {transfer}, peak {peak:?}");
        assert_close(&Picture::read(&bytes).unwrap().image, expected, &name);
    }
}

#[test]
fn pixels_of_every_type_are_converted_to_srgb() {
    let linear = [gamma(100_000)];
    let gray = [[188; 3], [79; 3]];
    let wide = |bytes: &[u8]| {
        bytes
            .iter()
            .flat_map(|byte| [*byte; 2])
            .collect::<Vec<u8>>()
    };
    let with_alpha = [&RED[..], &[255], &BROWN, &[100]].concat();
    #[rustfmt::skip]
    let cases = [
        (ColorType::Rgb, BitDepth::Sixteen, wide(PLAIN.as_flattened()), LINEAR),
        (ColorType::Rgba, BitDepth::Eight, with_alpha.clone(), LINEAR),
        (ColorType::Rgba, BitDepth::Sixteen, wide(&with_alpha), LINEAR),
        (ColorType::Grayscale, BitDepth::Eight, vec![128, 20], gray),
        (ColorType::Grayscale, BitDepth::Sixteen, wide(&[128, 20]), gray),
        (ColorType::GrayscaleAlpha, BitDepth::Eight, vec![128, 255, 20, 100], gray),
    ];
    for (kind, depth, pixels, expected) in cases {
        let name = format!("{kind:?} {depth:?}");
        let picture = Picture::read(&encode(kind, depth, &pixels, &linear)).unwrap();
        assert_close(&picture.image, expected, &name);
        if picture.image.color().has_alpha() {
            assert_eq!(picture.image.to_rgba8().get_pixel(1, 0).0[3], 100, "{name}");
        }
    }
    let gray_with_rgb_profile = [icc(&linear_p3())];
    let bytes = encode(
        ColorType::Grayscale,
        BitDepth::Eight,
        &[128, 20],
        &gray_with_rgb_profile,
    );
    let picture = Picture::read(&bytes).unwrap();
    assert_eq!(picture.profile, None);
    assert_close(
        &picture.image,
        gray,
        "gray with the profile of a color picture",
    );
}
