//! The setting `HEARBACK_DELIVERY`.

/// How media bytes reach the browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Hearback streams the bytes itself; the bucket can be private and unreachable from outside.
    Proxy,
    /// Hearback redirects to a presigned URL of the bucket.
    Redirect,
}

impl Delivery {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        match text {
            "proxy" => Ok(Self::Proxy),
            "redirect" => Ok(Self::Redirect),
            _ => Err("must be `proxy` or `redirect`.".into()),
        }
    }
}
