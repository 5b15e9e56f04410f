//! Where identities and sound come from; tests put their own in its place.

use std::fmt::Debug;
use std::path::Path;

use crate::package::PcmSource;
use crate::source::{self, Identity, PcmReader, SourceError};

/// Reads source files.
pub(super) trait Sources: Debug + Send + Sync {
    /// What the file is.
    fn identify(&self, path: &Path) -> Result<Identity, SourceError>;
    /// Its sound.
    fn open(&self, path: &Path) -> Result<Box<dyn PcmSource>, SourceError>;
}

/// Files on disk.
#[derive(Debug)]
pub(super) struct Files;

impl Sources for Files {
    fn identify(&self, path: &Path) -> Result<Identity, SourceError> {
        source::identify(path)
    }

    fn open(&self, path: &Path) -> Result<Box<dyn PcmSource>, SourceError> {
        Ok(Box::new(PcmReader::open(path)?))
    }
}
