//! Enums for receipts: kinds of answers, verdicts and messages, and the state of a receipt.

use crate::infra::db::text_enum;

text_enum! {
    /// How a recipient answered an update.
    pub enum AnswerKind {
        /// The recipient acknowledged the update with "Got it".
        Acknowledged = "acknowledged",
        /// The recipient restated the update in their own words.
        ReadBack = "read_back",
        /// The recipient objected, with a reason.
        Declined = "declined",
    }
}

text_enum! {
    /// The author's verdict on a readback.
    pub enum VerdictKind {
        /// The readback is right.
        Confirmed = "confirmed",
        /// The readback is not quite right; the author asks for a new one.
        Corrected = "corrected",
    }
}

text_enum! {
    /// The state of a receipt for the current revision, as far as the viewer may know. See
    /// [`Receipt::state`](super::Receipt::state).
    pub enum ReceiptState {
        /// The recipient has neither opened nor answered the update.
        Waiting = "waiting",
        /// The recipient has opened the update, but has not answered it.
        Opened = "opened",
        /// The recipient acknowledged the update.
        Acknowledged = "acknowledged",
        /// The recipient sent a readback that has no verdict yet.
        ReadBack = "read_back",
        /// The author confirmed the readback.
        Confirmed = "confirmed",
        /// The author corrected the readback.
        NeedsCorrection = "needs_correction",
        /// The recipient objected to the update.
        Declined = "declined",
        /// The recipient answered an earlier revision.
        Stale = "stale",
    }
}

text_enum! {
    /// The kind of a message in the thread between the author and a recipient.
    pub enum MessageKind {
        /// The recipient read the update back.
        Readback = "readback",
        /// The recipient objected to the update.
        Decline = "decline",
        /// The author confirmed the readback.
        Confirmed = "confirmed",
        /// The author corrected the readback.
        Corrected = "corrected",
    }
}
