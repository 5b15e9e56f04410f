//! HLS playlists (draft-pantos-hls-rfc8216bis), audio on demand: model, writer, reader, and how they follow from
//! a descriptor.
//!
//! Two forms come from one model: byte ranges into packed objects, so that the bucket alone is playable, and one
//! URL per segment for players.

mod attributes;
mod media;
mod multivariant;
mod render;

pub use media::{ByteRange, Map, MediaPlaylist, Segment};
pub use multivariant::{MultivariantPlaylist, Variant};
pub use render::{Form, media, multivariant, static_multivariant};

/// Longest playlist text that is read, bytes: a day of segments with long URLs stays far below.
pub const MAX_TEXT: usize = 8 << 20;

/// A playlist that cannot be read; lines count from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("playlist (line {line}): {what}")]
pub struct PlaylistError {
    /// Where, 0 for the whole text.
    pub line: usize,
    /// What is wrong there.
    pub what: &'static str,
}

fn error(line: usize, what: &'static str) -> PlaylistError {
    PlaylistError { line, what }
}

/// Non-empty lines with their numbers, `#EXTM3U` checked and taken off.
fn lines(text: &str) -> Result<impl Iterator<Item = (usize, &str)>, PlaylistError> {
    if text.len() > MAX_TEXT {
        return Err(error(0, "the text is too long"));
    }
    let mut all = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim_end()));
    match all.next() {
        Some((_, "#EXTM3U")) => Ok(all.filter(|(_, line)| !line.is_empty())),
        _ => Err(error(1, "does not begin with #EXTM3U")),
    }
}
