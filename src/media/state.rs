//! The processing state of media.

use crate::infra::db::text_enum;

text_enum! {
    /// How far the processing of media has progressed.
    pub enum MediaState {
        /// The bytes of the media are still arriving.
        Uploading = "uploading",
        /// A job is processing the media.
        Processing = "processing",
        /// All required renditions of the media exist.
        Ready = "ready",
        /// The media could not be processed.
        Failed = "failed",
    }
}
