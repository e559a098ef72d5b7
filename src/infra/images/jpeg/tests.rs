use super::*;

const PROGRESSIVE: &[u8] = include_bytes!("../../../../tests/fixtures/progressive.jpg");
const SAMSUNG: &[u8] = include_bytes!("../../../../tests/fixtures/jpg-noeoi-samsung.jpg");
const ENDS_IN_ZEROS: &str = "ends in zeros";
/// How many bytes a Samsung phone appends after the last pixel.
const SAMSUNG_TRAILER: usize = 72;

/// Test files with their names. The files are complete and have end markers.
fn files() -> [(&'static str, &'static [u8]); 5] {
    [
        ("progressive", PROGRESSIVE),
        (
            ENDS_IN_ZEROS,
            include_bytes!("../../../../tests/fixtures/photo-exif6-gps.jpg"),
        ),
        (
            "restart markers",
            include_bytes!("../../../../tests/fixtures/jpg-restart.jpg"),
        ),
        (
            "progressive with restart markers",
            include_bytes!("../../../../tests/fixtures/jpg-progressive-restart.jpg"),
        ),
        (
            "ends in a stuffed zero",
            include_bytes!("../../../../tests/fixtures/jpg-ends-in-ff.jpg"),
        ),
    ]
}

fn without_end_marker(bytes: &[u8]) -> &[u8] {
    bytes.strip_suffix(&[0xff, END_OF_IMAGE]).unwrap()
}

fn samsung_trailer() -> &'static [u8] {
    &SAMSUNG[SAMSUNG.len() - SAMSUNG_TRAILER..]
}

#[test]
fn photo_without_end_marker_is_decoded_completely_whatever_bytes_follow_it() {
    for (name, bytes) in files() {
        let pixels = decode(bytes).unwrap().image;
        let data = without_end_marker(bytes);
        let followers: [&[u8]; 7] = [
            &[],
            &[0xff],
            &[0],
            &[0; 300],
            &[0xff; 300],
            samsung_trailer(),
            // A second picture, such as a preview or a depth map.
            PROGRESSIVE,
        ];
        for follower in followers {
            let picture = decode(&[data, follower].concat());
            let picture = picture.unwrap_or_else(|error| panic!("{name}, {follower:x?}: {error}"));
            assert!(picture.image == pixels, "{name}, {follower:x?}");
        }
    }
}

#[test]
fn photo_with_missing_pixels_is_rejected() {
    for (name, bytes) in files() {
        let data = without_end_marker(bytes);
        for length in (2..data.len() - 1).rev().step_by(7) {
            let cut = &data[..length];
            assert!(decode(cut).is_err(), "{name}: {length} bytes");
            // If the data of a photo ends in zeros, the appended zeros can pass for the missing pixels.
            let copied = [cut, &[0; 300]].concat();
            assert!(
                decode(&copied).is_err() || name == ENDS_IN_ZEROS,
                "{name}: {length} bytes and zeros"
            );
        }
    }
}

#[test]
fn progressive_photo_is_complete_only_with_all_scans() {
    let data = without_end_marker(PROGRESSIVE);
    for length in 2..data.len() {
        assert!(decode(&data[..length]).is_err(), "{length} bytes");
    }
}

#[test]
fn damaged_headers_cause_no_panic() {
    for (_, bytes) in files() {
        let data = without_end_marker(bytes);
        for position in (2..data.len().min(700)).step_by(9) {
            for value in [0, 1, 0x11, 0x7f, 0xff] {
                let mut damaged = data.to_vec();
                damaged[position] = value;
                // Ignore the result, because some damaged files can still be read.
                let _ = scans::end_of_pixels(&damaged);
            }
        }
    }
}

/// The expected colors are those that Chromium 156 draws.
#[test]
fn cmyk_photo_with_a_profile_is_converted_as_in_browsers() {
    let expected = [
        [244, 244, 244],
        [0, 151, 218],
        [216, 10, 122],
        [247, 224, 0],
        [55, 55, 55],
        [117, 197, 231],
        [173, 123, 140],
        [89, 86, 154],
    ];
    let files: [(&str, &[u8]); 2] = [
        (
            "CMYK",
            include_bytes!("../../../../tests/fixtures/jpg-cmyk.jpg"),
        ),
        (
            "YCCK",
            include_bytes!("../../../../tests/fixtures/jpg-ycck.jpg"),
        ),
    ];
    for (name, bytes) in files {
        let picture = decode(bytes).unwrap();
        assert_eq!(picture.profile, None);
        let pixels = picture.image.to_rgb8();
        for (patch, expected) in (0..).zip(expected) {
            let shown = pixels.get_pixel(16 * patch + 8, 8).0;
            // Chromium shows pure black ink a little lighter than the profile says.
            let tolerance = if patch == 4 { 16 } else { 8 };
            let mut channels = shown.iter().zip(expected);
            let close = channels.all(|(a, b)| a.abs_diff(b) <= tolerance);
            assert!(close, "{name}, {patch}: {shown:?} instead of {expected:?}");
        }
    }
}
