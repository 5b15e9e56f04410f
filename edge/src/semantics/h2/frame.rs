//! Frames of clients, read strictly (RFC 9113 4 and 6).

use super::{Reason, Wrong};

/// Bytes of a frame's head.
pub const HEAD: usize = 9;
/// Most bytes behind it that are taken: what a peer assumes without being told (RFC 9113 4.2).
pub const MAX_PAYLOAD: usize = 16 << 10;
/// The largest window, and the largest stream number.
pub const MOST: u32 = (1 << 31) - 1;

/// Kinds of frames.
pub mod kind {
    #![allow(missing_docs)]
    pub const DATA: u8 = 0;
    pub const HEADERS: u8 = 1;
    pub const PRIORITY: u8 = 2;
    pub const RST_STREAM: u8 = 3;
    pub const SETTINGS: u8 = 4;
    pub const PUSH_PROMISE: u8 = 5;
    pub const PING: u8 = 6;
    pub const GOAWAY: u8 = 7;
    pub const WINDOW_UPDATE: u8 = 8;
    pub const CONTINUATION: u8 = 9;
}

/// Flags of frames.
pub mod flag {
    #![allow(missing_docs)]
    pub const END_STREAM: u8 = 1;
    pub const ACK: u8 = 1;
    pub const END_HEADERS: u8 = 4;
    pub const PADDED: u8 = 8;
    pub const PRIORITY: u8 = 0x20;
}

/// A frame, borrowed from the bytes it came in. `stream` is the one that it is about.
#[allow(missing_docs)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame<'a> {
    /// Content. `counted`: bytes that count for the windows, padding included.
    Data { stream: u32, content: &'a [u8], counted: u32, end: bool },
    /// A head, or trailers; `whole`: no continuation follows.
    Headers { stream: u32, block: &'a [u8], end: bool, whole: bool },
    /// More of a field block.
    Continuation { stream: u32, block: &'a [u8], whole: bool },
    /// Advice that is not taken (RFC 9113 5.3.2).
    Priority,
    /// The client wants no more of a stream.
    Reset { stream: u32 },
    /// Pairs of a number and a value.
    Settings(&'a [u8]),
    /// Ours were taken note of.
    SettingsAck,
    /// To be sent back.
    Ping([u8; 8]),
    /// Ours came back.
    Pong([u8; 8]),
    /// The client will ask nothing more.
    GoAway,
    /// More may be sent; stream 0: on all together.
    WindowUpdate { stream: u32, more: u32 },
    /// A kind that nobody knows here.
    Unknown,
}

/// A frame that is complete, or what is wrong with it for its stream, and how many bytes it has.
pub type Reading<'a> = (Result<Frame<'a>, Wrong>, usize);

/// Reads the frame that `bytes` begin with, and says how long it is; `None` while it is not complete.
///
/// # Errors
/// What RFC 9113 calls an error in a frame by itself. The length of one that is wrong for its stream alone is told too,
/// so that one can go on behind it.
pub fn read(bytes: &[u8]) -> Result<Option<Reading<'_>>, Reason> {
    let Some((head, rest)) = bytes.split_first_chunk::<HEAD>() else { return Ok(None) };
    let [a, b, c, kind, flags, stream @ ..] = *head;
    let length = u32::from_be_bytes([0, a, b, c]) as usize;
    if length > MAX_PAYLOAD {
        return Err(Reason::FrameSize);
    }
    let Some(payload) = rest.get(..length) else { return Ok(None) };
    let stream = u32::from_be_bytes(stream) & MOST;
    match understood(kind, flags, stream, payload) {
        Err(Wrong::Connection(reason)) => Err(reason),
        frame => Ok(Some((frame, HEAD + length))),
    }
}

fn understood(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Result<Frame<'_>, Wrong> {
    let has = |flag: u8| flags & flag != 0;
    place(kind, stream)?;
    Ok(match kind {
        kind::DATA => {
            let content = unpadded(payload, has(flag::PADDED))?;
            Frame::Data { stream, content, counted: payload.len() as u32, end: has(flag::END_STREAM) }
        }
        kind::HEADERS => {
            let block = unpadded(payload, has(flag::PADDED))?;
            let skipped = if has(flag::PRIORITY) { 5 } else { 0 };
            let block = block.get(skipped..).ok_or(Wrong::Connection(Reason::FrameSize))?;
            Frame::Headers { stream, block, end: has(flag::END_STREAM), whole: has(flag::END_HEADERS) }
        }
        kind::CONTINUATION => Frame::Continuation { stream, block: payload, whole: has(flag::END_HEADERS) },
        kind::PRIORITY if payload.len() == 5 => Frame::Priority,
        kind::PRIORITY => return Err(Wrong::Stream(stream, Reason::FrameSize)),
        kind::RST_STREAM => {
            fixed::<4>(payload)?;
            Frame::Reset { stream }
        }
        kind::SETTINGS if has(flag::ACK) => {
            fixed::<0>(payload)?;
            Frame::SettingsAck
        }
        kind::SETTINGS if payload.len().is_multiple_of(6) => Frame::Settings(payload),
        kind::SETTINGS => return Err(Wrong::Connection(Reason::FrameSize)),
        kind::PUSH_PROMISE => return Err(Wrong::Connection(Reason::Protocol)),
        kind::PING if has(flag::ACK) => Frame::Pong(fixed(payload)?),
        kind::PING => Frame::Ping(fixed(payload)?),
        kind::GOAWAY if payload.len() >= 8 => Frame::GoAway,
        kind::GOAWAY => return Err(Wrong::Connection(Reason::FrameSize)),
        kind::WINDOW_UPDATE => window_update(stream, u32::from_be_bytes(fixed(payload)?) & MOST)?,
        _ => Frame::Unknown,
    })
}

/// Some frames are about a stream, others about all of the connection.
fn place(kind: u8, stream: u32) -> Result<(), Wrong> {
    let fits = match kind {
        kind::DATA | kind::HEADERS | kind::PRIORITY | kind::RST_STREAM | kind::CONTINUATION => stream != 0,
        kind::SETTINGS | kind::PING | kind::GOAWAY => stream == 0,
        _ => true,
    };
    if fits { Ok(()) } else { Err(Wrong::Connection(Reason::Protocol)) }
}

fn fixed<const N: usize>(payload: &[u8]) -> Result<[u8; N], Wrong> {
    payload.try_into().map_err(|_| Wrong::Connection(Reason::FrameSize))
}

fn unpadded(payload: &[u8], padded: bool) -> Result<&[u8], Wrong> {
    if !padded {
        return Ok(payload);
    }
    let (padding, rest) = payload.split_first().ok_or(Wrong::Connection(Reason::FrameSize))?;
    let length = rest.len().checked_sub(usize::from(*padding));
    length.map(|length| &rest[..length]).ok_or(Wrong::Connection(Reason::Protocol))
}

fn window_update(stream: u32, more: u32) -> Result<Frame<'static>, Wrong> {
    match (more, stream) {
        (0, 0) => Err(Wrong::Connection(Reason::Protocol)),
        (0, stream) => Err(Wrong::Stream(stream, Reason::Protocol)),
        (more, stream) => Ok(Frame::WindowUpdate { stream, more }),
    }
}

/// Writes a frame's head.
pub fn head(length: usize, kind: u8, flags: u8, stream: u32) -> [u8; HEAD] {
    let [_, a, b, c] = (length as u32).to_be_bytes();
    let [d, e, f, g] = stream.to_be_bytes();
    [a, b, c, kind, flags, d, e, f, g]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        [&head(payload.len(), kind, flags, stream), payload].concat()
    }

    #[test]
    fn frames_are_read() {
        let rows: [(u8, u8, u32, &[u8], Frame<'_>); 13] = [
            (0, 1, 1, b"ab", Frame::Data { stream: 1, content: b"ab", counted: 2, end: true }),
            (0, 8, 1, &[2, 7, 0, 0], Frame::Data { stream: 1, content: &[7], counted: 4, end: false }),
            (0, 8, 1, &[0], Frame::Data { stream: 1, content: &[], counted: 1, end: false }),
            (1, 4, 3, b"x", Frame::Headers { stream: 3, block: b"x", end: false, whole: true }),
            (
                1,
                0x28,
                3,
                &[1, 0, 0, 0, 0, 9, 7, 0],
                Frame::Headers { stream: 3, block: &[7], end: false, whole: false },
            ),
            (9, 4, 3, b"x", Frame::Continuation { stream: 3, block: b"x", whole: true }),
            (2, 0, 3, &[0; 5], Frame::Priority),
            (3, 0, 3, &[0; 4], Frame::Reset { stream: 3 }),
            (4, 0, 0, &[0; 12], Frame::Settings(&[0; 12])),
            (4, 1, 0, &[], Frame::SettingsAck),
            (6, 1, 0, &[1; 8], Frame::Pong([1; 8])),
            (8, 0, 0, &[0x80, 0, 0, 1], Frame::WindowUpdate { stream: 0, more: 1 }),
            (99, 255, 7, b"?", Frame::Unknown),
        ];
        for (kind, flags, stream, payload, expected) in rows {
            let bytes = frame(kind, flags, stream, payload);
            assert_eq!(read(&bytes), Ok(Some((Ok(expected), bytes.len()))));
            for cut in 0..bytes.len() {
                assert_eq!(read(&bytes[..cut]), Ok(None));
            }
        }
    }

    #[test]
    fn what_is_wrong_ends_connection_or_stream() {
        use Reason::{FrameSize, Protocol};
        let rows: [(u8, u8, u32, &[u8], Wrong); 21] = [
            (0, 0, 0, b"x", Wrong::Connection(Protocol)),
            (0, 8, 1, &[], Wrong::Connection(FrameSize)),
            (0, 8, 1, &[1], Wrong::Connection(Protocol)),
            (1, 0, 0, b"x", Wrong::Connection(Protocol)),
            (1, 0x20, 1, b"abcd", Wrong::Connection(FrameSize)),
            (1, 8, 1, &[9, 0], Wrong::Connection(Protocol)),
            (2, 0, 0, &[0; 5], Wrong::Connection(Protocol)),
            (2, 0, 5, &[0; 4], Wrong::Stream(5, FrameSize)),
            (3, 0, 0, &[0; 4], Wrong::Connection(Protocol)),
            (3, 0, 1, &[0; 3], Wrong::Connection(FrameSize)),
            (4, 0, 1, &[], Wrong::Connection(Protocol)),
            (4, 0, 0, &[0; 5], Wrong::Connection(FrameSize)),
            (4, 1, 0, &[0; 6], Wrong::Connection(FrameSize)),
            (5, 0, 1, &[0; 4], Wrong::Connection(Protocol)),
            (6, 0, 1, &[0; 8], Wrong::Connection(Protocol)),
            (6, 0, 0, &[0; 7], Wrong::Connection(FrameSize)),
            (7, 0, 0, &[0; 7], Wrong::Connection(FrameSize)),
            (8, 0, 1, &[0; 5], Wrong::Connection(FrameSize)),
            (8, 0, 0, &[0; 4], Wrong::Connection(Protocol)),
            (8, 0, 3, &[0x80, 0, 0, 0], Wrong::Stream(3, Protocol)),
            (9, 0, 0, &[], Wrong::Connection(Protocol)),
        ];
        for (kind, flags, stream, payload, expected) in rows {
            let bytes = frame(kind, flags, stream, payload);
            let got = match read(&bytes) {
                Err(reason) => Wrong::Connection(reason),
                Ok(Some((Err(wrong), length))) if length == bytes.len() => wrong,
                other => panic!("{other:?}"),
            };
            assert_eq!(got, expected, "kind {kind}, stream {stream}, {payload:?}");
        }
        // Told by its head alone.
        assert_eq!(read(&head(MAX_PAYLOAD + 1, 0, 0, 1)), Err(FrameSize));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            if let Ok(Some((_, length))) = read(&bytes) {
                prop_assert!(length >= HEAD && length <= bytes.len());
            }
        }
    }
}
