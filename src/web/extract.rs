//! What is read from a request: who asks, which form is wanted, fields, JSON bodies and queries of lists.

pub(crate) mod accept;
pub(crate) mod client_address;
pub(crate) mod context;
pub(crate) mod fields;
pub(crate) mod json;
pub(crate) mod list_query;
