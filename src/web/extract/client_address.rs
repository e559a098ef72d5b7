//! The client's IP address.

use std::net::IpAddr;

use actix_web::HttpRequest;

use crate::state::State;

/// Returns the peer address. If the peer is a trusted proxy, returns the last forwarded address that is not a
/// trusted proxy.
pub(crate) fn client_address(state: &State, req: &HttpRequest) -> String {
    let Some(peer) = req.peer_addr().map(|peer| peer.ip()) else {
        return "unknown".into();
    };
    let trusted = |address: &IpAddr| state.config.trusted_proxies.contains(address);
    if !trusted(&peer) {
        return peer.to_string();
    }
    let forwarded = req
        .headers()
        .get_all("x-forwarded-for")
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    let hops: Vec<IpAddr> = forwarded
        .filter_map(|hop| hop.trim().parse().ok())
        .collect();
    hops.into_iter()
        .rev()
        .find(|hop| !trusted(hop))
        .unwrap_or(peer)
        .to_string()
}
