//! Writing what players report.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::AnyConnection;

use super::counts::{Counts, Heard};
use super::heard;
use super::recorder::{Outcome, RecordError, Recorded, Report};
use crate::accounts::UserId;
use crate::catalog::fixed;
use crate::database::{DatabaseError, Dialect, bound, list, tuples};

/// A playback session and whose it is.
type Key = (UserId, [u8; 16]);

/// A playback session as the reports find it and leave it.
struct Session {
    song: [u8; 16],
    artist: [u8; 16],
    album: Option<[u8; 16]>,
    duration_ms: u64,
    started_ms: u64,
    before: State,
    now: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct State {
    heard_ms: u64,
    counted: bool,
    ended: bool,
}

impl Session {
    fn take(&mut self, report: &Report) {
        let heard_ms = heard::believed(
            report.heard_ms,
            self.now.heard_ms,
            self.started_ms,
            report.at_ms,
            self.duration_ms,
        );
        let counted = self.now.counted || heard::is_enough(heard_ms, self.duration_ms);
        self.now = State { heard_ms, counted, ended: self.now.ended || report.ended };
    }

    /// What comes to the roll-ups: the whole when it counts from now on, then what is more.
    fn gain(&self) -> Option<Heard> {
        let (plays, from) = match (self.before.counted, self.now.counted) {
            (_, false) => return None,
            (false, true) => (1, 0),
            (true, true) => (0, self.before.heard_ms),
        };
        Some(Heard { plays, heard_ms: (self.now.heard_ms - from) as i64 })
    }
}

/// Takes the reports about sessions that are there: those of the account, or of a guest, where knowing the session is
/// enough.
pub(super) async fn put(
    db: &mut AnyConnection,
    dialect: Dialect,
    reports: &[(usize, &Report)],
) -> Result<Vec<(usize, Outcome)>, DatabaseError> {
    if reports.is_empty() {
        return Ok(Vec::new());
    }
    let keys = |report: &Report| [(report.user, report.session), (UserId::GUEST, report.session)];
    let named: BTreeSet<Key> = reports.iter().flat_map(|(_, report)| keys(report)).collect();
    let mut sessions = read(db, dialect, &named).await?;
    let mut outcomes = Vec::new();
    for (place, report) in reports {
        let key = keys(report).into_iter().find(|key| sessions.contains_key(key));
        let outcome = match key.and_then(|key| sessions.get_mut(&key)) {
            Some(session) => {
                session.take(report);
                Ok(Recorded { session: report.session, new: false })
            }
            None => Err(RecordError::UnknownSession),
        };
        outcomes.push((*place, outcome));
    }
    sessions.retain(|_, session| session.now != session.before);
    update(db, &sessions).await?;
    let mut counts = Counts::default();
    for ((user, _), it) in &sessions {
        if let Some(gain) = it.gain() {
            counts.add(*user, it.song, it.artist, it.album, it.started_ms, gain);
        }
    }
    counts.write(db, dialect).await?;
    Ok(outcomes)
}

type Row = (Vec<u8>, Vec<u8>, Vec<u8>, i64, i64, i64, i64);

/// The sessions that are there, kept from changing until the transaction ends. Their songs are read for themselves: joined,
/// PostgreSQL may come to look through all plays of a song.
async fn read(
    db: &mut AnyConnection,
    dialect: Dialect,
    keys: &BTreeSet<Key>,
) -> Result<BTreeMap<Key, Session>, DatabaseError> {
    let sql = format!(
        "SELECT p.user_id, p.playback_session, p.song_id, p.started_at, p.heard_ms, p.counted, p.ended
         FROM (VALUES {}) k
         JOIN plays p ON p.user_id = k.column1 AND p.playback_session = k.column2
         WHERE p.playback_session BETWEEN ${} AND ${}
         ORDER BY p.user_id, p.playback_session{}",
        tuples(keys.len(), 2),
        keys.len() * 2 + 1,
        keys.len() * 2 + 2,
        dialect.lock_rows("p")
    );
    let mut query = sqlx::query_as(bound(db, sql)).persistent(false);
    for (user, session) in keys {
        query = query.bind(user.bytes()).bind(&session[..]);
    }
    let (first, last) = span(keys);
    let rows: Vec<Row> = query.bind(first).bind(last).fetch_all(&mut *db).await?;
    let songs = read_songs(db, &rows.iter().map(|row| row.2.as_slice()).collect()).await?;
    rows.iter().map(|row| session(row, songs.get(&row.2))).collect()
}

/// Artist, album and duration (milliseconds).
type Song = (Vec<u8>, Option<Vec<u8>>, i64);

type SongRow = (Vec<u8>, Vec<u8>, Option<Vec<u8>>, i64);

async fn read_songs(
    db: &mut AnyConnection,
    ids: &BTreeSet<&[u8]>,
) -> Result<BTreeMap<Vec<u8>, Song>, DatabaseError> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let sql = format!(
        "SELECT id, artist_id, album_id, duration_ms FROM songs WHERE id IN ({})",
        list(1, ids.len())
    );
    let mut query = sqlx::query_as(bound(db, sql)).persistent(false);
    for id in ids {
        query = query.bind(*id);
    }
    let rows: Vec<SongRow> = query.fetch_all(db).await?;
    Ok(rows.into_iter().map(|(id, artist, album, duration)| (id, (artist, album, duration))).collect())
}

fn session(row: &Row, song: Option<&Song>) -> Result<(Key, Session), DatabaseError> {
    let (user, session, song_id, started, heard, counted, ended) = row;
    let (artist, album, duration) = song.ok_or(DatabaseError::Column("song_id"))?;
    let state = State { heard_ms: *heard as u64, counted: *counted != 0, ended: *ended != 0 };
    let it = Session {
        song: fixed(song_id, "song_id")?,
        artist: fixed(artist, "artist_id")?,
        album: album.as_ref().map(|album| fixed(album, "album_id")).transpose()?,
        duration_ms: *duration as u64,
        started_ms: *started as u64,
        before: state,
        now: state,
    };
    Ok(((UserId::from(fixed(user, "user_id")?), fixed(session, "playback_session")?), it))
}

async fn update(db: &mut AnyConnection, sessions: &BTreeMap<Key, Session>) -> Result<(), DatabaseError> {
    if sessions.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "UPDATE plays SET heard_ms = v.column3, counted = v.column4, ended = v.column5 FROM (VALUES {}) v
         WHERE plays.user_id = v.column1 AND plays.playback_session = v.column2
             AND plays.playback_session BETWEEN ${} AND ${}",
        tuples(sessions.len(), 5),
        sessions.len() * 5 + 1,
        sessions.len() * 5 + 2
    );
    let mut query = sqlx::query(bound(db, sql)).persistent(false);
    for ((user, session), it) in sessions {
        query = query.bind(user.bytes()).bind(&session[..]).bind(it.now.heard_ms as i64);
        query = query.bind(i64::from(it.now.counted)).bind(i64::from(it.now.ended));
    }
    let (first, last) = span(sessions.keys());
    query.bind(first).bind(last).execute(db).await?;
    Ok(())
}

/// The first and the last session: said to the database, it leaves out the months before and behind from the start.
fn span<'a>(keys: impl IntoIterator<Item = &'a Key>) -> (Vec<u8>, Vec<u8>) {
    let mut sessions: Vec<[u8; 16]> = keys.into_iter().map(|(_, session)| *session).collect();
    sessions.sort_unstable();
    let end = |session: Option<&[u8; 16]>| session.map(|session| session.to_vec()).unwrap_or_default();
    (end(sessions.first()), end(sessions.last()))
}
