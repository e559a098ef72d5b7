//! Handlers: one file per noun. Each checks the request, calls the domain and presents the answer.

pub(crate) mod comments;
pub(crate) mod drafts;
pub(crate) mod groups;
pub(crate) mod health;
pub(crate) mod inbox;
pub(crate) mod links;
pub(crate) mod live;
pub(crate) mod markup;
pub(crate) mod me;
pub(crate) mod media;
pub(crate) mod people;
pub(crate) mod receipts;
pub(crate) mod session;
pub(crate) mod unsubscribe;
pub(crate) mod updates;
pub(crate) mod uploads;
pub(crate) mod workspace;
