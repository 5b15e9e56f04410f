//! What the API shows of the catalog.

use segue_manifests::{RenditionName, Rev, Sha256};
use serde::{Serialize, Serializer};

use super::ids::{AlbumId, ArtistId, SongId};
use crate::clock;

/// A page of a list.
#[derive(Debug, Serialize)]
pub(crate) struct Page<T> {
    /// In the list's order.
    pub(crate) items: Vec<T>,
    /// Where the next page begins; `null` on the last one.
    pub(crate) next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// Cuts what was read, one more than wanted where there is more, and says where to go on.
    pub(crate) fn cut(mut items: Vec<T>, limit: u32, cursor: impl FnOnce(&T) -> String) -> Self {
        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        Self { next_cursor: items.last().filter(|_| more).map(cursor), items }
    }

    /// All that there is.
    pub(crate) fn whole(items: Vec<T>) -> Self {
        Self { items, next_cursor: None }
    }
}

/// An artist as songs and albums name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ArtistRef {
    pub(crate) id: ArtistId,
    pub(crate) name: String,
}

/// An album as songs name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct AlbumRef {
    pub(crate) id: AlbumId,
    pub(crate) title: String,
}

/// Artwork, shown as the path that it is served on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CoverRef(pub(crate) Sha256);

impl Serialize for CoverRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("/covers/{}", self.0))
    }
}

/// A time, milliseconds since the Unix epoch, shown in ISO 8601 to the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Time(pub(crate) u64);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&clock::iso(self.0 / 1000))
    }
}

/// A song.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Song {
    pub(crate) id: SongId,
    /// The current packaging; not shown, players learn it from the manifest URL.
    #[serde(skip)]
    pub(crate) rev: Rev,
    pub(crate) title: String,
    #[serde(skip)]
    pub(crate) title_folded: String,
    /// The first of those credited.
    pub(crate) artist: ArtistRef,
    /// All of them in one line.
    pub(crate) artist_credit: String,
    pub(crate) album: Option<AlbumRef>,
    pub(crate) track_number: Option<u32>,
    pub(crate) disc_number: Option<u32>,
    #[serde(skip)]
    pub(crate) places: (i64, i64),
    pub(crate) duration_ms: u64,
    pub(crate) cover: Option<CoverRef>,
    /// Lowest bit rate first.
    pub(crate) renditions: Vec<RenditionName>,
    /// The recording's code (ISO 3901).
    pub(crate) isrc: Option<String>,
    pub(crate) added_at: Time,
}

/// An album.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Album {
    pub(crate) id: AlbumId,
    pub(crate) title: String,
    #[serde(skip)]
    pub(crate) title_folded: String,
    /// The first album artist.
    pub(crate) artist: ArtistRef,
    /// All of them in one line.
    pub(crate) artist_credit: String,
    /// `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.
    pub(crate) date: Option<String>,
    pub(crate) song_count: u64,
    pub(crate) duration_ms: u64,
    pub(crate) cover: Option<CoverRef>,
}

/// An artist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Artist {
    pub(crate) id: ArtistId,
    pub(crate) name: String,
    #[serde(skip)]
    pub(crate) name_folded: String,
    /// Albums credited to this artist.
    pub(crate) album_count: u64,
    /// Songs credited to this artist for performing.
    pub(crate) song_count: u64,
    pub(crate) cover: Option<CoverRef>,
}

/// How much there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Totals {
    pub(crate) songs: u64,
    pub(crate) albums: u64,
    pub(crate) artists: u64,
}
