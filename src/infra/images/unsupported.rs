//! Picture formats that are recognised and not taken, each with what its sender can do.

/// A picture format that no decoder we would trust with strangers' files reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UnsupportedFormat {
    /// HEIF with HEVC: photos of iPhones.
    Heic,
    /// HEIF with AV1.
    Avif,
    /// JPEG XL.
    JpegXl,
    /// Canon's raw photos.
    Cr3,
}

impl UnsupportedFormat {
    /// By the brand of an ISO media file.
    pub fn from_brand(brand: [u8; 4]) -> Self {
        match &brand {
            b"avif" | b"avis" | b"avio" => Self::Avif,
            b"crx " => Self::Cr3,
            _ => Self::Heic,
        }
    }

    /// By the first bytes of a file that is none (ISO/IEC 18181-2).
    pub fn detect(head: &[u8]) -> Option<Self> {
        let jpeg_xl =
            head.starts_with(&[0xff, 0x0a]) || head.starts_with(b"\0\0\0\x0cJXL \r\n\x87\n");
        jpeg_xl.then_some(Self::JpegXl)
    }

    /// Why it is refused, and what to do instead.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Heic => {
                "This is a HEIC picture, which Hearback cannot read. On an iPhone, choose Settings → Camera → Formats → Most Compatible \
                 and take it again, or export this one as JPEG."
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
