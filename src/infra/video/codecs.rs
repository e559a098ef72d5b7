//! Codecs: which ones Hearback decodes, and their common names.

/// The allowed decoders for a video codec, as ffmpeg's comma-separated list; `None` for unsupported
/// codecs.
pub(super) fn video_decoders(codec: &str) -> Option<&'static str> {
    Some(match codec {
        "vp8" => "vp8,libvpx",
        "vp9" => "vp9,libvpx-vp9",
        "av1" => "libdav1d,libaom-av1,av1",
        "h264" => "h264",
        "hevc" => "hevc",
        _ => return None,
    })
}

/// The allowed decoders for an audio codec; `None` for unsupported codecs.
pub(super) fn audio_decoders(codec: &str) -> Option<&str> {
    Some(match codec {
        "aac" => "aac",
        "opus" => "opus,libopus",
        "mp3" => "mp3float,mp3",
        "mp2" => "mp2float,mp2",
        "mp1" => "mp1float,mp1",
        "vorbis" => "vorbis,libvorbis",
        "aac_latm" | "flac" | "alac" | "ac3" | "eac3" | "truehd" | "mlp" | "adpcm_ima_qt"
        | "adpcm_ima_wav" | "adpcm_ms" => codec,
        "dts" => "dca",
        "amr_nb" => "amrnb",
        "amr_wb" => "amrwb",
        // PCM decoders are named after their codecs.
        _ if codec.starts_with("pcm_") => codec,
        _ => return None,
    })
}

/// The common name of a codec. `codec` is ffmpeg's name, `tag` the four-character code in the file.
pub(super) fn codec_label(codec: &str, tag: &str) -> String {
    let known = match codec {
        "h264" => "H.264",
        "hevc" => "HEVC (H.265)",
        "vvc" => "H.266 (VVC)",
        "vp6" | "vp6f" | "vp6a" => "VP6",
        "prores" | "prores_aw" | "prores_ks" => "ProRes",
        "mpeg4" => "MPEG-4 Part 2",
        "mpeg2video" => "MPEG-2",
        "mpeg1video" => "MPEG-1",
        "msmpeg4v1" | "msmpeg4v2" | "msmpeg4v3" => "Microsoft MPEG-4 (DivX 3)",
        "mjpeg" | "mjpegb" => "Motion JPEG",
        "jpeg2000" => "JPEG 2000",
        "dnxhd" => "DNxHD",
        "cfhd" => "CineForm",
        "theora" => "Theora",
        "vc1" => "VC-1",
        "wmv1" | "wmv2" | "wmv3" => "Windows Media Video",
        "h261" => "H.261",
        "h263" | "h263p" => "H.263",
        "flv1" => "Sorenson Spark",
        "svq1" | "svq3" => "Sorenson Video",
        "cinepak" => "Cinepak",
        "qtrle" => "QuickTime Animation",
        "rpza" => "Apple Video",
        "aic" => "Apple Intermediate Codec",
        "dvvideo" => "DV",
        "ffv1" => "FFV1",
        "huffyuv" | "ffvhuff" => "HuffYUV",
        "utvideo" => "Ut Video",
        "magicyuv" => "MagicYUV",
        "hap" => "Hap",
        "rawvideo" | "v210" | "v308" | "v408" | "v410" | "yuv4" | "r210" => "uncompressed video",
        "png" => "PNG pictures",
        "gif" => "GIF",
        "aac" | "aac_latm" => "AAC",
        "opus" => "Opus",
        "mp3" => "MP3",
        "ac3" => "AC-3 (Dolby Digital)",
        "ac4" => "AC-4 (Dolby)",
        "eac3" => "E-AC-3 (Dolby Digital Plus)",
        "truehd" => "Dolby TrueHD",
        "wmav1" | "wmav2" | "wmapro" | "wmalossless" | "wmavoice" => "Windows Media Audio",
        "qdm2" | "qdmc" => "QDesign Music",
        _ => return label_by_tag(codec, tag),
    };
    known.to_owned()
}

/// The name of a codec that `codec_label` does not list: a common name for its tag, otherwise
/// ffmpeg's name, otherwise the tag itself.
fn label_by_tag(codec: &str, tag: &str) -> String {
    let known = match tag {
        "aprn" | "aprh" => "ProRes RAW",
        "vvc1" | "vvi1" => "H.266 (VVC)",
        "apv1" => "APV",
        "apac" => "Apple Positional Audio (APAC)",
        "ac-4" => "AC-4 (Dolby)",
        "mha1" | "mhm1" | "mha2" | "mhm2" => "MPEG-H 3D Audio",
        _ => "",
    };
    if !known.is_empty() {
        return known.to_owned();
    }
    // The file controls these names, so show only short plain ones.
    let plain = |word: &str| {
        (2..=20).contains(&word.len())
            && word
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    if plain(codec) && !matches!(codec, "unknown" | "none") {
        return codec.to_uppercase().replace('_', " ");
    }
    if plain(tag) {
        format!("an unknown codec (“{tag}”)")
    } else {
        "an unknown codec".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codec_label_returns_the_common_name() {
        for (codec, tag, label) in [
            ("prores", "apch", "ProRes"),
            ("mpeg4", "mp4v", "MPEG-4 Part 2"),
            ("pcm_s16le", "sowt", "PCM S16LE"),
            ("unknown", "apac", "Apple Positional Audio (APAC)"),
            ("unknown", "zz9k", "an unknown codec (“zz9k”)"),
            ("unknown", "<b>x", "an unknown codec"),
            ("none", "[0][0][0][0]", "an unknown codec"),
        ] {
            assert_eq!(codec_label(codec, tag), label);
        }
    }
}
