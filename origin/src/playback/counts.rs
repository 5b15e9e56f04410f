//! Roll-ups of plays that count: by day for songs, albums and artists, by day for each account, and popularity.

use std::collections::BTreeMap;

use sqlx::AnyConnection;

use super::popularity;
use crate::accounts::UserId;
use crate::catalog::fixed;
use crate::clock;
use crate::database::{DatabaseError, Dialect, bound, list, tuples};

/// What comes to a count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) plays: i64,
    pub(super) heard_ms: i64,
}

type Id = [u8; 16];

/// What a batch adds to the roll-ups, by key.
#[derive(Debug, Default)]
pub(super) struct Counts {
    everyone: BTreeMap<(&'static str, Id, i64), Heard>,
    users: BTreeMap<(UserId, &'static str, i64, Id), Heard>,
    popularity: BTreeMap<Id, f64>,
}

impl Counts {
    /// Adds what was heard of a song in a session that began at that time (milliseconds since the Unix epoch).
    pub(super) fn add(
        &mut self,
        user: UserId,
        song: Id,
        artist: Id,
        album: Option<Id>,
        at_ms: u64,
        gain: Heard,
    ) {
        let day = clock::day(at_ms);
        for (kind, id) in [("song", Some(song)), ("artist", Some(artist)), ("album", album)] {
            let Some(id) = id else { continue };
            more(self.everyone.entry((kind, id, day)).or_default(), gain);
            // An account's albums follow from its songs.
            if user != UserId::GUEST && kind != "album" {
                more(self.users.entry((user, kind, day, id)).or_default(), gain);
            }
        }
        if gain.plays > 0 {
            let score = self.popularity.entry(song).or_insert(popularity::NEVER);
            *score = popularity::together(*score, popularity::one_play(at_ms));
        }
    }

    /// Writes everything.
    pub(super) async fn write(&self, db: &mut AnyConnection, dialect: Dialect) -> Result<(), DatabaseError> {
        self.write_everyone(db).await?;
        self.write_users(db).await?;
        self.write_popularity(db, dialect).await
    }

    async fn write_everyone(&self, db: &mut AnyConnection) -> Result<(), DatabaseError> {
        if self.everyone.is_empty() {
            return Ok(());
        }
        let sql = format!(
            "INSERT INTO play_counts (kind, object_id, day, plays, heard_ms) VALUES {}
             ON CONFLICT (kind, object_id, day) DO UPDATE SET plays = play_counts.plays + excluded.plays,
                 heard_ms = play_counts.heard_ms + excluded.heard_ms",
            tuples(self.everyone.len(), 5)
        );
        let mut query = sqlx::query(bound(db, sql)).persistent(false);
        for ((kind, id, day), gain) in &self.everyone {
            query = query.bind(*kind).bind(&id[..]).bind(*day).bind(gain.plays).bind(gain.heard_ms);
        }
        query.execute(db).await?;
        Ok(())
    }

    async fn write_users(&self, db: &mut AnyConnection) -> Result<(), DatabaseError> {
        if self.users.is_empty() {
            return Ok(());
        }
        let sql = format!(
            "INSERT INTO user_counts (user_id, kind, day, object_id, plays, heard_ms) VALUES {}
             ON CONFLICT (user_id, kind, day, object_id) DO UPDATE SET plays = user_counts.plays + excluded.plays,
                 heard_ms = user_counts.heard_ms + excluded.heard_ms",
            tuples(self.users.len(), 6)
        );
        let mut query = sqlx::query(bound(db, sql)).persistent(false);
        for ((user, kind, day, id), gain) in &self.users {
            query = query.bind(user.bytes()).bind(*kind).bind(*day).bind(&id[..]);
            query = query.bind(gain.plays).bind(gain.heard_ms);
        }
        query.execute(db).await?;
        Ok(())
    }

    /// Rows are made first, so that there is something to lock; then what they hold is added to.
    async fn write_popularity(&self, db: &mut AnyConnection, dialect: Dialect) -> Result<(), DatabaseError> {
        if self.popularity.is_empty() {
            return Ok(());
        }
        let count = self.popularity.len();
        let sql = format!(
            "INSERT INTO popularity (song_id, score) VALUES {} ON CONFLICT (song_id) DO NOTHING",
            tuples(count, 2)
        );
        let mut query = sqlx::query(bound(db, sql)).persistent(false);
        for song in self.popularity.keys() {
            query = query.bind(&song[..]).bind(popularity::NEVER);
        }
        query.execute(&mut *db).await?;
        let sql = format!(
            "SELECT song_id, score FROM popularity WHERE song_id IN ({}) ORDER BY song_id{}",
            list(1, count),
            dialect.lock_rows("popularity")
        );
        let mut query = sqlx::query_as(bound(db, sql)).persistent(false);
        for song in self.popularity.keys() {
            query = query.bind(&song[..]);
        }
        let before: Vec<(Vec<u8>, f64)> = query.fetch_all(&mut *db).await?;
        let sql = format!(
            "UPDATE popularity SET score = v.column2 FROM (VALUES {}) v WHERE popularity.song_id = v.column1",
            tuples(before.len(), 2)
        );
        let mut query = sqlx::query(bound(db, sql)).persistent(false);
        for (song, score) in before {
            let gain = self.popularity.get(&fixed(&song, "song_id")?).copied().unwrap_or(popularity::NEVER);
            query = query.bind(song).bind(popularity::together(score, gain));
        }
        query.execute(db).await?;
        Ok(())
    }
}

fn more(count: &mut Heard, gain: Heard) {
    count.plays += gain.plays;
    count.heard_ms += gain.heard_ms;
}
