//! Changes of one transaction. What many songs share is written once, at its end.

use std::collections::{BTreeMap, HashMap};

use segue_manifests::AssetId;
use sqlx::AnyConnection;

use super::ahead::Ahead;
use super::songs::SongWrite;
use super::tally::Tally;
use crate::catalog::credits::Credits;
use crate::catalog::ids::{AlbumId, ArtistId};
use crate::catalog::mbid::Mbid;
use crate::catalog::tags::NamedAlbum;

/// Rows that one statement writes or names.
pub(super) const ROWS: usize = 500;

/// Credits of a song that are still to be written, and the title that its artists list it by.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) credits: Credits,
    /// `None` for a song that is taken down.
    pub(super) title_folded: Option<String>,
}

/// A transaction on the catalog, which must have no other beside it; [`Batch::finish`] ends the changes.
pub(in crate::catalog) struct Batch<'c> {
    pub(in crate::catalog) db: &'c mut AnyConnection,
    pub(super) now: u64,
    pub(super) tally: Tally,
    pub(super) ahead: Ahead,
    /// Songs that are still to be written.
    pub(super) songs: Vec<SongWrite>,
    pub(super) pending: BTreeMap<AssetId, Pending>,
    /// Artists that were read or written, as they are spelled.
    pub(super) artists: HashMap<ArtistId, (String, Option<Mbid>)>,
    /// Albums that were written, as the tags named them, and what they became.
    pub(super) albums: HashMap<AlbumId, (NamedAlbum, AlbumId)>,
}

impl<'c> Batch<'c> {
    /// Changes by that connection. `now` is in milliseconds since the Unix epoch.
    pub(in crate::catalog) fn new(db: &'c mut AnyConnection, now: u64) -> Self {
        Self {
            db,
            now,
            tally: Tally::default(),
            ahead: Ahead::default(),
            songs: Vec::new(),
            pending: BTreeMap::new(),
            artists: HashMap::new(),
            albums: HashMap::new(),
        }
    }
}
