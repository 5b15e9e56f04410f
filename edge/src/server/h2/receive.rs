//! What comes in: the preface, then frames.

use bytes::Buf as _;

use super::connection::{Block, Connection, ENOUGH, FIRST_WINDOW, Stage, WINDOW_STEP};
use super::patience::{FRAME, RESET};
use crate::semantics::h2::frame::{self, Frame, MAX_PAYLOAD, MOST, flag, kind};
use crate::semantics::h2::{PREFACE, Reason, Wrong};

/// A field block may take that many times what its fields may: a client whose fields are too large is told so, one that never
/// comes to an end is cut off.
const BLOCK_TIMES: usize = 4;
/// Content in frames of fewer bytes is more frames than content.
const SHORT: usize = 256;

/// Settings (RFC 9113 6.5.2).
mod setting {
    pub(super) const HEADER_TABLE_SIZE: u16 = 1;
    pub(super) const ENABLE_PUSH: u16 = 2;
    pub(super) const INITIAL_WINDOW_SIZE: u16 = 4;
    pub(super) const MAX_FRAME_SIZE: u16 = 5;
}

impl Connection {
    /// Takes what is complete out of the inbox, as long as there is room for answers.
    pub(super) fn understand(&mut self) {
        let mut bytes = self.inbox.take();
        let mut at = 0;
        self.unread = false;
        while !self.has_failed() {
            if self.outbox.len() >= ENOUGH {
                self.unread = true;
                break;
            }
            match self.next(&bytes[at..]) {
                Ok(Some(length)) => at += length,
                Ok(None) => break,
                Err(reason) => self.fail(reason),
            }
        }
        let rest = &bytes[at..];
        // The kind is the fourth byte of a frame.
        let is_head = matches!(rest.get(3), Some(&(kind::HEADERS | kind::CONTINUATION)));
        if self.block.is_some() || is_head || self.stage == Stage::Preface && !rest.is_empty() {
            self.activity.head_begun(self.worker.edge.clock);
        }
        bytes.advance(at);
        self.inbox.put_back(bytes);
    }

    /// Takes the next frame, and says how long it is; `None` when it is not complete.
    fn next(&mut self, bytes: &[u8]) -> Result<Option<usize>, Reason> {
        if self.stage == Stage::Preface {
            return match bytes.first_chunk::<24>() {
                Some(start) if start == PREFACE => {
                    self.stage = Stage::Settings;
                    Ok(Some(PREFACE.len()))
                }
                None if PREFACE.starts_with(bytes) => Ok(None),
                _ => Err(Reason::Protocol),
            };
        }
        let Some((frame, length)) = frame::read(bytes)? else { return Ok(None) };
        match frame.and_then(|frame| self.receive(frame)) {
            // Nothing may come between the parts of a head, nor before the settings.
            Err(Wrong::Stream(..)) if self.block.is_some() || self.stage != Stage::Frames => {
                return Err(Reason::Protocol);
            }
            Err(wrong) => self.wrong(wrong),
            Ok(()) => {}
        }
        Ok(Some(length))
    }

    fn receive(&mut self, frame: Frame<'_>) -> Result<(), Wrong> {
        let is_expected = match (&frame, self.stage) {
            (Frame::Continuation { stream, .. }, _) => {
                self.block.as_ref().is_some_and(|block| block.stream == *stream)
            }
            (Frame::Settings(_), _) => self.block.is_none(),
            (_, stage) => self.block.is_none() && stage == Stage::Frames,
        };
        if !is_expected {
            return Err(Wrong::Connection(Reason::Protocol));
        }
        match frame {
            Frame::Data { stream, content, counted, end } => self.data(stream, content, counted, end),
            Frame::Headers { stream, block, end, whole: true } => self.block_came(stream, end, block),
            Frame::Headers { stream, block, end, whole: false } => {
                self.block = Some(Box::new(Block { stream, end, bytes: block.to_vec() }));
                Ok(())
            }
            Frame::Continuation { block, whole, .. } => self.continuation(block, whole),
            Frame::Reset { stream } => self.reset_came(stream),
            Frame::Settings(pairs) => self.settings(pairs),
            Frame::WindowUpdate { stream, more } => self.window_update(stream, more),
            Frame::Ping(said) => {
                self.outbox.frame(kind::PING, flag::ACK, 0, &said);
                self.tax(FRAME)
            }
            Frame::Pong(said) => {
                self.pong(said);
                self.tax(FRAME)
            }
            Frame::GoAway => {
                self.peer.leaves = true;
                self.tax(FRAME)
            }
            Frame::SettingsAck | Frame::Priority | Frame::Unknown => self.tax(FRAME),
        }
    }

    fn continuation(&mut self, more: &[u8], whole: bool) -> Result<(), Wrong> {
        self.tax(FRAME)?;
        let Some(mut block) = self.block.take() else { return Ok(()) };
        block.bytes.extend_from_slice(more);
        let most = BLOCK_TIMES * (self.worker.edge.config.header_bytes as usize).max(MAX_PAYLOAD);
        if block.bytes.len() > most {
            return Err(Wrong::Connection(Reason::EnhanceYourCalm));
        }
        if whole {
            return self.block_came(block.stream, block.end, &block.bytes);
        }
        self.block = Some(block);
        Ok(())
    }

    fn reset_came(&mut self, stream: u32) -> Result<(), Wrong> {
        self.check_begun(stream)?;
        self.drop_stream(stream);
        self.tax(RESET)
    }

    fn settings(&mut self, pairs: &[u8]) -> Result<(), Wrong> {
        self.stage = Stage::Frames;
        self.tax(FRAME + (pairs.len() / 32) as u32)?;
        for pair in pairs.chunks_exact(6) {
            let (name, value) = pair.split_at(2);
            let value = value.iter().fold(0, |value, byte| value << 8 | u32::from(*byte));
            self.setting(u16::from_be_bytes([name[0], name[1]]), value).map_err(Wrong::Connection)?;
        }
        self.outbox.frame(kind::SETTINGS, flag::ACK, 0, &[]);
        Ok(())
    }

    fn setting(&mut self, name: u16, value: u32) -> Result<(), Reason> {
        match name {
            // Nothing is ever put into it; that has to be said when it becomes smaller than it was at first.
            setting::HEADER_TABLE_SIZE => self.peer.shrank_table |= value < 4096,
            setting::ENABLE_PUSH if value > 1 => return Err(Reason::Protocol),
            setting::INITIAL_WINDOW_SIZE if value > MOST => return Err(Reason::FlowControl),
            setting::INITIAL_WINDOW_SIZE => {
                let more = i64::from(value) - self.peer.stream_window;
                self.peer.stream_window = i64::from(value);
                return self.widen_all(more);
            }
            setting::MAX_FRAME_SIZE if !(1 << 14..1 << 24).contains(&value) => return Err(Reason::Protocol),
            setting::MAX_FRAME_SIZE => self.peer.max_payload = value as usize,
            _ => {}
        }
        Ok(())
    }

    fn widen_all(&mut self, more: i64) -> Result<(), Reason> {
        for stream in self.streams.values_mut() {
            stream.window += more;
            if stream.window > i64::from(MOST) {
                return Err(Reason::FlowControl);
            }
        }
        let waiting: Vec<u32> = self.streams.keys().copied().collect();
        waiting.into_iter().for_each(|stream| self.give_turn(stream));
        Ok(())
    }

    fn window_update(&mut self, stream: u32, more: u32) -> Result<(), Wrong> {
        self.tax(FRAME)?;
        if stream == 0 {
            self.peer.window += i64::from(more);
            let fits = self.peer.window <= i64::from(MOST);
            return if fits { Ok(()) } else { Err(Wrong::Connection(Reason::FlowControl)) };
        }
        self.check_begun(stream)?;
        // It may have ended in the meantime.
        let Some(found) = self.streams.get_mut(&stream) else { return Ok(()) };
        found.window += i64::from(more);
        if found.window > i64::from(MOST) {
            return Err(Wrong::Stream(stream, Reason::FlowControl));
        }
        self.give_turn(stream);
        Ok(())
    }

    /// Most frames are wrong on a stream that nobody has opened (RFC 9113 5.1).
    fn check_begun(&self, stream: u32) -> Result<(), Wrong> {
        let begun = stream % 2 == 1 && stream <= self.past.last();
        if begun { Ok(()) } else { Err(Wrong::Connection(Reason::Protocol)) }
    }

    fn data(&mut self, stream: u32, bytes: &[u8], counted: u32, end: bool) -> Result<(), Wrong> {
        self.check_begun(stream)?;
        self.window -= i64::from(counted);
        if self.window < 0 {
            return Err(Wrong::Connection(Reason::FlowControl));
        }
        if bytes.len() < SHORT && !end {
            self.tax(FRAME)?;
        }
        let padding = counted - bytes.len() as u32;
        let Some(content) = self.streams.get_mut(&stream).and_then(|found| found.content.as_mut()) else {
            self.took(counted);
            let late = self.past.was_reset(stream);
            return if late { Ok(()) } else { Err(Wrong::Stream(stream, Reason::StreamClosed)) };
        };
        if content.ended {
            self.took(counted);
            return Err(Wrong::Stream(stream, Reason::StreamClosed));
        }
        content.window -= i64::from(counted);
        content.owed += padding;
        let fits = content.window >= 0;
        let put = content.source.put(if fits { bytes } else { &[] });
        if !fits || put.is_err() {
            self.took(counted);
            let reason = if fits { Reason::Protocol } else { Reason::FlowControl };
            return Err(Wrong::Stream(stream, reason));
        }
        self.took(padding);
        self.patience.carried(bytes.len());
        self.taken(stream);
        if end { self.content_ends(stream) } else { Ok(()) }
    }

    /// The client has sent all of a request.
    pub(super) fn content_ends(&mut self, stream: u32) -> Result<(), Wrong> {
        let content = self.streams.get_mut(&stream).and_then(|found| found.content.as_mut());
        let Some(content) = content else { return Ok(()) };
        content.ended = true;
        content.source.end().map_err(|_| Wrong::Stream(stream, Reason::Protocol))
    }

    /// Tells the client what was taken of a stream's content.
    pub(super) fn taken(&mut self, stream: u32) {
        let content = self.streams.get_mut(&stream).and_then(|found| found.content.as_mut());
        let Some(content) = content else { return };
        let taken = content.source.taken();
        content.owed += taken;
        if content.owed >= WINDOW_STEP && !content.ended && content.source.is_wanted() {
            let more = std::mem::take(&mut content.owed);
            content.window += i64::from(more);
            self.outbox.window_update(stream, more);
        }
        self.took(taken);
    }

    /// Bytes that came do not lie here any more.
    pub(super) fn took(&mut self, bytes: u32) {
        self.owed += bytes;
        if self.owed >= WINDOW_STEP {
            let more = std::mem::take(&mut self.owed);
            self.window += i64::from(more);
            debug_assert!(self.window <= FIRST_WINDOW);
            self.outbox.window_update(0, more);
        }
    }
}
