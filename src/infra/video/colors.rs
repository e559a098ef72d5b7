//! Interprets the color tags of a video as Chromium does, and creates ffmpeg filters from the
//! result.
//!
//! ITU-T H.273 defines the tags. The transfer functions of BT.601, BT.709 and sRGB count as equal,
//! because browsers show such videos without converting them.

mod lut;

use std::ffi::OsString;
use std::path::Path;

use super::Probe;
use crate::error::Result;

/// Chromium treats an untagged video as BT.709 if it has at least this many rows, and otherwise as BT.601. It always
/// treats untagged VP9, AV1 and full-range video as BT.601.
const HD_ROWS: u32 = 720;
/// The name of the file with the lookup table, in the folder in which ffmpeg runs.
const LUT_FILE: &str = "colors.cube";

/// The color tags of a stream, as ffmpeg names them. `None` means that the tag is unknown.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(super) struct ColorTags {
    pub(super) range: Option<String>,
    pub(super) matrix: Option<String>,
    pub(super) primaries: Option<String>,
    pub(super) transfer: Option<String>,
}

impl ColorTags {
    /// Output options that tag copied packets. They are needed if the packets come from a file
    /// whose container has no color tags.
    pub(super) fn copy_args(&self) -> Vec<OsString> {
        if self.matrix.is_none() && self.primaries.is_none() && self.transfer.is_none() {
            return Vec::new();
        }
        let tags = [
            ("-color_range", &self.range),
            ("-colorspace", &self.matrix),
            ("-color_primaries", &self.primaries),
            ("-color_trc", &self.transfer),
        ];
        tags.into_iter()
            .filter_map(|(option, tag)| Some([option, tag.as_deref()?]))
            .flatten()
            .map(OsString::from)
            .collect()
    }

    fn are_complete(&self) -> bool {
        self.matrix.is_some() && self.primaries.is_some() && self.transfer.is_some()
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Matrix {
    Bt601,
    Bt709,
    Bt2020,
    /// The video stores RGB. It is converted with the matrix of BT.709.
    Rgb,
}

impl Matrix {
    /// The name of the tag for a converted video.
    fn tag_name(self) -> &'static str {
        match self {
            Self::Bt601 => "smpte170m",
            Self::Bt709 | Self::Rgb => "bt709",
            Self::Bt2020 => "bt2020nc",
        }
    }

    /// The name for the `scale` filter.
    fn scale_name(self) -> &'static str {
        match self {
            Self::Bt601 => "bt601",
            Self::Bt709 | Self::Rgb => "bt709",
            Self::Bt2020 => "bt2020",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Primaries {
    /// BT.709 or sRGB.
    Bt709,
    /// BT.601 with 525 lines. Browsers show it like BT.709.
    Smpte170m,
    /// BT.601 with 625 lines.
    Bt470bg,
    Bt2020,
    DisplayP3,
}

impl Primaries {
    fn name(self) -> &'static str {
        match self {
            Self::Bt709 => "bt709",
            Self::Smpte170m => "smpte170m",
            Self::Bt470bg => "bt470bg",
            Self::Bt2020 => "bt2020",
            Self::DisplayP3 => "smpte432",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Transfer {
    /// The transfer functions of BT.601, BT.709, BT.2020 and sRGB, which count as equal.
    Video,
    Gamma22,
    Gamma28,
    Linear,
    /// Perceptual quantizer, the transfer function of HDR10.
    Pq,
    /// Hybrid log-gamma.
    Hlg,
}

impl Transfer {
    /// The name for ffmpeg's option `color_trc`.
    fn name(self) -> &'static str {
        match self {
            Self::Video => "bt709",
            Self::Gamma22 => "bt470m",
            Self::Gamma28 => "bt470bg",
            Self::Linear => "linear",
            Self::Pq => "smpte2084",
            Self::Hlg => "arib-std-b67",
        }
    }

    fn is_hdr(self) -> bool {
        matches!(self, Self::Pq | Self::Hlg)
    }
}

/// How browsers interpret the colors of a video.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Colors {
    matrix: Matrix,
    primaries: Primaries,
    transfer: Transfer,
    full_range: bool,
}

/// BT.709 in limited range. A converted HDR video has these colors, and Chromium assumes them for
/// most untagged HD videos.
const BT709: Colors = Colors {
    matrix: Matrix::Bt709,
    primaries: Primaries::Bt709,
    transfer: Transfer::Video,
    full_range: false,
};

impl Colors {
    pub(super) fn of(probe: &Probe) -> Self {
        let tags = &probe.color_tags;
        let is_rgb = probe.pixel_format.starts_with("gbr");
        let full_range =
            is_rgb || tags.range.as_deref() == Some("pc") || probe.pixel_format.starts_with("yuvj");
        // For VP9 and AV1, Chromium uses every color tag that is known. For other codecs, it
        // guesses the colors unless matrix, primaries and transfer function are all known.
        let uses_each_tag = matches!(&*probe.video, "vp9" | "av1");
        if !uses_each_tag && !is_rgb && !tags.are_complete() {
            return Self::guessed(probe.stored_height, full_range);
        }
        let matrix = match tags.matrix.as_deref() {
            _ if is_rgb => Matrix::Rgb,
            Some("bt709") => Matrix::Bt709,
            Some("bt2020nc" | "bt2020c") => Matrix::Bt2020,
            _ => Matrix::Bt601,
        };
        Self {
            matrix,
            primaries: match tags.primaries.as_deref() {
                Some("bt709") => Primaries::Bt709,
                Some("bt470bg") => Primaries::Bt470bg,
                Some("bt2020") => Primaries::Bt2020,
                Some("smpte432") => Primaries::DisplayP3,
                None if matrix != Matrix::Bt601 => Primaries::Bt709,
                _ => Primaries::Smpte170m,
            },
            transfer: match tags.transfer.as_deref() {
                Some("bt470m" | "gamma22") => Transfer::Gamma22,
                Some("bt470bg" | "gamma28") => Transfer::Gamma28,
                Some("linear") => Transfer::Linear,
                Some("smpte2084") => Transfer::Pq,
                Some("arib-std-b67") => Transfer::Hlg,
                _ => Transfer::Video,
            },
            full_range,
        }
    }

    /// Returns the colors that Chromium assumes for a video without complete tags. `rows` is the
    /// stored height.
    fn guessed(rows: u32, full_range: bool) -> Self {
        if rows >= HD_ROWS && !full_range {
            return BT709;
        }
        Self {
            matrix: Matrix::Bt601,
            primaries: Primaries::Smpte170m,
            transfer: Transfer::Video,
            full_range,
        }
    }

    /// Returns a filter that converts a video to 8 bits and limited range, and sets all of its color tags.
    /// HDR is mapped to BT.709; the colors of other videos are kept. ffmpeg must run in a folder
    /// prepared by [`Colors::write_lut`].
    pub(super) fn video_filter(self) -> String {
        if self.transfer.is_hdr() {
            return format!("{},{}", self.lut_filter(), BT709.tag_filter());
        }
        let matrix = self.matrix.scale_name();
        format!(
            "scale=in_color_matrix={matrix}:in_range={}:out_color_matrix={matrix}:out_range=tv,format=yuv420p,{}",
            self.range_name(),
            self.tag_filter()
        )
    }

    /// Returns a filter that converts a video to 8-bit BT.709 in limited range, with the colors
    /// that browsers show on an sRGB screen. ffmpeg must run in a folder prepared by
    /// [`Colors::write_lut`].
    pub(super) fn screen_filter(self) -> String {
        if self.needs_lut() {
            return self.lut_filter();
        }
        format!(
            "scale=in_color_matrix={}:in_range={}:out_color_matrix=bt709:out_range=tv,format=yuv420p",
            self.matrix.scale_name(),
            self.range_name()
        )
    }

    /// Writes the lookup table for the filters into `dir`, if they need one.
    pub(super) async fn write_lut(self, dir: &Path) -> Result<()> {
        if self.needs_lut() {
            let table = lut::table(self.primaries, self.transfer);
            tokio::fs::write(dir.join(LUT_FILE), table).await?;
        }
        Ok(())
    }

    /// Whether browsers convert the transfer function or the primaries. That needs a lookup table; converting only the
    /// matrix and the range does not.
    fn needs_lut(self) -> bool {
        self.transfer != Transfer::Video
            || !matches!(self.primaries, Primaries::Bt709 | Primaries::Smpte170m)
    }

    fn lut_filter(self) -> String {
        format!(
            "scale=in_color_matrix={}:in_range={},format=gbrp10le,lut3d=file={LUT_FILE}:interp=tetrahedral,\
             scale=out_color_matrix=bt709:out_range=tv,format=yuv420p",
            self.matrix.scale_name(),
            self.range_name()
        )
    }

    fn range_name(self) -> &'static str {
        if self.full_range { "pc" } else { "tv" }
    }

    /// Returns a filter that tags frames with these colors and limited range.
    fn tag_filter(self) -> String {
        format!(
            "setparams=range=tv:colorspace={}:color_primaries={}:color_trc={}",
            self.matrix.tag_name(),
            self.primaries.name(),
            self.transfer.name()
        )
    }
}
