//! What the songs of a batch need to know is read ahead, and their packagings are noted, many rows at a time: an import
//! waits for the database some times in all instead of some times for each song.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use segue_manifests::{AssetId, Cover, Descriptor, Rev};
use sqlx::FromRow;
use sqlx::any::AnyRow;

use super::Batch;
use super::albums::{AlbumState, states};
use super::batch::ROWS;
use super::songs::{Standing, standings};
use crate::catalog::ids::{AlbumId, ArtistId, SongId};
use crate::catalog::rows::{fixed, mbid_of};
use crate::catalog::tags::{Place, READ_AS, Shelf};
use crate::database::{DatabaseError, bound, list, tuples};

/// Known ahead, each until it is changed.
#[derive(Default)]
pub(super) struct Ahead {
    pub(super) songs: HashMap<SongId, Option<Standing>>,
    pub(super) albums: HashMap<AlbumId, AlbumState>,
    /// Packagings that were noted, and whether they were new.
    pub(super) assets: HashMap<(AssetId, Rev), bool>,
}

impl Batch<'_> {
    /// Reads ahead for these descriptors, each with the place that its tags name.
    pub(super) async fn read_ahead(&mut self, all: &[(&Descriptor, Shelf)]) -> Result<(), DatabaseError> {
        let songs: BTreeSet<SongId> = all.iter().map(|(it, _)| it.asset).collect();
        let songs: Vec<&[u8]> = songs.iter().map(|id| &id.0[..]).collect();
        self.ahead.songs = all.iter().map(|(it, _)| (it.asset, None)).collect();
        for songs in songs.chunks(ROWS) {
            let found = standings(self.db, songs).await?;
            self.ahead.songs.extend(found.into_iter().map(|(id, song)| (id, Some(song))));
        }
        let unread = |it: &Descriptor| {
            let song = self.ahead.songs.get(&it.asset).and_then(Option::as_ref);
            !song.is_some_and(|song| song.rev == it.rev && song.read_as >= READ_AS)
        };
        let (packagings, shelves): (Vec<&Descriptor>, Vec<&Shelf>) =
            all.iter().filter(|(it, _)| unread(it)).map(|(it, shelf)| (*it, shelf)).unzip();
        self.put_assets(&packagings).await?;
        self.read_albums(&shelves).await?;
        self.read_artists(&shelves).await
    }

    async fn read_albums(&mut self, shelves: &[&Shelf]) -> Result<(), DatabaseError> {
        let mut ids: BTreeSet<AlbumId> = BTreeSet::new();
        for shelf in shelves {
            if let Place::Named(album) = &shelf.album {
                ids.insert(album.id);
            }
        }
        let ids: Vec<&[u8]> = ids.iter().map(AlbumId::bytes).collect();
        for ids in ids.chunks(ROWS) {
            self.ahead.albums.extend(states(self.db, ids).await?);
        }
        Ok(())
    }

    async fn read_artists(&mut self, shelves: &[&Shelf]) -> Result<(), DatabaseError> {
        let mut ids: BTreeSet<ArtistId> = BTreeSet::new();
        for shelf in shelves {
            ids.extend(shelf.credits.names.iter().map(|credit| credit.artist.id));
            if let Place::Named(album) = &shelf.album {
                ids.extend(album.credits.names.iter().map(|credit| credit.artist.id));
            }
        }
        let ids: Vec<&[u8]> = ids.iter().map(ArtistId::bytes).collect();
        for ids in ids.chunks(ROWS) {
            let sql = "SELECT id, name, mb_id FROM artists WHERE id IN (#)";
            let rows: Vec<(Vec<u8>, String, Option<Vec<u8>>)> = of_these(self.db, sql, ids).await?;
            for (id, name, mbid) in rows {
                self.artists.insert(fixed::<16>(&id, "id")?.into(), (name, mbid_of(mbid)?));
            }
        }
        Ok(())
    }

    /// Notes packagings and their covers.
    async fn put_assets(&mut self, all: &[&Descriptor]) -> Result<(), DatabaseError> {
        let covers: BTreeMap<_, &Cover> =
            all.iter().filter_map(|it| it.cover.as_ref()).map(|cover| (cover.sha256.0, cover)).collect();
        for covers in covers.into_values().collect::<Vec<_>>().chunks(ROWS) {
            self.put_covers(covers).await?;
        }
        let unique: BTreeMap<_, &Descriptor> = all.iter().map(|it| ((it.asset, it.rev), *it)).collect();
        self.ahead.assets = unique.keys().map(|key| (*key, false)).collect();
        for rows in unique.into_values().collect::<Vec<_>>().chunks(ROWS) {
            for (asset, rev) in self.put_new_assets(rows).await? {
                let key = (AssetId(fixed(&asset, "asset")?), Rev(fixed(&rev, "rev")?));
                self.ahead.assets.insert(key, true);
            }
        }
        Ok(())
    }

    /// Notes packagings; answers those that are new.
    async fn put_new_assets(
        &mut self,
        rows: &[&Descriptor],
    ) -> Result<Vec<(Vec<u8>, Vec<u8>)>, DatabaseError> {
        let sql = format!(
            "INSERT INTO assets (asset, rev, cover_sha256, imported_at) VALUES {}
             ON CONFLICT (asset, rev) DO NOTHING RETURNING asset, rev",
            tuples(rows.len(), 4)
        );
        let mut query = sqlx::query_as(bound(self.db, sql)).persistent(false);
        for it in rows {
            let cover = it.cover.as_ref().map(|cover| &cover.sha256.0[..]);
            query = query.bind(&it.asset.0[..]).bind(&it.rev.0[..]).bind(cover).bind(self.now as i64);
        }
        Ok(query.fetch_all(&mut *self.db).await?)
    }

    async fn put_covers(&mut self, covers: &[&Cover]) -> Result<(), DatabaseError> {
        let sql = format!(
            "INSERT INTO covers (sha256, extension, size, width, height) VALUES {}
             ON CONFLICT (sha256) DO NOTHING",
            tuples(covers.len(), 5)
        );
        let mut query = sqlx::query(bound(self.db, sql)).persistent(false);
        for cover in covers {
            query = query.bind(&cover.sha256.0[..]).bind(&cover.extension).bind(i64::from(cover.size));
            query = query.bind(i64::from(cover.width)).bind(i64::from(cover.height));
        }
        query.execute(&mut *self.db).await?;
        Ok(())
    }
}

/// The rows of a query in which `#` stands for these identifiers.
pub(super) async fn of_these<R: for<'r> FromRow<'r, AnyRow> + Send + Unpin>(
    db: &mut sqlx::AnyConnection,
    sql: &str,
    ids: &[&[u8]],
) -> Result<Vec<R>, DatabaseError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = sql.replace('#', &list(1, ids.len()));
    // One alone is asked for again and again; other numbers come once.
    let mut query = sqlx::query_as(bound(db, sql)).persistent(ids.len() == 1);
    for id in ids {
        query = query.bind(*id);
    }
    Ok(query.fetch_all(db).await?)
}
