//! What proxies tell of the way that a request came: `Forwarded` (RFC 7239) and `X-Forwarded-For`.
//!
//! A proxy adds to the right of what it was told, so both are read from there: whatever a client wrote stands to the left
//! of it, and cannot change how it reads.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Most proxies that are followed.
pub const MAX_HOPS: usize = 32;

/// Follows the way back from `peer` for as long as each is trusted to tell who came before it. Returns those who were
/// believed, the nearest first: `peer`, then trusted proxies, and the client last.
pub fn believed(
    peer: IpAddr,
    told: impl Iterator<Item = Option<IpAddr>>,
    is_trusted: impl Fn(IpAddr) -> bool,
) -> Vec<IpAddr> {
    let mut way = vec![peer];
    let mut told = told.take(MAX_HOPS);
    while way.last().is_some_and(|last| is_trusted(*last)) {
        match told.next() {
            Some(Some(before)) => way.push(before),
            // What cannot be read was not written by a proxy that is trusted, or hides who it was.
            Some(None) | None => break,
        }
    }
    way
}

/// The `for` of each element of `Forwarded`, the nearest first; `None` for one that tells no address (RFC 7239 6). `lines`:
/// the values of the fields in their order.
pub fn forwarded<'a>(lines: &'a [&'a [u8]]) -> impl Iterator<Item = Option<IpAddr>> + 'a {
    elements(lines).map(for_of)
}

fn elements<'a>(lines: &'a [&'a [u8]]) -> impl Iterator<Item = &'a [u8]> + 'a {
    lines.iter().rev().flat_map(|line| Backwards::of(line, b',')).filter(|element| !element.is_empty())
}

/// The `proto` of an element of `Forwarded`, 0 for the nearest; of several the last.
pub fn forwarded_proto<'a>(lines: &'a [&'a [u8]], element: usize) -> Option<&'a [u8]> {
    let element = elements(lines).nth(element)?;
    Backwards::of(element, b';').find_map(|pair| value_of(pair, b"proto"))
}

/// Each element of `X-Forwarded-For`, the nearest first; `None` for one that is no address.
pub fn x_forwarded_for<'a>(lines: &'a [&'a [u8]]) -> impl Iterator<Item = Option<IpAddr>> + 'a {
    let elements = lines.iter().rev().flat_map(|line| line.rsplit(|byte| *byte == b','));
    elements.map(<[u8]>::trim_ascii).filter(|element| !element.is_empty()).map(node)
}

/// The address of an element's `for`; a second one contradicts it.
fn for_of(element: &[u8]) -> Option<IpAddr> {
    let mut values = Backwards::of(element, b';').filter_map(|pair| value_of(pair, b"for")).map(node);
    let address = values.next()??;
    values.next().is_none().then_some(address)
}

/// The value of a pair of that name.
fn value_of<'a>(pair: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let at = memchr::memchr(b'=', pair)?;
    pair[..at].trim_ascii().eq_ignore_ascii_case(name).then(|| unquoted(pair[at + 1..].trim_ascii()))
}

/// Without the quotation marks around it; nothing that needs a backslash is an address.
fn unquoted(value: &[u8]) -> &[u8] {
    value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value)
}

/// An address, with or without a port; IPv6 also without its brackets where no port follows.
fn node(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?;
    let (address, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (address, rest) = rest.split_once(']')?;
            let port = if rest.is_empty() { None } else { Some(rest.strip_prefix(':')?) };
            (address.parse::<Ipv6Addr>().ok()?.into(), port)
        }
        None => match text.split_once(':') {
            Some((address, port)) if !port.contains(':') => {
                (address.parse::<Ipv4Addr>().ok()?.into(), Some(port))
            }
            _ => (text.parse::<IpAddr>().ok()?, None),
        },
    };
    port.is_none_or(is_port).then(|| address.to_canonical())
}

/// A port, or a name for one (RFC 7239 6.3).
fn is_port(port: &str) -> bool {
    let named = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    !port.is_empty() && port.bytes().all(named)
}

/// The parts of a text from its end, parted where no quotation marks are around.
struct Backwards<'a> {
    rest: Option<&'a [u8]>,
    separator: u8,
}

impl<'a> Backwards<'a> {
    fn of(text: &'a [u8], separator: u8) -> Self {
        Self { rest: Some(text), separator }
    }
}

impl<'a> Iterator for Backwards<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let text = self.rest.take()?;
        let mut quoted = false;
        for (at, byte) in text.iter().enumerate().rev() {
            match *byte {
                b'"' if !is_escaped(&text[..at]) => quoted = !quoted,
                byte if byte == self.separator && !quoted => {
                    self.rest = Some(&text[..at]);
                    return Some(text[at + 1..].trim_ascii());
                }
                _ => {}
            }
        }
        Some(text.trim_ascii())
    }
}

/// Whether a backslash holds for what stands behind `before`.
fn is_escaped(before: &[u8]) -> bool {
    before.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Told = Vec<Option<IpAddr>>;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn of(lines: &[&str], read: fn(&[&[u8]]) -> Told) -> Vec<String> {
        let lines: Vec<&[u8]> = lines.iter().map(|line| line.as_bytes()).collect();
        read(&lines).iter().map(|it| it.map_or("-".into(), |address| address.to_string())).collect()
    }

    fn standard(lines: &[&[u8]]) -> Told {
        forwarded(lines).collect()
    }

    fn usual(lines: &[&[u8]]) -> Told {
        x_forwarded_for(lines).collect()
    }

    #[test]
    fn elements_of_the_standard_field() {
        for (line, address) in [
            ("for=192.0.2.43", "192.0.2.43"),
            ("For=\"192.0.2.43:4711\"", "192.0.2.43"),
            ("proto=https ; by=203.0.113.43;FOR=192.0.2.60", "192.0.2.60"),
            ("for=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17"),
            ("for=\"[2001:db8:cafe::17]\"", "2001:db8:cafe::17"),
            ("for=\"[::ffff:192.0.2.1]:_port\"", "192.0.2.1"),
            ("host=\"a;for=1.2.3.4,for=1.2.3.4\";for=192.0.2.1", "192.0.2.1"),
            ("host=\"\\\"\";for=192.0.2.1", "192.0.2.1"),
            ("for=unknown", "-"),
            ("for=_hidden", "-"),
            ("for=\"192.0.2.1", "-"),
            ("for=192.0.2.1:", "-"),
            ("for=\"[2001:db8::1]x\"", "-"),
            ("for=\"[192.0.2.1]\"", "-"),
            ("for=192.0.2.1;for=192.0.2.2", "-"),
            ("for = ", "-"),
            ("proto=https", "-"),
            ("192.0.2.1", "-"),
        ] {
            assert_eq!(of(&[line], standard), [address], "{line}");
        }
        let lines = ["for=192.0.2.1, for=192.0.2.2,", "", "for=192.0.2.3"];
        assert_eq!(of(&lines, standard), ["192.0.2.3", "192.0.2.2", "192.0.2.1"]);
    }

    #[test]
    fn elements_of_the_usual_field() {
        let lines = ["203.0.113.9, 2001:db8::7 ,,[2001:db8::8]:99", "198.51.100.7:80, what, \u{e9}"];
        let told = ["-", "-", "198.51.100.7", "2001:db8::8", "2001:db8::7", "203.0.113.9"];
        assert_eq!(of(&lines, usual), told);
    }

    #[test]
    fn the_way_is_followed_while_it_is_trusted() {
        let trusted = |address: IpAddr| address.to_string().starts_with("10.");
        let way = |peer: &str, told: &[&str]| {
            let told = told.iter().map(|text| text.parse().ok());
            let way = believed(ip(peer), told, trusted);
            way.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(way("192.0.2.1", &["198.51.100.7"]), ["192.0.2.1"], "a stranger is not believed");
        assert_eq!(way("10.0.0.1", &["198.51.100.7", "203.0.113.9"]), ["10.0.0.1", "198.51.100.7"]);
        let through = ["10.0.0.2", "198.51.100.7", "10.0.0.3"];
        assert_eq!(way("10.0.0.1", &through), ["10.0.0.1", "10.0.0.2", "198.51.100.7"]);
        assert_eq!(way("10.0.0.1", &["unknown", "198.51.100.7"]), ["10.0.0.1"]);
        assert_eq!(way("10.0.0.1", &["10.0.0.2"]), ["10.0.0.1", "10.0.0.2"]);
        assert_eq!(way("10.0.0.1", &["10.0.0.2"; MAX_HOPS + 9]).len(), MAX_HOPS + 1);
    }

    proptest! {
        #[test]
        fn what_stands_to_the_left_changes_nothing(
            before in proptest::collection::vec(any::<u8>(), 0..60),
            address: IpAddr,
            port: Option<u16>,
        ) {
            let address = address.to_canonical();
            let host = if address.is_ipv6() { format!("[{address}]") } else { address.to_string() };
            let host = port.map_or_else(|| host.clone(), |port| format!("{host}:{port}"));
            for joint in [&b", "[..], b","] {
                let line = [&before[..], joint, format!("proto=https;for=\"{host}\"").as_bytes()].concat();
                prop_assert_eq!(forwarded(&[&line]).next(), Some(Some(address)));
                let line = [&before[..], joint, host.as_bytes()].concat();
                prop_assert_eq!(x_forwarded_for(&[&line]).next(), Some(Some(address)));
            }
        }

        #[test]
        fn anything_is_read(text in "[a-f0-9:.,;=\"\\\\ \\[\\]for]{0,80}") {
            let bytes = text.as_bytes();
            prop_assert!(forwarded(&[bytes]).count() <= bytes.len() && x_forwarded_for(&[bytes]).count() <= bytes.len());
            let plain = text.split(',').filter(|element| !element.trim().is_empty()).count();
            if !text.contains('"') {
                prop_assert_eq!(forwarded(&[bytes]).count(), plain);
            }
        }
    }
}
