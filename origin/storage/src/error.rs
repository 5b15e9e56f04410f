//! What can go wrong in a store, sorted by what the caller can do about it.

use std::fmt;
use std::io;
use std::sync::Arc;

/// What kind of failure it was: this decides about retrying and about the answer to a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// No object lies at that path.
    NotFound,
    /// The byte range is empty, or does not lie within the object.
    Range,
    /// The path is not one that a store accepts, or it leads outside the store.
    Path,
    /// The store has no room left (disk, quota).
    Full,
    /// The store refuses: permissions or credentials.
    Denied,
    /// The store did not answer in time.
    Timeout,
    /// The store cannot be reached, or says that it is overloaded.
    Unavailable,
    /// Anything else; trying again would not help.
    Other,
}

impl ErrorKind {
    /// Whether the same call may succeed a moment later.
    pub fn is_retryable(self) -> bool {
        matches!(self, ErrorKind::Timeout | ErrorKind::Unavailable)
    }

    /// A short lowercase name, for metric labels and log fields.
    pub fn as_str(self) -> &'static str {
        match self {
            ErrorKind::NotFound => "not-found",
            ErrorKind::Range => "range",
            ErrorKind::Path => "path",
            ErrorKind::Full => "full",
            ErrorKind::Denied => "denied",
            ErrorKind::Timeout => "timeout",
            ErrorKind::Unavailable => "unavailable",
            ErrorKind::Other => "other",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

type Source = Arc<dyn std::error::Error + Send + Sync>;

/// A failed storage operation: `storage (place): reason`, with the cause as its source.
///
/// The text names paths of the store and is for logs and operators, not for listeners.
#[derive(Clone, Debug, thiserror::Error)]
#[error("storage ({place}): {reason}")]
pub struct Error {
    kind: ErrorKind,
    place: String,
    reason: String,
    #[source]
    source: Option<Source>,
}

impl Error {
    /// An error of `kind` at `place` (backend, operation and path) because of `reason` (lowercase, with the
    /// remedy where one is known).
    pub fn new(kind: ErrorKind, place: impl Into<String>, reason: impl Into<String>) -> Self {
        Error { kind, place: place.into(), reason: reason.into(), source: None }
    }

    /// The same error with its cause attached.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(Arc::from(source.into()));
        self
    }

    /// What kind of failure it was.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whether the same call may succeed a moment later.
    pub fn is_retryable(&self) -> bool {
        self.kind.is_retryable()
    }

    pub(crate) fn not_found(place: impl Into<String>) -> Self {
        Error::new(ErrorKind::NotFound, place, "no such object")
    }

    pub(crate) fn range(place: impl Into<String>, range: &std::ops::Range<u64>, size: Option<u64>) -> Self {
        let of = size.map_or(String::new(), |size| format!(" of {size} bytes"));
        let reason = format!("bytes {}..{} do not lie within the object{of}", range.start, range.end);
        Error::new(ErrorKind::Range, place, reason)
    }

    /// Sorts an input/output error of the operating system.
    pub(crate) fn io(place: impl Into<String>, error: io::Error) -> Self {
        use io::ErrorKind as Io;
        let place = place.into();
        let (kind, reason) = match error.kind() {
            Io::NotFound => return Error::not_found(place).with_source(error),
            Io::StorageFull => (ErrorKind::Full, "the disk is full; free some space and try again"),
            Io::QuotaExceeded => (ErrorKind::Full, "the disk quota is used up; raise it or free some space"),
            Io::FileTooLarge => {
                (ErrorKind::Full, "the file is larger than this file system or process limit allows")
            }
            Io::PermissionDenied => {
                (ErrorKind::Denied, "permission denied; check who owns the folder and its mode")
            }
            Io::ReadOnlyFilesystem => (ErrorKind::Denied, "the file system is mounted read-only"),
            Io::InvalidFilename => (ErrorKind::Path, "the file system does not accept this name"),
            Io::NotADirectory => (ErrorKind::Path, "a part of the path is an object, not a folder"),
            Io::IsADirectory => (ErrorKind::Path, "the path is a folder that holds other objects"),
            Io::CrossesDevices => {
                (ErrorKind::Other, "another file system is mounted inside the folder; give it its own store")
            }
            Io::TimedOut => (ErrorKind::Timeout, "the file system did not answer in time"),
            Io::StaleNetworkFileHandle
            | Io::ResourceBusy
            | Io::HostUnreachable
            | Io::NetworkUnreachable
            | Io::NetworkDown => (ErrorKind::Unavailable, "the file system is not available"),
            _ if is_out_of_descriptors(&error) => {
                (ErrorKind::Unavailable, "too many open files; raise the limit (ulimit -n)")
            }
            _ => (ErrorKind::Other, "input/output error"),
        };
        Error::new(kind, place, reason).with_source(error)
    }
}

/// EMFILE and ENFILE (24 and 23 on every Unix), which the standard library does not name.
fn is_out_of_descriptors(error: &io::Error) -> bool {
    cfg!(unix) && matches!(error.raw_os_error(), Some(23 | 24))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_place_and_remedy_and_keeps_the_cause() {
        let error = Error::io("folder put a/b", io::Error::from(io::ErrorKind::StorageFull));
        assert_eq!(
            error.to_string(),
            "storage (folder put a/b): the disk is full; free some space and try again"
        );
        assert_eq!(error.kind(), ErrorKind::Full);
        assert!(std::error::Error::source(&error).is_some());
    }

    #[test]
    fn only_passing_faults_are_retryable() {
        let kinds = [
            (ErrorKind::NotFound, false),
            (ErrorKind::Range, false),
            (ErrorKind::Path, false),
            (ErrorKind::Full, false),
            (ErrorKind::Denied, false),
            (ErrorKind::Timeout, true),
            (ErrorKind::Unavailable, true),
            (ErrorKind::Other, false),
        ];
        for (kind, retryable) in kinds {
            assert_eq!(Error::new(kind, "test", "test").is_retryable(), retryable, "{kind}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn sorts_errors_of_the_system_by_their_number() {
        let cases = [
            (2, ErrorKind::NotFound),
            (13, ErrorKind::Denied),
            (20, ErrorKind::Path),
            (23, ErrorKind::Unavailable),
            (24, ErrorKind::Unavailable),
            (27, ErrorKind::Full),
            (28, ErrorKind::Full),
            (30, ErrorKind::Denied),
        ];
        for (number, kind) in cases {
            assert_eq!(
                Error::io("test", io::Error::from_raw_os_error(number)).kind(),
                kind,
                "errno {number}"
            );
        }
    }
}
