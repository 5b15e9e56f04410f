//! Why a track could not be packed.

use std::io;

use crate::cmaf::CmafError;
use crate::encode::EncodeError;
use crate::source::SourceError;

/// Packing failed; nothing was published.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PackageError {
    /// The source could not be decoded.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The encoder refused.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// A box could not be written.
    #[error(transparent)]
    Cmaf(#[from] CmafError),
    /// Temporary files could not be written, or a thread not be started.
    #[error("scratch: {0}")]
    Scratch(#[source] io::Error),
    /// The source holds no sample.
    #[error("source: holds no audio")]
    Empty,
    /// The ladder has no rung.
    #[error("ladder: has no rungs")]
    NoLadder,
    /// Encoders disagreed with one another or with their own figures.
    #[error("package: {0}")]
    Inconsistent(&'static str),
    /// An encoder thread panicked.
    #[error("encoder: crashed: {0}")]
    Crashed(String),
    /// Somebody asked to stop.
    #[error("package: stopped")]
    Stopped,
}
