//! The address that a request really comes from.

use std::convert::Infallible;
use std::net::IpAddr;

use axum::extract::{FromRequestParts, Request};
use http::HeaderMap;
use http::request::Parts;
use ipnet::IpNet;

use super::Problem;
use crate::listen::Peer;

/// Where a request comes from, for handlers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Address(pub(crate) IpAddr);

impl<S: Sync> FromRequestParts<S> for Address {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get().copied().ok_or_else(|| Problem::internal(&"the gateway was passed by"))
    }
}

/// Whether the client's side of the connection is encrypted: up to here, or up to the proxy in front, as it says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Secure(pub(crate) bool);

impl<S: Sync> FromRequestParts<S> for Secure {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let here = parts.extensions.get::<Peer>().is_some_and(|peer| peer.secure);
        Ok(Self(here || parts.headers.get("x-forwarded-proto").is_some_and(|proto| proto == "https")))
    }
}

/// The other end of the connection; behind proxies that are trusted, what the nearest of them saw that is none.
pub(crate) fn address(request: &Request, trusted: &[IpNet]) -> IpAddr {
    let peer = request.extensions().get::<Peer>().map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.address);
    behind(peer.to_canonical(), request.headers(), trusted)
}

fn behind(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|net| net.contains(address));
    if !is_trusted(&peer) {
        return peer;
    }
    let named = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let mut seen = peer;
    for text in named.flat_map(|value| value.split(',')).collect::<Vec<_>>().into_iter().rev() {
        // What cannot be read was not written by a proxy of ours.
        let Ok(address) = text.trim().parse::<IpAddr>() else { break };
        seen = address.to_canonical();
        if !is_trusted(&seen) {
            break;
        }
    }
    seen
}

/// Reads networks as `10.0.0.0/8` and single addresses.
pub(crate) fn networks(texts: &[String]) -> Result<Vec<IpNet>, String> {
    let read = |text: &String| {
        let address = text.parse::<IpAddr>().map(IpNet::from);
        text.parse().or(address).map_err(|_| format!("'{text}' is no address or network; write 10.0.0.0/8"))
    };
    texts.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_trusted_proxies_are_believed() {
        let trusted = networks(&["10.0.0.0/8".into(), "::1".into()]).unwrap();
        let table = [
            ("192.0.2.1", "198.51.100.7", "192.0.2.1"),
            ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
            ("10.0.0.1", "203.0.113.9, 198.51.100.7, 10.0.0.2", "198.51.100.7"),
            ("10.0.0.1", "198.51.100.7, nonsense", "10.0.0.1"),
            ("10.0.0.1", "", "10.0.0.1"),
            ("::1", "::ffff:198.51.100.7", "198.51.100.7"),
        ];
        for (peer, forwarded, expected) in table {
            let headers =
                HeaderMap::from_iter([("x-forwarded-for".parse().unwrap(), forwarded.parse().unwrap())]);
            let seen = behind(peer.parse().unwrap(), &headers, &trusted);
            assert_eq!(seen, expected.parse::<IpAddr>().unwrap(), "{peer} {forwarded}");
        }
        assert!(networks(&["10.0.0.0/40".into()]).is_err());
    }
}
