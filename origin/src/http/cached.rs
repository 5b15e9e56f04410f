//! Answers of the catalog, kept ready: a hit costs no database, no JSON and no compression.
//!
//! What is kept belongs to one generation of the catalog (`database/generation.rs`): it is made from reads that began
//! when that generation was the present one, and is found only while it still is. A write ends by advancing the
//! generation, so nothing that was made before it is answered after it. Only what is the same for everyone goes in here.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::SeqCst};

use axum::response::Response;
use http::{HeaderName, HeaderValue};
use moka::future::Cache;
use serde::Serialize;

use super::{Conditions, Problem, Representation};
use crate::database::Database;
use crate::metrics::Metrics;

const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");
/// Bytes of an entry besides its bodies and its name, about.
const OVERHEAD: usize = 512;

/// How the cache took part in an answer: for `Cache-Status` (RFC 9211) and the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    /// It was there.
    Hit,
    /// This request made it.
    Miss,
    /// Another request was making it.
    Collapsed,
}

impl Status {
    fn label(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
            Self::Collapsed => "collapsed",
        }
    }

    fn header(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Hit => "segue-origin; hit",
            Self::Miss => "segue-origin; fwd=uri-miss; stored",
            Self::Collapsed => "segue-origin; fwd=uri-miss; collapsed",
        })
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct CacheKey {
    generation: i64,
    resource: String,
}

/// The kept answers of one origin.
pub(crate) struct Cached {
    answers: Cache<CacheKey, Arc<Representation>>,
    /// The latest generation that was asked for; what is older is dropped when it moves.
    seen: AtomicI64,
    database: Database,
    metrics: Arc<Metrics>,
}

impl Cached {
    /// Keeps at most about that many bytes; 0 keeps nothing.
    pub(crate) fn new(bytes: u64, database: Database, metrics: Arc<Metrics>) -> Self {
        let answers = Cache::builder()
            .max_capacity(bytes)
            .weigher(|key: &CacheKey, answer: &Arc<Representation>| {
                u32::try_from(key.resource.len() + answer.weight() + OVERHEAD).unwrap_or(u32::MAX)
            })
            .build();
        Self { answers, seen: AtomicI64::new(0), database, metrics }
    }

    /// The answer that is kept under that name, else what `reading` finds. All who ask for the same wait for one
    /// reading. `resource` names everything that the answer follows from: path and query, in one spelling.
    pub(crate) async fn answer<T: Serialize>(
        &self,
        resource: String,
        conditions: &Conditions,
        reading: impl Future<Output = Result<T, Problem>>,
    ) -> Result<Response, Problem> {
        let (found, status) = self.find(resource, reading).await?;
        self.metrics.catalog_answer(status.label());
        let mut response = found.answer(conditions);
        response.headers_mut().insert(CACHE_STATUS, status.header());
        Ok(response)
    }

    async fn find<T: Serialize>(
        &self,
        resource: String,
        reading: impl Future<Output = Result<T, Problem>>,
    ) -> Result<(Arc<Representation>, Status), Problem> {
        // Before anything is read: what is written meanwhile belongs to the next generation.
        let generation = self.database.catalog_generation();
        if self.seen.fetch_max(generation, SeqCst) < generation {
            self.answers.invalidate_all();
        }
        let key = CacheKey { generation, resource };
        if let Some(found) = self.answers.get(&key).await {
            return Ok((found, Status::Hit));
        }
        let made_here = AtomicBool::new(false);
        let making = async {
            made_here.store(true, SeqCst);
            Ok::<_, Problem>(Arc::new(Representation::json(&reading.await?)))
        };
        let found = self.answers.try_get_with(key, making).await.map_err(|problem| (*problem).clone())?;
        let status = if made_here.load(SeqCst) { Status::Miss } else { Status::Collapsed };
        Ok((found, status))
    }

    /// Bytes that are kept, about.
    pub(crate) async fn bytes(&self) -> u64 {
        self.answers.run_pending_tasks().await;
        self.answers.weighted_size()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::testing;
    use std::sync::atomic::AtomicU32;
    use tokio::sync::Barrier;

    async fn cached(place: &testing::Place, bytes: u64) -> Cached {
        Cached::new(bytes, place.open().await, Arc::new(Metrics::new()))
    }

    async fn write(cached: &Cached) {
        let database = &cached.database;
        database.commit_catalog(database.begin_write().await.unwrap()).await.unwrap();
    }

    async fn find(cached: &Cached, value: u32) -> (Status, Vec<u8>) {
        let (found, status) = cached.find("x".into(), async { Ok(value) }).await.unwrap();
        let body = axum::body::to_bytes(found.answer(&Conditions::default()).into_body(), 99).await.unwrap();
        (status, body.to_vec())
    }

    #[tokio::test]
    async fn a_write_makes_what_was_kept_old() {
        let place = testing::Place::new().await;
        let cached = cached(&place, 1 << 20).await;
        assert_eq!(find(&cached, 1).await, (Status::Miss, b"1".to_vec()));
        assert_eq!(find(&cached, 2).await, (Status::Hit, b"1".to_vec()));
        assert!(cached.bytes().await > 0);
        write(&cached).await;
        assert_eq!(find(&cached, 3).await, (Status::Miss, b"3".to_vec()));
        assert_eq!(find(&cached, 4).await, (Status::Hit, b"3".to_vec()));
    }

    #[tokio::test]
    async fn what_was_read_before_a_write_is_not_answered_after_it() {
        let place = testing::Place::new().await;
        let cached = cached(&place, 1 << 20).await;
        let reading = async {
            // It has read 1; before it is done, a whole write comes in between.
            write(&cached).await;
            Ok(1)
        };
        cached.find("x".into(), reading).await.unwrap();
        assert_eq!(find(&cached, 2).await, (Status::Miss, b"2".to_vec()));
    }

    #[tokio::test]
    async fn many_wait_for_one() {
        let place = testing::Place::new().await;
        let cached = cached(&place, 1 << 20).await;
        let (readings, barrier) = (AtomicU32::new(0), Barrier::new(20));
        let asks = (0..20).map(async |_| {
            barrier.wait().await;
            let reading = async {
                readings.fetch_add(1, SeqCst);
                tokio::task::yield_now().await;
                Ok(7)
            };
            cached.find("x".into(), reading).await.unwrap().1
        });
        let statuses = futures_util::future::join_all(asks).await;
        assert_eq!(readings.load(SeqCst), 1);
        assert_eq!(statuses.iter().filter(|it| **it == Status::Miss).count(), 1);
    }

    #[tokio::test]
    async fn failures_and_what_has_no_room_are_not_kept() {
        let place = testing::Place::new().await;
        let cached = cached(&place, 0).await;
        let failed: Result<_, Problem> =
            cached.find::<u32>("x".into(), async { Err(Problem::not_found("none")) }).await;
        assert!(failed.is_err());
        for value in [1, 2] {
            assert_eq!(find(&cached, value).await.1, value.to_string().into_bytes());
            assert_eq!(cached.bytes().await, 0);
        }
    }
}
