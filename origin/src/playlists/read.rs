//! Reading playlists and their songs.

use std::collections::HashSet;

use sqlx::any::AnyRow;
use sqlx::{FromRow, Row as _};

use super::model::{Entry, EntryPlace, Newest, Person, Playlist};
use super::position::Position;
use super::standing::{Access, access, find};
use super::{EntryId, PlaylistError, PlaylistId, Playlists, Snapshot};
use crate::accounts::UserId;
use crate::catalog::cursor::{self, NamePlace};
use crate::catalog::{
    self, BadCursor, ByName, Page, Song, SongRow, Time, Window, by_name, fixed, row, song_columns,
};
use crate::database::{DatabaseError, bound, list};

/// What a [`PlaylistRow`] is read from: a playlist `p` and its owner `u`. The cover is that of the first song.
macro_rules! playlist_columns {
    () => {
        "p.id, p.owner_id, u.username AS owner_username, u.name AS owner_name, p.name, p.name_folded,
         p.description, p.visibility, p.song_count, p.duration_ms, p.version, p.created_at, p.updated_at,
         (SELECT s.cover_sha256 FROM songs s WHERE s.id = (
             SELECT e.song_id FROM playlist_entries e WHERE e.playlist_id = p.id
             ORDER BY e.position, e.entry_id LIMIT 1)) AS cover_sha256"
    };
}

/// A query for public playlists by name.
macro_rules! public_sql {
    ($ids:expr) => {
        concat!(
            "SELECT ",
            playlist_columns!(),
            " FROM (",
            $ids,
            ") chosen JOIN playlists p ON p.id = chosen.id
             JOIN users u ON u.id = p.owner_id ORDER BY p.name_folded, p.id"
        )
    };
}

pub(super) const PUBLIC: ByName =
    by_name!(public_sql, "playlists WHERE visibility = 'public' AND", "name_folded", "playlist");

const ONE: &str = concat!(
    "SELECT ",
    playlist_columns!(),
    ", (SELECT COUNT(*) FROM playlist_collaborators c WHERE c.playlist_id = p.id AND c.user_id = $2) AS collaborates
     FROM playlists p JOIN users u ON u.id = p.owner_id WHERE p.id = $1"
);

/// Own ones and those that one works on.
pub(super) const OWN: &str = concat!(
    "SELECT ",
    playlist_columns!(),
    " FROM (SELECT id FROM (
                SELECT id FROM playlists WHERE owner_id = $2 AND id < $3 ORDER BY id DESC LIMIT $1) own
            UNION ALL
            SELECT id FROM (
                SELECT playlist_id AS id FROM playlist_collaborators WHERE user_id = $2 AND playlist_id < $3
                ORDER BY playlist_id DESC LIMIT $1) theirs
            ORDER BY id DESC LIMIT $1) page
     JOIN playlists p ON p.id = page.id JOIN users u ON u.id = p.owner_id ORDER BY p.id DESC"
);

/// What one shows to everyone.
pub(super) const SHOWN: &str = concat!(
    "SELECT ",
    playlist_columns!(),
    " FROM (SELECT * FROM playlists WHERE visibility = 'public' AND owner_id = $2 AND id < $3
            ORDER BY id DESC LIMIT $1) p
     JOIN users u ON u.id = p.owner_id ORDER BY p.id DESC"
);

/// Songs are joined to the rows of one page alone.
pub(super) const ENTRIES: &str = concat!(
    "SELECT e.position, e.entry_id, e.added_at AS entry_added_at, e.added_by, ",
    song_columns!(),
    " FROM (SELECT * FROM playlist_entries WHERE playlist_id = $2 AND (position, entry_id) > ($3, $4)
            ORDER BY position, entry_id LIMIT $1) e
     JOIN songs s ON s.id = e.song_id
     JOIN artists ON artists.id = s.artist_id
     LEFT JOIN albums ON albums.id = s.album_id
     ORDER BY e.position, e.entry_id"
);

row! {
    struct PlaylistRow {
        id: Vec<u8>,
        owner_id: Vec<u8>,
        owner_username: String,
        owner_name: String,
        name: String,
        name_folded: String,
        description: String,
        visibility: String,
        song_count: i64,
        duration_ms: i64,
        version: i64,
        created_at: i64,
        updated_at: i64,
        cover_sha256: Option<Vec<u8>>,
    }
}

impl PlaylistRow {
    /// What the row means for someone.
    fn playlist(self, caller: Option<UserId>) -> Result<Playlist, DatabaseError> {
        let owner = UserId::from(fixed(&self.owner_id, "owner_id")?);
        Ok(Playlist {
            id: PlaylistId::from(fixed(&self.id, "id")?),
            name: self.name,
            name_folded: self.name_folded,
            description: self.description,
            visibility: self.visibility.parse().map_err(|()| DatabaseError::Column("visibility"))?,
            owner: Person { id: owner, username: self.owner_username, name: self.owner_name },
            song_count: self.song_count as u64,
            duration_ms: self.duration_ms as u64,
            cover: catalog::cover(self.cover_sha256)?,
            snapshot: Snapshot(self.version as u64),
            editable: caller == Some(owner),
            created_at: Time(self.created_at as u64),
            updated_at: Time(self.updated_at as u64),
        })
    }
}

/// A playlist, and whether the caller works on it.
struct OneRow(PlaylistRow, bool);

impl FromRow<'_, AnyRow> for OneRow {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        Ok(Self(PlaylistRow::from_row(row)?, row.try_get::<i64, _>("collaborates")? > 0))
    }
}

row! {
    struct PlaceRow {
        position: String,
        entry_id: Vec<u8>,
        entry_added_at: i64,
        added_by: Option<Vec<u8>>,
    }
}

struct EntryRow(PlaceRow, SongRow);

impl FromRow<'_, AnyRow> for EntryRow {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        Ok(Self(PlaceRow::from_row(row)?, SongRow::from_row(row)?))
    }
}

impl TryFrom<EntryRow> for Entry {
    type Error = DatabaseError;

    fn try_from(EntryRow(place, song): EntryRow) -> Result<Self, DatabaseError> {
        let added_by = place.added_by.map(|id| fixed(&id, "added_by").map(UserId::from)).transpose()?;
        Ok(Self {
            entry_id: EntryId::from(fixed(&place.entry_id, "entry_id")?),
            position: place.position,
            added_at: Time(place.entry_added_at as u64),
            added_by,
            song: Song::try_from(song)?,
        })
    }
}

impl Playlists {
    /// One playlist.
    pub(crate) async fn one(
        &self,
        id: PlaylistId,
        caller: Option<UserId>,
    ) -> Result<Playlist, PlaylistError> {
        let row: Option<OneRow> = sqlx::query_as(ONE)
            .bind(id.bytes())
            .bind(caller.unwrap_or(UserId::GUEST).bytes())
            .fetch_optional(self.database.fresh())
            .await?;
        let Some(OneRow(row, collaborates)) = row else { return Err(PlaylistError::Unknown) };
        let mut playlist = row.playlist(caller)?;
        match access(caller, playlist.owner.id, playlist.visibility, collaborates) {
            Access::None => return Err(PlaylistError::Unknown),
            access => playlist.editable = access >= Access::Edit,
        }
        Ok(playlist)
    }

    /// Public playlists, by folded name.
    pub(crate) async fn public(
        &self,
        window: &Window,
        caller: Option<UserId>,
    ) -> Result<Page<Playlist>, PlaylistError> {
        let from = cursor::read("playlists", window.cursor.as_deref())?;
        let rows: Vec<PlaylistRow> = PUBLIC.read(&self.database, window, from).await?;
        let place = |it: &Playlist| NamePlace(it.name_folded.clone(), it.id.into());
        let mut page = window.page("playlists", read_all(rows, caller)?, place);
        self.mark(&mut page.items, caller).await?;
        Ok(page)
    }

    /// The playlists of an account, the newest first: for itself all that it can change, for others the public ones.
    pub(crate) async fn of_user(
        &self,
        user: UserId,
        window: &Window,
        caller: Option<UserId>,
    ) -> Result<Page<Playlist>, PlaylistError> {
        let own = caller == Some(user);
        let kind = if own { "own-playlists" } else { "shown-playlists" };
        let Newest(behind) = cursor::read(kind, window.cursor.as_deref())?;
        let rows: Vec<PlaylistRow> = sqlx::query_as(if own { OWN } else { SHOWN })
            .bind(window.rows())
            .bind(user.bytes())
            .bind(&behind.0[..])
            .fetch_all(self.database.fresh())
            .await?;
        let mut page = window.page(kind, read_all(rows, caller)?, |it| Newest(it.id.into()));
        if own {
            page.items.iter_mut().for_each(|it| it.editable = true);
        } else {
            self.mark(&mut page.items, caller).await?;
        }
        Ok(page)
    }

    /// Marks the playlists of others that the caller works on.
    async fn mark(&self, items: &mut [Playlist], caller: Option<UserId>) -> Result<(), DatabaseError> {
        let Some(caller) = caller.filter(|_| !items.is_empty()) else { return Ok(()) };
        let sql = format!(
            "SELECT playlist_id FROM playlist_collaborators WHERE user_id = $1 AND playlist_id IN ({})",
            list(2, items.len())
        );
        let mut db = self.database.fresh().acquire().await?;
        let query = sqlx::query_as::<_, (Vec<u8>,)>(bound(&db, sql)).persistent(false).bind(caller.bytes());
        let query = items.iter().fold(query, |query, it| query.bind(it.id.bytes().to_vec()));
        let rows = query.fetch_all(&mut *db).await?;
        let theirs: HashSet<Vec<u8>> = rows.into_iter().map(|(id,)| id).collect();
        for it in items.iter_mut().filter(|it| theirs.contains(it.id.bytes())) {
            it.editable = true;
        }
        Ok(())
    }

    /// The songs of a playlist, in order.
    pub(crate) async fn entries(
        &self,
        id: PlaylistId,
        window: &Window,
        caller: Option<UserId>,
    ) -> Result<Page<Entry>, PlaylistError> {
        let from: EntryPlace = cursor::read("entries", window.cursor.as_deref())?;
        if window.cursor.is_some() && Position::read(&from.0).is_none() {
            return Err(BadCursor.into());
        }
        let mut db = self.database.fresh().acquire().await?;
        find(&mut db, id, caller).await?.ok_or(PlaylistError::Unknown)?;
        let rows: Vec<EntryRow> = sqlx::query_as(ENTRIES)
            .bind(window.rows())
            .bind(id.bytes())
            .bind(&from.0)
            .bind(from.1.bytes())
            .fetch_all(&mut *db)
            .await?;
        let items = rows.into_iter().map(Entry::try_from).collect::<Result<Vec<_>, _>>()?;
        Ok(window.page("entries", items, |it| EntryPlace(it.position.clone(), it.entry_id)))
    }
}

fn read_all(rows: Vec<PlaylistRow>, caller: Option<UserId>) -> Result<Vec<Playlist>, DatabaseError> {
    rows.into_iter().map(|row| row.playlist(caller)).collect()
}
