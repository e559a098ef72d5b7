//! Where a form leads to.

/// Where one was going, if that is ours: a path, never another host.
pub(crate) fn local_path(next: Option<&str>) -> String {
    match next {
        // An address that a browser was at is all ASCII; anything else would not fit a header either.
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
