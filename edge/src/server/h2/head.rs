//! Heads of responses as field blocks.

use http::header::{CONNECTION, CONTENT_LENGTH, DATE, HeaderName, TRANSFER_ENCODING, UPGRADE};
use http::{StatusCode, response};

use crate::body::Body;
use crate::cache::Prepared;
use crate::pipeline::Hit;
use crate::semantics::hpack::encode;
use crate::server::date;
use crate::server::worker::Worker;

/// Fields that HTTP/2 does not have (RFC 9113 8.2.2).
static OF_CONNECTION: [HeaderName; 5] = [
    CONNECTION,
    TRANSFER_ENCODING,
    UPGRADE,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
];

/// Names of literals (RFC 7541 6.2.2): by their place in the static table, or as they are.
const AGE: &[u8] = &[0x0f, 21 - 15];
const DATED: &[u8] = &[0x0f, 33 - 15];
const CACHE_STATUS: &[u8] = b"\x00\x0ccache-status";
const SERVER_TIMING: &[u8] = b"\x00\x0dserver-timing";

/// Writes the head of a hit.
pub(super) fn of_hit(worker: &Worker, hit: &Hit, out: &mut Vec<u8>) {
    let fields = hit.object.http2_fields(hit.zipped, || shared(hit));
    out.extend_from_slice(&fields.text);
    let passing = hit.answered(worker);
    out.extend_from_slice(AGE);
    encode::plain(itoa::Buffer::new().format(passing.age_s).as_bytes(), out);
    out.extend_from_slice(CACHE_STATUS);
    value(out, |out| passing.cache_status(&worker.edge, out));
    out.extend_from_slice(SERVER_TIMING);
    value(out, |out| passing.server_timing(out));
    if !fields.dated {
        dated(out);
    }
}

/// What all answers with the same object share.
fn shared(hit: &Hit) -> Prepared {
    let (fields, length) = hit.fields();
    let mut out = Vec::with_capacity(1 << 10);
    encode::status(200, &mut out);
    fields.iter().for_each(|(name, value)| field(name, value.as_bytes(), &mut out));
    encode::field(b"content-length", itoa::Buffer::new().format(length).as_bytes(), &mut out);
    Prepared { text: out.into(), dated: fields.contains_key(DATE) }
}

/// Writes the head of any response.
pub(super) fn of(parts: &response::Parts, body: &Body, is_head: bool, out: &mut Vec<u8>) {
    let bodiless = is_head || matches!(parts.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    let length = body.length().filter(|_| !bodiless && !parts.headers.contains_key(CONTENT_LENGTH));
    encode::status(parts.status.as_u16(), out);
    parts.headers.iter().for_each(|(name, value)| field(name, value.as_bytes(), out));
    if let Some(length) = length {
        encode::field(b"content-length", itoa::Buffer::new().format(length).as_bytes(), out);
    }
    if !parts.headers.contains_key(DATE) {
        dated(out);
    }
}

fn field(name: &HeaderName, value: &[u8], out: &mut Vec<u8>) {
    if !OF_CONNECTION.contains(name) {
        encode::field(name.as_str().as_bytes(), value, out);
    }
}

fn dated(out: &mut Vec<u8>) {
    out.extend_from_slice(DATED);
    encode::plain(&date::now(), out);
}

/// Writes a value whose length is known when it is written.
fn value(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.push(0);
    write(out);
    match out.len() - start - 1 {
        length @ 0..127 => out[start] = length as u8,
        _ => {
            let text = out.split_off(start + 1);
            out.truncate(start);
            encode::plain(&text, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semantics::hpack::{Decoder, Fields, Limits};
    use bytes::Bytes;
    use http::Response;

    fn read(block: &[u8]) -> String {
        let mut fields = Fields::new(Limits { bytes: 1 << 14, count: 100 });
        Decoder::default().decode(block, &mut fields).unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let all = fields.iter().map(|(name, value)| format!("{}: {}", text(name), text(value)));
        all.filter(|line| !line.starts_with("date: ")).collect::<Vec<_>>().join("|")
    }

    fn written(response: Response<Body>, is_head: bool) -> String {
        let (parts, body) = response.into_parts();
        let mut out = Vec::new();
        of(&parts, &body, is_head, &mut out);
        read(&out)
    }

    #[test]
    fn heads() {
        let full = || Body::full(Bytes::from_static(b"abc"));
        let ok = |body| Response::builder().header("x", "1").body(body).unwrap();
        assert_eq!(written(ok(full()), false), ":status: 200|x: 1|content-length: 3");
        assert_eq!(written(ok(Body::empty()), false), ":status: 200|x: 1|content-length: 0");
        assert_eq!(written(ok(Body::empty()), true), ":status: 200|x: 1");
        let endless = Body::pass(crate::fill::PassBody::empty(), None);
        assert_eq!(written(ok(endless), false), ":status: 200|x: 1");
        let bare = Response::builder().status(304).body(Body::empty()).unwrap();
        assert_eq!(written(bare, false), ":status: 304");
        let odd = Response::builder().status(299).header("connection", "close").header("keep-alive", "9");
        assert_eq!(written(odd.body(full()).unwrap(), false), ":status: 299|content-length: 3");
    }

    #[test]
    fn values_of_any_length() {
        for length in [0, 1, 126, 127, 128, 5000] {
            let mut out = AGE.to_vec();
            value(&mut out, |out| out.resize(out.len() + length, b'x'));
            dated(&mut out);
            assert_eq!(read(&out), format!("age: {}", "x".repeat(length)));
        }
    }
}
