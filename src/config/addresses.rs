//! Addresses of this server, of the bucket and of the database.

use std::net::SocketAddr;

/// Parses an IP address with a port.
pub(super) fn parse_listen(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        "is not an IP address with a port. For example: `127.0.0.1:8080` or `0.0.0.0:8080`.".into()
    })
}

/// Parses an HTTP URL without a path. Removes trailing slashes.
pub(super) fn parse_url(text: &str) -> Result<String, String> {
    let text = text.trim_end_matches('/');
    match text.parse::<actix_web::http::Uri>() {
        Ok(uri)
            if matches!(uri.scheme_str(), Some("http" | "https"))
                && uri.host().is_some()
                && uri.path() == "/" =>
        {
            Ok(text.to_owned())
        }
        _ => Err("must be a URL without a path, such as `https://hearback.example.org`.".into()),
    }
}

/// Checks that the text is the URL of a PostgreSQL or SQLite database.
pub(super) fn parse_database(text: &str) -> Result<String, String> {
    if ["postgres://", "postgresql://"]
        .iter()
        .any(|scheme| text.starts_with(scheme))
        || text.starts_with("sqlite:")
    {
        Ok(text.to_owned())
    } else {
        Err("must be `postgres://USER:PASSWORD@HOST/NAME` or `sqlite:///PATH?mode=rwc`.".into())
    }
}
