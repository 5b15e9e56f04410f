//! Source files: what they are, their tags and artwork, and their sound as PCM.
//!
//! ```text
//! path -> region (tags cut off) -> sniff -> demux -+-> hash --------------------------> asset id
//!                                                  +-> decode -> mix -> trim -> resample -> quantise -> PCM
//! path -> tags, artwork
//! ```
//!
//! Foreign bytes are read here and nowhere else; every parser is bounded in memory and time, and a panic in a
//! third-party one fails its file alone.

mod adts;
mod artwork;
mod decode;
mod demux;
mod error;
mod guard;
mod identify;
mod limits;
mod mix;
mod mp4;
mod mpeg;
mod pcm;
mod quantise;
mod region;
mod resample;
mod riff;
mod sniff;
mod tags;
mod trim;

use segue_manifests::{AssetId, Source, Tags};

pub use artwork::Artwork;
pub use error::SourceError;
pub use identify::identify;
pub use pcm::PcmReader;

/// What a source file holds, found in one pass over its packets; only the first few of them are decoded.
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
