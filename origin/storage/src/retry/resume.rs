//! Bodies that go on where they broke off.

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt};
use tokio::time::{sleep, timeout};

use super::{RetryPolicy, attempt, log_retry, timed_out};
use crate::error::{Error, ErrorKind};
use crate::{Object, ObjectMeta, StorageRef};

/// The same object with a body that survives failures of the store: it is opened again from where it stopped,
/// as long as the entity-tag is still the same.
pub(super) fn resuming(store: StorageRef, policy: RetryPolicy, object: Object) -> Object {
    let Object { meta, range, body } = object;
    let reader =
        Reader { store, policy, meta: meta.clone(), next: range.start, end: range.end, body, failures: 0 };
    let body = stream::try_unfold(reader, |mut reader| async move {
        Ok(reader.chunk().await?.map(|chunk| (chunk, reader)))
    });
    Object { meta, range, body: body.boxed() }
}

struct Reader {
    store: StorageRef,
    policy: RetryPolicy,
    meta: ObjectMeta,
    /// Offset of the next byte to deliver.
    next: u64,
    end: u64,
    body: BoxStream<'static, Result<Bytes, Error>>,
    /// Failures since the last byte that came.
    failures: u32,
}

impl Reader {
    async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        while self.next < self.end {
            match self.poll_body().await {
                Ok(chunk) if chunk.is_empty() => {}
                Ok(chunk) => return self.deliver(chunk).map(Some),
                Err(error) => self.recover(error).await?,
            }
        }
        Ok(None)
    }

    async fn poll_body(&mut self) -> Result<Bytes, Error> {
        match timeout(self.policy.attempt_timeout, self.body.next()).await {
            Ok(Some(chunk)) => chunk,
            Ok(None) => Err(Error::new(ErrorKind::Unavailable, self.place(), "the body ended early")),
            Err(_) => Err(timed_out(self.policy.attempt_timeout, "body of", &self.meta.path)),
        }
    }

    fn deliver(&mut self, chunk: Bytes) -> Result<Bytes, Error> {
        let next = self.next + chunk.len() as u64;
        if next > self.end {
            let reason = "the store sent more bytes than asked for";
            return Err(Error::new(ErrorKind::Other, self.place(), reason));
        }
        self.next = next;
        self.failures = 0;
        Ok(chunk)
    }

    /// Opens the rest again; when that fails too, until attempts run out.
    async fn recover(&mut self, error: Error) -> Result<(), Error> {
        let mut error = error;
        loop {
            self.failures += 1;
            // Without an entity-tag nobody can tell whether the rest belongs to what was delivered.
            let hopeless = self.failures >= self.policy.attempts || self.meta.etag.is_none();
            if !error.is_retryable() || hopeless {
                return Err(error);
            }
            let pause = self.policy.pause(self.failures);
            log_retry(&error, self.failures, pause);
            sleep(pause).await;
            match self.reopen().await {
                Ok(body) => {
                    self.body = body;
                    return Ok(());
                }
                Err(again) => error = again,
            }
        }
    }

    async fn reopen(&mut self) -> Result<BoxStream<'static, Result<Bytes, Error>>, Error> {
        let get = self.store.get(&self.meta.path, Some(self.next..self.end));
        match attempt(self.policy.attempt_timeout, "get", &self.meta.path, get).await {
            Ok(object) if object.meta.etag == self.meta.etag => Ok(object.body),
            Ok(_) => Err(self.replaced()),
            Err(error) if error.kind() == ErrorKind::Range => Err(self.replaced()),
            Err(error) => Err(error),
        }
    }

    fn replaced(&self) -> Error {
        Error::new(ErrorKind::Other, self.place(), "the object was replaced while it was read; read it anew")
    }

    fn place(&self) -> String {
        format!("body of {}", self.meta.path)
    }
}
