//! A connection and how it goes on: read, answer, write, as long as anything moves.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::task::{Context, Poll};

use super::bell::Bells;
use super::outbox::Outbox;
use super::past::Past;
use super::patience::Patience;
use super::stream::Stream;
use crate::semantics::h2::frame::{MOST, kind};
use crate::semantics::h2::{Reason, Wrong};
use crate::semantics::hpack::Decoder;
use crate::semantics::hpack::encode::NO_TABLE;
use crate::server::activity::Activity;
use crate::server::inbox::Inbox;
use crate::server::wire::Wire;
use crate::server::worker::Worker;

/// With so many bytes on their way out, nothing more is read.
pub(super) const ENOUGH: usize = 64 << 10;
/// Every window at first (RFC 9113 6.9.2).
pub(super) const FIRST_WINDOW: i64 = 65_535;
/// A client is told of bytes that were taken when they are so many.
pub(super) const WINDOW_STEP: u32 = 32 << 10;
/// Most bytes of one content frame, whatever more the client takes: others want their turn.
pub(super) const MAX_CONTENT: usize = 16 << 10;

/// What the ping says that finds out whether a client has heard that it is to leave.
const LEAVING: [u8; 8] = *b"leaving\0";

/// One HTTP/2 connection, whatever it runs over.
pub(super) struct Connection {
    pub(super) worker: Arc<Worker>,
    pub(super) activity: Arc<Activity>,
    pub(super) inbox: Inbox,
    /// What is in the inbox was not looked at since.
    pub(super) unread: bool,
    pub(super) outbox: Outbox,
    pub(super) stage: Stage,
    pub(super) decoder: Decoder,
    /// A field block that is not complete.
    pub(super) block: Option<Box<Block>>,
    pub(super) streams: HashMap<u32, Stream>,
    /// Streams that want to send, in their order.
    pub(super) turns: VecDeque<u32>,
    pub(super) past: Past,
    pub(super) bells: Option<Arc<Bells>>,
    pub(super) peer: Peer,
    /// Bytes of content that the client may send, on all streams together.
    pub(super) window: i64,
    /// Bytes taken that the client was not told of.
    pub(super) owed: u32,
    pub(super) patience: Patience,
    /// Streams at one time, as the client was told.
    pub(super) most_streams: u64,
    leaving: Leaving,
    end: Option<End>,
    /// The client sends nothing more; what it asked for is still answered.
    is_at_end: bool,
    is_shut: bool,
}

/// What is expected of the client next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Preface,
    Settings,
    Frames,
}

/// What the client said of itself.
#[derive(Debug)]
pub(super) struct Peer {
    /// Bytes of content that it takes, on all streams together.
    pub(super) window: i64,
    /// Of each new stream.
    pub(super) stream_window: i64,
    pub(super) max_payload: usize,
    /// It made its table smaller, and has to be told that nothing will be in it.
    pub(super) shrank_table: bool,
    /// It will ask nothing more.
    pub(super) leaves: bool,
}

impl Peer {
    /// Bytes of one content frame.
    pub(super) fn max_content(&self) -> usize {
        self.max_payload.min(MAX_CONTENT)
    }

    /// Appends a head whose block `write` writes.
    pub(super) fn head(
        &mut self,
        outbox: &mut Outbox,
        stream: u32,
        end: bool,
        write: impl FnOnce(&mut Vec<u8>),
    ) {
        let shrank_table = std::mem::take(&mut self.shrank_table);
        outbox.head(stream, end, self.max_payload, |out| {
            if shrank_table {
                out.push(NO_TABLE);
            }
            write(out);
        });
    }
}

/// A field block that comes in several frames.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) stream: u32,
    pub(super) end: bool,
    pub(super) bytes: Vec<u8>,
}

/// How far the leave-taking is (RFC 9113 6.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leaving {
    Not,
    /// The client was asked to send nothing new; what is on its way is still taken.
    Asked,
    /// It was told that this is the last stream.
    Told(u32),
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The client is not there any more.
    Gone,
    Closing,
    /// The client broke a rule, and is told which.
    Failed,
}

impl Connection {
    pub(super) fn new(worker: Arc<Worker>, activity: Arc<Activity>, inbox: Inbox) -> Self {
        let mut outbox = Outbox::default();
        greet(&worker, &mut outbox);
        Self {
            patience: Patience::new(worker.edge.clock),
            most_streams: worker.edge.config.h2_streams,
            worker,
            activity,
            unread: !inbox.is_empty(),
            inbox,
            outbox,
            stage: Stage::Preface,
            decoder: Decoder::default(),
            block: None,
            streams: HashMap::new(),
            turns: VecDeque::new(),
            past: Past::default(),
            bells: None,
            peer: Peer {
                window: FIRST_WINDOW,
                stream_window: FIRST_WINDOW,
                max_payload: MAX_CONTENT,
                shrank_table: false,
                leaves: false,
            },
            window: FIRST_WINDOW,
            owed: 0,
            leaving: Leaving::Not,
            end: None,
            is_at_end: false,
            is_shut: false,
        }
    }

    /// Goes on until nothing moves any more.
    pub(super) fn poll<W: Wire>(&mut self, wire: &mut W, cx: &mut Context<'_>) -> Poll<End> {
        loop {
            let mut moved = false;
            while self.reads() {
                if !self.unread {
                    match self.inbox.poll_fill(wire, cx) {
                        Poll::Pending => break,
                        Poll::Ready(Err(_)) => return Poll::Ready(End::Gone),
                        Poll::Ready(Ok(count)) => self.is_at_end = count == 0,
                    }
                }
                moved = true;
                self.understand();
            }
            self.answer_bells(cx);
            self.take_turns();
            match self.outbox.poll_write(wire, cx) {
                Poll::Pending => {}
                Poll::Ready(Err(_)) => return Poll::Ready(End::Gone),
                Poll::Ready(Ok(false)) => moved = true,
                Poll::Ready(Ok(true)) => {
                    if let Some(end) = self.is_over() {
                        return Poll::Ready(end);
                    }
                }
            }
            if !moved {
                self.rest();
                return Poll::Pending;
            }
        }
    }

    fn reads(&self) -> bool {
        self.end.is_none() && (self.unread || !self.is_at_end) && self.outbox.len() < ENOUGH
    }

    fn is_over(&self) -> Option<End> {
        let leaves =
            matches!(self.leaving, Leaving::Told(_)) || self.peer.leaves || self.is_at_end && !self.unread;
        self.end.or((leaves && self.streams.is_empty()).then_some(End::Closing))
    }

    /// Whether anything more is done for the client.
    pub(super) fn has_failed(&self) -> bool {
        self.end.is_some()
    }

    /// Before it waits: notes whether the client lets nothing through, and keeps no memory that is not needed.
    fn rest(&mut self) {
        let clock = self.worker.edge.clock;
        let waits = self.outbox.is_empty() && self.streams.values().any(|stream| !stream.chunk.is_empty());
        match (waits, self.is_shut) {
            (true, false) => self.activity.shut(clock),
            (false, true) => self.activity.opened(),
            _ => {}
        }
        self.is_shut = waits;
        if self.streams.is_empty() && self.outbox.is_empty() {
            self.outbox.rest();
            self.streams = HashMap::new();
            self.turns = VecDeque::new();
            self.bells = None;
        }
    }

    /// Something was let through.
    pub(super) fn opened(&mut self) {
        if std::mem::take(&mut self.is_shut) {
            self.activity.opened();
        }
    }

    /// Whether it was asked to end.
    pub(super) fn leaves(&self) -> bool {
        self.leaving != Leaving::Not
    }

    /// Ends the connection in two steps, so that no request is lost that is on its way; a second call does not wait for
    /// the client any more.
    pub(super) fn leave(&mut self) {
        match self.leaving {
            Leaving::Not => {
                self.outbox.go_away(MOST, Reason::NoError);
                self.outbox.frame(kind::PING, 0, 0, &LEAVING);
                self.leaving = Leaving::Asked;
            }
            Leaving::Asked => self.tell_last(),
            Leaving::Told(_) => {}
        }
    }

    fn tell_last(&mut self) {
        let last = self.past.last();
        self.outbox.go_away(last, Reason::NoError);
        self.leaving = Leaving::Told(last);
    }

    /// A ping came back.
    pub(super) fn pong(&mut self, said: [u8; 8]) {
        if self.leaving == Leaving::Asked && said == LEAVING {
            self.tell_last();
        }
    }

    /// Whether streams that begin now are beyond what the client was told to be the last.
    pub(super) fn is_closed_to_new(&self) -> bool {
        matches!(self.leaving, Leaving::Told(_))
    }

    /// Something is wrong with what came.
    pub(super) fn wrong(&mut self, wrong: Wrong) {
        match wrong {
            Wrong::Stream(stream, reason) if stream % 2 == 1 && stream <= self.past.last() => {
                self.drop_stream(stream);
                self.reset(stream, reason);
            }
            Wrong::Stream(_, reason) | Wrong::Connection(reason) => self.fail(reason),
        }
    }

    /// Resets a stream that the client is to blame for, which costs it patience: else it could have us begin work and drop
    /// it without end.
    fn reset(&mut self, stream: u32, reason: Reason) {
        self.outbox.reset(stream, reason);
        self.past.reset(stream);
        if self.tax(super::patience::RESET).is_err() {
            self.fail(Reason::EnhanceYourCalm);
        }
    }

    /// Ends the connection for a reason that the client is told (RFC 9113 5.4.1).
    pub(super) fn fail(&mut self, reason: Reason) {
        if self.end.is_none() {
            tracing::debug!("http/2: connection fails: {reason:?}");
            let last = match self.leaving {
                Leaving::Told(last) => last,
                _ => self.past.last(),
            };
            self.outbox.go_away(last, reason);
            self.end = Some(End::Failed);
            self.streams = HashMap::new();
            self.turns = VecDeque::new();
        }
    }

    /// Takes patience for something of no use.
    pub(super) fn tax(&mut self, cost: u32) -> Result<(), Wrong> {
        let outcome = self.patience.tax(cost, self.worker.edge.clock);
        outcome.map_err(|_| Wrong::Connection(Reason::EnhanceYourCalm))
    }
}

/// Says what this edge takes.
fn greet(worker: &Worker, outbox: &mut Outbox) {
    const MAX_CONCURRENT_STREAMS: u16 = 3;
    const MAX_HEADER_LIST_SIZE: u16 = 6;
    /// RFC 9218 2.1.
    const NO_RFC7540_PRIORITIES: u16 = 9;
    let config = &worker.edge.config;
    let number = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
    let settings = [
        (MAX_CONCURRENT_STREAMS, number(config.h2_streams)),
        (MAX_HEADER_LIST_SIZE, number(config.header_bytes)),
        (NO_RFC7540_PRIORITIES, 1),
    ];
    let mut payload = Vec::with_capacity(18);
    for (name, value) in settings {
        payload.extend_from_slice(&name.to_be_bytes());
        payload.extend_from_slice(&value.to_be_bytes());
    }
    outbox.frame(kind::SETTINGS, 0, 0, &payload);
}
