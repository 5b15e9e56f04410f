//! Listeners: requests at a steady rate, every body compared byte by byte.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use fastrand::Rng;
use segue_benches::connection::{Answer, Connection};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;

use crate::catalog::Catalog;

/// Requests under way at once; what is due beyond is left out, and counted.
const UNDER_WAY: usize = 2000;
/// How long a listener waits for the whole of a segment.
const PATIENCE: Duration = Duration::from_secs(60);

/// What came of the requests of some time.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) good: u64,
    pub(crate) hits: Vec<Duration>,
    pub(crate) all: Vec<Duration>,
    /// Answers other than 200, by status.
    pub(crate) refused: BTreeMap<u16, u64>,
    /// Connections that ended before the body did, or at once: the listener knows.
    pub(crate) broken: u64,
    /// Whole bodies that were not what was asked for.
    pub(crate) wrong: u64,
    pub(crate) left_out: u64,
}

/// What listeners share.
pub(crate) struct Listeners {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) tokens: Vec<String>,
    pub(crate) port: u16,
    pub(crate) tls: Option<TlsConnector>,
    pub(crate) tally: Mutex<Tally>,
    pub(crate) idle: Mutex<Vec<Connection>>,
    /// Connections open now.
    pub(crate) open: AtomicUsize,
}

/// An open connection, counted.
struct Counted<'a> {
    connection: Option<Connection>,
    listeners: &'a Listeners,
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        if self.connection.is_some() {
            self.listeners.open.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Listeners {
    /// What was tallied since the last call.
    pub(crate) fn take(&self) -> Tally {
        std::mem::take(&mut *self.tally.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Asks as fast as the edge answers over that many connections, and returns how many a second were good.
    pub(crate) async fn rush(self: &Arc<Self>, connections: usize, time: Duration) -> f64 {
        let until = Instant::now() + time;
        let tasks: Vec<_> = (0..connections as u64)
            .map(|seed| {
                let (listeners, mut rng) = (self.clone(), Rng::with_seed(seed));
                tokio::spawn(async move {
                    while Instant::now() < until {
                        listeners.ask(&mut rng, Instant::now()).await;
                    }
                })
            })
            .collect();
        for task in tasks {
            let _ = task.await;
        }
        self.take().good as f64 / time.as_secs_f64()
    }

    /// Asks at that rate, for ever.
    pub(crate) async fn listen(self: Arc<Self>, rate: f64) {
        let (began, mut rng) = (Instant::now(), Rng::with_seed(5));
        let under_way = Arc::new(Semaphore::new(UNDER_WAY));
        for number in 0u64.. {
            let due = began + Duration::from_secs_f64(number as f64 / rate);
            tokio::time::sleep_until(due).await;
            let Ok(permit) = under_way.clone().try_acquire_owned() else {
                self.note(|tally| tally.left_out += 1);
                continue;
            };
            let (listeners, mut rng) = (self.clone(), rng.fork());
            tokio::spawn(async move {
                listeners.ask(&mut rng, due).await;
                drop(permit);
            });
        }
    }

    fn note(&self, add: impl FnOnce(&mut Tally)) {
        add(&mut self.tally.lock().unwrap_or_else(PoisonError::into_inner));
    }

    async fn ask(&self, rng: &mut Rng, due: Instant) {
        let (path, body) = self.catalog.draw(rng, &self.tokens);
        let Some(mut counted) = self.connection().await else { return self.note(|tally| tally.broken += 1) };
        let Some(connection) = counted.connection.as_mut() else { return };
        let mut check = Check { body, at: 0, same: true };
        let asked = timeout(PATIENCE, connection.get(&path, |bytes| check.see(bytes))).await;
        let Ok(Ok(answer)) = asked else { return self.note(|tally| tally.broken += 1) };
        self.note(|tally| tally.add(answer, check.holds(), due));
        if let Some(connection) = counted.connection.take() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
    }

    /// One that is idle, or a new one.
    async fn connection(&self) -> Option<Counted<'_>> {
        loop {
            let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some(connection) = idle else { break };
            let closed = connection.is_closed();
            let counted = Counted { connection: Some(connection), listeners: self };
            if !closed {
                return Some(counted);
            }
        }
        let connection = Connection::open(self.port, self.tls.as_ref()).await.ok()?;
        self.open.fetch_add(1, Ordering::Relaxed);
        Some(Counted { connection: Some(connection), listeners: self })
    }
}

impl Tally {
    fn add(&mut self, answer: Answer, holds: bool, due: Instant) {
        if answer.status != 200 {
            *self.refused.entry(answer.status).or_default() += 1;
        } else if !holds {
            self.wrong += 1;
        } else {
            self.good += 1;
            self.all.push(due.elapsed());
            if answer.hit {
                self.hits.push(due.elapsed());
            }
        }
    }
}

/// Compares a body with what it should be while it comes.
struct Check {
    body: Bytes,
    at: usize,
    same: bool,
}

impl Check {
    fn see(&mut self, bytes: &[u8]) {
        self.same &= self.body.get(self.at..self.at + bytes.len()) == Some(bytes);
        self.at += bytes.len();
    }

    fn holds(&self) -> bool {
        self.same && self.at == self.body.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_wrong_byte_is_found() {
        let holds = |pieces: &[&[u8]]| {
            let mut check = Check { body: Bytes::from_static(b"abcdef"), at: 0, same: true };
            pieces.iter().for_each(|piece| check.see(piece));
            check.holds()
        };
        assert!(holds(&[b"abc", b"def"]));
        assert!(!holds(&[b"abc", b"dxf"]));
        assert!(!holds(&[b"abc", b"de"]));
        assert!(!holds(&[b"abc", b"defg"]));
        assert!(!holds(&[]));
    }
}
