//! Which edges a listener is sent to.

use http::header::HOST;
use http::{HeaderMap, Uri};
use segue_manifests::{AssetId, Sha256};

/// Placeholder for the host name that the listener used.
const HOST_PLACEHOLDER: &str = "{host}";

/// An edge in the configuration that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("edges: '{0}' is not a base address; give it as http://host:port or https://host")]
pub(crate) struct BadEdge(String);

/// A request that does not say by which name it reached the origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the Host header is missing or malformed")]
pub(crate) struct BadHost;

/// The configured edges.
#[derive(Debug)]
pub(crate) struct Edges {
    bases: Vec<String>,
    backups: usize,
}

impl Edges {
    /// Checks the configured base addresses; answers name at most `backups` besides the best.
    pub(crate) fn new(bases: &[String], backups: usize) -> Result<Self, BadEdge> {
        let bases = bases.iter().map(|base| check(base)).collect::<Result<_, _>>()?;
        Ok(Self { bases, backups })
    }

    /// Place of the best edge for an asset among the configured ones.
    pub(crate) fn best(&self, asset: AssetId) -> Option<usize> {
        (0..self.bases.len()).max_by_key(|place| weight(asset, &self.bases[*place]))
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.bases.len()
    }

    /// The edges for an asset, best first, with the listener's host name put in.
    ///
    /// Rendezvous hashing: every asset has its own order of edges; an edge that comes or goes moves only the
    /// assets it holds.
    pub(crate) fn choose(&self, asset: AssetId, host: Option<&str>) -> Result<Vec<String>, BadHost> {
        let mut order: Vec<&String> = self.bases.iter().collect();
        order.sort_by_cached_key(|base| std::cmp::Reverse(weight(asset, base)));
        let chosen = order.into_iter().take(1 + self.backups);
        chosen
            .map(|base| match base.contains(HOST_PLACEHOLDER) {
                true => Ok(base.replace(HOST_PLACEHOLDER, host.ok_or(BadHost)?)),
                false => Ok(base.clone()),
            })
            .collect()
    }
}

/// What an edge's place in the order of an asset hangs on.
fn weight(asset: AssetId, base: &str) -> [u8; 32] {
    Sha256::of(&[&asset.0[..], base.as_bytes()].concat()).0
}

fn check(base: &str) -> Result<String, BadEdge> {
    let bad = || BadEdge(base.to_owned());
    let uri: Uri = base.replace(HOST_PLACEHOLDER, "host").parse().map_err(|_| bad())?;
    let scheme = uri.scheme_str().ok_or_else(bad)?;
    let plain = uri.query().is_none() && uri.authority().is_some_and(|it| !it.as_str().contains('@'));
    match ["http", "https"].contains(&scheme) && plain {
        true => Ok(base.trim_end_matches('/').to_owned()),
        false => Err(bad()),
    }
}

/// The host name, without a port, by which a request reached the origin: from the target of HTTP/2 requests,
/// from `Host` otherwise. Only what looks like a name or an address passes, since it becomes part of a URL.
pub(crate) fn host_of<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    let authority = match uri.authority() {
        Some(authority) => authority.as_str(),
        None => {
            let mut given = headers.get_all(HOST).iter();
            let only = given.next()?;
            given.next().is_none().then_some(only)?.to_str().ok()?
        }
    };
    host_in(authority)
}

fn host_in(authority: &str) -> Option<&str> {
    let (host, port) = match authority.rfind(':') {
        Some(at) if !authority.ends_with(']') => (&authority[..at], &authority[at + 1..]),
        _ => (authority, ""),
    };
    let port_is_fine = port.is_empty() || port.parse::<u16>().is_ok() && !port.starts_with('+');
    (port_is_fine && (is_name(host) || is_bracketed(host))).then_some(host)
}

fn is_name(host: &str) -> bool {
    let label = |label: &str| {
        let inner = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        (1..=63).contains(&label.len()) && label.bytes().all(inner) && !label.starts_with('-')
    };
    host.len() <= 253 && host.strip_suffix('.').unwrap_or(host).split('.').all(label)
}

fn is_bracketed(host: &str) -> bool {
    let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    inner.is_some_and(|address| address.parse::<std::net::Ipv6Addr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn edges(bases: &[&str], backups: usize) -> Result<Edges, BadEdge> {
        Edges::new(&bases.iter().map(|&base| base.to_owned()).collect::<Vec<_>>(), backups)
    }

    #[test]
    fn hosts_are_names_or_addresses() {
        let good = [
            ("localhost", "localhost"),
            ("music.example:8080", "music.example"),
            ("192.168.1.7:8080", "192.168.1.7"),
            ("[::1]:8080", "[::1]"),
            ("[fe80::1]", "[fe80::1]"),
            ("a_b.local.", "a_b.local."),
        ];
        for (authority, host) in good {
            assert_eq!(host_in(authority), Some(host), "{authority}");
        }
        for bad in [
            "",
            ":80",
            "a b",
            "evil/..",
            "a@b",
            "a:b:c",
            "::1",
            "[::1",
            "[x]",
            "a:99999",
            "a:+1",
            "-a",
            "a..b",
            "\"",
            "<script>",
            "h\u{f6}st",
            &"a".repeat(64),
            &"a.".repeat(200),
        ] {
            assert_eq!(host_in(bad), None, "{bad}");
        }
    }

    #[test]
    fn base_addresses_are_checked() {
        assert!(edges(&["http://{host}:8081", "https://edge.example/", "http://[::1]:1"], 1).is_ok());
        for bad in ["", "edge:80", "ftp://edge", "http://", "http://u:p@edge", "http://edge/?q"] {
            assert!(edges(&[bad], 1).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_host_is_put_in_only_where_asked_for() {
        let asset = AssetId([1; 16]);
        let fixed = edges(&["https://edge.example/"], 1).unwrap();
        assert_eq!(fixed.choose(asset, None).unwrap(), ["https://edge.example"]);
        let by_host = edges(&["http://{host}:8081"], 1).unwrap();
        assert_eq!(by_host.choose(asset, Some("phone.lan")).unwrap(), ["http://phone.lan:8081"]);
        assert_eq!(by_host.choose(asset, None), Err(BadHost));
    }

    proptest! {
        #[test]
        fn an_edge_that_goes_moves_only_its_own_assets(asset in any::<[u8; 16]>(), gone in 0usize..5) {
            let names: Vec<String> = (0..5).map(|n| format!("http://edge-{n}")).collect();
            let mut fewer = names.clone();
            let lost = fewer.remove(gone);
            let all = Edges::new(&names, 4).unwrap().choose(AssetId(asset), None).unwrap();
            let rest = Edges::new(&fewer, 4).unwrap().choose(AssetId(asset), None).unwrap();
            prop_assert_eq!(all.into_iter().filter(|edge| *edge != lost).collect::<Vec<_>>(), rest);
        }
    }

    #[test]
    fn assets_spread_over_the_edges() {
        let edges = edges(&["http://a", "http://b", "http://c", "http://d"], 1).unwrap();
        let mut counts = std::collections::HashMap::<String, u32>::new();
        for n in 0..1000u32 {
            let mut asset = AssetId([0; 16]);
            asset.0[..4].copy_from_slice(&n.to_be_bytes());
            let chosen = edges.choose(asset, None).unwrap();
            assert_eq!(chosen.len(), 2);
            *counts.entry(chosen[0].clone()).or_default() += 1;
        }
        assert!(counts.len() == 4 && counts.values().all(|n| (200..300).contains(n)), "{counts:?}");
    }
}
