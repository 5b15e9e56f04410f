//! The head of a hit: what all answers with the same object share is made once and kept beside it.

use std::io::Write as _;

use http::StatusCode;
use http::header::DATE;

use super::head::{date, line, status_line};
use crate::cache::Http1Fields;
use crate::pipeline::Hit;
use crate::server::worker::Worker;

/// Writes the head of a hit.
pub(super) fn write_head(worker: &Worker, hit: &Hit, close: bool, out: &mut Vec<u8>) {
    let edge = &worker.edge;
    let fields = hit.object.http1_fields(hit.zipped, || shared(hit));
    out.extend_from_slice(&fields.text);
    let now_ms = edge.clock.ms_at(hit.started);
    let (age, ttl) = (hit.object.age_s(now_ms), hit.object.ttl_s(now_ms));
    let waited = hit.started.elapsed();
    hit.answered(worker, waited);
    let waited = waited.as_micros();
    // Writing to memory does not fail.
    let _ = write!(
        out,
        "age: {age}\r\ncache-status: {}; hit; ttl={ttl}\r\nserver-timing: cache;desc=hit, edge;dur={}.{:03}\r\n",
        edge.config.name,
        waited / 1000,
        waited % 1000,
    );
    if !fields.dated {
        date(out);
    }
    out.extend_from_slice(if close { b"connection: close\r\n\r\n" } else { b"\r\n" });
}

fn shared(hit: &Hit) -> Http1Fields {
    let (fields, length) = hit.fields();
    let mut out = Vec::with_capacity(1 << 10);
    status_line(StatusCode::OK, &mut out);
    fields.iter().for_each(|(name, value)| line(name.as_str().as_bytes(), value.as_bytes(), &mut out));
    line(b"content-length", itoa::Buffer::new().format(length).as_bytes(), &mut out);
    Http1Fields { text: out.into(), dated: fields.contains_key(DATE) }
}
