//! The processing state of media.

use crate::infra::db::text_enum;

text_enum! {
    /// Processing state.
    pub enum MediaState {
        /// Its bytes are still arriving.
        Uploading = "uploading",
        /// A job is processing it.
        Processing = "processing",
        /// All required renditions exist.
        Ready = "ready",
        /// It could not be processed.
        Failed = "failed",
    }
}
