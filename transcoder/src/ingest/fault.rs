//! Why a file was not published, in words for the person who owns it, and whether others will fare the same.

use std::error::Error as _;
use std::io;
use std::path::Path;

use segue_manifests::DescriptorError;
use segue_storage::ErrorKind;

use super::Failure;
use crate::package::PackageError;
use crate::source::SourceError;

/// What keeps a file from being published.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The ingest is stopping.
    Stopped,
    /// Something is wrong.
    Wrong {
        place: String,
        reason: String,
        remedy: Option<String>,
        /// Every further file would meet it too: the batch ends.
        for_all: bool,
    },
}

impl Fault {
    fn new(place: impl Into<String>, reason: impl Into<String>, remedy: Option<&str>) -> Self {
        let remedy = remedy.map(str::to_owned);
        Self::Wrong { place: place.into(), reason: reason.into(), remedy, for_all: false }
    }

    fn for_all(self) -> Self {
        match self {
            Self::Stopped => Self::Stopped,
            Self::Wrong { place, reason, remedy, .. } => Self::Wrong { place, reason, remedy, for_all: true },
        }
    }

    /// A panic in code that reads the file.
    pub(super) fn crashed(place: &str, message: &str) -> Self {
        let remedy = "the file triggers a fault in segue; please report it, with the file if possible";
        Self::new(place, format!("crashed: {message}"), Some(remedy))
    }

    /// Temporary files cannot be written.
    pub(super) fn scratch(error: &io::Error) -> Self {
        let full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
        let remedy = match full {
            true => "free space on the disk of temporary files, or set `scratch` to another folder",
            false => "check the folder of temporary files, or set `scratch` to another one",
        };
        Self::new("scratch", format!("temporary files cannot be written: {error}"), Some(remedy)).for_all()
    }

    /// The report on a file; `None` where the ingest is merely stopping.
    pub(super) fn into_failure(self, path: &Path) -> Option<Failure> {
        match self {
            Self::Stopped => None,
            Self::Wrong { place, reason, remedy, .. } => {
                Some(Failure { path: path.to_owned(), place, reason, remedy })
            }
        }
    }

    /// Why the whole batch must end, if it must.
    pub(super) fn ends_batch(&self) -> Option<String> {
        match self {
            Self::Wrong { place, reason, for_all: true, .. } => Some(format!("{place}: {reason}")),
            _ => None,
        }
    }
}

impl From<SourceError> for Fault {
    fn from(error: SourceError) -> Self {
        Self::Wrong { place: error.place, reason: error.reason, remedy: error.remedy, for_all: false }
    }
}

impl From<PackageError> for Fault {
    fn from(error: PackageError) -> Self {
        match error {
            PackageError::Source(error) => error.into(),
            PackageError::Scratch(error) => Self::scratch(&error),
            PackageError::Stopped => Self::Stopped,
            PackageError::Crashed(message) => Self::crashed("encoder", &message),
            PackageError::Empty => {
                Self::new("source", "holds no audio", Some("it has no sample to play; leave it out"))
            }
            PackageError::NoLadder => {
                Self::new("ladder", "has no rungs", Some("set at least one rendition")).for_all()
            }
            other => from_text(&other.to_string(), None),
        }
    }
}

impl From<DescriptorError> for Fault {
    fn from(error: DescriptorError) -> Self {
        from_text(&error.to_string(), None)
    }
}

impl From<segue_storage::Error> for Fault {
    fn from(error: segue_storage::Error) -> Self {
        let again = "what is published stays; then run again";
        let (remedy, for_all) = match error.kind() {
            ErrorKind::Full => (format!("free space in the store or give it a larger disk; {again}"), true),
            ErrorKind::Unavailable => (format!("check that the store can be reached; {again}"), true),
            ErrorKind::Denied => (format!("check the store's credentials and permissions; {again}"), true),
            ErrorKind::Timeout => ("run again".to_owned(), false),
            _ => (String::new(), false),
        };
        let cause = error.source().map(|cause| format!(" ({cause})")).unwrap_or_default();
        let fault = from_text(&format!("{error}{cause}"), Some(remedy).filter(|remedy| !remedy.is_empty()));
        if for_all { fault.for_all() } else { fault }
    }
}

/// Takes a message of the form `place: reason` apart.
fn from_text(text: &str, remedy: Option<String>) -> Fault {
    let (place, reason) = text.split_once(": ").unwrap_or(("segue", text));
    Fault::Wrong { place: place.to_owned(), reason: reason.to_owned(), remedy, for_all: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_store_ends_the_batch_with_a_remedy() {
        let full = segue_storage::Error::new(ErrorKind::Full, "folder put a/b", "the disk is full");
        let fault = Fault::from(full);
        assert_eq!(fault.ends_batch().as_deref(), Some("storage (folder put a/b): the disk is full"));
        let failure = fault.into_failure(Path::new("x.flac")).unwrap();
        assert_eq!(
            (failure.place.as_str(), failure.reason.as_str()),
            ("storage (folder put a/b)", "the disk is full")
        );
        assert!(failure.remedy.unwrap().contains("free space"));
    }

    #[test]
    fn one_broken_file_does_not() {
        let broken = Fault::from(PackageError::Source(SourceError::new("flac (frame 3)", "is damaged")));
        assert_eq!(broken.ends_batch(), None);
        let slow = segue_storage::Error::new(ErrorKind::Timeout, "s3 put a/b", "no answer in 30 s");
        assert_eq!(Fault::from(slow).ends_batch(), None);
        assert_eq!(Fault::Stopped.into_failure(Path::new("x")), None);
    }

    #[test]
    fn every_cause_is_placed() {
        let scratch = Fault::from(PackageError::Scratch(io::Error::from(io::ErrorKind::StorageFull)));
        assert!(scratch.ends_batch().unwrap().starts_with("scratch: "));
        let failure = Fault::from(PackageError::Inconsistent("renditions are not cut alike"));
        let failure = failure.into_failure(Path::new("x")).unwrap();
        assert_eq!((failure.place.as_str(), failure.remedy), ("package", None));
    }
}
