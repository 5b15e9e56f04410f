//! The head of an HTTP/1 request, read strictly: what two servers could read in two ways is refused (RFC 9112 11.2).

use httparse::{EMPTY_HEADER, Error, Header, Status};

/// Most fields of one request.
pub const MAX_FIELDS: usize = 100;

/// What a connection's bytes begin with.
#[derive(Debug)]
pub enum Reading<'a, 'b> {
    /// A head that is not complete yet.
    Partial,
    /// A head.
    Whole(RequestHead<'a, 'b>),
    /// Nothing that can be answered in its own terms.
    Refused(Refusal),
}

/// Why a head is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// More bytes or more fields than are accepted: 431.
    TooLarge,
    /// It breaks the grammar, or the framing of what follows cannot be told: 400.
    Malformed,
}

/// How a request goes on behind its head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// The next request follows.
    Bare,
    /// Content follows.
    Content,
}

/// A head, borrowed from the bytes it came in.
#[derive(Debug)]
pub struct RequestHead<'a, 'b> {
    /// Bytes of the head, its empty line included.
    pub length: usize,
    /// The method as it came.
    pub method: &'a str,
    /// The request target as it came.
    pub target: &'a str,
    /// Whether it is HTTP/1.1 and not 1.0.
    pub is_11: bool,
    /// Whether content follows.
    pub framing: Framing,
    /// The connection ends after the response (RFC 9112 9.3).
    pub close: bool,
    /// Which of the fields that bear on the answer are there.
    pub seen: Seen,
    /// All fields in their order.
    pub fields: &'b [Header<'a>],
}

/// Which fields a request has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seen {
    /// How many `Host` fields.
    pub hosts: u8,
    /// A field that makes the answer another one than the whole object: ranges, conditions, CMCD, CDN-Loop, tracing.
    pub special: bool,
    /// Place of `Accept-Encoding`, if there is just one.
    pub accept_encoding: Option<usize>,
}

/// Storage for the fields of one head.
pub type Fields<'a> = [Header<'a>; MAX_FIELDS];

/// Room for fields.
pub const fn fields<'a>() -> Fields<'a> {
    [EMPTY_HEADER; MAX_FIELDS]
}

/// Reads a head of at most `limit` bytes from the start of `bytes`.
pub fn read<'a, 'b>(bytes: &'a [u8], limit: usize, fields: &'b mut Fields<'a>) -> Reading<'a, 'b> {
    let mut request = httparse::Request::new(fields);
    let length = match request.parse(bytes) {
        Ok(Status::Complete(length)) if length <= limit => length,
        Ok(Status::Partial) if bytes.len() < limit => return Reading::Partial,
        Ok(_) | Err(Error::TooManyHeaders) => return Reading::Refused(Refusal::TooLarge),
        Err(_) => return Reading::Refused(Refusal::Malformed),
    };
    let (Some(method), Some(target), Some(version)) = (request.method, request.path, request.version) else {
        return Reading::Refused(Refusal::Malformed);
    };
    let fields: &'b [Header<'a>] = request.headers;
    match has_bare_line_feed(&bytes[..length]) {
        true => Reading::Refused(Refusal::Malformed),
        false => whole(RequestHead {
            length,
            method,
            target,
            is_11: version == 1,
            framing: Framing::Bare,
            close: version == 0,
            seen: Seen::default(),
            fields,
        }),
    }
}

/// A line that ends in a line feed alone (RFC 9112 2.2 allows to take it; another server on the way may not).
fn has_bare_line_feed(head: &[u8]) -> bool {
    memchr::memchr_iter(b'\n', head).any(|at| at == 0 || head[at - 1] != b'\r')
}

/// Looks at the fields that bear on framing, on the connection and on the answer.
fn whole<'a, 'b>(mut head: RequestHead<'a, 'b>) -> Reading<'a, 'b> {
    let mut framing = Lengths::default();
    for (place, field) in head.fields.iter().enumerate() {
        // The first letter and the length tell nearly all apart.
        match (field.name.len(), field.name.as_bytes()[0] | 0x20) {
            (4, b'h') if is(field, "host") => {
                framing.contradicts |= !is_host(field.value);
                head.seen.hosts = head.seen.hosts.saturating_add(1);
            }
            (14, b'c') if is(field, "content-length") => framing.length(field.value),
            (17, b't') if is(field, "transfer-encoding") => framing.coding(field.value),
            (10, b'c') if is(field, "connection") => head.close = closes(field.value, head.close),
            _ => head.seen.note(place, field.name.as_bytes()),
        }
    }
    match framing.settle(head.is_11) {
        Some(found) => {
            head.framing = found;
            Reading::Whole(head)
        }
        None => Reading::Refused(Refusal::Malformed),
    }
}

fn is(field: &Header<'_>, name: &str) -> bool {
    field.name.eq_ignore_ascii_case(name)
}

impl Seen {
    /// Notes a field that is no `Host`, by its name, in either case.
    pub fn note(&mut self, place: usize, name: &[u8]) {
        let is = |wanted: &str| name.eq_ignore_ascii_case(wanted.as_bytes());
        let starts = |start: &str| {
            name.get(..start.len()).is_some_and(|found| found.eq_ignore_ascii_case(start.as_bytes()))
        };
        match (name.len(), name.first().map_or(0, |letter| letter | 0x20)) {
            (15, b'a') if is("accept-encoding") => {
                // Two of them are rare enough to be read the long way.
                self.special |= self.accept_encoding.is_some();
                self.accept_encoding = Some(place);
            }
            (5, b'r') if is("range") => self.special = true,
            (8..=19, b'i') if starts("if-") => self.special = true,
            (8.., b'c') if starts("cmcd-") || is("cdn-loop") => self.special = true,
            (10 | 11, b't') if starts("trace") => self.special = true,
            (6, b'e') if is("expect") => self.special = true,
            _ => {}
        }
    }
}

/// Whether a value may stand for a host and port (RFC 9112 3.2, RFC 3986 3.2.2); whose it is matters to nobody here.
pub fn is_host(value: &[u8]) -> bool {
    value.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:[]%".contains(byte))
}

/// Whether a `Connection` field ends the connection; `before`: what held so far.
fn closes(value: &[u8], before: bool) -> bool {
    value.split(|byte| *byte == b',').fold(before, |close, option| match option.trim_ascii() {
        option if option.eq_ignore_ascii_case(b"close") => true,
        option if option.eq_ignore_ascii_case(b"keep-alive") => false,
        _ => close,
    })
}

/// What fields say of the content's length.
#[derive(Default)]
struct Lengths {
    coded: bool,
    length: Option<u64>,
    contradicts: bool,
}

impl Lengths {
    /// The last coding must be `chunked`, or the end of the content cannot be told.
    fn coding(&mut self, value: &[u8]) {
        let last = value.rsplit(|byte| *byte == b',').next().unwrap_or_default();
        self.contradicts |= self.coded || !last.trim_ascii().eq_ignore_ascii_case(b"chunked");
        self.coded = true;
    }

    fn length(&mut self, value: &[u8]) {
        let value = value.trim_ascii();
        let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
        let read = std::str::from_utf8(value).ok().filter(|_| digits).and_then(|text| text.parse().ok());
        self.contradicts |= read.is_none() || self.length.is_some_and(|before| Some(before) != read);
        self.length = read;
    }

    /// The framing, if it can be told (RFC 9112 6.3): both lengths at once, or codings before HTTP/1.1, are the means of
    /// request smuggling.
    fn settle(&self, is_11: bool) -> Option<Framing> {
        match (self.coded, self.length) {
            _ if self.contradicts => None,
            (true, Some(_)) => None,
            (true, None) => is_11.then_some(Framing::Content),
            (false, None | Some(0)) => Some(Framing::Bare),
            (false, Some(_)) => Some(Framing::Content),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn with<T>(bytes: &[u8], look: impl FnOnce(Reading<'_, '_>) -> T) -> T {
        look(read(bytes, 1024, &mut fields()))
    }

    fn refusal(head: &str) -> Option<Refusal> {
        with(head.as_bytes(), |reading| match reading {
            Reading::Refused(refusal) => Some(refusal),
            _ => None,
        })
    }

    #[test]
    fn a_plain_head() {
        let bytes = b"GET /a?b HTTP/1.1\r\nHost: e\r\nAccept-Encoding: gzip\r\nUser-Agent: x\r\n\r\nGET";
        with(bytes, |reading| {
            let Reading::Whole(head) = reading else { panic!("{reading:?}") };
            assert_eq!((head.method, head.target, head.is_11, head.close), ("GET", "/a?b", true, false));
            assert_eq!((head.length, head.framing), (bytes.len() - 3, Framing::Bare));
            assert_eq!(head.seen, Seen { hosts: 1, special: false, accept_encoding: Some(1) });
            assert_eq!(head.fields.len(), 3);
        });
    }

    #[test]
    fn fields_that_matter_are_noticed() {
        for name in [
            "Range",
            "If-Range",
            "if-none-match",
            "If-Modified-Since",
            "CMCD-Object",
            "CMCD-Status",
            "CDN-Loop",
            "traceparent",
            "tracestate",
            "Expect",
        ] {
            with(format!("GET / HTTP/1.1\r\n{name}: x\r\n\r\n").as_bytes(), |reading| match reading {
                Reading::Whole(head) => assert!(head.seen.special, "{name}"),
                other => panic!("{other:?}"),
            });
        }
    }

    #[test]
    fn how_connections_end() {
        for (fields, version, close) in [
            ("", 1, false),
            ("", 0, true),
            ("connection: close\r\n", 1, true),
            ("connection: x, Close\r\n", 1, true),
            ("connection: keep-alive\r\n", 0, false),
        ] {
            with(format!("GET / HTTP/1.{version}\r\n{fields}\r\n").as_bytes(), |reading| match reading {
                Reading::Whole(head) => assert_eq!(head.close, close, "{fields}"),
                other => panic!("{other:?}"),
            });
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for fields in [
            "Content-Length: 1\r\nTransfer-Encoding: chunked",
            "Content-Length: 1\r\nContent-Length: 2",
            "Content-Length: 1, 1",
            "Transfer-Encoding: xchunked",
            "Transfer-Encoding: chunked, gzip",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            "Host: a b",
            "Host: a/b",
            "Host: user@a",
            "Content-Length: +1",
            "Content-Length: ",
            "Content-Length: 99999999999999999999",
            "Host : e",
            "X: a\r\n b",
            "X: a\nY: b",
            "X: a\rY: b",
            "X: a\0",
            " X: a",
            "X",
        ] {
            assert_eq!(
                refusal(&format!("GET / HTTP/1.1\r\n{fields}\r\n\r\n")),
                Some(Refusal::Malformed),
                "{fields:?}"
            );
        }
        for head in [
            "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
            "GET / HTTP/1.1\nHost: e\n\n",
            "GET / HTTP/2.0\r\n\r\n",
            "GET  / HTTP/1.1\r\n\r\n",
            "GET / x HTTP/1.1\r\n\r\n",
            "hello\r\n\r\n",
        ] {
            assert_eq!(refusal(head), Some(Refusal::Malformed), "{head:?}");
        }
    }

    #[test]
    fn content_is_noticed() {
        for (fields, framing) in [
            ("Content-Length: 0", Framing::Bare),
            ("Content-Length: 7", Framing::Content),
            ("Content-Length: 7\r\nContent-Length: 7", Framing::Content),
            ("Transfer-Encoding: chunked", Framing::Content),
        ] {
            with(format!("POST / HTTP/1.1\r\n{fields}\r\n\r\n").as_bytes(), |reading| match reading {
                Reading::Whole(head) => assert_eq!(head.framing, framing, "{fields}"),
                other => panic!("{other:?}"),
            });
        }
    }

    #[test]
    fn limits() {
        let long = format!("GET / HTTP/1.1\r\nX: {}", "a".repeat(1024));
        assert_eq!(refusal(&long), Some(Refusal::TooLarge));
        assert_eq!(refusal(&format!("{long}\r\n\r\n")), Some(Refusal::TooLarge));
        let many = "x: 1\r\n".repeat(MAX_FIELDS + 1);
        assert_eq!(refusal(&format!("GET / HTTP/1.1\r\n{many}\r\n")), Some(Refusal::TooLarge));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            with(&bytes, |_| ());
        }

        #[test]
        fn a_head_in_pieces_is_read_as_in_the_whole(cut in 0usize..54) {
            let bytes = b"GET /x HTTP/1.1\r\nhost: e\r\nuser-agent: player/1.0\r\n\r\n";
            let cut = cut.min(bytes.len() - 1);
            with(&bytes[..cut], |reading| assert!(matches!(reading, Reading::Partial)));
        }
    }
}
