//! Writing albums.

use sqlx::AnyConnection;

use super::Batch;
use crate::catalog::credits::Credits;
use crate::catalog::edits::AlbumEdits;
use crate::catalog::ids::{AlbumId, GroupId};
use crate::catalog::mbid::Mbid;
use crate::catalog::rows::{fixed, mbid_of, row};
use crate::catalog::tags::{Name, NamedAlbum};
use crate::database::{DatabaseError, bound, tuples};

/// What the database says of an album, there or not.
#[derive(Debug, Clone, Default)]
pub(in crate::catalog) struct AlbumState {
    /// `None` when there is no such album.
    pub(in crate::catalog) row: Option<Standing>,
    /// What curators set; it outlives the album.
    pub(in crate::catalog) edits: AlbumEdits,
}

/// An album as it stands before a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::catalog) struct Standing {
    pub(in crate::catalog) title: String,
    pub(in crate::catalog) date: String,
    pub(in crate::catalog) release: Option<Mbid>,
    pub(in crate::catalog) group: GroupId,
    pub(in crate::catalog) disc_total: Option<u32>,
    pub(in crate::catalog) made: bool,
}

row! {
    struct StateRow {
        id: Vec<u8>,
        title: Option<String>,
        release_date: Option<String>,
        mb_id: Option<Vec<u8>>,
        release_group_id: Option<Vec<u8>>,
        disc_total: Option<i64>,
        made: Option<i64>,
        edited_title: Option<String>,
        edited_artist: Option<String>,
        edited_date: Option<String>,
        edited_group: Option<Vec<u8>>,
    }
}

/// What there is of that album.
pub(in crate::catalog) async fn state(
    db: &mut AnyConnection,
    id: AlbumId,
) -> Result<AlbumState, DatabaseError> {
    Ok(states(db, &[id.bytes()]).await?.pop().map(|(_, state)| state).unwrap_or_default())
}

/// What there is of these albums.
pub(super) async fn states(
    db: &mut AnyConnection,
    ids: &[&[u8]],
) -> Result<Vec<(AlbumId, AlbumState)>, DatabaseError> {
    let sql = format!(
        "SELECT k.column1 AS id, a.title, a.release_date, a.mb_id, a.release_group_id, a.disc_total, a.made,
             e.title AS edited_title, e.artist AS edited_artist, e.release_date AS edited_date,
             e.release_group_id AS edited_group
         FROM (VALUES {}) k LEFT JOIN albums a ON a.id = k.column1
         LEFT JOIN album_edits e ON e.album_id = k.column1",
        tuples(ids.len(), 1)
    );
    let mut query = sqlx::query_as(bound(db, sql)).persistent(false);
    for id in ids {
        query = query.bind(*id);
    }
    let rows: Vec<StateRow> = query.fetch_all(db).await?;
    rows.into_iter().map(|row| Ok((fixed::<16>(&row.id, "id")?.into(), row.state()?))).collect()
}

impl StateRow {
    fn state(self) -> Result<AlbumState, DatabaseError> {
        let group = |id: Option<Vec<u8>>| {
            id.map(|id| fixed::<16>(&id, "release_group_id").map(GroupId::from)).transpose()
        };
        let edits = AlbumEdits {
            title: self.edited_title,
            artist: self.edited_artist,
            date: self.edited_date,
            release_group: group(self.edited_group)?,
        };
        let Some(title) = self.title else { return Ok(AlbumState { row: None, edits }) };
        let standing = Standing {
            title,
            date: self.release_date.unwrap_or_default(),
            release: mbid_of(self.mb_id)?,
            group: group(self.release_group_id)?.ok_or(DatabaseError::Column("release_group_id"))?,
            disc_total: self.disc_total.map(|n| n as u32),
            made: self.made == Some(1),
        };
        Ok(AlbumState { row: Some(standing), edits })
    }
}

/// An album as it is to stand.
pub(in crate::catalog) struct Wanted {
    pub(in crate::catalog) title: Name,
    /// `None` when they stay.
    pub(in crate::catalog) credits: Option<Credits>,
    pub(in crate::catalog) date: String,
    pub(in crate::catalog) release: Option<Mbid>,
    pub(in crate::catalog) group: (GroupId, Option<Mbid>),
    pub(in crate::catalog) disc_total: Option<u32>,
    pub(in crate::catalog) made: bool,
}

impl Wanted {
    /// What tags and curators say together. Tags of a new song fill gaps, those of a retagged one replace.
    fn of(named: &NamedAlbum, state: &AlbumState, retagged: bool) -> Self {
        let edits = &state.edits;
        let own_group = (GroupId::of(named.id, named.release_group), named.release_group);
        let set_group = edits.release_group.map(|id| (id, None));
        let title = edits.title.as_deref().and_then(Name::of);
        let credits = edits.credits().unwrap_or_else(|| named.credits.clone());
        let Some(row) = &state.row else {
            return Self {
                title: title.unwrap_or_else(|| named.title.clone()),
                credits: Some(credits),
                date: edits.date.clone().unwrap_or_else(|| named.date.clone()),
                release: named.release,
                group: set_group.unwrap_or(own_group),
                disc_total: named.disc_total,
                made: false,
            };
        };
        let standing = || Name::of(&row.title).unwrap_or_else(|| named.title.clone());
        let newer = |old: bool, new: bool| new && (retagged || !old);
        let date = if newer(!row.date.is_empty(), !named.date.is_empty()) { &named.date } else { &row.date };
        let known_group = row.group != GroupId::of(named.id, None);
        let group = if newer(known_group, own_group.1.is_some()) { own_group } else { (row.group, None) };
        Self {
            title: title.unwrap_or_else(|| if retagged { named.title.clone() } else { standing() }),
            credits: retagged.then_some(credits),
            date: edits.date.clone().unwrap_or_else(|| date.clone()),
            release: if retagged { named.release.or(row.release) } else { row.release.or(named.release) },
            group: set_group.unwrap_or(group),
            disc_total: if newer(row.disc_total.is_some(), named.disc_total.is_some()) {
                named.disc_total
            } else {
                row.disc_total
            },
            made: row.made,
        }
    }

    fn is(&self, row: &Standing) -> bool {
        self.credits.is_none()
            && self.title.shown == row.title
            && self.date == row.date
            && self.release == row.release
            && self.group.0 == row.group
            && self.disc_total == row.disc_total
    }
}

impl Batch<'_> {
    /// Adds the album that tags name, or brings it up to date; answers which it is. Two releases that MusicBrainz tells
    /// apart are two albums.
    pub(super) async fn put_album(
        &mut self,
        named: &NamedAlbum,
        retagged: bool,
    ) -> Result<AlbumId, DatabaseError> {
        if let Some((known, id)) = self.albums.get(&named.id)
            && known == named
        {
            return Ok(*id);
        }
        let mut id = named.id;
        let mut state = match self.ahead.albums.remove(&id) {
            Some(known) => known,
            None => state(self.db, id).await?,
        };
        let other = |row: &Standing| row.release.zip(named.release).filter(|(there, here)| there != here);
        if let Some((_, release)) = state.row.as_ref().and_then(other) {
            id = id.edition(release);
            state = self::state(self.db, id).await?;
        }
        let wanted = Wanted::of(named, &state, retagged);
        if !state.row.as_ref().is_some_and(|row| wanted.is(row)) {
            self.write_album(id, &wanted, state.row.as_ref(), retagged).await?;
        }
        self.albums.insert(named.id, (named.clone(), id));
        Ok(id)
    }

    /// Writes the album as it is wanted.
    pub(in crate::catalog) async fn write_album(
        &mut self,
        id: AlbumId,
        wanted: &Wanted,
        before: Option<&Standing>,
        retagged: bool,
    ) -> Result<(), DatabaseError> {
        self.put_group(wanted.group).await?;
        match (&wanted.credits, before) {
            (Some(credits), None) => {
                self.put_artists(credits, retagged).await?;
                self.insert_album(id, wanted, credits).await?;
                self.put_album_credits(id, credits).await?;
            }
            (credits, _) => {
                self.update_album(id, wanted).await?;
                if let Some(credits) = credits {
                    self.put_artists(credits, retagged).await?;
                    self.credit_album_anew(id, credits).await?;
                }
            }
        }
        if let Some(before) = before
            && before.group != wanted.group.0
        {
            self.tally.left_groups.insert(before.group);
        }
        self.tally.relist.insert(id);
        Ok(())
    }

    async fn put_group(&mut self, (id, mbid): (GroupId, Option<Mbid>)) -> Result<(), DatabaseError> {
        sqlx::query("INSERT INTO release_groups (id, mb_id) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING")
            .bind(id.bytes())
            .bind(mbid.as_ref().map(|id| &id.0[..]))
            .execute(&mut *self.db)
            .await?;
        Ok(())
    }

    async fn insert_album(
        &mut self,
        id: AlbumId,
        wanted: &Wanted,
        credits: &Credits,
    ) -> Result<(), DatabaseError> {
        sqlx::query(
            "INSERT INTO albums (id, artist_id, title, title_folded, credit, release_date, mb_id, release_group_id,
                 disc_total, made)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(id.bytes())
        .bind(credits.main().id.bytes())
        .bind(&wanted.title.shown)
        .bind(&wanted.title.folded)
        .bind(&credits.line.shown)
        .bind(&wanted.date)
        .bind(wanted.release.as_ref().map(|id| &id.0[..]))
        .bind(wanted.group.0.bytes())
        .bind(wanted.disc_total.map(i64::from))
        .bind(i64::from(wanted.made))
        .execute(&mut *self.db)
        .await?;
        Ok(())
    }

    async fn update_album(&mut self, id: AlbumId, wanted: &Wanted) -> Result<(), DatabaseError> {
        sqlx::query(
            "UPDATE albums SET title = $2, title_folded = $3, release_date = $4, mb_id = $5, release_group_id = $6,
                 disc_total = $7 WHERE id = $1",
        )
        .bind(id.bytes())
        .bind(&wanted.title.shown)
        .bind(&wanted.title.folded)
        .bind(&wanted.date)
        .bind(wanted.release.as_ref().map(|id| &id.0[..]))
        .bind(wanted.group.0.bytes())
        .bind(wanted.disc_total.map(i64::from))
        .execute(&mut *self.db)
        .await?;
        Ok(())
    }

    async fn credit_album_anew(&mut self, id: AlbumId, credits: &Credits) -> Result<(), DatabaseError> {
        let left: Vec<(Vec<u8>,)> =
            sqlx::query_as("DELETE FROM album_credits WHERE album_id = $1 RETURNING artist_id")
                .bind(id.bytes())
                .fetch_all(&mut *self.db)
                .await?;
        for (artist,) in left {
            self.tally.left_artists.insert(fixed::<16>(&artist, "artist_id")?.into());
        }
        sqlx::query("UPDATE albums SET artist_id = $2, credit = $3 WHERE id = $1")
            .bind(id.bytes())
            .bind(credits.main().id.bytes())
            .bind(&credits.line.shown)
            .execute(&mut *self.db)
            .await?;
        self.put_album_credits(id, credits).await
    }

    async fn put_album_credits(&mut self, id: AlbumId, credits: &Credits) -> Result<(), DatabaseError> {
        for (place, credit) in credits.names.iter().enumerate() {
            sqlx::query(
                "INSERT INTO album_credits (album_id, place, artist_id, role, name, joint)
                 VALUES ($1, $2, $3, $4, $5, $6)",
            )
            .bind(id.bytes())
            .bind(place as i64)
            .bind(credit.artist.id.bytes())
            .bind(credit.role.as_str())
            .bind(&credit.artist.name.shown)
            .bind(&credit.joint)
            .execute(&mut *self.db)
            .await?;
        }
        Ok(())
    }
}
