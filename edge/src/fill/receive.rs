//! Receiving a body: into the shared buffer, counted, checked, within limits.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{Context as Digest, SHA256};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::time::timeout;

use super::fault::Fault;
use super::in_flight::InFlight;
use crate::cache::Head;

/// How a body came in.
#[derive(Debug)]
pub(super) enum Received {
    /// Whole and checked.
    Whole(Bytes),
    /// It grew beyond what is stored, or beyond what there is room for: the rest is for one reader.
    TooLarge(Incoming),
}

/// Limits of receiving.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) idle: Duration,
    pub(super) object_bytes: u64,
}

/// Receives a body, or what `check` has not seen of it yet, into `flight`.
///
/// # Errors
/// When it falls silent, breaks, or is not what its head announced.
pub(super) async fn receive(
    flight: &Arc<InFlight>,
    check: &mut Check,
    mut body: Incoming,
    limits: Limits,
) -> Result<Received, Fault> {
    loop {
        let frame = match timeout(limits.idle, body.frame()).await {
            Err(_) => return Err(Fault::Idle),
            Ok(None) => break,
            Ok(Some(frame)) => frame.map_err(|error| broken(&error))?,
        };
        let Ok(chunk) = frame.into_data() else { continue };
        let chunk = check.unseen(chunk);
        check.add(&chunk)?;
        let fits = chunk.is_empty() || flight.push(chunk, check.shown());
        if !fits || check.received > limits.object_bytes {
            return Ok(Received::TooLarge(body));
        }
    }
    check.finish()?;
    Ok(Received::Whole(flight.joined()))
}

/// A length that was announced and not met is told apart from a broken connection.
fn broken(error: &hyper::Error) -> Fault {
    tracing::debug!(error = %error, "upstream body ended early");
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<std::io::Error>());
    let early = source.is_some_and(|source| source.kind() == std::io::ErrorKind::UnexpectedEof);
    if early || error.is_incomplete_message() { Fault::Length } else { Fault::Broken }
}

/// What the head promises about the body.
pub(super) struct Check {
    pub(super) received: u64,
    /// Bytes still to come that were received before.
    pub(super) again: u64,
    length: Option<u64>,
    digest: Option<(Digest, [u8; 32])>,
}

impl Check {
    pub(super) fn new(head: &Head) -> Self {
        let digest = head.digest.map(|expected| (Digest::new(&SHA256), expected));
        Self { received: 0, again: 0, length: head.length, digest }
    }

    /// Of a part that has that length.
    pub(super) fn of(length: u64) -> Self {
        Self { received: 0, again: 0, length: Some(length), digest: None }
    }

    /// What of the chunk was not received before.
    fn unseen(&mut self, mut chunk: Bytes) -> Bytes {
        let seen = self.again.min(chunk.len() as u64);
        self.again -= seen;
        chunk.split_off(seen as usize)
    }

    fn add(&mut self, chunk: &[u8]) -> Result<(), Fault> {
        self.received += chunk.len() as u64;
        if let Some((digest, _)) = &mut self.digest {
            digest.update(chunk);
        }
        if self.length.is_some_and(|length| self.received > length) { Err(Fault::Length) } else { Ok(()) }
    }

    /// How much readers may have: all but the last byte while a digest is to be checked.
    fn shown(&self) -> u64 {
        match (&self.digest, self.length) {
            (None, _) => self.received,
            (Some(_), Some(length)) => self.received.min(length.saturating_sub(1)),
            (Some(_), None) => self.received.saturating_sub(1),
        }
    }

    fn finish(&mut self) -> Result<(), Fault> {
        if self.length.is_some_and(|length| self.received != length) {
            return Err(Fault::Length);
        }
        let holds = self.digest.take().is_none_or(|(digest, expected)| digest.finish().as_ref() == expected);
        if holds { Ok(()) } else { Err(Fault::Damaged) }
    }
}
