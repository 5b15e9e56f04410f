//! Source files: what they are, their tags and artwork, and their sound as PCM.

mod error;

use std::path::Path;

use segue_manifests::{AssetId, Source, Tags};

pub use error::SourceError;

/// What a source file holds, found in one pass over its packets and without decoding them.
#[derive(Debug, Clone, PartialEq)]
pub struct Identity {
    /// First 128 bits of a SHA-256 over coded packets and codec parameters; tags do not enter it.
    pub asset: AssetId,
    /// Tags, with the title falling back to the file's stem.
    pub tags: Tags,
    /// Front cover, embedded or beside the file.
    pub artwork: Option<Artwork>,
    /// Coding, sample rate, channels and depth of the source.
    pub source: Source,
    /// Shape of what [`PcmReader`] will deliver.
    pub pcm: PcmSpec,
}

/// Shape of decoded sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PcmSpec {
    /// Samples a second of one channel: 44,100 or 48,000.
    pub sample_rate: u32,
    /// Channels, 1 or 2.
    pub channels: u8,
}

/// Artwork as it will be published.
#[derive(Clone, PartialEq, Eq)]
pub struct Artwork {
    /// The image file.
    pub bytes: Vec<u8>,
    /// `jpg` or `png`.
    pub extension: &'static str,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

impl std::fmt::Debug for Artwork {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Artwork({} {}x{}, {} bytes)", self.extension, self.width, self.height, self.bytes.len())
    }
}

/// Finds out what the file at `path` is: its identity, tags, artwork and shape.
///
/// # Errors
/// When the file cannot be read, is not supported audio, is protected, or ends before its container says.
pub fn identify(_path: &Path) -> Result<Identity, SourceError> {
    Err(SourceError::new("source", "reading is not wired yet"))
}

/// Streams the sound of a source as interleaved 16-bit samples at the rate of [`PcmSpec`].
pub struct PcmReader {
    spec: PcmSpec,
}

impl PcmReader {
    /// Opens the file at `path` for decoding.
    ///
    /// # Errors
    /// As [`identify`].
    pub fn open(path: &Path) -> Result<Self, SourceError> {
        let pcm = identify(path)?.pcm;
        Ok(Self { spec: pcm })
    }

    /// Shape of the samples.
    pub fn spec(&self) -> PcmSpec {
        self.spec
    }

    /// The next interleaved samples, never empty; `None` at the end.
    ///
    /// # Errors
    /// When a packet is damaged or the source ends early.
    pub fn next_chunk(&mut self) -> Result<Option<Vec<i16>>, SourceError> {
        Ok(None)
    }
}
