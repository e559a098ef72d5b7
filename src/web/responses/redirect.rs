//! Safe redirect targets.

/// Returns `next` if it is a path of this site. Otherwise returns `/`, so that `next` cannot redirect to another
/// host.
pub(crate) fn local_path(next: Option<&str>) -> String {
    match next {
        // Accept only printable ASCII, because a header cannot contain other characters. Browsers percent-encode all
        // other characters of an address.
        Some(next)
            if next.starts_with('/')
                && !next.starts_with("//")
                && next
                    .bytes()
                    .all(|byte| byte.is_ascii_graphic() && byte != b'\\') =>
        {
            next.to_owned()
        }
        _ => "/".into(),
    }
}
