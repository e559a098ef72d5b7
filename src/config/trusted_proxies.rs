//! The addresses and networks of trusted proxies.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

/// Prefix length of the IPv6 network that contains the IPv4-mapped addresses (`::ffff:0:0/96`).
const MAPPED_PREFIX: u8 = 96;

/// The proxies whose `X-Forwarded-For` header is trusted.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Parses IP addresses and networks in CIDR notation, separated by commas.
    pub fn parse(text: &str) -> Result<Self, String> {
        text.split(',')
            .map(|part| parse_network(part.trim()))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether the address belongs to a trusted proxy. Treats an IPv4-mapped address as the IPv4 address in it, because
    /// a socket that accepts both IPv4 and IPv6 reports IPv4 clients with mapped addresses.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

fn parse_network(text: &str) -> Result<IpNet, String> {
    let address = text.parse::<IpAddr>().map(IpNet::from);
    address.or_else(|_| text.parse::<IpNet>()).map(unmap).map_err(|_| {
        format!(
            "{text:?} is neither an IP address nor a network. For example: `127.0.0.1,::1,172.16.0.0/12`."
        )
    })
}

/// Converts a network of IPv4-mapped addresses to the corresponding IPv4 network. Returns any other
/// network unchanged.
fn unmap(network: IpNet) -> IpNet {
    if let IpNet::V6(mapped) = network
        && let Some(address) = mapped.addr().to_ipv4_mapped()
        && let Some(prefix) = mapped.prefix_len().checked_sub(MAPPED_PREFIX)
        && let Ok(unmapped) = Ipv4Net::new(address, prefix)
    {
        return IpNet::V4(unmapped);
    }
    network
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trusts(proxies: &str, address: &str) -> bool {
        TrustedProxies::parse(proxies)
            .unwrap()
            .contains(address.parse().unwrap())
    }

    #[test]
    fn trusted_proxies_can_be_addresses_or_networks() {
        let proxies = "127.0.0.1, ::1,172.16.0.0/12,fd00::/8";
        for trusted in [
            "127.0.0.1",
            "::1",
            "172.16.0.0",
            "172.31.255.255",
            "fd12::9",
        ] {
            assert!(trusts(proxies, trusted), "{trusted}");
        }
        for other in [
            "127.0.0.2",
            "::2",
            "172.15.255.255",
            "172.32.0.0",
            "fe80::1",
        ] {
            assert!(!trusts(proxies, other), "{other}");
        }
    }

    #[test]
    fn bits_after_the_network_prefix_are_ignored() {
        assert!(trusts("10.1.2.3/8", "10.9.9.9") && trusts("0.0.0.0/0", "192.0.2.1"));
        assert!(!trusts("0.0.0.0/0", "2001:db8::1"));
    }

    #[test]
    fn ipv4_mapped_addresses_match_ipv4_networks() {
        assert!(trusts("10.0.0.0/8", "::ffff:10.0.0.1"));
        assert!(trusts("::ffff:10.0.0.1", "10.0.0.1"));
        assert!(trusts("::ffff:10.0.0.0/104", "10.9.9.9") && trusts("::/0", "2001:db8::1"));
    }

    #[test]
    fn error_names_the_invalid_trusted_proxy() {
        for invalid in [
            "proxy.example.org",
            "10.0.0.0/33",
            "10.0.0.0/",
            "",
            "::1/129",
        ] {
            let error = TrustedProxies::parse(&format!("127.0.0.1,{invalid}")).unwrap_err();
            let named = format!("{invalid:?} is neither an IP address nor a network.");
            assert!(error.starts_with(&named), "{error}");
        }
    }
}
