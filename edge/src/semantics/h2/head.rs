//! The head of a request (RFC 9113 8.2, 8.3), read strictly: what is malformed ends its stream.

use crate::semantics::hpack::Fields;
use crate::semantics::request_head::{Seen, is_host};

/// A request, borrowed from the fields that it came in.
#[derive(Debug)]
pub struct Asked<'a> {
    /// The method as it came.
    pub method: &'a str,
    /// How the client calls the site: `:authority`, or else `Host`.
    pub authority: Option<&'a str>,
    /// `:scheme`; none for CONNECT.
    pub scheme: Option<&'a str>,
    /// `:path`; none for CONNECT.
    pub path: Option<&'a str>,
    /// How much content is announced, bytes.
    pub content_length: Option<u64>,
    /// Which fields bear on the answer.
    pub seen: Seen,
    /// All fields.
    pub fields: &'a Fields,
}

/// What came is no request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

#[derive(Default)]
struct Pseudo<'a> {
    method: Option<&'a str>,
    scheme: Option<&'a str>,
    authority: Option<&'a str>,
    path: Option<&'a str>,
}

impl<'a> Asked<'a> {
    /// Reads a request.
    ///
    /// # Errors
    /// For fields that break the rules, and for those that contradict one another.
    pub fn read(fields: &'a Fields) -> Result<Self, Malformed> {
        let mut pseudo = Pseudo::default();
        let mut seen = Seen::default();
        let (mut host, mut content_length, mut regular) = (None, None, false);
        for (place, (name, value)) in fields.iter().enumerate() {
            if name.first() == Some(&b':') {
                if regular {
                    return Err(Malformed);
                }
                pseudo.take(name, value)?;
                continue;
            }
            regular = true;
            check(name, value)?;
            match name {
                b"host" => {
                    let value = text(value).filter(|value| is_host(value.as_bytes())).ok_or(Malformed)?;
                    if host.replace(value).is_some() {
                        return Err(Malformed);
                    }
                    seen.hosts = 1;
                }
                b"content-length" => {
                    let length = length(value).ok_or(Malformed)?;
                    if content_length.replace(length).is_some_and(|before| before != length) {
                        return Err(Malformed);
                    }
                }
                _ => seen.note(place, name),
            }
        }
        pseudo.asked(fields, seen, host, content_length)
    }

    /// The fields but for those that begin with a colon.
    pub fn regular(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        self.fields.iter().filter(|(name, _)| name.first() != Some(&b':'))
    }

    /// The value of a field by its place.
    pub fn value(&self, place: usize) -> Option<&'a [u8]> {
        self.fields.iter().nth(place).map(|(_, value)| value)
    }
}

/// Checks the fields behind the content, which nobody reads (RFC 9113 8.1).
///
/// # Errors
/// For fields that break the rules.
pub fn trailers(fields: &Fields) -> Result<(), Malformed> {
    fields.iter().try_for_each(|(name, value)| check(name, value))
}

impl<'a> Pseudo<'a> {
    fn take(&mut self, name: &[u8], value: &'a [u8]) -> Result<(), Malformed> {
        let value = text(value).ok_or(Malformed)?;
        let (place, fits) = match name {
            b":method" => (&mut self.method, !value.is_empty() && value.bytes().all(is_token)),
            b":scheme" => (&mut self.scheme, is_scheme(value)),
            b":authority" => (&mut self.authority, !value.is_empty() && is_host(value.as_bytes())),
            b":path" => (&mut self.path, !value.is_empty() && value.bytes().all(is_of_path)),
            _ => return Err(Malformed),
        };
        match place.replace(value) {
            None if fits => Ok(()),
            _ => Err(Malformed),
        }
    }

    fn asked(
        self,
        fields: &'a Fields,
        seen: Seen,
        host: Option<&'a str>,
        content_length: Option<u64>,
    ) -> Result<Asked<'a>, Malformed> {
        let method = self.method.ok_or(Malformed)?;
        let fits = match method {
            // RFC 9113 8.5; the extended form (RFC 8441) is not offered.
            "CONNECT" => self.scheme.is_none() && self.path.is_none() && self.authority.is_some(),
            _ => self.scheme.is_some() && self.path.is_some_and(|path| is_target(method, path)),
        };
        // Whom of the two would the next one believe?
        let agree = match (self.authority, host) {
            (Some(authority), Some(host)) => authority.eq_ignore_ascii_case(host),
            _ => true,
        };
        if !fits || !agree {
            return Err(Malformed);
        }
        let Self { scheme, authority, path, .. } = self;
        Ok(Asked { method, authority: authority.or(host), scheme, path, content_length, seen, fields })
    }
}

fn text(value: &[u8]) -> Option<&str> {
    std::str::from_utf8(value).ok().filter(|text| text.is_ascii())
}

fn is_target(method: &str, path: &str) -> bool {
    path.starts_with('/') || (path == "*" && method == "OPTIONS")
}

/// RFC 9113 8.2.1 and 8.2.2.
fn check(name: &[u8], value: &[u8]) -> Result<(), Malformed> {
    let named = !name.is_empty() && name.iter().all(|byte| is_token(*byte) && !byte.is_ascii_uppercase());
    let spaced = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    let plain = value.iter().all(|byte| *byte == b'\t' || (*byte >= b' ' && *byte != 0x7f));
    let of_connection = match name {
        b"connection" | b"proxy-connection" | b"keep-alive" | b"transfer-encoding" | b"upgrade" => true,
        b"te" => !value.eq_ignore_ascii_case(b"trailers"),
        _ => false,
    };
    let fits = named && plain && !spaced(value.first()) && !spaced(value.last()) && !of_connection;
    if fits { Ok(()) } else { Err(Malformed) }
}

/// RFC 9110 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// RFC 3986 3.1.
fn is_scheme(scheme: &str) -> bool {
    scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// Nothing that ends a path or a line elsewhere.
fn is_of_path(byte: u8) -> bool {
    byte.is_ascii_graphic() && byte != b'#'
}

fn length(value: &[u8]) -> Option<u64> {
    let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(value).ok().filter(|_| digits)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semantics::hpack::{Decoder, Limits, encode};

    fn with<T>(all: &[(&str, &str)], look: impl FnOnce(Result<Asked<'_>, Malformed>) -> T) -> T {
        let mut block = Vec::new();
        all.iter().for_each(|(name, value)| encode::field(name.as_bytes(), value.as_bytes(), &mut block));
        let mut fields = Fields::new(Limits { bytes: 1 << 14, count: 100 });
        Decoder::default().decode(&block, &mut fields).unwrap();
        look(Asked::read(&fields))
    }

    const GET: [(&str, &str); 4] =
        [(":method", "GET"), (":scheme", "https"), (":authority", "e"), (":path", "/a?b")];

    #[test]
    fn a_request() {
        let more = [("accept-encoding", "gzip"), ("te", "trailers"), ("content-length", "0")];
        with(&[GET.as_slice(), &more].concat(), |asked| {
            let asked = asked.unwrap();
            assert_eq!((asked.method, asked.authority, asked.path), ("GET", Some("e"), Some("/a?b")));
            assert_eq!(asked.seen, Seen { hosts: 0, special: false, accept_encoding: Some(4) });
            assert_eq!(asked.value(4), Some(b"gzip".as_slice()));
            assert_eq!((asked.content_length, asked.regular().count()), (Some(0), 3));
        });
        for field in ["range", "if-none-match", "cmcd-object", "cdn-loop", "traceparent"] {
            with(&[GET.as_slice(), &[(field, "x")]].concat(), |asked| {
                assert!(asked.unwrap().seen.special, "{field}");
            });
        }
    }

    #[test]
    fn others_are_requests_too() {
        let options = [(":method", "OPTIONS"), (":scheme", "https"), (":path", "*")];
        with(&options, |asked| assert!(asked.unwrap().authority.is_none()));
        with(&[options.as_slice(), &[("host", "h")]].concat(), |asked| {
            assert_eq!(asked.unwrap().authority, Some("h"));
        });
        with(&[(":method", "CONNECT"), (":authority", "e:1")], |asked| {
            assert!(asked.unwrap().path.is_none())
        });
        let twice = [("content-length", "7"), ("content-length", "7"), ("host", "E")];
        with(&[GET.as_slice(), &twice].concat(), |asked| assert_eq!(asked.unwrap().content_length, Some(7)));
    }

    #[test]
    fn what_is_malformed() {
        let more: [&[(&str, &str)]; 33] = [
            &[(":method", "GET")],
            &[(":path", "/")],
            &[(":authority", "e")],
            &[(":status", "200")],
            &[(":protocol", "websocket")],
            &[(":x", "y")],
            &[("x", "y"), (":x", "y")],
            &[("", "y")],
            &[("X", "y")],
            &[("x y", "z")],
            &[("x:", "z")],
            &[("x", " y")],
            &[("x", "y\t")],
            &[("x", "y\r\nz")],
            &[("x", "y\nz")],
            &[("x", "y\0z")],
            &[("x", "\x7f")],
            &[("connection", "close")],
            &[("connection", "")],
            &[("proxy-connection", "x")],
            &[("keep-alive", "x")],
            &[("transfer-encoding", "chunked")],
            &[("upgrade", "x")],
            &[("te", "gzip")],
            &[("te", "trailers, gzip")],
            &[("host", "f")],
            &[("host", "e"), ("host", "e")],
            &[("content-length", "1"), ("content-length", "2")],
            &[("content-length", "")],
            &[("content-length", "+1")],
            &[("content-length", "1, 1")],
            &[("content-length", "99999999999999999999")],
            &[("host", "e/")],
        ];
        for more in more {
            with(&[GET.as_slice(), more].concat(), |asked| assert!(asked.is_err(), "{more:?}"));
        }
        for (place, value) in [
            (0, ""),
            (0, "G T"),
            (1, ""),
            (1, "1x"),
            (1, "ht tp"),
            (2, ""),
            (2, "a b"),
            (2, "user@e"),
            (3, ""),
            (3, "a"),
            (3, "*"),
            (3, "/a b"),
            (3, "/a#b"),
            (3, "/\u{e4}"),
            (3, "http://e/"),
        ] {
            let mut fields = GET;
            fields[place].1 = value;
            with(&fields, |asked| assert!(asked.is_err(), "{fields:?}"));
        }
        for missing in [0, 1, 3] {
            let fields: Vec<_> = GET.into_iter().enumerate().filter(|(place, _)| *place != missing).collect();
            let fields: Vec<_> = fields.into_iter().map(|(_, field)| field).collect();
            with(&fields, |asked| assert!(asked.is_err(), "{fields:?}"));
        }
        let connect = [(":method", "CONNECT"), (":authority", "e"), (":path", "/")];
        with(&connect, |asked| assert!(asked.is_err()));
        with(&[("x", "y"), (":method", "GET")], |asked| assert!(asked.is_err()));
    }

    #[test]
    fn fields_behind_the_content() {
        let mut fields = Fields::new(Limits { bytes: 1 << 14, count: 100 });
        for (name, right) in [("x", true), (":path", false), ("X", false), ("connection", false)] {
            fields.clear(Limits { bytes: 1 << 14, count: 100 });
            let mut block = Vec::new();
            encode::field(name.as_bytes(), b"y", &mut block);
            Decoder::default().decode(&block, &mut fields).unwrap();
            assert_eq!(trailers(&fields).is_ok(), right, "{name}");
        }
    }
}
