//! One upstream: where it is, and how it does.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::Uri;
use http::uri::PathAndQuery;
use hyper_util::client::legacy;

use super::health::Health;
use super::reminders::Processes;
use super::waits::Waits;
use crate::fill::Fault;
use crate::metrics::{Metrics, UpstreamMeter};

/// An upstream, with what is known of it; one for all workers.
#[derive(Debug)]
pub(super) struct Base {
    pub(super) health: Arc<Health>,
    pub(super) waits: Arc<Waits>,
    pub(super) processes: Arc<Processes>,
    pub(super) meter: UpstreamMeter,
    /// Why it could not be asked the last time, if that was so.
    cause: Arc<Mutex<String>>,
    uri: Uri,
    /// Place among the settings.
    pub(super) number: usize,
    /// Name and port.
    pub(super) host: String,
    /// Path prefix without a slash at the end.
    prefix: String,
    /// The address as it is set.
    pub(super) text: String,
}

impl Base {
    /// The upstream with that number among the settings.
    ///
    /// # Errors
    /// When its address is no URL.
    pub(super) fn parse(text: &str, number: usize, metrics: &Metrics) -> Result<Self, String> {
        let uri: Uri = text.parse().map_err(|_| "upstreams: an address is not a URL")?;
        let prefix = uri.path().trim_end_matches('/').to_owned();
        let text = text.trim_end_matches('/').to_owned();
        let host = uri.authority().map_or_else(String::new, ToString::to_string);
        Ok(Self {
            meter: metrics.upstreams.of(number, &host),
            number,
            host,
            health: Arc::default(),
            waits: Arc::new(Waits::new()),
            processes: Arc::default(),
            cause: Arc::default(),
            uri,
            prefix,
            text,
        })
    }

    /// The same, with all that is known of it from `before`.
    pub(super) fn known(self, before: &Self) -> Self {
        let Self { health, waits, processes, cause, .. } = before;
        let (health, waits) = (health.clone(), waits.clone());
        Self { health, waits, processes: processes.clone(), cause: cause.clone(), ..self }
    }

    /// Where `target`, a path with or without a query, is there.
    pub(super) fn join(&self, target: &str) -> Option<Uri> {
        let mut parts = self.uri.clone().into_parts();
        let path = match self.prefix.as_str() {
            "" => PathAndQuery::from_maybe_shared(Bytes::copy_from_slice(target.as_bytes())),
            prefix => PathAndQuery::from_maybe_shared(Bytes::from(format!("{prefix}{target}"))),
        };
        parts.path_and_query = Some(path.ok()?);
        Uri::from_parts(parts).ok()
    }

    /// What kept a request from being answered. A name that is not found, a certificate that has expired and a closed port
    /// are the same fault: which it was is told when the upstream begins to rest.
    pub(super) fn fault_of(&self, error: &legacy::Error) -> Fault {
        let sources = std::iter::successors(std::error::Error::source(error), |error| error.source());
        let causes: Vec<String> = sources.map(ToString::to_string).collect();
        self.set_cause(causes.join(": "));
        if error.is_connect() { Fault::Connect } else { Fault::Broken }
    }

    pub(super) fn set_cause(&self, cause: String) {
        *self.cause.lock().unwrap_or_else(PoisonError::into_inner) = cause;
    }

    /// Tells the log that it rests, and why.
    pub(super) fn tell_rest(&self) {
        let cause = std::mem::take(&mut *self.cause.lock().unwrap_or_else(PoisonError::into_inner));
        tracing::warn!(upstream = %self.uri, cause, "an upstream fails again and again: it rests");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_joined() {
        let join = |base: &str, target| {
            Base::parse(base, 0, &Metrics::new()).unwrap().join(target).unwrap().to_string()
        };
        assert_eq!(join("http://h:1", "/v1/a"), "http://h:1/v1/a");
        assert_eq!(join("https://h/base/", "/v1/a?q=1"), "https://h/base/v1/a?q=1");
    }
}
