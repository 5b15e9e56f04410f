//! Reading any part of a large object, slice by slice: from memory, or from fills, its own or those of others.

use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Sleep, sleep};

use super::fault::Fault;
use super::reader::Reader;
use super::slice::Slice;
use super::table::Role;
use super::task::Job;
use crate::cache::{Object, Sliced};
use crate::load::For;
use crate::server::Worker;

/// Where there is no room for the next slice it is asked for again, that often and after that long.
const SHED_TRIES: u32 = 50;
const SHED_PAUSE: Duration = Duration::from_millis(100);

/// Reads a part of a large object.
#[derive(Debug)]
pub(crate) struct SliceReader {
    worker: Arc<Worker>,
    job: Job,
    object: Arc<Object>,
    sliced: Arc<Sliced>,
    /// Of the object.
    cache_key: Arc<str>,
    position: u64,
    end: u64,
    now: Now,
    sheds: u32,
}

/// Where the bytes at the position come from.
#[derive(Debug)]
enum Now {
    /// That is to be found out.
    Unknown,
    Kept(Arc<Object>),
    Coming(Reader),
    /// There was no room for the fill.
    Shed(Pin<Box<Sleep>>),
}

/// Where a slice came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Came {
    FromMemory,
    Fetched,
    /// From a fill that somebody else had begun.
    Joined,
}

impl SliceReader {
    /// Reads `range`, which lies within the object that stands under `cache_key`.
    pub(crate) fn new(
        worker: &Arc<Worker>,
        job: Job,
        (cache_key, object): (Arc<str>, &Arc<Object>),
        sliced: Arc<Sliced>,
        range: Range<u64>,
    ) -> Self {
        Self {
            worker: worker.clone(),
            job,
            object: object.clone(),
            sliced,
            cache_key,
            position: range.start,
            end: range.end,
            now: Now::Unknown,
            sheds: 0,
        }
    }

    /// Bytes still to come.
    pub(crate) fn left(&self) -> u64 {
        self.end - self.position
    }

    /// Makes sure that the first bytes are there, or on their way; before that nothing needs to be said to the client.
    ///
    /// # Errors
    /// When they cannot be had, or the object is no longer what it was.
    pub(crate) async fn begun(&mut self) -> Result<Came, Fault> {
        let came = self.enter();
        match &self.now {
            Now::Coming(reader) => reader.begun().await.map(|()| came),
            Now::Shed(_) => Err(Fault::Overloaded),
            Now::Kept(_) | Now::Unknown => Ok(came),
        }
    }

    pub(crate) fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Fault>>> {
        while self.position < self.end {
            match &mut self.now {
                Now::Unknown => {
                    self.enter();
                }
                Now::Kept(object) => {
                    let body = object.body.clone();
                    self.now = Now::Unknown;
                    return Poll::Ready(Some(self.cut(&body)));
                }
                Now::Coming(reader) => match ready!(reader.poll_chunk(cx)) {
                    Some(Ok(bytes)) => {
                        self.position += bytes.len() as u64;
                        return Poll::Ready(Some(Ok(bytes)));
                    }
                    Some(Err(Fault::Overloaded)) => self.pause(),
                    Some(Err(fault)) => return Poll::Ready(Some(Err(fault))),
                    None => self.now = Now::Unknown,
                },
                Now::Shed(pause) => {
                    ready!(pause.as_mut().poll(cx));
                    if self.sheds > SHED_TRIES {
                        return Poll::Ready(Some(Err(Fault::Overloaded)));
                    }
                    self.now = Now::Unknown;
                }
            }
        }
        Poll::Ready(None)
    }

    /// What of a slice is to be read.
    fn cut(&mut self, slice: &Bytes) -> Result<Bytes, Fault> {
        let range = self.sliced.range(self.sliced.index_of(self.position));
        if slice.len() as u64 != range.end - range.start {
            return Err(Fault::Length);
        }
        let stop = range.end.min(self.end);
        let bytes = slice.slice((self.position - range.start) as usize..(stop - range.start) as usize);
        self.position = stop;
        Ok(bytes)
    }

    fn pause(&mut self) {
        self.sheds += 1;
        self.now = Now::Shed(Box::pin(sleep(SHED_PAUSE)));
    }

    /// Finds out where the bytes at the position come from, and has the next slice fetched meanwhile.
    fn enter(&mut self) -> Came {
        let index = self.sliced.index_of(self.position);
        let range = self.sliced.range(index);
        let came = self.find(index, &range);
        if range.end < self.end && !matches!(self.now, Now::Shed(_)) {
            self.fetch_ahead(index + 1);
        }
        came
    }

    fn find(&mut self, index: u64, range: &Range<u64>) -> Came {
        let edge = &self.worker.edge;
        let cache_key = self.sliced.cache_key(&self.cache_key, index);
        if let Some(kept) = edge.store.slice(&cache_key) {
            self.now = Now::Kept(kept);
            return Came::FromMemory;
        }
        let (waiter, came) = match edge.fills.join_or_lead(&cache_key, For::Client) {
            Role::Join(waiter) => (waiter, Came::Joined),
            Role::Shed(lack) => {
                edge.shed(lack);
                self.pause();
                return Came::Fetched;
            }
            Role::Lead(lead, waiter) => match edge.store.slice(&cache_key) {
                // The fill before has ended in between.
                Some(kept) => {
                    lead.found(kept);
                    (waiter, Came::FromMemory)
                }
                None => {
                    self.slice(range.clone()).spawn(&self.worker, lead, self.job.clone());
                    (waiter, Came::Fetched)
                }
            },
        };
        let length = range.end.min(self.end) - self.position;
        self.now = Now::Coming(Reader::new(waiter, self.position - range.start, Some(length)));
        came
    }

    fn fetch_ahead(&self, index: u64) {
        let edge = &self.worker.edge;
        let cache_key = self.sliced.cache_key(&self.cache_key, index);
        if edge.store.has(&cache_key) {
            return;
        }
        let Role::Lead(lead, _) = edge.fills.join_or_lead(&cache_key, For::Prefetch) else { return };
        match edge.store.slice(&cache_key) {
            Some(kept) => lead.found(kept),
            None => self.slice(self.sliced.range(index)).spawn(&self.worker, lead, self.job.clone()),
        }
    }

    fn slice(&self, range: Range<u64>) -> Slice {
        let (object, sliced) = (self.object.clone(), self.sliced.clone());
        Slice { object, sliced, cache_key: self.cache_key.clone(), range }
    }
}
