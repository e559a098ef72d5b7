//! The client's IP address.

use std::borrow::Cow;
use std::net::IpAddr;

use actix_web::HttpRequest;

use crate::config::TrustedProxies;
use crate::state::State;

/// Returns the peer address or, if the peer is a trusted proxy, the last forwarded address that
/// does not belong to a trusted proxy.
pub(crate) fn client_address(state: &State, req: &HttpRequest) -> String {
    let Some(peer) = req.peer_addr() else {
        return "unknown".into();
    };
    let values: Vec<Cow<'_, str>> = req
        .headers()
        .get_all("x-forwarded-for")
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .collect();
    let forwarded: Vec<&str> = values.iter().flat_map(|value| value.split(',')).collect();
    last_untrusted(&state.config.trusted_proxies, peer.ip(), &forwarded)
}

/// Follows the chain of proxies from the peer back to the first hop that is not a trusted proxy. Each proxy appends
/// the address of its client to `forwarded`, so a client can forge only the entries before its own.
fn last_untrusted(trusted: &TrustedProxies, peer: IpAddr, forwarded: &[&str]) -> String {
    let mut client = peer;
    for hop in forwarded.iter().rev().map(|hop| hop.trim()) {
        if !trusted.contains(client) {
            break;
        }
        match parse_hop(hop) {
            Some(address) => client = address,
            // The entry is not an address; it may be `unknown`, for example. Stop here, because the entries before it
            // could be forged.
            None => return hop.to_owned(),
        }
    }
    client.to_canonical().to_string()
}

/// Parses an address. Ignores a port, the brackets of an IPv6 address and its zone id.
fn parse_hop(hop: &str) -> Option<IpAddr> {
    let host = match hop.strip_prefix('[') {
        Some(bracketed) => bracketed.split_once(']')?.0,
        // An IPv6 address contains at least two colons, so a single one precedes a port.
        None if hop.matches(':').count() == 1 => hop.split_once(':')?.0,
        None => hop,
    };
    let (address, _zone) = host.split_once('%').unwrap_or((host, ""));
    address.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded: &[&str]) -> String {
        let trusted = TrustedProxies::parse("10.0.0.1,10.0.0.2,172.16.0.0/12").unwrap();
        last_untrusted(&trusted, peer.parse().unwrap(), forwarded)
    }

    #[test]
    fn client_address_is_the_peer_address_unless_the_peer_is_a_trusted_proxy() {
        assert_eq!(client("198.51.100.7", &["203.0.113.9"]), "198.51.100.7");
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &["203.0.113.9"]), "203.0.113.9");
    }

    #[test]
    fn client_address_is_the_last_forwarded_address_that_is_not_a_trusted_proxy() {
        let chain = ["192.0.2.1", " 203.0.113.9", " 10.0.0.2"];
        assert_eq!(client("10.0.0.1", &chain), "203.0.113.9");
        assert_eq!(client("10.0.0.1", &["10.0.0.2"]), "10.0.0.2");
        let chain = ["192.0.2.1", "203.0.113.9", "172.31.0.5"];
        assert_eq!(client("172.17.0.1", &chain), "203.0.113.9");
    }

    #[test]
    fn ipv4_mapped_ipv6_addresses_are_treated_as_ipv4_addresses() {
        assert_eq!(client("::ffff:198.51.100.7", &[]), "198.51.100.7");
        assert_eq!(client("::ffff:10.0.0.1", &["203.0.113.9"]), "203.0.113.9");
    }

    #[test]
    fn forwarded_addresses_before_an_invalid_address_are_ignored() {
        assert_eq!(client("10.0.0.1", &["192.0.2.1", "unknown"]), "unknown");
    }

    #[test]
    fn forwarded_addresses_are_parsed_without_their_ports_and_zone_ids() {
        for (hop, address) in [
            ("203.0.113.9:4711", "203.0.113.9"),
            ("[2001:db8::9]:4711", "2001:db8::9"),
            ("[2001:db8::9]", "2001:db8::9"),
            ("[::1]:80", "::1"),
            ("fe80::1%eth0", "fe80::1"),
            ("[fe80::1%eth0]:80", "fe80::1"),
            // This entry is a trusted proxy with a port, so the client is the entry before it.
            ("10.0.0.2:4711", "192.0.2.1"),
            // None of these is an address.
            ("1.2.3.4:80:80", "1.2.3.4:80:80"),
            ("[::1", "[::1"),
            ("%eth0", "%eth0"),
            ("", ""),
        ] {
            assert_eq!(client("10.0.0.1", &["192.0.2.1", hop]), address, "{hop}");
        }
    }
}
