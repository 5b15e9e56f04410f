//! Frames on their way out: what is short in one text, content in pieces of the objects it comes from, all written together,
//! so that TLS fills its records whatever the frames are.

use std::cell::Cell;
use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};

use crate::semantics::h2::Reason;
use crate::semantics::h2::frame::{self, HEAD, flag, kind};
use crate::server::wire::Wire;

/// Content up to this size is copied behind the head of its frame: one piece costs less than two.
const SMALL: usize = 4 << 10;
/// Pieces that are written at once, heads included.
const SLICES: usize = 64;
/// Text that is kept when it was large once.
const KEPT_TEXT: usize = 64 << 10;
/// Text that went out and is still there.
const SENT_TEXT: usize = 8 << 10;

thread_local! {
    /// Text is written into the same memory again and again; a connection that waits has none.
    static TEXT: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// What is to be written.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    text: Vec<u8>,
    /// Of the text, what went out.
    sent: usize,
    pieces: VecDeque<Piece>,
    /// Text behind the last piece.
    open: usize,
    length: usize,
    /// Something was written that may not have left TLS.
    unflushed: bool,
}

#[derive(Debug)]
struct Piece {
    /// Bytes of text before it.
    text: usize,
    content: Bytes,
}

impl Outbox {
    /// Bytes to be written.
    pub(super) fn len(&self) -> usize {
        self.length
    }

    pub(super) fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Appends a frame without content.
    pub(super) fn frame(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        self.write(&frame::head(payload.len(), kind, flags, stream));
        self.write(payload);
    }

    pub(super) fn reset(&mut self, stream: u32, reason: Reason) {
        self.frame(kind::RST_STREAM, 0, stream, &(reason as u32).to_be_bytes());
    }

    pub(super) fn window_update(&mut self, stream: u32, more: u32) {
        self.frame(kind::WINDOW_UPDATE, 0, stream, &more.to_be_bytes());
    }

    pub(super) fn go_away(&mut self, last: u32, reason: Reason) {
        let [a, b, c, d] = last.to_be_bytes();
        let [e, f, g, h] = (reason as u32).to_be_bytes();
        self.frame(kind::GOAWAY, 0, 0, &[a, b, c, d, e, f, g, h]);
    }

    /// Appends a head whose block `write` writes, in as many frames as it takes.
    pub(super) fn head(
        &mut self,
        stream: u32,
        end: bool,
        max_payload: usize,
        write: impl FnOnce(&mut Vec<u8>),
    ) {
        self.take_text();
        let start = self.text.len();
        self.text.extend_from_slice(&[0; HEAD]);
        write(&mut self.text);
        let length = self.text.len() - start - HEAD;
        let end = if end { flag::END_STREAM } else { 0 };
        if length <= max_payload {
            let head = frame::head(length, kind::HEADERS, end | flag::END_HEADERS, stream);
            self.text[start..start + HEAD].copy_from_slice(&head);
            return self.wrote(HEAD + length);
        }
        let block = self.text.split_off(start + HEAD);
        self.text.truncate(start);
        let last = block.len().div_ceil(max_payload) - 1;
        for (place, part) in block.chunks(max_payload).enumerate() {
            let (kind, flags) = if place == 0 { (kind::HEADERS, end) } else { (kind::CONTINUATION, 0) };
            let flags = if place == last { flags | flag::END_HEADERS } else { flags };
            self.frame(kind, flags, stream, part);
        }
    }

    /// Appends content.
    pub(super) fn data(&mut self, stream: u32, content: Bytes, end: bool) {
        let flags = if end { flag::END_STREAM } else { 0 };
        self.write(&frame::head(content.len(), kind::DATA, flags, stream));
        if content.len() <= SMALL {
            return self.write(&content);
        }
        self.length += content.len();
        self.pieces.push_back(Piece { text: self.open, content });
        self.open = 0;
    }

    fn take_text(&mut self) {
        if self.text.capacity() == 0 {
            self.text = TEXT.take();
        }
    }

    fn write(&mut self, bytes: &[u8]) {
        self.take_text();
        self.text.extend_from_slice(bytes);
        self.wrote(bytes.len());
    }

    fn wrote(&mut self, length: usize) {
        self.open += length;
        self.length += length;
    }

    /// Writes what one call takes, or flushes when nothing is left. `Ready(Ok(true))`: all has gone.
    pub(super) fn poll_write<W: Wire>(
        &mut self,
        wire: &mut W,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<bool>> {
        if self.is_empty() {
            if self.unflushed {
                ready!(Pin::new(wire).poll_flush(cx))?;
                self.unflushed = false;
            }
            return Poll::Ready(Ok(true));
        }
        let count = ready!(self.poll_pieces(wire, cx))?;
        if count == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        self.unflushed = true;
        self.advance(count);
        Poll::Ready(Ok(false))
    }

    fn poll_pieces<W: Wire>(&self, wire: &mut W, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.pieces.is_empty() {
            return Pin::new(wire).poll_write(cx, &self.text[self.sent..]);
        }
        let mut slices = [IoSlice::new(&[]); SLICES];
        let (mut count, mut at) = (0, self.sent);
        for piece in self.pieces.iter().take(SLICES / 2) {
            if piece.text > 0 {
                slices[count] = IoSlice::new(&self.text[at..at + piece.text]);
                at += piece.text;
                count += 1;
            }
            slices[count] = IoSlice::new(&piece.content);
            count += 1;
        }
        if self.pieces.len() < SLICES / 2 && self.open > 0 {
            slices[count] = IoSlice::new(&self.text[at..]);
            count += 1;
        }
        Pin::new(wire).poll_write_vectored(cx, &slices[..count])
    }

    /// Forgets what was written.
    fn advance(&mut self, mut count: usize) {
        self.length -= count;
        while let Some(piece) = self.pieces.front_mut() {
            let of_text = count.min(piece.text);
            piece.text -= of_text;
            self.sent += of_text;
            count -= of_text;
            let of_content = count.min(piece.content.len());
            piece.content.advance(of_content);
            count -= of_content;
            if !piece.content.is_empty() {
                break;
            }
            self.pieces.pop_front();
        }
        self.sent += count;
        self.open -= count;
        if self.is_empty() {
            self.give_back();
        } else if self.sent > SENT_TEXT {
            self.text.drain(..self.sent);
            self.sent = 0;
        }
    }

    fn give_back(&mut self) {
        let mut text = std::mem::take(&mut self.text);
        self.sent = 0;
        if text.capacity() <= KEPT_TEXT {
            text.clear();
            TEXT.set(text);
        }
        if self.pieces.capacity() > SLICES {
            self.pieces = VecDeque::new();
        }
    }

    /// Keeps nothing that is not needed while the connection waits.
    pub(super) fn rest(&mut self) {
        if self.pieces.is_empty() {
            self.pieces = VecDeque::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What is left to be written, as bytes.
    fn bytes(outbox: &Outbox) -> Vec<u8> {
        let (mut all, mut at) = (Vec::new(), outbox.sent);
        for piece in &outbox.pieces {
            all.extend_from_slice(&outbox.text[at..at + piece.text]);
            all.extend_from_slice(&piece.content);
            at += piece.text;
        }
        all.extend_from_slice(&outbox.text[at..]);
        all
    }

    #[test]
    fn long_heads_take_several_frames() {
        let mut outbox = Outbox::default();
        outbox.head(5, true, 10, |out| out.extend_from_slice(b"0123456789abcdefghijXYZ"));
        let expected = [
            frame::head(10, kind::HEADERS, flag::END_STREAM, 5).to_vec(),
            b"0123456789".to_vec(),
            frame::head(10, kind::CONTINUATION, 0, 5).to_vec(),
            b"abcdefghij".to_vec(),
            frame::head(3, kind::CONTINUATION, flag::END_HEADERS, 5).to_vec(),
            b"XYZ".to_vec(),
        ]
        .concat();
        assert_eq!(bytes(&outbox), expected);
        assert_eq!(outbox.len(), expected.len());
    }

    proptest! {
        #[test]
        fn whatever_is_taken_at_once_the_bytes_are_the_same(
            frames in proptest::collection::vec((0usize..10_000, any::<bool>()), 1..20),
            takes in proptest::collection::vec(1usize..30_000, 1..40),
        ) {
            let mut outbox = Outbox::default();
            let mut expected = Vec::new();
            for (number, (length, is_head)) in frames.into_iter().enumerate() {
                let content = vec![number as u8; length];
                if is_head {
                    outbox.head(1, false, 1 << 14, |out| out.extend_from_slice(&content));
                    expected.extend_from_slice(&frame::head(length, kind::HEADERS, flag::END_HEADERS, 1));
                } else {
                    outbox.data(1, content.clone().into(), true);
                    expected.extend_from_slice(&frame::head(length, kind::DATA, flag::END_STREAM, 1));
                }
                expected.extend_from_slice(&content);
            }
            let mut got = Vec::new();
            for take in takes.into_iter().cycle() {
                prop_assert_eq!(outbox.len(), bytes(&outbox).len());
                if outbox.is_empty() {
                    break;
                }
                let take = take.min(outbox.len());
                got.extend_from_slice(&bytes(&outbox)[..take]);
                outbox.advance(take);
            }
            prop_assert!(got == expected);
        }
    }
}
