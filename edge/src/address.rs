//! Whom connections and requests come from, with proxies in front.

use std::net::{IpAddr, Ipv6Addr};

use http::HeaderMap;
use ipnet::{IpNet, Ipv4Net};

use crate::semantics::forwarded::{believed, forwarded, forwarded_proto, x_forwarded_for};

/// Whose a connection is. Addresses are canonical: IPv4 never as IPv6.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    Client(IpAddr),
    /// A trusted proxy's, whose requests tell whom they come from.
    Proxy(IpAddr),
    /// A trusted proxy's, which says that it does not know.
    Unknown(IpAddr),
}

/// Proxies that are trusted: they stand for many clients, and may tell for whom.
#[derive(Debug)]
pub(crate) struct Proxies(Vec<IpNet>);

impl Proxies {
    /// # Errors
    /// When one is neither an address nor a network.
    pub(crate) fn new(texts: &[String]) -> Result<Self, String> {
        texts.iter().map(|text| network_of(text)).collect::<Result<_, _>>().map(Self)
    }

    /// Whether that is one of them.
    pub(crate) fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The other end of a connection, or whoever a PROXY header tells of.
    pub(crate) fn peer(&self, address: IpAddr) -> Peer {
        let address = address.to_canonical();
        if self.trusts(address) { Peer::Proxy(address) } else { Peer::Client(address) }
    }

    /// Whose a connection is by the settings of now: others may have held when it came.
    fn now(&self, peer: Peer) -> Peer {
        match peer {
            Peer::Client(address) | Peer::Proxy(address) => self.peer(address),
            Peer::Unknown(_) => peer,
        }
    }

    /// Whom a request comes from, as limits count it; `None`: nobody knows, it may be one of many.
    pub(crate) fn client<'a>(
        &self,
        peer: Peer,
        fields: impl Iterator<Item = (&'a [u8], &'a [u8])>,
    ) -> Option<IpAddr> {
        match self.now(peer) {
            Peer::Client(address) => Some(subscriber(address)),
            Peer::Unknown(_) => None,
            Peer::Proxy(proxy) => match self.told(proxy, fields) {
                Some(told) => told.way.last().filter(|last| !self.trusts(**last)).copied().map(subscriber),
                // All who contradict their proxy are one, or that would be the way around limits.
                None => Some(subscriber(proxy)),
            },
        }
    }

    /// How a request came here, as far as that is believed.
    pub(crate) fn way<'a>(&self, peer: Peer, fields: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> Told {
        match self.now(peer) {
            Peer::Client(address) | Peer::Unknown(address) => Told::nothing(address),
            Peer::Proxy(proxy) => self.told(proxy, fields).unwrap_or_else(|| Told::nothing(proxy)),
        }
    }

    /// The way that a proxy's request tells; `None`: its two fields contradict each other. A proxy that writes only
    /// one of them tells the other on as the client wrote it, and which one that is nobody knows here.
    fn told<'a>(&self, proxy: IpAddr, fields: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> Option<Told> {
        let (mut standard, mut usual, mut scheme) = (Vec::new(), Vec::new(), None);
        for (name, value) in fields {
            match name.len() {
                9 if name.eq_ignore_ascii_case(b"forwarded") => standard.push(value),
                15 if name.eq_ignore_ascii_case(b"x-forwarded-for") => usual.push(value),
                17 if name.eq_ignore_ascii_case(b"x-forwarded-proto") => scheme = Some(value),
                _ => {}
            }
        }
        let is_trusted = |address| self.trusts(address);
        let by_standard = || believed(proxy, forwarded(&standard), is_trusted);
        let by_usual = || believed(proxy, x_forwarded_for(&usual), is_trusted);
        let way = match (standard.is_empty(), usual.is_empty()) {
            (false, true) => by_standard(),
            (true, _) => by_usual(),
            (false, false) => Some(by_usual()).filter(|way| *way == by_standard())?,
        };
        // Where the standard field says it of the client's own request, that counts.
        let said = way.len().checked_sub(2).and_then(|hop| forwarded_proto(&standard, hop)).or(scheme);
        let over_tls = said.and_then(|scheme| match scheme.trim_ascii() {
            it if it.eq_ignore_ascii_case(b"https") => Some(true),
            it if it.eq_ignore_ascii_case(b"http") => Some(false),
            _ => None,
        });
        Some(Told { way, over_tls })
    }
}

/// What proxies tell of how a request came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Told {
    /// Who had a part in it and is believed, the nearest first, the client last.
    pub(crate) way: Vec<IpAddr>,
    /// Whether the client's own connection was over TLS, where that is told.
    pub(crate) over_tls: Option<bool>,
}

impl Told {
    fn nothing(address: IpAddr) -> Self {
        Self { way: vec![address], over_tls: None }
    }
}

/// Names and values.
pub(crate) fn fields(headers: &HeaderMap) -> impl Iterator<Item = (&[u8], &[u8])> {
    headers.iter().map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()))
}

fn network_of(text: &str) -> Result<IpNet, String> {
    let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).map(canonical);
    network.map_err(|_| {
        format!(
            "trusted_proxies has '{text}'; write addresses or networks, as 192.0.2.1, 10.0.0.0/8 or 2001:db8::/32"
        )
    })
}

/// IPv4 never as IPv6, as it is with addresses.
fn canonical(network: IpNet) -> IpNet {
    match (network.network().to_canonical(), network.prefix_len().checked_sub(96)) {
        (IpAddr::V4(v4), Some(length)) if matches!(network, IpNet::V6(_)) => {
            Ipv4Net::new(v4, length).map_or(network, IpNet::V4)
        }
        _ => network,
    }
}

/// One subscriber commands a whole IPv6 /64.
pub(crate) fn subscriber(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(texts: &[&str]) -> Result<Proxies, String> {
        Proxies::new(&texts.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// The client of a request that came from `peer`.
    fn client(peer: &str, told: &[(&str, &str)]) -> String {
        let proxies = proxies(&["10.0.0.0/8", "2001:db8::1"]).unwrap();
        let told = told.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        proxies.client(proxies.peer(ip(peer)), told).map_or("-".into(), |client| client.to_string())
    }

    #[test]
    fn addresses_and_networks() {
        let proxies = proxies(&[
            "192.0.2.1",
            "::ffff:192.0.2.9",
            "10.0.0.0/8",
            "2001:db8::/32",
            "::ffff:172.16.0.0/108",
        ])
        .unwrap();
        for (address, trusted) in [
            ("192.0.2.1", true),
            ("192.0.2.2", false),
            ("192.0.2.9", true),
            ("10.255.0.1", true),
            ("172.31.0.1", true),
            ("172.32.0.1", false),
            ("::ffff:10.0.0.1", true),
            ("2001:db8:1::1", true),
            ("2001:db9::1", false),
        ] {
            assert_eq!(proxies.trusts(ip(address)), trusted, "{address}");
        }
        for wrong in ["", "localhost", "10.0.0.0/33", "192.0.2.1:80"] {
            let error = Proxies::new(&["10.0.0.1".into(), wrong.into()]).unwrap_err();
            assert!(error.contains("trusted_proxies") && error.contains(&format!("'{wrong}'")), "{error}");
        }
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let usual = ("X-Forwarded-For", "203.0.113.9, 198.51.100.7, 10.0.0.2");
        let standard = ("Forwarded", "for=203.0.113.9, for=198.51.100.7, for=10.0.0.2;proto=https");
        for field in [usual, standard] {
            assert_eq!(client("192.0.2.1", &[field]), "192.0.2.1");
            assert_eq!(client("10.0.0.1", &[field]), "198.51.100.7");
            assert_eq!(client("::ffff:10.0.0.1", &[field]), "198.51.100.7");
            assert_eq!(client("2001:db8::1", &[field]), "198.51.100.7");
            assert_eq!(client("2001:db8::2", &[field]), "2001:db8::", "one of a /64");
        }
    }

    #[test]
    fn where_nobody_is_told_of_a_proxy_stands_for_many() {
        assert_eq!(client("10.0.0.1", &[]), "-");
        assert_eq!(client("10.0.0.1", &[("x-forwarded-for", "what")]), "-");
        assert_eq!(client("10.0.0.1", &[("forwarded", "for=unknown")]), "-");
        assert_eq!(client("10.0.0.1", &[("x-forwarded-for", "10.0.0.3, 10.0.0.2")]), "-");
        let proxies = proxies(&["10.0.0.0/8"]).unwrap();
        let told = [(&b"x-forwarded-for"[..], &b"198.51.100.7"[..])];
        let unknown = Peer::Unknown(ip("10.0.0.1"));
        assert_eq!(proxies.client(unknown, told.into_iter()), None);
        assert_eq!(proxies.way(unknown, told.into_iter()), Told::nothing(ip("10.0.0.1")));
    }

    #[test]
    fn of_two_fields_neither_is_believed_unless_they_agree() {
        let usual = ("x-forwarded-for", "198.51.100.7");
        assert_eq!(client("10.0.0.1", &[usual, ("forwarded", "for=198.51.100.7")]), "198.51.100.7");
        assert_eq!(client("10.0.0.1", &[usual, ("forwarded", "for=203.0.113.9")]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &[usual, ("forwarded", "for=unknown")]), "10.0.0.1");
    }

    #[test]
    fn the_scheme_is_that_of_the_clients_own_request() {
        let over_tls = |peer: &str, told: &[(&str, &str)]| {
            let proxies = proxies(&["10.0.0.0/8"]).unwrap();
            let told = told.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
            proxies.way(proxies.peer(ip(peer)), told).over_tls
        };
        let of_two = "for=203.0.113.9;proto=http, for=198.51.100.7;Proto=\"HTTPS\", for=10.0.0.2;proto=http";
        let usual = [("x-forwarded-for", "198.51.100.7"), ("x-forwarded-proto", "https")];
        assert_eq!(over_tls("10.0.0.1", &[("forwarded", of_two)]), Some(true));
        assert_eq!(over_tls("10.0.0.1", &usual), Some(true));
        assert_eq!(over_tls("10.0.0.1", &[usual[0], ("x-forwarded-proto", "ftp")]), None);
        assert_eq!(over_tls("10.0.0.1", &[("forwarded", "for=198.51.100.7"), usual[1]]), Some(true));
        assert_eq!(over_tls("10.0.0.1", &[]), None);
        assert_eq!(over_tls("192.0.2.1", &usual), None);
    }

    #[test]
    fn whose_a_connection_is_follows_the_settings() {
        let proxies = proxies(&["10.0.0.0/8"]).unwrap();
        let told = || [(&b"x-forwarded-for"[..], &b"198.51.100.7"[..])].into_iter();
        assert_eq!(proxies.client(Peer::Client(ip("10.0.0.1")), told()), Some(ip("198.51.100.7")));
        assert_eq!(proxies.client(Peer::Proxy(ip("192.0.2.1")), told()), Some(ip("192.0.2.1")));
    }
}
