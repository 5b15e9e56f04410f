//! What an account might like, as far as the catalog and the plays tell.
//!
//! Three sources, one after the other: other songs of artists played lately, what everyone plays, and anything. The same
//! plays give the same answer.

use std::collections::{BTreeMap, HashSet};

use segue_manifests::Sha256;
use serde::Serialize;

use super::Library;
use crate::accounts::UserId;
use crate::catalog::{Kind, Object, ObjectId, fixed};
use crate::database::{DatabaseError, bound, list};

/// Artists played lately that are looked at.
const ARTISTS: usize = 12;
/// Songs of each that are looked at, and those that are taken.
const SONGS_SEEN: i64 = 600;
const SONGS_TAKEN: usize = 8;
/// Songs that may have been played lately and are passed over.
const PASSED_OVER: usize = 500;

/// Why a song is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Reason {
    RecentArtist,
    Popular,
    Catalog,
}

/// A song that might be liked.
#[derive(Debug, Serialize)]
pub(crate) struct Recommendation {
    reason: Reason,
    #[serde(flatten)]
    song: Object,
}

/// Songs chosen so far, each once, up to a limit.
struct Choice {
    limit: usize,
    songs: Vec<(ObjectId, Reason)>,
    taken: HashSet<ObjectId>,
}

impl Choice {
    fn add(&mut self, reason: Reason, songs: impl IntoIterator<Item = ObjectId>) {
        for song in songs {
            if self.songs.len() < self.limit && self.taken.insert(song) {
                self.songs.push((song, reason));
            }
        }
    }

    fn is_full(&self) -> bool {
        self.songs.len() >= self.limit
    }
}

impl Library {
    /// Songs that the account might like.
    pub(crate) async fn recommend(
        &self,
        user: UserId,
        limit: usize,
    ) -> Result<Vec<Recommendation>, DatabaseError> {
        let lately: Vec<ObjectId> =
            self.lately(user, PASSED_OVER).await?.into_iter().map(|(song, _)| song).collect();
        let known: HashSet<ObjectId> = lately.iter().copied().collect();
        let mut choice = Choice { limit, songs: Vec::new(), taken: HashSet::new() };
        choice.add(Reason::RecentArtist, self.of_recent_artists(&lately, &known).await?);
        // So many that enough are left when those known and those chosen are passed over.
        let enough = (limit + known.len() + choice.songs.len()) as i64;
        if !choice.is_full() {
            let popular = self.popular(enough).await?;
            choice.add(Reason::Popular, popular.into_iter().filter(|song| !known.contains(song)));
        }
        if !choice.is_full() {
            let (old, new) = self
                .any(user, enough + limit as i64)
                .await?
                .into_iter()
                .partition::<Vec<_>, _>(|song| known.contains(song));
            choice.add(Reason::Catalog, new.into_iter().chain(old));
        }
        let ids: Vec<ObjectId> = choice.songs.iter().map(|(song, _)| *song).collect();
        let songs = self.catalog.objects(Kind::Song, &ids).await?;
        let named =
            |(id, reason): (ObjectId, Reason)| Some(Recommendation { reason, song: songs.get(&id)?.clone() });
        Ok(choice.songs.into_iter().filter_map(named).collect())
    }

    /// Songs by the artists of those songs, one of each artist in turn, the most played first.
    async fn of_recent_artists(
        &self,
        lately: &[ObjectId],
        known: &HashSet<ObjectId>,
    ) -> Result<Vec<ObjectId>, DatabaseError> {
        let mut shelves = Vec::new();
        for artist in self.artists_of(lately).await? {
            let mut songs = self.of_artist(artist).await?;
            songs.retain(|song| !known.contains(song));
            songs.truncate(SONGS_TAKEN);
            shelves.push(songs);
        }
        let turn = |turn| shelves.iter().filter_map(move |songs: &Vec<ObjectId>| songs.get(turn));
        Ok((0..SONGS_TAKEN).flat_map(turn).copied().collect())
    }

    /// The artists of the songs, in their order, each once.
    async fn artists_of(&self, songs: &[ObjectId]) -> Result<Vec<ObjectId>, DatabaseError> {
        if songs.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!("SELECT id, artist_id FROM songs WHERE id IN ({})", list(1, songs.len()));
        let mut db = self.database.readers().acquire().await?;
        let mut query = sqlx::query_as(bound(&db, sql)).persistent(false);
        for song in songs {
            query = query.bind(&song[..]);
        }
        let rows: Vec<(Vec<u8>, Vec<u8>)> = query.fetch_all(&mut *db).await?;
        let artists: BTreeMap<Vec<u8>, Vec<u8>> = rows.into_iter().collect();
        let mut seen = HashSet::new();
        let mut order = Vec::new();
        for artist in songs.iter().filter_map(|song| artists.get(&song[..])) {
            let artist = fixed(artist, "artist_id")?;
            if order.len() < ARTISTS && seen.insert(artist) {
                order.push(artist);
            }
        }
        Ok(order)
    }

    async fn of_artist(&self, artist: ObjectId) -> Result<Vec<ObjectId>, DatabaseError> {
        let rows = sqlx::query_as(
            "SELECT s.id FROM (SELECT id, title_folded FROM songs WHERE artist_id = $1
                 ORDER BY title_folded, id LIMIT $2) s
             LEFT JOIN popularity p ON p.song_id = s.id
             ORDER BY COALESCE(p.score, 0.0) DESC, s.title_folded, s.id",
        );
        ids(rows.bind(&artist[..]).bind(SONGS_SEEN).fetch_all(self.database.readers()).await?)
    }

    /// What everyone plays, the most played first.
    async fn popular(&self, limit: i64) -> Result<Vec<ObjectId>, DatabaseError> {
        let rows =
            sqlx::query_as("SELECT song_id FROM popularity ORDER BY score DESC, song_id DESC LIMIT $1");
        ids(rows.bind(limit).fetch_all(self.database.readers()).await?)
    }

    /// Songs from somewhere in the catalog: from another place for each account.
    async fn any(&self, user: UserId, limit: i64) -> Result<Vec<ObjectId>, DatabaseError> {
        let start = Sha256::of(user.bytes()).0;
        let rows = sqlx::query_as("SELECT id FROM songs WHERE id >= $1 ORDER BY id LIMIT $2");
        let rows = rows.bind(&start[..16]).bind(limit).fetch_all(self.database.readers()).await?;
        let mut songs = ids(rows)?;
        let rest = limit - songs.len() as i64;
        let rows = sqlx::query_as("SELECT id FROM songs WHERE id < $1 ORDER BY id LIMIT $2");
        songs.extend(ids(rows.bind(&start[..16]).bind(rest).fetch_all(self.database.readers()).await?)?);
        Ok(songs)
    }
}

fn ids(rows: Vec<(Vec<u8>,)>) -> Result<Vec<ObjectId>, DatabaseError> {
    rows.iter().map(|(id,)| fixed(id, "id")).collect()
}
