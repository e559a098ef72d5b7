//! The closed sets of receipts.

use crate::infra::db::text_enum;

text_enum! {
    /// How a recipient answered.
    pub enum AnswerKind {
        /// With "Got it".
        Acknowledged = "acknowledged",
        /// By reading it back in their own words.
        ReadBack = "read_back",
        /// By declining, with a reason.
        Declined = "declined",
    }
}

text_enum! {
    /// The author's verdict on a readback.
    pub enum VerdictKind {
        /// The readback is right.
        Confirmed = "confirmed",
        /// The readback is not quite right.
        Corrected = "corrected",
    }
}

text_enum! {
    /// The state of a receipt, derived from its columns.
    pub enum ReceiptState {
        /// The recipient has not opened the update.
        Waiting = "waiting",
        /// The recipient opened the update.
        Opened = "opened",
        /// The recipient acknowledged it.
        Acknowledged = "acknowledged",
        /// The recipient read it back; the author has given no verdict.
        ReadBack = "read_back",
        /// The author confirmed the readback.
        Confirmed = "confirmed",
        /// The author corrected the readback.
        NeedsCorrection = "needs_correction",
        /// The recipient declined.
        Declined = "declined",
        /// The recipient answered an earlier revision.
        Stale = "stale",
    }
}

text_enum! {
    /// The kind of a message between the author and a recipient.
    pub enum MessageKind {
        /// The recipient read the update back.
        Readback = "readback",
        /// The recipient declined.
        Decline = "decline",
        /// The author confirmed the readback.
        Confirmed = "confirmed",
        /// The author corrected the readback.
        Corrected = "corrected",
    }
}
