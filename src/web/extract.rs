//! Request extraction: the viewer, the response format, fields, JSON bodies and list queries.

pub(crate) mod accept;
mod base_url;
pub(crate) mod browser_name;
pub(crate) mod client_address;
pub(crate) mod context;
pub(crate) mod cookies;
pub(crate) mod fields;
pub(crate) mod flash;
pub(crate) mod guest_cookie;
pub(crate) mod json;
pub(crate) mod list_query;
pub(crate) mod upload_headers;
pub(crate) mod viewer;
