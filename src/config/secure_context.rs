//! Secure contexts, as the W3C defines them.

/// Whether browsers allow recording and copying to the clipboard on pages at this address. Browsers require a secure
/// context: HTTPS or an address of the local machine (W3C Secure Contexts §3.1).
pub fn is_secure_context(address: &str) -> bool {
    let Ok(url) = url::Url::parse(address) else {
        return false;
    };
    let is_loopback = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    url.scheme() == "https" || is_loopback
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_and_local_addresses_are_secure_contexts() {
        for secure in [
            "https://hearback.example.org",
            "http://localhost:8080",
            "http://hearback.localhost",
            "http://127.0.0.1:8080",
            "http://127.9.9.9",
            "http://[::1]:8080",
        ] {
            assert!(is_secure_context(secure), "{secure}");
        }
        for insecure in [
            "http://hearback.example.org",
            "http://localhost.example.org",
            "http://192.168.1.2:8080",
            "http://[fe80::1]",
            "http://_:x",
        ] {
            assert!(!is_secure_context(insecure), "{insecure}");
        }
    }
}
