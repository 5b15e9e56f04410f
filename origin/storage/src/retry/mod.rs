//! Retries with jitter and a deadline, as a wrapper of any store.
//!
//! Only failures that a moment can mend are retried ([`ErrorKind::is_retryable`](crate::ErrorKind)). A body
//! that breaks midway goes on where it stopped (`resume.rs`), a listing after its last path (`relist.rs`).

mod policy;
mod relist;
mod resume;

use std::future::Future;
use std::ops::Range;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use tokio::time::{Instant, sleep, timeout};

use crate::error::{Error, ErrorKind};
use crate::{Object, ObjectMeta, Payload, Storage, StorageRef};
pub use policy::RetryPolicy;

/// A store whose operations are repeated while that may help.
#[derive(Debug)]
pub struct Retrying {
    inner: StorageRef,
    policy: RetryPolicy,
}

/// How long an operation may take, all told and for each attempt.
#[derive(Clone, Copy, Debug)]
struct Allowance {
    attempt: Duration,
    deadline: Duration,
}

impl Retrying {
    /// Wraps `inner`.
    pub fn new(inner: StorageRef, policy: RetryPolicy) -> Self {
        Retrying { inner, policy }
    }

    fn allowance(&self) -> Allowance {
        Allowance { attempt: self.policy.attempt_timeout, deadline: self.policy.deadline }
    }

    /// More time for more bytes to write.
    async fn allowance_for(&self, payload: &Payload) -> Allowance {
        // A file that cannot be looked at fails in the store, with its path in the message.
        let size = payload.size().await.unwrap_or(0);
        let extra = self.policy.transfer_time(size);
        let Allowance { attempt, deadline } = self.allowance();
        let all = extra.saturating_mul(self.policy.attempts.max(1));
        Allowance { attempt: attempt.saturating_add(extra), deadline: deadline.saturating_add(all) }
    }
}

#[async_trait]
impl Storage for Retrying {
    async fn put(&self, path: &str, payload: Payload, content_type: &str) -> Result<(), Error> {
        let allowance = self.allowance_for(&payload).await;
        let put = || self.inner.put(path, payload.clone(), content_type);
        run(&self.policy, allowance, "put", path, put).await
    }

    async fn get(&self, path: &str, range: Option<Range<u64>>) -> Result<Object, Error> {
        let get = || self.inner.get(path, range.clone());
        let object = run(&self.policy, self.allowance(), "get", path, get).await?;
        Ok(resume::resuming(self.inner.clone(), self.policy.clone(), object))
    }

    async fn head(&self, path: &str) -> Result<ObjectMeta, Error> {
        run(&self.policy, self.allowance(), "head", path, || self.inner.head(path)).await
    }

    fn list(&self, prefix: &str) -> BoxStream<'static, Result<ObjectMeta, Error>> {
        relist::relisting(self.inner.clone(), self.policy.clone(), prefix.to_owned())
    }

    async fn delete(&self, path: &str) -> Result<(), Error> {
        run(&self.policy, self.allowance(), "delete", path, || self.inner.delete(path)).await
    }
}

/// Repeats `operation` until it succeeds, fails for good, or attempts or time run out.
async fn run<T, F: Future<Output = Result<T, Error>>>(
    policy: &RetryPolicy,
    allowance: Allowance,
    name: &str,
    path: &str,
    operation: impl Fn() -> F,
) -> Result<T, Error> {
    let deadline = Instant::now() + allowance.deadline;
    let mut failures = 0;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let error = match attempt(allowance.attempt.min(left), name, path, operation()).await {
            Err(error) if error.is_retryable() => error,
            done => return done,
        };
        failures += 1;
        let pause = policy.pause(failures);
        if failures >= policy.attempts || Instant::now() + pause >= deadline {
            return Err(error);
        }
        log_retry(&error, failures, pause);
        sleep(pause).await;
    }
}

/// One attempt; running out of time is an error like any other.
async fn attempt<T>(
    limit: Duration,
    name: &str,
    path: &str,
    operation: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    match timeout(limit, operation).await {
        Ok(result) => result,
        Err(_) => Err(timed_out(limit, name, path)),
    }
}

fn timed_out(limit: Duration, name: &str, path: &str) -> Error {
    let reason = format!("no answer within {} ms", limit.as_millis());
    Error::new(ErrorKind::Timeout, format!("{name} {path}"), reason)
}

fn log_retry(error: &Error, failures: u32, pause: Duration) {
    let pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
    tracing::debug!(%error, failures, pause_ms, "the store failed; trying again");
}
