//! A fence around third-party parsers: a panic in one of them fails the file, not the ingest.

use std::panic::{AssertUnwindSafe, catch_unwind};

use symphonia::core::errors::Error;

use super::SourceError;

/// Runs `work`; a panic becomes an error.
///
/// What `work` touched must not be used again after an error, which holds here since errors end the reading.
///
/// # Errors
/// Those of `work`, or one that says that the reader failed.
pub(super) fn guarded<T>(
    place: &str,
    work: impl FnOnce() -> Result<T, SourceError>,
) -> Result<T, SourceError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        let failed = SourceError::new(place, "the reader failed on this file, which is probably damaged");
        Err(failed.with_remedy("check it with another program, and report it if it plays there"))
    })
}

/// Puts symphonia's error into the owner's words.
pub(super) fn explained(place: String, error: &Error) -> SourceError {
    match error {
        Error::IoError(io) if io.kind() == std::io::ErrorKind::UnexpectedEof => {
            SourceError::truncated(place, "the file ends too early")
        }
        Error::IoError(io) => SourceError::io(io),
        Error::DecodeError(what) => {
            SourceError::new(place, format!("damaged: {what}")).with_remedy("copy or download the file again")
        }
        Error::Unsupported(what) => SourceError::new(place, format!("not supported: {what}"))
            .with_remedy("convert it to FLAC and add that"),
        Error::LimitError(what) => SourceError::new(place, format!("over a limit: {what}")),
        Error::ResetRequired => SourceError::new(place, "holds several streams one after another")
            .with_remedy("split it into one file for each piece"),
        other => SourceError::new(place, other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panics_become_errors() {
        let error = guarded("flac", || -> Result<(), _> { panic!("overflow") }).unwrap_err();
        assert!(error.to_string().starts_with("flac: the reader failed"));
        assert_eq!(guarded("flac", || Ok(1)), Ok(1));
    }
}
