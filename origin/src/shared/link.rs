//! The link to Redis: one connection for calls and one for events, made anew whenever either breaks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use futures_util::{Stream, StreamExt as _};
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, Cmd, FromRedisValue, IntoConnectionInfo as _, Msg, RedisError, RedisResult,
};
use tokio::sync::{Notify, broadcast, watch};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::{Event, Settings};
use crate::metrics::Metrics;

/// Time for connecting, signing in and subscribing.
const PATIENCE: Duration = Duration::from_secs(1);
/// Pause before the next attempt.
const PAUSE: Duration = Duration::from_millis(500);
/// How often a quiet link is tried.
const PROBE_EVERY: Duration = Duration::from_secs(1);
/// Late or refused calls in a row that cut the link. A broken connection cuts it at once.
const MAX_FAILURES: u32 = 3;
/// Calls that wait to be written.
const BUFFER: usize = 1024;

/// Whether that can be an address of Redis; the text names the remedy and never the address.
pub(crate) fn check_address(address: &str) -> Result<(), String> {
    let wrong = || {
        "redis is no address; write redis://:password@host:6379/0, rediss://... for TLS, or \
                    redis+unix:///path/of/the/socket"
            .to_owned()
    };
    // What follows a `#` would turn the check of certificates off.
    let read = address.into_connection_info().is_ok() && !address.contains('#');
    if read { Ok(()) } else { Err(wrong()) }
}

/// The link; up while a connection is held.
pub(super) struct Link {
    client: Client,
    prefix: String,
    deadline: Duration,
    held: ArcSwapOption<Held>,
    /// Told when `held` was emptied.
    cut: Notify,
    up: watch::Sender<bool>,
    metrics: Arc<Metrics>,
}

/// A connection that works, as far as is known.
struct Held {
    connection: MultiplexedConnection,
    /// Calls in a row that have failed.
    failures: AtomicU32,
}

impl Link {
    pub(super) fn new(settings: Settings<'_>, metrics: Arc<Metrics>) -> Result<Self, String> {
        check_address(settings.address)?;
        let client = Client::open(settings.address).map_err(|_| "redis cannot be used".to_owned())?;
        Ok(Self {
            client,
            prefix: settings.prefix.to_owned(),
            deadline: settings.deadline,
            held: ArcSwapOption::empty(),
            cut: Notify::new(),
            up: watch::Sender::new(false),
            metrics,
        })
    }

    /// The full name of a key.
    pub(super) fn name(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    /// Where events are told. Channels know no database numbers: the prefix alone keeps fleets apart.
    pub(super) fn channel(&self) -> String {
        self.name("events")
    }

    pub(super) fn is_up(&self) -> bool {
        *self.up.borrow()
    }

    pub(super) async fn connected(&self) {
        let _ = self.up.subscribe().wait_for(|up| *up).await;
    }

    pub(super) async fn command<T: FromRedisValue>(&self, call: &'static str, command: Cmd) -> Option<T> {
        self.call(call, async |mut connection| command.query_async(&mut connection).await).await
    }

    /// Does some work with the connection; `None` without one, when it fails, and when it takes too long.
    pub(super) async fn call<T, F: Future<Output = RedisResult<T>>>(
        &self,
        call: &'static str,
        work: impl FnOnce(MultiplexedConnection) -> F,
    ) -> Option<T> {
        let held = self.held.load_full()?;
        let started = Instant::now();
        let answer = timeout(self.deadline, work(held.connection.clone())).await;
        self.metrics.redis_call(call, started.elapsed());
        match answer {
            Ok(Ok(answer)) => {
                held.failures.store(0, Ordering::Relaxed);
                return Some(answer);
            }
            Ok(Err(error)) => {
                tracing::debug!(call, error = %reason(&error), "Redis refused a call");
                self.metrics.redis_error("refused");
                self.failed(held, is_broken(&error));
            }
            Err(_) => {
                self.metrics.redis_error("late");
                self.failed(held, false);
            }
        }
        None
    }

    /// Cuts the link when that was one failure too many.
    fn failed(&self, held: Arc<Held>, broken: bool) {
        let failures = held.failures.fetch_add(1, Ordering::Relaxed) + 1;
        if broken || failures >= MAX_FAILURES {
            // Only this connection: another may have been made meanwhile.
            self.held.compare_and_swap(&Some(held), None);
            self.cut.notify_one();
        }
    }

    /// Keeps the link up, for ever.
    pub(super) async fn keep(&self, events: &broadcast::Sender<Event>) {
        let mut said = false;
        loop {
            match timeout(PATIENCE, self.connect()).await {
                Ok(Ok((connection, messages))) => {
                    // What was told while nobody listened is lost.
                    let _ = events.send(Event::Missed);
                    self.held.store(Some(Arc::new(Held { connection, failures: AtomicU32::new(0) })));
                    self.set_up(true);
                    tracing::info!("Redis is there: limits and sign-ins are shared");
                    self.watch(messages, events).await;
                    self.held.store(None);
                    self.set_up(false);
                    tracing::warn!("Redis is away: this origin goes on by itself");
                    said = true;
                }
                Ok(Err(error)) if !said => {
                    tracing::warn!(error = %reason(&error), "Redis cannot be used: this origin goes on by itself");
                    said = true;
                }
                Err(_) if !said => {
                    tracing::warn!("Redis does not answer: this origin goes on by itself");
                    said = true;
                }
                _ => {}
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn set_up(&self, up: bool) {
        self.metrics.redis_up(up);
        self.up.send_replace(up);
    }

    /// Listens first, so that nothing told afterwards is lost; then tries to write, as calls will.
    async fn connect(&self) -> RedisResult<(MultiplexedConnection, impl Stream<Item = Msg> + use<>)> {
        let mut listening = self.client.get_async_pubsub().await?;
        listening.subscribe(self.channel()).await?;
        // Calls have a deadline of their own.
        let config = AsyncConnectionConfig::new()
            .set_response_timeout(None)
            .set_connection_timeout(None)
            .set_pipeline_buffer_size(BUFFER);
        let mut connection = self.client.get_multiplexed_async_connection_with_config(&config).await?;
        // A server that cannot keep the deadline would only make everyone wait.
        let probed = timeout(self.deadline, self.probe().query_async::<()>(&mut connection)).await;
        probed.map_err(|_| RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut)))??;
        Ok((connection, listening.into_on_message()))
    }

    /// A harmless write: a server that is full or a replica refuses it.
    fn probe(&self) -> Cmd {
        let mut command = redis::cmd("SET");
        command.arg(self.name("probe")).arg(1).arg("PX").arg(10_000);
        command
    }

    /// Passes on what is told until the link is cut or breaks.
    async fn watch(&self, messages: impl Stream<Item = Msg>, events: &broadcast::Sender<Event>) {
        let mut messages = std::pin::pin!(messages);
        let mut probes = interval(PROBE_EVERY);
        probes.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while self.held.load().is_some() {
            tokio::select! {
                message = messages.next() => match message {
                    Some(message) => {
                        if let Some(event) = Event::read(message.get_payload_bytes()) {
                            let _ = events.send(event);
                        }
                    }
                    None => return,
                },
                () = self.cut.notified() => {}
                _ = probes.tick() => drop(self.command::<()>("probe", self.probe()).await),
            }
        }
    }
}

fn is_broken(error: &RedisError) -> bool {
    error.is_io_error() || error.is_connection_dropped() || error.is_unrecoverable_error()
}

/// What may be logged of an error: its kind, and the server's code. Details may hold what was sent.
fn reason(error: &RedisError) -> String {
    match error.code() {
        Some(code) => format!("{} ({code})", error.category()),
        None => error.category().to_owned(),
    }
}
