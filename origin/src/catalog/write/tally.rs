//! What a transaction adds to counts, and what it may have left empty.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::ids::{AlbumId, ArtistId, GroupId};

/// Songs and their length, milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Amount {
    pub(super) songs: i64,
    pub(super) duration_ms: i64,
}

/// Written once at the end, however many songs of an artist or album come and go.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) albums: BTreeMap<AlbumId, Amount>,
    /// Songs and albums that an artist's page lists.
    pub(super) artists: BTreeMap<ArtistId, (i64, i64)>,
    /// Albums that artists' pages may have to list anew.
    pub(super) relist: BTreeSet<AlbumId>,
    pub(super) left_albums: BTreeSet<AlbumId>,
    pub(super) left_artists: BTreeSet<ArtistId>,
    pub(super) left_groups: BTreeSet<GroupId>,
}

impl Tally {
    pub(super) fn count_album(&mut self, album: AlbumId, songs: i64, duration_ms: i64) {
        let amount = self.albums.entry(album).or_default();
        amount.songs += songs;
        amount.duration_ms += duration_ms * songs;
    }

    pub(super) fn count_song_of(&mut self, artist: ArtistId, songs: i64) {
        self.artists.entry(artist).or_default().0 += songs;
    }

    pub(super) fn count_album_of(&mut self, artist: ArtistId, albums: i64) {
        self.artists.entry(artist).or_default().1 += albums;
    }
}
