//! The head of a response as HTTP/1.1 text.

use http::header::{CONNECTION, CONTENT_LENGTH, DATE};
use http::{StatusCode, response};

use super::How;
use crate::body::Body;
use crate::server::date;

/// How the body behind a head is framed (RFC 9112 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Framed {
    pub(super) chunked: bool,
    pub(super) close: bool,
}

/// Writes status line and fields, and decides how the body is framed.
pub(super) fn write(parts: &response::Parts, body: &Body, how: How, out: &mut Vec<u8>) -> Framed {
    let bodiless = how.is_head || matches!(parts.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    let length = body.length().filter(|_| !parts.headers.contains_key(CONTENT_LENGTH));
    let open_end = !bodiless && body.length().is_none();
    let asks_close = parts.headers.get(CONNECTION).is_some_and(|value| value == "close");
    let chunked = open_end && how.is_11;
    let close = how.close || asks_close || (open_end && !chunked);
    status_line(parts.status, out);
    for (name, value) in &parts.headers {
        if name != CONNECTION {
            line(name.as_str().as_bytes(), value.as_bytes(), out);
        }
    }
    if let Some(length) = length.filter(|_| !bodiless) {
        line(b"content-length", itoa::Buffer::new().format(length).as_bytes(), out);
    }
    if chunked {
        line(b"transfer-encoding", b"chunked", out);
    }
    if !parts.headers.contains_key(DATE) {
        date(out);
    }
    if close {
        line(b"connection", b"close", out);
    } else if !how.is_11 {
        line(b"connection", b"keep-alive", out);
    }
    out.extend_from_slice(b"\r\n");
    Framed { chunked, close }
}

pub(crate) fn status_line(status: StatusCode, out: &mut Vec<u8>) {
    out.extend_from_slice(b"HTTP/1.1 ");
    out.extend_from_slice(status.as_str().as_bytes());
    out.push(b' ');
    out.extend_from_slice(status.canonical_reason().unwrap_or("").as_bytes());
    out.extend_from_slice(b"\r\n");
}

pub(crate) fn line(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// Writes the `Date` field.
pub(crate) fn date(out: &mut Vec<u8>) {
    line(b"date", &date::now(), out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use http::Response;

    fn written(response: Response<Body>, how: How) -> (String, Framed) {
        let (parts, body) = response.into_parts();
        let mut out = Vec::new();
        let framed = write(&parts, &body, how, &mut out);
        let text = String::from_utf8(out).unwrap();
        let without_date = text.lines().filter(|line| !line.starts_with("date: "));
        (without_date.collect::<Vec<_>>().join("|"), framed)
    }

    #[test]
    fn framing() {
        let how = How { is_11: true, is_head: false, close: false };
        let ok = |body| Response::builder().header("x", "1").body(body).unwrap();
        let kept = Framed { chunked: false, close: false };
        let full = || Body::full(Bytes::from_static(b"abc"));
        assert_eq!(written(ok(full()), how), ("HTTP/1.1 200 OK|x: 1|content-length: 3|".into(), kept));
        assert_eq!(written(ok(Body::empty()), how).0, "HTTP/1.1 200 OK|x: 1|content-length: 0|");
        let endless = || Body::pass(crate::fill::PassBody::empty(), None);
        let chunked = (
            "HTTP/1.1 200 OK|x: 1|transfer-encoding: chunked|".into(),
            Framed { chunked: true, close: false },
        );
        assert_eq!(written(ok(endless()), how), chunked);
        let old = How { is_11: false, close: true, ..how };
        let closing =
            ("HTTP/1.1 200 OK|x: 1|connection: close|".into(), Framed { chunked: false, close: true });
        assert_eq!(written(ok(endless()), old), closing);
        let kept_old = How { close: false, ..old };
        assert_eq!(
            written(ok(full()), kept_old).0,
            "HTTP/1.1 200 OK|x: 1|content-length: 3|connection: keep-alive|"
        );
        let head = How { is_head: true, ..how };
        let with_length = Response::builder().header("content-length", "9").body(Body::empty()).unwrap();
        assert_eq!(written(with_length, head).0, "HTTP/1.1 200 OK|content-length: 9|");
        let unchanged = Response::builder().status(304).body(Body::empty()).unwrap();
        assert_eq!(written(unchanged, how), ("HTTP/1.1 304 Not Modified|".into(), kept));
        let last = Response::builder().header("connection", "close").body(Body::empty()).unwrap();
        let last = written(last, how);
        assert_eq!(last.0, "HTTP/1.1 200 OK|content-length: 0|connection: close|");
        assert!(last.1.close);
    }
}
