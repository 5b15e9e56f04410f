//! Songs in playlists: adding, moving, removing.
//!
//! Nothing is numbered anew, except where someone has gone to and fro into the same gap hundreds of times: then the
//! playlist's positions are spread out once.

use std::collections::{HashMap, HashSet};

use segue_manifests::AssetId;
use sqlx::AnyConnection;

use super::position::{MAX_TEXT, Position, between};
use super::standing::{Access, take, touch};
use super::{EntryId, MAX_ENTRIES, PlaylistError, PlaylistId, Playlists, Snapshot};
use crate::accounts::{Invalid, UserId};
use crate::catalog::{SongId, fixed};
use crate::database::{DatabaseError, bound, list, tuples};

/// Rows that are written with one statement.
const ROWS: usize = 500;
/// Behind every position.
const END: &str = "~";

/// An entry without its position.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    id: EntryId,
    song: Vec<u8>,
    duration_ms: i64,
    added_at: i64,
    added_by: Option<Vec<u8>>,
}

type DraftRow = (Vec<u8>, Vec<u8>, i64, i64, Option<Vec<u8>>);

impl TryFrom<DraftRow> for Draft {
    type Error = DatabaseError;

    fn try_from((id, song, duration_ms, added_at, added_by): DraftRow) -> Result<Self, DatabaseError> {
        let id = EntryId::from(fixed(&id, "entry_id")?);
        Ok(Self { id, song, duration_ms, added_at, added_by })
    }
}

/// Whose change it is, and what it rests on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct By {
    pub(crate) user: UserId,
    /// The version that was seen; with one, only that one is changed.
    pub(crate) version: Option<u64>,
    /// Milliseconds since the Unix epoch.
    pub(crate) now: u64,
}

impl Playlists {
    /// Adds songs before an entry, or at the end.
    ///
    /// # Errors
    /// [`PlaylistError::UnknownSongs`] where one is not in the catalog: then none is added.
    pub(crate) async fn add(
        &self,
        id: PlaylistId,
        songs: &[SongId],
        before: Option<EntryId>,
        by: By,
    ) -> Result<(Snapshot, Vec<EntryId>), PlaylistError> {
        let mut tx = self.database.begin_write().await?;
        let standing = take(&mut tx, id, by.user, Access::Edit, by.version).await?;
        if standing.song_count as usize + songs.len() > MAX_ENTRIES {
            return Err(PlaylistError::Full("10,000 songs"));
        }
        let drafts = drafts(&mut tx, songs, by).await?;
        place(&mut tx, id, &drafts, before).await?;
        let version = touch(&mut tx, id, drafts.len() as i64, duration(&drafts), by.now).await?;
        tx.commit().await?;
        Ok((Snapshot(version), drafts.iter().map(|it| it.id).collect()))
    }

    /// Moves entries, in the order given, before another one, or to the end.
    pub(crate) async fn move_entries(
        &self,
        id: PlaylistId,
        entries: &[EntryId],
        before: Option<EntryId>,
        by: By,
    ) -> Result<Snapshot, PlaylistError> {
        let among = before.is_some_and(|before| entries.contains(&before));
        if among || entries.iter().collect::<HashSet<_>>().len() < entries.len() {
            let reason = "each entry once, and not the one that they go before";
            return Err(Invalid { member: "entries", reason }.into());
        }
        let mut tx = self.database.begin_write().await?;
        take(&mut tx, id, by.user, Access::Edit, by.version).await?;
        let mut taken: HashMap<EntryId, Draft> =
            lift(&mut tx, id, entries).await?.into_iter().map(|it| (it.id, it)).collect();
        let drafts: Vec<Draft> = entries.iter().filter_map(|entry| taken.remove(entry)).collect();
        if drafts.len() < entries.len() {
            let there: HashSet<_> = drafts.iter().map(|it| it.id).collect();
            let missing = entries.iter().copied().filter(|entry| !there.contains(entry));
            return Err(PlaylistError::UnknownEntries(missing.collect()));
        }
        place(&mut tx, id, &drafts, before).await?;
        let version = touch(&mut tx, id, 0, 0, by.now).await?;
        tx.commit().await?;
        Ok(Snapshot(version))
    }

    /// Removes one entry.
    pub(crate) async fn remove_entry(
        &self,
        id: PlaylistId,
        entry: EntryId,
        by: By,
    ) -> Result<Snapshot, PlaylistError> {
        const SQL: &str =
            "DELETE FROM playlist_entries WHERE playlist_id = $1 AND entry_id = $2 RETURNING duration_ms";
        self.remove(id, SQL, entry.bytes(), "entry", by).await
    }

    /// Removes every entry of a song.
    pub(crate) async fn remove_song(
        &self,
        id: PlaylistId,
        song: SongId,
        by: By,
    ) -> Result<Snapshot, PlaylistError> {
        const SQL: &str =
            "DELETE FROM playlist_entries WHERE playlist_id = $1 AND song_id = $2 RETURNING duration_ms";
        self.remove(id, SQL, &song.0, "song", by).await
    }

    async fn remove(
        &self,
        id: PlaylistId,
        sql: &'static str,
        what: &[u8],
        kind: &'static str,
        by: By,
    ) -> Result<Snapshot, PlaylistError> {
        let mut tx = self.database.begin_write().await?;
        take(&mut tx, id, by.user, Access::Edit, by.version).await?;
        let gone: Vec<(i64,)> = sqlx::query_as(sql).bind(id.bytes()).bind(what).fetch_all(&mut *tx).await?;
        if gone.is_empty() {
            return Err(PlaylistError::Absent(kind));
        }
        let duration: i64 = gone.iter().map(|row| row.0).sum();
        let version = touch(&mut tx, id, -(gone.len() as i64), -duration, by.now).await?;
        tx.commit().await?;
        Ok(Snapshot(version))
    }
}

/// Entries for songs, as the catalog has them now.
pub(super) async fn drafts(
    db: &mut AnyConnection,
    songs: &[SongId],
    by: By,
) -> Result<Vec<Draft>, PlaylistError> {
    let durations = durations(db, songs).await?;
    let mut unknown: Vec<SongId> =
        songs.iter().copied().filter(|song| !durations.contains_key(song)).collect();
    if !unknown.is_empty() {
        let mut seen = HashSet::new();
        unknown.retain(|song| seen.insert(*song));
        return Err(PlaylistError::UnknownSongs(unknown));
    }
    let draft = |song: &SongId| Draft {
        id: EntryId::new(by.now),
        song: song.0.to_vec(),
        duration_ms: durations[song],
        added_at: by.now as i64,
        added_by: Some(by.user.bytes().to_vec()),
    };
    Ok(songs.iter().map(draft).collect())
}

/// How long the songs are that the catalog has, milliseconds.
pub(super) async fn durations(
    db: &mut AnyConnection,
    songs: &[SongId],
) -> Result<HashMap<SongId, i64>, DatabaseError> {
    let mut found = HashMap::new();
    for songs in songs.chunks(ROWS) {
        let sql = format!("SELECT id, duration_ms FROM songs WHERE id IN ({})", list(1, songs.len()));
        let mut query = sqlx::query_as::<_, (Vec<u8>, i64)>(bound(db, sql)).persistent(false);
        for song in songs {
            query = query.bind(&song.0[..]);
        }
        for (id, duration_ms) in query.fetch_all(&mut *db).await? {
            found.insert(AssetId(fixed(&id, "id")?), duration_ms);
        }
    }
    Ok(found)
}

pub(super) fn duration(drafts: &[Draft]) -> i64 {
    drafts.iter().map(|it| it.duration_ms).sum()
}

/// Takes entries out, to be placed elsewhere.
async fn lift(
    db: &mut AnyConnection,
    id: PlaylistId,
    entries: &[EntryId],
) -> Result<Vec<Draft>, DatabaseError> {
    let sql = format!(
        "DELETE FROM playlist_entries WHERE playlist_id = $1 AND entry_id IN ({})
         RETURNING entry_id, song_id, duration_ms, added_at, added_by",
        list(2, entries.len())
    );
    let mut query = sqlx::query_as::<_, DraftRow>(bound(db, sql)).persistent(false).bind(id.bytes());
    for entry in entries {
        query = query.bind(entry.bytes());
    }
    query.fetch_all(db).await?.into_iter().map(Draft::try_from).collect()
}

/// Puts entries, in their order, before that entry, or at the end.
pub(super) async fn place(
    db: &mut AnyConnection,
    id: PlaylistId,
    drafts: &[Draft],
    before: Option<EntryId>,
) -> Result<(), PlaylistError> {
    let mut positions = room(db, id, before, drafts.len()).await?;
    if positions.iter().any(|it| it.text().len() > MAX_TEXT) {
        spread(db, id).await?;
        positions = room(db, id, before, drafts.len()).await?;
    }
    insert(db, id, &positions, drafts).await?;
    Ok(())
}

/// Positions before that entry, or at the end.
async fn room(
    db: &mut AnyConnection,
    id: PlaylistId,
    before: Option<EntryId>,
    count: usize,
) -> Result<Vec<Position>, PlaylistError> {
    let high = match before {
        Some(entry) => Some(position_of(db, id, entry).await?),
        None => None,
    };
    let low: Option<(String,)> = sqlx::query_as(
        "SELECT position FROM playlist_entries WHERE playlist_id = $1 AND position < $2
         ORDER BY position DESC LIMIT 1",
    )
    .bind(id.bytes())
    .bind(high.as_deref().unwrap_or(END))
    .fetch_optional(db)
    .await?;
    let low = low.map(|(low,)| read(&low)).transpose()?;
    let high = high.map(|high| read(&high)).transpose()?;
    Ok(between(low.as_ref(), high.as_ref(), count))
}

async fn position_of(
    db: &mut AnyConnection,
    id: PlaylistId,
    entry: EntryId,
) -> Result<String, PlaylistError> {
    let found: Option<(String,)> =
        sqlx::query_as("SELECT position FROM playlist_entries WHERE playlist_id = $1 AND entry_id = $2")
            .bind(id.bytes())
            .bind(entry.bytes())
            .fetch_optional(db)
            .await?;
    found.map(|(position,)| position).ok_or_else(|| PlaylistError::UnknownEntries(vec![entry]))
}

fn read(position: &str) -> Result<Position, DatabaseError> {
    Position::read(position).ok_or(DatabaseError::Column("position"))
}

/// Gives every entry a short position again.
async fn spread(db: &mut AnyConnection, id: PlaylistId) -> Result<(), DatabaseError> {
    let rows: Vec<DraftRow> = sqlx::query_as(
        "SELECT entry_id, song_id, duration_ms, added_at, added_by FROM playlist_entries
         WHERE playlist_id = $1 ORDER BY position, entry_id",
    )
    .bind(id.bytes())
    .fetch_all(&mut *db)
    .await?;
    let drafts: Vec<Draft> = rows.into_iter().map(Draft::try_from).collect::<Result<_, _>>()?;
    sqlx::query("DELETE FROM playlist_entries WHERE playlist_id = $1")
        .bind(id.bytes())
        .execute(&mut *db)
        .await?;
    insert(db, id, &between(None, None, drafts.len()), &drafts).await
}

async fn insert(
    db: &mut AnyConnection,
    id: PlaylistId,
    positions: &[Position],
    drafts: &[Draft],
) -> Result<(), DatabaseError> {
    for (positions, drafts) in positions.chunks(ROWS).zip(drafts.chunks(ROWS)) {
        let sql = format!(
            "INSERT INTO playlist_entries (playlist_id, position, entry_id, song_id, duration_ms, added_at, added_by)
             VALUES {}",
            tuples(drafts.len(), 7)
        );
        let mut query = sqlx::query(bound(db, sql)).persistent(false);
        for (position, draft) in positions.iter().zip(drafts) {
            query = query
                .bind(id.bytes())
                .bind(position.text())
                .bind(draft.id.bytes())
                .bind(&draft.song[..])
                .bind(draft.duration_ms)
                .bind(draft.added_at)
                .bind(draft.added_by.as_deref());
        }
        query.execute(&mut *db).await?;
    }
    Ok(())
}
