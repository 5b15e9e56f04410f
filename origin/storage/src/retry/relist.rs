//! Listings that go on after their last path.

use futures_util::stream::{self, BoxStream, StreamExt};
use tokio::time::{sleep, timeout};

use super::{RetryPolicy, log_retry, timed_out};
use crate::error::Error;
use crate::{ObjectMeta, StorageRef};

/// Lists `prefix`; after a failure it is listed again and what was delivered before is skipped, which the byte
/// order of listings allows.
pub(super) fn relisting(
    store: StorageRef,
    policy: RetryPolicy,
    prefix: String,
) -> BoxStream<'static, Result<ObjectMeta, Error>> {
    let listing = store.list(&prefix);
    let lister = Lister { store, policy, prefix, listing, last: None, failures: 0 };
    let found = stream::try_unfold(lister, |mut lister| async move {
        Ok(lister.object().await?.map(|object| (object, lister)))
    });
    found.boxed()
}

struct Lister {
    store: StorageRef,
    policy: RetryPolicy,
    prefix: String,
    listing: BoxStream<'static, Result<ObjectMeta, Error>>,
    /// The path delivered last.
    last: Option<String>,
    /// Failures since then.
    failures: u32,
}

impl Lister {
    async fn object(&mut self) -> Result<Option<ObjectMeta>, Error> {
        loop {
            match self.poll_listing().await {
                Ok(Some(object)) if self.is_delivered(&object) => {}
                Ok(Some(object)) => {
                    self.last = Some(object.path.clone());
                    self.failures = 0;
                    return Ok(Some(object));
                }
                Ok(None) => return Ok(None),
                Err(error) => self.begin_again(error).await?,
            }
        }
    }

    async fn poll_listing(&mut self) -> Result<Option<ObjectMeta>, Error> {
        match timeout(self.policy.attempt_timeout, self.listing.next()).await {
            Ok(found) => found.transpose(),
            Err(_) => Err(timed_out(self.policy.attempt_timeout, "list", &self.prefix)),
        }
    }

    fn is_delivered(&self, object: &ObjectMeta) -> bool {
        self.last.as_ref().is_some_and(|last| object.path <= *last)
    }

    async fn begin_again(&mut self, error: Error) -> Result<(), Error> {
        self.failures += 1;
        if !error.is_retryable() || self.failures >= self.policy.attempts {
            return Err(error);
        }
        let pause = self.policy.pause(self.failures);
        log_retry(&error, self.failures, pause);
        sleep(pause).await;
        self.listing = self.store.list(&self.prefix);
        Ok(())
    }
}
