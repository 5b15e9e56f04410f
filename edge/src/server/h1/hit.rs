//! The head of a hit: what all answers with the same object share is made once and kept beside it.

use http::StatusCode;
use http::header::DATE;

use super::head::{date, line, status_line};
use crate::cache::Prepared;
use crate::pipeline::Hit;
use crate::server::worker::Worker;

/// Writes the head of a hit.
pub(super) fn write_head(worker: &Worker, hit: &Hit, close: bool, out: &mut Vec<u8>) {
    let edge = &worker.edge;
    let fields = hit.object.http1_fields(hit.zipped, || shared(hit));
    out.extend_from_slice(&fields.text);
    let passing = hit.answered(worker);
    line(b"age", itoa::Buffer::new().format(passing.age_s).as_bytes(), out);
    out.extend_from_slice(b"cache-status: ");
    passing.cache_status(edge, out);
    out.extend_from_slice(b"\r\nserver-timing: ");
    passing.server_timing(out);
    out.extend_from_slice(b"\r\n");
    if !fields.dated {
        date(out);
    }
    out.extend_from_slice(if close { b"connection: close\r\n\r\n" } else { b"\r\n" });
}

fn shared(hit: &Hit) -> Prepared {
    let (fields, length) = hit.fields();
    let mut out = Vec::with_capacity(1 << 10);
    status_line(StatusCode::OK, &mut out);
    fields.iter().for_each(|(name, value)| line(name.as_str().as_bytes(), value.as_bytes(), &mut out));
    line(b"content-length", itoa::Buffer::new().format(length).as_bytes(), &mut out);
    Prepared { text: out.into(), dated: fields.contains_key(DATE) }
}
