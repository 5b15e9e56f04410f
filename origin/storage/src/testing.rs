//! A store that misbehaves on purpose, for tests of this crate and of those that use it.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt};
use tokio::time::sleep;

use crate::error::{Error, ErrorKind};
use crate::{Object, ObjectMeta, Payload, Storage, StorageRef};

/// Largest piece that a throttled body delivers at once, in bytes.
const THROTTLED_CHUNK: usize = 16 * 1024;

/// What goes wrong. The default is nothing.
#[derive(Clone, Debug)]
pub struct Faults {
    /// Every operation fails, as if the store were gone.
    pub offline: bool,
    /// So many operations fail from now on, then the store recovers.
    pub fail_next: u64,
    /// Share of operations that fail, 0 to 1, drawn from the seed. Half of the failing writes take effect
    /// before they fail, as when the answer is lost.
    pub error_rate: f64,
    /// The kind of all these failures.
    pub kind: ErrorKind,
    /// Wait before every operation.
    pub latency: Duration,
    /// Speed of bodies; 0 is unlimited.
    pub bytes_per_second: u64,
    /// Every body, and every listing counted in objects, breaks after so many.
    pub cut_after: Option<u64>,
}

impl Default for Faults {
    fn default() -> Self {
        Faults {
            offline: false,
            fail_next: 0,
            error_rate: 0.0,
            kind: ErrorKind::Unavailable,
            latency: Duration::ZERO,
            bytes_per_second: 0,
            cut_after: None,
        }
    }
}

/// Wraps a store and lets [`Faults`] happen to it.
#[derive(Debug)]
pub struct Chaos {
    inner: StorageRef,
    faults: Mutex<Faults>,
    random: AtomicU64,
    operations: AtomicU64,
}

/// What becomes of one operation.
enum Fate {
    Works,
    FailsBefore(Error),
    FailsAfter(Error),
}

impl Chaos {
    /// Wraps `inner`; the same `seed` draws the same failures.
    pub fn new(inner: StorageRef, faults: Faults, seed: u64) -> Self {
        let faults = Mutex::new(faults);
        Chaos { inner, faults, random: AtomicU64::new(seed), operations: AtomicU64::new(0) }
    }

    /// Changes what goes wrong from now on.
    pub fn set(&self, faults: Faults) {
        *self.faults.lock().unwrap_or_else(PoisonError::into_inner) = faults;
    }

    /// How many operations were begun, failed ones included.
    pub fn operations(&self) -> u64 {
        self.operations.load(Ordering::Relaxed)
    }

    fn faults(&self) -> Faults {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn fate(&self, operation: &str, path: &str) -> Fate {
        self.operations.fetch_add(1, Ordering::Relaxed);
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        let error = Error::new(faults.kind, format!("chaos {operation} {path}"), "failed on purpose");
        if faults.offline {
            return Fate::FailsBefore(error);
        }
        if faults.fail_next > 0 {
            faults.fail_next -= 1;
            return Fate::FailsBefore(error);
        }
        let (drawn, late) = self.draw();
        match drawn < faults.error_rate {
            false => Fate::Works,
            true if late => Fate::FailsAfter(error),
            true => Fate::FailsBefore(error),
        }
    }

    /// A number from 0 to 1 and a coin, from the splitmix64 sequence of the seed.
    fn draw(&self) -> (f64, bool) {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut z = self.random.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        ((z >> 11) as f64 / (1u64 << 53) as f64, z & 1 == 1)
    }

    async fn suffer<T>(
        &self,
        operation: &str,
        path: &str,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        sleep(self.faults().latency).await;
        match self.fate(operation, path) {
            Fate::Works => work.await,
            Fate::FailsBefore(error) => Err(error),
            Fate::FailsAfter(error) => work.await.and(Err(error)),
        }
    }
}

#[async_trait]
impl Storage for Chaos {
    async fn put(&self, path: &str, payload: Payload, content_type: &str) -> Result<(), Error> {
        self.suffer("put", path, self.inner.put(path, payload, content_type)).await
    }

    async fn get(&self, path: &str, range: Option<Range<u64>>) -> Result<Object, Error> {
        let mut object = self.suffer("get", path, self.inner.get(path, range)).await?;
        let faults = self.faults();
        if faults.bytes_per_second > 0 {
            object.body = throttled(object.body, faults.bytes_per_second);
        }
        if let Some(after) = faults.cut_after {
            let cut = Error::new(faults.kind, format!("chaos body of {path}"), "cut on purpose");
            object.body = cut_body(object.body, after, cut);
        }
        Ok(object)
    }

    async fn head(&self, path: &str) -> Result<ObjectMeta, Error> {
        self.suffer("head", path, self.inner.head(path)).await
    }

    fn list(&self, prefix: &str) -> BoxStream<'static, Result<ObjectMeta, Error>> {
        if let Fate::FailsBefore(error) | Fate::FailsAfter(error) = self.fate("list", prefix) {
            return stream::iter([Err(error)]).boxed();
        }
        let faults = self.faults();
        let listing = self.inner.list(prefix);
        let Some(after) = faults.cut_after else { return listing };
        let cut = Error::new(faults.kind, format!("chaos list {prefix}"), "cut on purpose");
        let counted = listing.zip(stream::iter(0..)).map(move |(object, n)| match n < after {
            true => object,
            false => Err(cut.clone()),
        });
        counted.boxed()
    }

    async fn delete(&self, path: &str) -> Result<(), Error> {
        self.suffer("delete", path, self.inner.delete(path)).await
    }
}

type Body = BoxStream<'static, Result<Bytes, Error>>;

fn throttled(body: Body, bytes_per_second: u64) -> Body {
    let pieces = body.flat_map(|chunk| stream::iter(pieces(chunk)));
    let paced = pieces.then(move |piece| async move {
        if let Ok(piece) = &piece {
            sleep(Duration::from_secs_f64(piece.len() as f64 / bytes_per_second as f64)).await;
        }
        piece
    });
    paced.boxed()
}

fn pieces(chunk: Result<Bytes, Error>) -> Vec<Result<Bytes, Error>> {
    let Ok(mut rest) = chunk else { return vec![chunk] };
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        pieces.push(Ok(rest.split_to(rest.len().min(THROTTLED_CHUNK))));
    }
    pieces
}

/// Delivers `after` bytes, then the error; a shorter body is left alone.
fn cut_body(body: Body, after: u64, error: Error) -> Body {
    let cut = stream::unfold(Some((body, after, error)), |state| async move {
        let (mut body, left, error) = state?;
        let mut chunk = match body.next().await? {
            Ok(chunk) => chunk,
            failed => return Some((failed, None)),
        };
        if left == 0 && !chunk.is_empty() {
            return Some((Err(error), None));
        }
        chunk.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        let left = left - chunk.len() as u64;
        // What was cut off must fail even when it was the last chunk.
        let rest = if left == 0 { stream::iter([Ok(Bytes::from_static(b"cut"))]).boxed() } else { body };
        Some((Ok(chunk), Some((rest, left, error))))
    });
    cut.boxed()
}
