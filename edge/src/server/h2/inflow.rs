//! The content of a request on its way from the connection to whoever takes it, within a window.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;

use crate::content::BrokenOff;

/// The end that content is taken from.
#[derive(Debug)]
pub(crate) struct Inflow {
    pipe: Arc<Pipe>,
}

/// The end that content is put in.
#[derive(Debug)]
pub(super) struct Source {
    pipe: Arc<Pipe>,
    /// Announced and still to come, bytes.
    left: Option<u64>,
}

#[derive(Debug)]
struct Pipe {
    state: Mutex<State>,
    /// Wakes the connection when something was taken.
    connection: Waker,
}

#[derive(Debug)]
struct State {
    chunks: VecDeque<Bytes>,
    /// Announced and not taken, bytes.
    left: Option<u64>,
    end: Option<Result<(), BrokenOff>>,
    /// Bytes taken that the client was not told of.
    taken: u32,
    given_up: bool,
    /// Whoever takes it knows that it has ended.
    is_known: bool,
    waker: Option<Waker>,
}

/// What came is not what was announced.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotAsAnnounced;

/// Content of `length` bytes, where that was announced.
pub(super) fn pipe(length: Option<u64>, connection: Waker) -> (Source, Inflow) {
    let state = State {
        chunks: VecDeque::new(),
        left: length,
        end: None,
        taken: 0,
        given_up: false,
        is_known: false,
        waker: None,
    };
    let pipe = Arc::new(Pipe { state: Mutex::new(state), connection });
    (Source { pipe: pipe.clone(), left: length }, Inflow { pipe })
}

impl Pipe {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

impl Source {
    /// Puts bytes in. What nobody wants counts as taken.
    ///
    /// # Errors
    /// When that is more than was announced.
    pub(super) fn put(&mut self, bytes: &[u8]) -> Result<(), NotAsAnnounced> {
        if let Some(left) = &mut self.left {
            *left = left.checked_sub(bytes.len() as u64).ok_or(NotAsAnnounced)?;
        }
        let mut state = self.pipe.state();
        if state.given_up {
            state.taken += bytes.len() as u32;
        } else if !bytes.is_empty() {
            state.chunks.push_back(Bytes::copy_from_slice(bytes));
            state.wake();
        }
        Ok(())
    }

    /// That was all.
    ///
    /// # Errors
    /// When that is less than was announced.
    pub(super) fn end(&mut self) -> Result<(), NotAsAnnounced> {
        if self.left.is_some_and(|left| left > 0) {
            return Err(NotAsAnnounced);
        }
        let mut state = self.pipe.state();
        state.end = Some(Ok(()));
        state.wake();
        Ok(())
    }

    /// Bytes that were taken since it was last asked.
    pub(super) fn taken(&self) -> u32 {
        std::mem::take(&mut self.pipe.state().taken)
    }

    /// Whether anyone takes what comes.
    pub(super) fn is_wanted(&self) -> bool {
        !self.pipe.state().given_up
    }

    /// Bytes that lie in it and that nobody has taken.
    pub(super) fn held(&self) -> u32 {
        self.pipe.state().chunks.iter().map(|chunk| chunk.len() as u32).sum()
    }
}

/// Content that does not come to its end is broken off.
impl Drop for Source {
    fn drop(&mut self) {
        let mut state = self.pipe.state();
        if state.end.is_none() {
            state.end = Some(Err(BrokenOff));
            state.wake();
        }
    }
}

impl Inflow {
    pub(crate) fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BrokenOff>>> {
        let mut state = self.pipe.state();
        if let Some(chunk) = state.chunks.pop_front() {
            state.taken += chunk.len() as u32;
            state.left = state.left.map(|left| left.saturating_sub(chunk.len() as u64));
            drop(state);
            self.pipe.connection.wake_by_ref();
            return Poll::Ready(Some(Ok(chunk)));
        }
        match state.end {
            Some(Ok(())) => {
                state.is_known = true;
                Poll::Ready(None)
            }
            Some(Err(broken)) => Poll::Ready(Some(Err(broken))),
            None => {
                state.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    /// Whether nothing more comes, as far as was said: that does not hang on what came in one go.
    pub(crate) fn is_at_end(&self) -> bool {
        let state = self.pipe.state();
        state.is_known || state.left == Some(0)
    }

    /// Bytes to come, where they were announced.
    pub(crate) fn left(&self) -> Option<u64> {
        self.pipe.state().left
    }
}

/// What comes now is for nobody.
impl Drop for Inflow {
    fn drop(&mut self) {
        let mut state = self.pipe.state();
        state.given_up = true;
        let left: u32 = state.chunks.drain(..).map(|chunk| chunk.len() as u32).sum();
        state.taken += left;
        drop(state);
        self.pipe.connection.wake_by_ref();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(inflow: &mut Inflow) -> Poll<Option<Result<Bytes, BrokenOff>>> {
        inflow.poll_chunk(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn content_comes_through() {
        let (mut source, mut inflow) = pipe(Some(5), Waker::noop().clone());
        assert!(next(&mut inflow).is_pending() && inflow.left() == Some(5));
        source.put(b"abc").unwrap();
        source.put(b"de").unwrap();
        assert_eq!((source.taken(), source.held()), (0, 5));
        assert_eq!(next(&mut inflow), Poll::Ready(Some(Ok(Bytes::from_static(b"abc")))));
        assert_eq!((source.taken(), source.taken(), source.held()), (3, 0, 2));
        source.end().unwrap();
        assert!(!inflow.is_at_end());
        assert_eq!(next(&mut inflow), Poll::Ready(Some(Ok(Bytes::from_static(b"de")))));
        assert!(inflow.is_at_end());
        assert_eq!(next(&mut inflow), Poll::Ready(None));
    }

    #[test]
    fn announced_lengths_hold() {
        let (mut source, mut inflow) = pipe(Some(2), Waker::noop().clone());
        assert_eq!(source.put(b"abc"), Err(NotAsAnnounced));
        drop(source);
        assert_eq!(next(&mut inflow), Poll::Ready(Some(Err(BrokenOff))));
        let (mut source, mut inflow) = pipe(Some(2), Waker::noop().clone());
        source.put(b"a").unwrap();
        assert_eq!(source.end(), Err(NotAsAnnounced));
        drop(source);
        assert!(matches!(next(&mut inflow), Poll::Ready(Some(Ok(_)))));
        assert_eq!(next(&mut inflow), Poll::Ready(Some(Err(BrokenOff))));
    }

    #[test]
    fn what_nobody_wants_counts_as_taken() {
        let (mut source, inflow) = pipe(None, Waker::noop().clone());
        source.put(b"abc").unwrap();
        drop(inflow);
        source.put(b"de").unwrap();
        assert_eq!((source.taken(), source.held()), (5, 0));
    }
}
