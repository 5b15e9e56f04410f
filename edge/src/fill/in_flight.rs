//! The buffer of one fill: grows at one end, is read by many from any place.
//!
//! ```text
//!   Writer --head--> [chunk|chunk|chunk|...] --finish/fail/hand over--> end
//!                       ^          ^
//!                     Reader     Reader       woken on every step
//! ```
//!
//! While a digest is still to be checked the last byte is held back: no client ever gets a complete response
//! whose bytes turn out to be damaged.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;

use super::fault::Fault;
use super::reader::PassBody;
use crate::cache::{Head, Object};
use crate::load::Room;

/// How a fill ended.
#[derive(Debug)]
enum End {
    Complete(Arc<Object>),
    Failed(Fault),
    /// What is still to come goes to one reader only: the object is not stored.
    HandedOver(Option<PassBody>),
}

#[derive(Debug)]
struct State {
    head: Option<Arc<Head>>,
    /// Chunks with the position behind each.
    chunks: Vec<(u64, Bytes)>,
    /// Bytes that readers may have.
    shown: u64,
    end: Option<End>,
    /// One place for each waiter.
    wakers: Vec<Option<Waker>>,
    /// For the chunks, until they are an object's.
    room: Room,
}

/// An object that is being fetched.
#[derive(Debug)]
pub(crate) struct InFlight {
    state: Mutex<State>,
    /// A request has changed the resource since: what comes is not stored.
    outdated: AtomicBool,
}

/// What a waiter learns first.
#[derive(Debug)]
pub(crate) enum Begun {
    /// The head is there, the body follows.
    Streaming(Arc<Head>),
    /// The object is there as a whole.
    Complete(Arc<Object>),
    /// The response is not for sharing. The first to ask gets the body; others fetch their own.
    Passed(Arc<Head>, Option<PassBody>),
}

/// What a reader gets next.
#[derive(Debug)]
pub(super) enum Next {
    Chunk(Bytes),
    End,
    /// The reader goes on with this body.
    Rest(PassBody),
    Failed(Fault),
}

impl InFlight {
    /// One whose chunks take `room`.
    pub(super) fn new(room: Room) -> Self {
        let state = State { head: None, chunks: Vec::new(), shown: 0, end: None, wakers: Vec::new(), room };
        Self { state: Mutex::new(state), outdated: AtomicBool::new(false) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state, then wakes everyone who waits.
    fn step(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        change(&mut state);
        let wakers: Vec<Waker> = state.wakers.iter_mut().filter_map(Option::take).collect();
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }

    pub(super) fn outdate(&self) {
        self.outdated.store(true, Ordering::Release);
    }

    pub(super) fn is_outdated(&self) -> bool {
        self.outdated.load(Ordering::Acquire)
    }

    /// Says what the response is; for the fill only.
    pub(super) fn begin(&self, head: Arc<Head>) {
        self.step(|state| state.head = Some(head));
    }

    /// Makes room for a body of that length, before it comes; `false` where there is none. For the fill only.
    pub(super) fn reserve(&self, length: u64) -> bool {
        self.lock().room.hold(length)
    }

    /// Adds bytes and shows them up to position `shown`; for the fill only. `false`: there is no room for more.
    pub(super) fn push(&self, chunk: Bytes, shown: u64) -> bool {
        let mut fits = true;
        self.step(|state| {
            let end = state.chunks.last().map_or(0, |(end, _)| *end) + chunk.len() as u64;
            fits = state.room.hold(end);
            state.chunks.push((end, chunk));
            state.shown = shown;
        });
        fits
    }

    /// Ends with the whole object; for the fill only. Readers go on with its bytes, and the chunks are freed.
    pub(super) fn finish(&self, object: Arc<Object>) {
        self.step(|state| {
            state.chunks = vec![(object.body.len() as u64, object.body.clone())];
            state.shown = object.body.len() as u64;
            state.head.get_or_insert_with(|| object.head.clone());
            state.end.get_or_insert(End::Complete(object));
            state.room.clear();
        });
    }

    /// Ends without success, unless it has ended; for the fill only.
    pub(super) fn fail(&self, fault: Fault) {
        self.step(|state| {
            state.end.get_or_insert(End::Failed(fault));
        });
    }

    /// Ends by leaving the rest to one reader; for the fill only.
    pub(super) fn hand_over(&self, rest: PassBody) {
        self.step(|state| {
            state.shown = state.chunks.last().map_or(0, |(end, _)| *end);
            state.end.get_or_insert(End::HandedOver(Some(rest)));
        });
    }

    /// The bytes so far, in one piece.
    pub(super) fn joined(&self) -> Bytes {
        let state = self.lock();
        match state.chunks.as_slice() {
            [] => Bytes::new(),
            chunks => {
                let mut joined = Vec::with_capacity(chunks.last().map_or(0, |(end, _)| *end as usize));
                chunks.iter().for_each(|(_, chunk)| joined.extend_from_slice(chunk));
                state.room.body(joined)
            }
        }
    }
}

/// One that waits for a fill: a place in its list of wakers.
#[derive(Debug)]
pub(crate) struct Waiter {
    flight: Arc<InFlight>,
    place: usize,
}

impl Waiter {
    pub(crate) fn new(flight: Arc<InFlight>) -> Self {
        let mut state = flight.lock();
        let place = state.wakers.len();
        state.wakers.push(None);
        drop(state);
        Self { flight, place }
    }

    /// Waits until the head is there.
    ///
    /// # Errors
    /// When the fill failed before.
    pub(crate) async fn begun(&self) -> Result<Begun, Fault> {
        poll_fn(|cx| self.poll(cx, State::begun)).await
    }

    /// Waits until the object is there as a whole.
    ///
    /// # Errors
    /// When the fill failed, or its object is not shared.
    pub(crate) async fn complete(&self) -> Result<Arc<Object>, Fault> {
        poll_fn(|cx| self.poll(cx, |state| state.complete())).await
    }

    /// The bytes at `position`, at most `limit`.
    pub(super) fn poll_next(&self, cx: &mut Context<'_>, position: u64, limit: u64) -> Poll<Next> {
        self.poll(cx, |state| state.next(position, limit))
    }

    fn poll<T>(&self, cx: &mut Context<'_>, look: impl FnOnce(&mut State) -> Option<T>) -> Poll<T> {
        let mut state = self.flight.lock();
        if let Some(found) = look(&mut state) {
            return Poll::Ready(found);
        }
        match &mut state.wakers[self.place] {
            Some(waker) => waker.clone_from(cx.waker()),
            empty => *empty = Some(cx.waker().clone()),
        }
        Poll::Pending
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.flight.lock().wakers[self.place] = None;
    }
}

impl State {
    fn begun(&mut self) -> Option<Result<Begun, Fault>> {
        match (&self.head, &mut self.end) {
            (_, Some(End::Complete(object))) => Some(Ok(Begun::Complete(object.clone()))),
            (Some(head), Some(End::HandedOver(rest))) if head.policy.pass.is_some() => {
                Some(Ok(Begun::Passed(head.clone(), rest.take())))
            }
            // Waits for the body to be handed over.
            (Some(head), None) if head.policy.pass.is_some() => None,
            (_, Some(End::Failed(fault))) => Some(Err(*fault)),
            (Some(head), _) => Some(Ok(Begun::Streaming(head.clone()))),
            (None, Some(End::HandedOver(_))) => Some(Err(Fault::NotShared)),
            (None, None) => None,
        }
    }

    fn complete(&self) -> Option<Result<Arc<Object>, Fault>> {
        match &self.end {
            None => None,
            Some(End::Complete(object)) => Some(Ok(object.clone())),
            Some(End::Failed(fault)) => Some(Err(*fault)),
            Some(End::HandedOver(_)) => Some(Err(Fault::NotShared)),
        }
    }

    fn next(&mut self, position: u64, limit: u64) -> Option<Next> {
        if position < self.shown {
            return Some(Next::Chunk(self.bytes_at(position, limit)));
        }
        match &mut self.end {
            None => None,
            Some(End::Complete(_)) => Some(Next::End),
            Some(End::Failed(fault)) => Some(Next::Failed(*fault)),
            Some(End::HandedOver(rest)) => {
                Some(rest.take().map_or(Next::Failed(Fault::NotShared), Next::Rest))
            }
        }
    }

    fn bytes_at(&self, position: u64, limit: u64) -> Bytes {
        let index = self.chunks.partition_point(|(end, _)| *end <= position);
        let (end, chunk) = &self.chunks[index];
        let start = position - (end - chunk.len() as u64);
        let stop =
            (self.shown.min(position.saturating_add(limit)) - position + start).min(chunk.len() as u64);
        chunk.slice(start as usize..stop as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::Context as Rules;
    use crate::load::Load;
    use futures_util::FutureExt as _;
    use futures_util::task::noop_waker;
    use proptest::prelude::*;

    fn head(fields: &[(&str, &str)]) -> Arc<Head> {
        let rules = Rules {
            media: true,
            authorised: false,
            personal: false,
            object_bytes: 100,
            negative_seconds: 30,
            error_seconds: 2,
            stale_if_error_seconds: 0,
        };
        let builder = fields.iter().fold(http::Response::builder(), |b, (k, v)| b.header(*k, *v));
        Arc::new(Head::read(&builder.body(()).unwrap().into_parts().0, None, true, &rules))
    }

    fn flight() -> Arc<InFlight> {
        Arc::new(InFlight::new(Arc::new(Load::default()).room()))
    }

    fn storable() -> Arc<Head> {
        head(&[("cache-control", "max-age=9")])
    }

    fn next(waiter: &Waiter, position: u64, limit: u64) -> Poll<Next> {
        waiter.poll_next(&mut Context::from_waker(&noop_waker()), position, limit)
    }

    fn chunk(poll: Poll<Next>) -> Bytes {
        match poll {
            Poll::Ready(Next::Chunk(bytes)) => bytes,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn readers_follow_the_writer() {
        let flight = flight();
        let waiter = Waiter::new(flight.clone());
        assert!(waiter.begun().now_or_never().is_none());
        flight.begin(storable());
        assert!(matches!(waiter.begun().now_or_never(), Some(Ok(Begun::Streaming(_)))));
        assert!(next(&waiter, 0, 9).is_pending());
        flight.push(Bytes::from_static(b"abcd"), 3);
        assert_eq!(chunk(next(&waiter, 0, 9)), "abc");
        assert_eq!(chunk(next(&waiter, 1, 1)), "b");
        assert!(next(&waiter, 3, 9).is_pending(), "the last byte is held back");
        flight.push(Bytes::from_static(b"efg"), 6);
        assert_eq!(chunk(next(&waiter, 3, 9)), "d");
        assert_eq!(chunk(next(&waiter, 5, 9)), "f");
        let object = Arc::new(Object::new(storable(), flight.joined(), 0, 0));
        flight.finish(object);
        assert_eq!(chunk(next(&waiter, 1, 99)), "bcdefg", "late readers share the object's bytes");
        assert!(matches!(next(&waiter, 7, 9), Poll::Ready(Next::End)));
        assert!(waiter.complete().now_or_never().unwrap().is_ok());
    }

    proptest! {
        #[test]
        fn any_range_of_any_chunks_is_right(
            sizes in proptest::collection::vec(1usize..9, 1..9),
            start in 0u64..80,
            length in 0u64..80,
            finished_after in 0usize..9,
        ) {
            let total: usize = sizes.iter().sum();
            let whole: Vec<u8> = (0..total).map(|at| at as u8).collect();
            let (start, stop) = (start.min(total as u64), (start + length).min(total as u64));
            let flight = flight();
            let waiter = Waiter::new(flight.clone());
            flight.begin(storable());
            let (mut read, mut written) = (Vec::new(), 0);
            for (number, size) in sizes.iter().enumerate() {
                let chunk = Bytes::copy_from_slice(&whole[written..written + size]);
                written += size;
                flight.push(chunk, written as u64 - 1);
                // Some readers keep up, others come late and meet the whole.
                while number < finished_after && start + (read.len() as u64) < stop {
                    let position = start + read.len() as u64;
                    let Poll::Ready(Next::Chunk(bytes)) = next(&waiter, position, stop - position) else { break };
                    read.extend_from_slice(&bytes);
                }
            }
            flight.finish(Arc::new(Object::new(storable(), flight.joined(), 0, 0)));
            while start + (read.len() as u64) < stop {
                let position = start + read.len() as u64;
                read.extend_from_slice(&chunk(next(&waiter, position, stop - position)));
            }
            prop_assert_eq!(read.as_slice(), &whole[start as usize..stop as usize]);
        }
    }

    #[test]
    fn failure_reaches_everyone_and_is_final() {
        let flight = flight();
        let waiter = Waiter::new(flight.clone());
        flight.fail(Fault::Idle);
        flight.fail(Fault::Aborted);
        assert!(matches!(waiter.begun().now_or_never(), Some(Err(Fault::Idle))));
        assert!(matches!(next(&waiter, 0, 9), Poll::Ready(Next::Failed(Fault::Idle))));
    }

    #[test]
    fn what_is_not_shared_waits_for_its_body() {
        let flight = flight();
        let waiter = Waiter::new(flight.clone());
        flight.begin(head(&[("cache-control", "no-store")]));
        assert!(waiter.begun().now_or_never().is_none());
        flight.hand_over(PassBody::empty());
        assert!(matches!(waiter.begun().now_or_never(), Some(Ok(Begun::Passed(_, Some(_))))));
        assert!(matches!(waiter.begun().now_or_never(), Some(Ok(Begun::Passed(_, None)))));
    }
}
