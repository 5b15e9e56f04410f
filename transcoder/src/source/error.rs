//! The one error of this side: where, what, and what helps.

use std::fmt;
use std::io;

/// A source that cannot be published, in words for the person who owns the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceError {
    /// What was being read, and where in it: `flac (frame 1201)`, `mp4 (stsd)`, `file`.
    pub place: String,
    /// What is wrong, lowercase, without a full stop.
    pub reason: String,
    /// What the owner can do about it, if anything.
    pub remedy: Option<String>,
}

impl SourceError {
    /// An error without a remedy.
    pub fn new(place: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { place: place.into(), reason: reason.into(), remedy: None }
    }

    /// The same error with a remedy.
    #[must_use]
    pub fn with_remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// The source ends before its container says it does.
    pub(super) fn truncated(place: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::new(place, reason).with_remedy("the file is truncated; copy or download it again")
    }

    /// The operating system refused to open or read the file.
    pub(super) fn io(error: &io::Error) -> Self {
        let remedy = match error.kind() {
            io::ErrorKind::NotFound => Some("the file was moved or deleted; check the path"),
            io::ErrorKind::PermissionDenied => Some("give the user that runs segue read permission"),
            _ => None,
        };
        let refused = Self::new("file", format!("cannot be read: {error}"));
        remedy.map_or(refused.clone(), |text| refused.with_remedy(text))
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.reason)?;
        self.remedy.iter().try_for_each(|remedy| write!(f, "; {remedy}"))
    }
}

impl std::error::Error for SourceError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_as_one_line() {
        let plain = SourceError::new("wav (fmt)", "no channels");
        assert_eq!(plain.to_string(), "wav (fmt): no channels");
        assert_eq!(
            plain.with_remedy("export it again").to_string(),
            "wav (fmt): no channels; export it again"
        );
    }
}
