//! Picture formats that are recognized but not supported, with advice for the sender.

/// A picture format for which no decoder is safe enough for untrusted files.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UnsupportedFormat {
    /// HEIF with HEVC, the format of iPhone photos.
    Heic,
    /// HEIF with AV1.
    Avif,
    /// JPEG XL.
    JpegXl,
    /// Canon raw photos.
    Cr3,
}

impl UnsupportedFormat {
    /// Returns the format of an ISO media file that has this picture brand.
    pub fn from_brand(brand: [u8; 4]) -> Self {
        match &brand {
            b"avif" | b"avis" | b"avio" => Self::Avif,
            b"crx " => Self::Cr3,
            _ => Self::Heic,
        }
    }

    /// Detects JPEG XL from the first bytes (ISO/IEC 18181-2). The other formats are ISO media
    /// files, which are recognized by their brand.
    pub fn detect(head: &[u8]) -> Option<Self> {
        let jpeg_xl =
            head.starts_with(&[0xff, 0x0a]) || head.starts_with(b"\0\0\0\x0cJXL \r\n\x87\n");
        jpeg_xl.then_some(Self::JpegXl)
    }

    /// Why the format is rejected, and what to do instead.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Heic => {
                "This is a HEIC picture, which Hearback cannot read. On an iPhone, choose Settings → Camera → \
                 Formats → Most Compatible and take the picture again, or export this one as JPEG."
            }
            Self::Avif => {
                "This is an AVIF picture, which Hearback cannot read. Save it as PNG, JPEG or WebP."
            }
            Self::JpegXl => {
                "This is a JPEG XL picture, which Hearback cannot read. Save it as PNG, JPEG or WebP."
            }
            Self::Cr3 => {
                "This is a raw photo (CR3), which Hearback cannot read. Export it as JPEG."
            }
        }
    }
}
