//! What the origins of one database share at once, through Redis: counts of requests and of failed sign-ins, sign-ins
//! looked up a moment ago, and word of what has changed.
//!
//! It is optional, and the truth lies in the database alone. Every call has a deadline; when calls fail, the link is
//! cut and calls answer `None` at once, so that each origin goes on by itself until Redis is back.

mod event;
mod link;

use std::sync::Arc;
use std::time::Duration;

use redis::{FromRedisValue, Script};
use tokio::sync::broadcast;

use crate::metrics::Metrics;
use link::Link;

pub(crate) use event::{Event, Events};
pub(crate) use link::check_address;

/// Events that wait for a slow listener; it is told [`Event::Missed`] for the rest.
const WAITING: usize = 1024;
/// How long a start waits for Redis, so that the first requests are counted there.
const SETTLE: Duration = Duration::from_secs(1);

/// Where and how Redis is reached.
#[derive(Clone, Copy)]
pub(crate) struct Settings<'a> {
    /// `redis://`, `rediss://` or `redis+unix://`; empty: there is none.
    pub(crate) address: &'a str,
    /// Begins the name of every key and channel.
    pub(crate) prefix: &'a str,
    /// How long a call may take.
    pub(crate) deadline: Duration,
}

/// The origin's side of Redis; cheap to clone.
#[derive(Clone)]
pub(crate) struct Shared {
    link: Option<Arc<Link>>,
    events: broadcast::Sender<Event>,
}

impl std::fmt::Debug for Shared {
    /// Without the address, which holds a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.link.is_some() { "Shared(redis)" } else { "Shared(off)" })
    }
}

impl Shared {
    /// Reads the settings; connecting is the work of [`Shared::keep`].
    ///
    /// # Errors
    /// Text that names the remedy and never the address.
    pub(crate) fn new(settings: Settings<'_>, metrics: Arc<Metrics>) -> Result<Self, String> {
        let link = match settings.address {
            "" => None,
            _ => Some(Arc::new(Link::new(settings, metrics)?)),
        };
        Ok(Self { link, events: broadcast::Sender::new(WAITING) })
    }

    /// Without Redis.
    #[cfg(test)]
    pub(crate) fn off() -> Self {
        Self { link: None, events: broadcast::Sender::new(WAITING) }
    }

    /// Connects, again and again whenever the link breaks, and passes on what other origins tell.
    pub(crate) async fn keep(self) {
        if let Some(link) = &self.link {
            link.keep(&self.events).await;
        }
    }

    /// Waits for the first connection, for a second at most.
    pub(crate) async fn settle(&self) {
        if let Some(link) = &self.link {
            let _ = tokio::time::timeout(SETTLE, link.connected()).await;
        }
    }

    /// Whether Redis is set up.
    pub(crate) fn is_on(&self) -> bool {
        self.link.is_some()
    }

    /// Whether Redis is set up and does not answer.
    pub(crate) fn is_away(&self) -> bool {
        self.link.as_ref().is_some_and(|link| !link.is_up())
    }

    /// What other origins tell from now on; nothing ever comes without Redis.
    pub(crate) fn events(&self) -> Events {
        Events::new(self.events.subscribe())
    }

    /// Tells every origin, this one too; says whether Redis has taken it.
    pub(crate) async fn tell(&self, event: Event) -> bool {
        let Some(link) = &self.link else { return false };
        let mut command = redis::cmd("PUBLISH");
        command.arg(link.channel()).arg(event.to_string());
        link.command::<i64>("tell", command).await.is_some()
    }

    /// Reads several keys in one round trip; `None` when Redis does not answer. `call` names the purpose for the
    /// metrics.
    pub(crate) async fn get<const N: usize>(
        &self,
        call: &'static str,
        keys: [&str; N],
    ) -> Option<[Option<Vec<u8>>; N]> {
        let link = self.link.as_ref()?;
        let mut command = redis::cmd("MGET");
        command.arg(keys.map(|key| link.name(key)).to_vec());
        link.command::<Vec<Option<Vec<u8>>>>(call, command).await?.try_into().ok()
    }

    /// Keeps a value under a key for that long; says whether Redis has taken it. All calls go over one connection, so
    /// values should stay well below a megabyte. What was given up as late may still be kept.
    pub(crate) async fn put(&self, call: &'static str, key: &str, value: &[u8], lifetime: Duration) -> bool {
        let Some(link) = &self.link else { return false };
        let milliseconds = (lifetime.as_millis() as u64).max(1);
        let mut command = redis::cmd("SET");
        command.arg(link.name(key)).arg(value).arg("PX").arg(milliseconds);
        link.command::<()>(call, command).await.is_some()
    }

    /// Takes a key away.
    pub(crate) async fn remove(&self, call: &'static str, key: &str) {
        let Some(link) = &self.link else { return };
        let mut command = redis::cmd("DEL");
        command.arg(link.name(key));
        link.command::<i64>(call, command).await;
    }

    /// Runs a script on those keys, as one step for everyone else.
    pub(crate) async fn run<T: FromRedisValue, const N: usize>(
        &self,
        call: &'static str,
        script: &Script,
        keys: [&str; N],
        arguments: &[u64],
    ) -> Option<T> {
        let link = self.link.as_ref()?;
        let mut invocation = script.prepare_invoke();
        for key in keys {
            invocation.key(link.name(key));
        }
        for argument in arguments {
            invocation.arg(*argument);
        }
        link.call(call, async |mut connection| invocation.invoke_async(&mut connection).await).await
    }
}

#[cfg(test)]
pub(crate) mod testing;

#[cfg(test)]
mod tests;
