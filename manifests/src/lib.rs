//! The contract that Segue's tiers share: what an asset is, how its playlists read, where its objects lie,
//! and who may fetch them.
//!
//! Pure by design: no IO, no async, no clock. Where time matters it is a parameter, in seconds since the Unix epoch.
#![forbid(unsafe_code)]

mod cache;
mod descriptor;
mod ids;
mod ladder;
mod media_path;
mod object_key;
pub mod path;
pub mod playlists;
pub mod token;
pub mod trace_context;

pub use cache::{CacheLifetime, PLAYLIST_TYPE, SEGMENT_TYPE};
pub use descriptor::{
    Cover, Descriptor, DescriptorError, InitSegment, Loudness, Packed, SegmentRef, Source, Tags, VERSION,
};
pub use ids::{AssetId, IdError, RenditionName, Rev, Sha256};
pub use ladder::{Ladder, Rung};
pub use media_path::MediaPath;
pub use object_key::ObjectKey;
