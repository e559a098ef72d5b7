//! What kind of file a piece of media is, and how far its processing has come.

use crate::infra::db::text_enum;

text_enum! {
    /// What kind of file it is.
    pub enum MediaKind {
        /// A recording.
        Video = "video",
        /// A picture.
        Image = "image",
    }
}

text_enum! {
    /// How far its processing has come.
    pub enum MediaState {
        /// Its bytes are still arriving.
        Uploading = "uploading",
        /// A job prepares it.
        Processing = "processing",
        /// All renditions are there.
        Ready = "ready",
        /// It cannot be shown.
        Failed = "failed",
    }
}
