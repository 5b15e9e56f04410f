//! HTTP/2 (RFC 9113) as far as it is bytes: frames, and the heads of requests.

pub mod frame;
pub mod head;

/// What a client says first (RFC 9113 3.4).
pub const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Why a stream or a connection ends (RFC 9113 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Reason {
    /// All is well.
    NoError = 0,
    /// A rule was broken.
    Protocol = 1,
    /// Our fault, or our upstream's.
    Internal = 2,
    /// More came than the window allowed, or a window grew too large.
    FlowControl = 3,
    /// A frame came on a stream that has ended.
    StreamClosed = 5,
    /// A frame has a length that its kind cannot have.
    FrameSize = 6,
    /// Nothing was done for the request: it may be sent again.
    RefusedStream = 7,
    /// Nobody wants it any more.
    Cancel = 8,
    /// A field block cannot be read.
    Compression = 9,
    /// The peer does more than anyone needs to.
    EnhanceYourCalm = 11,
}

/// What is wrong with a frame, and what ends for it (RFC 9113 5.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// The connection.
    Connection(Reason),
    /// One stream.
    Stream(u32, Reason),
}
