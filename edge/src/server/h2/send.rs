//! What goes out: heads, then content, one frame of each stream in turn.

use std::task::{Context, Poll, Waker};

use http::response;

use super::connection::{Connection, ENOUGH};
use super::head;
use super::patience::ANSWERED;
use super::stream::{Answer, Step, Stream};
use crate::pipeline::Hit;
use crate::semantics::h2::{Reason, frame::MOST};

/// Content of a hit up to this size goes out with its head, before others have their turn.
const SMALL: usize = 4 << 10;

impl Connection {
    /// Answers with an object from memory.
    pub(super) fn hit(&mut self, stream: u32, mut hit: Hit) {
        let content = hit.body();
        let length = content.len();
        let write = |out: &mut Vec<u8>| head::of_hit(&self.worker, &hit, out);
        self.peer.head(&mut self.outbox, stream, content.is_empty(), write);
        if content.is_empty() {
            return self.patience.earn(ANSWERED);
        }
        if length <= SMALL && length as i64 <= self.peer.window.min(self.peer.stream_window) {
            self.peer.window -= length as i64;
            self.outbox.data(stream, content, true);
            hit.sent(length);
            self.patience.carried(length);
            return self.patience.earn(ANSWERED);
        }
        let mut answer = Stream::new(self.peer.stream_window, Answer::Hit(Box::new(hit)));
        answer.chunk = content;
        self.streams.insert(stream, answer);
        self.give_turn(stream);
    }

    /// Sends the head of the response whose content a stream has.
    pub(super) fn respond(&mut self, stream: u32, parts: &response::Parts) {
        let Some(found) = self.streams.get_mut(&stream) else { return };
        let is_head = found.is_head;
        let Answer::Body(body) = std::mem::replace(&mut found.answer, Answer::None) else { return };
        let end = body.length() == Some(0);
        let write = |out: &mut Vec<u8>| head::of(parts, &body, is_head, out);
        self.peer.head(&mut self.outbox, stream, end, write);
        if let Some(found) = self.streams.get_mut(&stream) {
            found.answer = Answer::Body(body);
        }
        match end {
            true => self.finish(stream),
            false => self.give_turn(stream),
        }
    }

    /// Lets the streams go on that rang.
    pub(super) fn answer_bells(&mut self, cx: &mut Context<'_>) {
        let Some(bells) = &self.bells else { return };
        for stream in bells.rung(cx.waker()) {
            self.answer_bell(stream);
        }
    }

    fn answer_bell(&mut self, stream: u32) {
        let Some(found) = self.streams.get_mut(&stream) else { return };
        let Some(bell) = &found.bell else { return };
        bell.heard();
        let ring = Waker::from(bell.clone());
        let Answer::Making(making) = &mut found.answer else {
            self.taken(stream);
            return self.give_turn(stream);
        };
        if let Poll::Ready(response) = making.as_mut().poll(&mut Context::from_waker(&ring)) {
            let (parts, body) = response.into_parts();
            found.answer = Answer::Body(Box::new(body));
            self.taken(stream);
            return self.respond(stream, &parts);
        }
        self.taken(stream);
    }

    /// A stream may have something to send.
    pub(super) fn give_turn(&mut self, stream: u32) {
        let Some(found) = self.streams.get_mut(&stream) else { return };
        if !found.has_turn && !matches!(found.answer, Answer::Making(_)) {
            found.has_turn = true;
            self.turns.push_back(stream);
        }
    }

    /// Lets streams send, one after the other, until there is enough.
    pub(super) fn take_turns(&mut self) {
        while self.outbox.len() < ENOUGH {
            let Some(stream) = self.turns.pop_front() else { return };
            let Some(found) = self.streams.get_mut(&stream) else { continue };
            let most = self.peer.window.min(self.peer.max_content() as i64);
            found.has_turn = false;
            match found.step(most) {
                Step::Send(content, end) => {
                    let length = content.len();
                    found.window -= length as i64;
                    self.peer.window -= length as i64;
                    debug_assert!(self.peer.window <= i64::from(MOST));
                    self.outbox.data(stream, content, end);
                    self.patience.carried(length);
                    self.opened();
                    match end {
                        true => self.finish(stream),
                        false => self.give_turn(stream),
                    }
                }
                Step::Wait => {}
                // Nobody else can send either.
                Step::Shut if self.peer.window <= 0 => {
                    found.has_turn = true;
                    return self.turns.push_front(stream);
                }
                Step::Shut => {}
                Step::Broken => {
                    self.drop_stream(stream);
                    self.outbox.reset(stream, Reason::Internal);
                    self.past.reset(stream);
                }
            }
        }
    }

    /// The response is out. What is left of the request is of no use (RFC 9113 8.1).
    fn finish(&mut self, stream: u32) {
        self.patience.earn(ANSWERED);
        if self.drop_stream(stream) {
            self.outbox.reset(stream, Reason::NoError);
            self.past.reset(stream);
        }
    }

    /// Forgets a stream; says whether the client could still send content on it.
    pub(super) fn drop_stream(&mut self, stream: u32) -> bool {
        let Some(found) = self.streams.remove(&stream) else { return false };
        let is_open = found.is_open();
        if let Some(content) = &found.content {
            self.took(content.source.taken() + content.source.held());
        }
        is_open
    }
}
