//! Identifiers of playlists and of their entries.

use crate::ids::{id_type, timed_id};

id_type!(
    /// Names a playlist; the later made, the greater.
    PlaylistId
);
id_type!(
    /// Names one place of a song in a playlist; the same song twice has two.
    EntryId
);

impl PlaylistId {
    /// A new one.
    pub(crate) fn new(now_ms: u64) -> Self {
        timed_id(now_ms).into()
    }
}

impl EntryId {
    /// A new one.
    pub(crate) fn new(now_ms: u64) -> Self {
        timed_id(now_ms).into()
    }
}
