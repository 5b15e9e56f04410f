//! The PROXY protocol, versions 1 and 2: a proxy tells first of all whose connection it passes on (HAProxy's
//! `proxy-protocol.txt`, of 2020).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Longest header of version 1, line end included (2.1).
const MAX_LINE: usize = 107;
/// What every header of version 2 begins with, and how long that is together with version, family and length (2.2).
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
const FIXED: usize = 16;
/// Longest header that is read, bytes: room for all fields in common use behind the addresses of version 2.
pub const MAX_HEADER: usize = 2048;

/// What some first bytes of a connection are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// The beginning of a header, nothing more.
    Partial,
    /// A header of `length` bytes.
    Whole {
        /// Whose connection it is; `None`: the proxy's own, or nobody's with an address.
        client: Option<IpAddr>,
        /// Bytes.
        length: usize,
    },
    /// No header, or one that breaks the rules.
    Malformed,
}

/// Reads a header of either version. Ports, the address that was connected to, and fields behind the addresses are passed
/// over; a checksum among them (2.2.4) is not looked at, as TCP has one.
pub fn read(bytes: &[u8]) -> Reading {
    let version_2 = bytes.iter().zip(SIGNATURE).all(|(byte, expected)| byte == expected);
    if version_2 { binary(bytes) } else { line(bytes) }
}

fn binary(bytes: &[u8]) -> Reading {
    let Some((fixed, rest)) = bytes.split_at_checked(FIXED) else { return Reading::Partial };
    let behind = usize::from(u16::from_be_bytes([fixed[14], fixed[15]]));
    let client = match (fixed[12], fixed[13]) {
        _ if FIXED + behind > MAX_HEADER => return Reading::Malformed,
        // LOCAL: the proxy's own connection, as for a check of health; its family is passed over.
        (0x20, _) => Ok(None),
        (0x21, 0x11) if behind >= 12 => Err(4),
        (0x21, 0x21) if behind >= 36 => Err(16),
        // Without an address, or of a Unix socket.
        (0x21, 0x00 | 0x31) => Ok(None),
        _ => return Reading::Malformed,
    };
    let Some(behind) = rest.get(..behind) else { return Reading::Partial };
    let client = client.unwrap_or_else(|size| address(&behind[..size]));
    Reading::Whole { client, length: FIXED + behind.len() }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(|bytes| IpAddr::V4(Ipv4Addr::from(bytes)));
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(|bytes| IpAddr::V6(Ipv6Addr::from(bytes)))).ok()
}

fn line(bytes: &[u8]) -> Reading {
    let start = b"PROXY ";
    if !bytes.iter().zip(start).all(|(byte, expected)| byte == expected) {
        return Reading::Malformed;
    }
    let looked_at = &bytes[..bytes.len().min(MAX_LINE)];
    let Some(end) = looked_at.windows(2).position(|pair| pair == b"\r\n") else {
        return if bytes.len() < MAX_LINE { Reading::Partial } else { Reading::Malformed };
    };
    let text = std::str::from_utf8(&bytes[..end]).ok();
    match text.and_then(|text| words(text.strip_prefix("PROXY ")?)) {
        Some(client) => Reading::Whole { client, length: end + 2 },
        None => Reading::Malformed,
    }
}

/// `TCP4 192.0.2.1 192.0.2.2 50000 443`: protocol, from, to, and their ports, one space between two.
fn words(text: &str) -> Option<Option<IpAddr>> {
    let mut words = text.split(' ');
    let protocol = words.next()?;
    if protocol == "UNKNOWN" {
        // Whatever follows is passed over.
        return Some(None);
    }
    let mut address = || -> Option<IpAddr> {
        let word = words.next()?;
        match protocol {
            "TCP4" => word.parse().ok().map(IpAddr::V4),
            "TCP6" => word.parse().ok().map(IpAddr::V6),
            _ => None,
        }
    };
    let (client, _) = (address()?, address()?);
    let mut port =
        || words.next().filter(|word| word.bytes().all(|b| b.is_ascii_digit()))?.parse::<u16>().ok();
    let _ = (port()?, port()?);
    words.next().is_none().then_some(Some(client))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn v2(command: u8, family: u8, behind: &[u8]) -> Vec<u8> {
        let length = u16::try_from(behind.len()).unwrap().to_be_bytes();
        [&SIGNATURE[..], &[command, family], &length, behind].concat()
    }

    /// A header is whole from its last byte on, whatever follows, and partial before.
    fn whole(header: &[u8]) -> Option<IpAddr> {
        for length in 0..header.len() {
            assert_eq!(read(&header[..length]), Reading::Partial, "{length} of {header:?}");
        }
        let followed = [header, b"\r\nGET / HTTP/1.1\r\n"].concat();
        match read(&followed) {
            Reading::Whole { client, length } if length == header.len() => client,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn clients_are_told() {
        let client: IpAddr = "192.0.2.1".parse().unwrap();
        assert_eq!(whole(b"PROXY TCP4 192.0.2.1 198.51.100.1 50000 443\r\n"), Some(client));
        assert_eq!(whole(b"PROXY TCP6 2001:db8::1 2001:db8::2 0 65535\r\n"), "2001:db8::1".parse().ok());
        assert_eq!(whole(b"PROXY UNKNOWN\r\n"), None);
        assert_eq!(whole(b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n"), None);
        let v4 = [192, 0, 2, 1, 198, 51, 100, 1, 0xc3, 0x50, 1, 0xbb];
        assert_eq!(whole(&v2(0x21, 0x11, &v4)), Some(client));
        let fields = [&v4[..], &[4, 0, 3, 1, 2, 3]].concat();
        assert_eq!(whole(&v2(0x21, 0x11, &fields)), Some(client));
        let v6: Vec<u8> = [0x20, 1, 0xd, 0xb8].into_iter().chain([0; 11]).chain([1]).chain([9; 20]).collect();
        assert_eq!(whole(&v2(0x21, 0x21, &v6)), "2001:db8::1".parse().ok());
        assert_eq!(whole(&v2(0x20, 0x11, &v4)), None, "the proxy's own");
        assert_eq!(whole(&v2(0x21, 0x00, b"")), None);
        assert_eq!(whole(&v2(0x21, 0x31, &[0; 216])), None);
    }

    #[test]
    fn what_breaks_the_rules_is_no_header() {
        let long = format!("PROXY UNKNOWN {}\r\n", "x".repeat(MAX_LINE));
        let wrong: [&[u8]; 16] = [
            b"GET / HTTP/1.1\r\n",
            b"PROXZ",
            b"\r\n\r\n\0\r\nQUIX",
            b"PROXY TCP4 192.0.2.1 198.51.100.1 50000\r\n",
            b"PROXY TCP4 192.0.2.1 198.51.100.1 50000 443 1\r\n",
            b"PROXY TCP4  192.0.2.1 198.51.100.1 50000 443\r\n",
            b"PROXY TCP4 2001:db8::1 2001:db8::2 50000 443\r\n",
            b"PROXY TCP4 192.0.2.1 198.51.100.1 50000 +443\r\n",
            b"PROXY TCP4 192.0.2.1 198.51.100.1 50000 65536\r\n",
            b"PROXY UDP4 192.0.2.1 198.51.100.1 50000 443\r\n",
            long.as_bytes(),
            &v2(0x11, 0x11, &[0; 12]),
            &v2(0x22, 0x11, &[0; 12]),
            &v2(0x21, 0x11, &[0; 11]),
            &v2(0x21, 0x12, &[0; 12]),
            &v2(0x21, 0x11, &[0; MAX_HEADER]),
        ];
        for bytes in wrong {
            assert_eq!(read(bytes), Reading::Malformed, "{}", String::from_utf8_lossy(bytes));
        }
    }

    proptest! {
        #[test]
        fn anything_is_read(version_2: bool, bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let start: &[u8] = if version_2 { SIGNATURE } else { b"PROXY " };
            let bytes = [start, &bytes].concat();
            match read(&bytes) {
                Reading::Whole { length, .. } => {
                    prop_assert!(length <= bytes.len().min(MAX_HEADER));
                    prop_assert_eq!(read(&bytes[..length]), read(&bytes));
                    prop_assert_eq!(read(&bytes[..length - 1]), Reading::Partial);
                }
                Reading::Partial => prop_assert!(bytes.len() < MAX_HEADER),
                Reading::Malformed => {}
            }
        }
    }
}
