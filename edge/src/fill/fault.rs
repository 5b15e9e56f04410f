//! Why an object could not be fetched: whose fault, and whether another upstream may help.

use http::StatusCode;

/// Why an object could not be fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub(crate) enum Fault {
    /// All upstreams failed again and again and are left alone for a while.
    #[error("upstream: all rest after failures")]
    Resting,
    /// No connection to any upstream.
    #[error("upstream: cannot connect")]
    Connect,
    /// No response head in time.
    #[error("upstream: no response head in time")]
    FirstByte,
    /// The body fell silent.
    #[error("upstream: the body fell silent")]
    Idle,
    /// The connection broke, or what came is not HTTP.
    #[error("upstream: the connection broke")]
    Broken,
    /// The body ended before its announced length, or went beyond.
    #[error("upstream: the body has another length than announced")]
    Length,
    /// The bytes are not those that `Repr-Digest` promises.
    #[error("upstream: the body does not match its digest")]
    Damaged,
    /// It answered 401 or 403: the media secret is wrong.
    #[error("upstream: it does not accept this edge; check media_secret")]
    Refused,
    /// It answered with a status that makes no sense for an edge.
    #[error("upstream: it answered with an unexpected status")]
    Status,
    /// It answered with a server error, while a stale copy could stand in.
    #[error("upstream: it answered with a server error")]
    Server,
    /// A large object is no longer the one whose slices are read, or is not given in slices.
    #[error("upstream: the object changed while it was read in slices")]
    Changed,
    /// There is no room for another fetch.
    #[error("edge: no room for another fetch; see fills and fill_bytes")]
    Overloaded,
    /// The rest goes to another client only.
    #[error("fill: the rest of the body is not shared")]
    NotShared,
    /// The content of a client's request is larger than this edge tells on.
    #[error("request: the content is larger than request_body_bytes")]
    ContentTooLarge,
    /// The content of a client's request broke off or fell silent.
    #[error("request: the content did not come to its end")]
    ContentBroken,
    /// The fill was ended: the edge stops.
    #[error("fill: ended before it was complete")]
    Aborted,
}

impl Fault {
    pub(crate) const ALL: [Self; 16] = [
        Self::Resting,
        Self::Connect,
        Self::FirstByte,
        Self::Idle,
        Self::Broken,
        Self::Length,
        Self::Damaged,
        Self::Refused,
        Self::Status,
        Self::Server,
        Self::Changed,
        Self::Overloaded,
        Self::NotShared,
        Self::ContentTooLarge,
        Self::ContentBroken,
        Self::Aborted,
    ];

    /// Metric label, log field and problem code.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Resting => "upstream-resting",
            Self::Connect => "upstream-connect",
            Self::FirstByte => "upstream-first-byte",
            Self::Idle => "upstream-idle",
            Self::Broken => "upstream-broken",
            Self::Length => "upstream-length",
            Self::Damaged => "upstream-damaged",
            Self::Refused => "upstream-refused",
            Self::Status => "upstream-status",
            Self::Server => "upstream-server-error",
            Self::Changed => "upstream-changed",
            Self::Overloaded => "edge-overloaded",
            Self::NotShared => "fill-not-shared",
            Self::ContentTooLarge => "body-too-large",
            Self::ContentBroken => "body-broken",
            Self::Aborted => "fill-aborted",
        }
    }

    /// What a client is told when nothing was sent yet.
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::ContentTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::ContentBroken => StatusCode::REQUEST_TIMEOUT,
            Self::FirstByte | Self::Idle => StatusCode::GATEWAY_TIMEOUT,
            Self::Aborted | Self::Resting | Self::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::BAD_GATEWAY,
        }
    }
}
