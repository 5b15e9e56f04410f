//! Writing plays that begin.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::AnyConnection;

use super::recorder::{Outcome, Play, RecordError, Recorded};
use crate::accounts::UserId;
use crate::catalog::fixed;
use crate::database::{DatabaseError, Dialect, bound, list, tuples};

/// Names an event: the account and the client's own name for it.
type Event = (UserId, String);

/// The playback session and song that an event stands for.
type Begun = ([u8; 16], [u8; 16]);

/// Writes those plays whose song and account are there and whose event is new.
pub(super) async fn put(
    db: &mut AnyConnection,
    dialect: Dialect,
    plays: &[(usize, &Play)],
) -> Result<Vec<(usize, Outcome)>, DatabaseError> {
    let users: BTreeSet<[u8; 16]> =
        plays.iter().map(|(_, play)| play.user).filter(|user| *user != UserId::GUEST).map(key).collect();
    let users = present(db, "users", dialect.keep_rows(), &users).await?;
    let songs = plays.iter().map(|(_, play)| play.song.0).collect();
    let songs = present(db, "songs", dialect.keep_rows(), &songs).await?;
    let check = |play: &Play| match play {
        _ if !songs.contains(&play.song.0) => Err(RecordError::UnknownSong),
        _ if play.user != UserId::GUEST && !users.contains(&key(play.user)) => Err(RecordError::UnknownUser),
        _ => Ok(()),
    };
    let good: Vec<&Play> = plays.iter().map(|(_, play)| *play).filter(|play| check(play).is_ok()).collect();
    let events = put_events(db, &good).await?;
    let outcome = |play: &Play| {
        check(play)?;
        match play.event.as_ref().and_then(|event| events.get(&(play.user, event.clone()))) {
            Some((_, song)) if *song != play.song.0 => Err(RecordError::EventUsed),
            Some((session, _)) => Ok(Recorded { session: *session, new: *session == play.session }),
            None => Ok(Recorded { session: play.session, new: true }),
        }
    };
    let outcomes: Vec<(usize, Outcome)> = plays.iter().map(|(place, play)| (*place, outcome(play))).collect();
    let is_new = |outcome: &Outcome| matches!(outcome, Ok(Recorded { new: true, .. }));
    let new = plays.iter().zip(&outcomes).filter(|(_, (_, outcome))| is_new(outcome));
    insert(db, &new.map(|((_, play), _)| *play).collect::<Vec<_>>()).await?;
    Ok(outcomes)
}

fn key(user: UserId) -> [u8; 16] {
    user.bytes().try_into().expect("identifiers have 16 bytes")
}

/// Those of the identifiers that the table has; they stay until the transaction ends.
async fn present(
    db: &mut AnyConnection,
    table: &str,
    keep: &str,
    ids: &BTreeSet<[u8; 16]>,
) -> Result<BTreeSet<[u8; 16]>, DatabaseError> {
    if ids.is_empty() {
        return Ok(BTreeSet::new());
    }
    let sql = format!("SELECT id FROM {table} WHERE id IN ({}){keep}", list(1, ids.len()));
    let mut query = sqlx::query_as(bound(db, sql)).persistent(false);
    for id in ids {
        query = query.bind(&id[..]);
    }
    let rows: Vec<(Vec<u8>,)> = query.fetch_all(db).await?;
    rows.iter().map(|(id,)| fixed(id, "id")).collect()
}

/// Notes events that are new; says for each event of the plays what it stands for.
async fn put_events(
    db: &mut AnyConnection,
    plays: &[&Play],
) -> Result<BTreeMap<Event, Begun>, DatabaseError> {
    let mut events = BTreeMap::<Event, &Play>::new();
    for play in plays {
        if let Some(event) = &play.event {
            events.entry((play.user, event.clone())).or_insert(*play);
        }
    }
    if events.is_empty() {
        return Ok(BTreeMap::new());
    }
    let sql = format!(
        "INSERT INTO play_events (user_id, event_id, playback_session, song_id, at) VALUES {}
         ON CONFLICT (user_id, event_id) DO NOTHING",
        tuples(events.len(), 5)
    );
    let mut query = sqlx::query(bound(db, sql)).persistent(false);
    for ((user, event), play) in &events {
        query = query.bind(user.bytes()).bind(event).bind(&play.session[..]).bind(&play.song.0[..]);
        query = query.bind(play.started_ms as i64);
    }
    query.execute(&mut *db).await?;
    read_events(db, &events.into_keys().collect::<Vec<_>>()).await
}

async fn read_events(
    db: &mut AnyConnection,
    events: &[Event],
) -> Result<BTreeMap<Event, Begun>, DatabaseError> {
    type Row = (Vec<u8>, String, Vec<u8>, Vec<u8>);
    let sql = format!(
        "SELECT e.user_id, e.event_id, e.playback_session, e.song_id FROM (VALUES {}) k
         JOIN play_events e ON e.user_id = k.column1 AND e.event_id = k.column2",
        tuples(events.len(), 2)
    );
    let mut query = sqlx::query_as(bound(db, sql)).persistent(false);
    for (user, event) in events {
        query = query.bind(user.bytes()).bind(event);
    }
    let rows: Vec<Row> = query.fetch_all(db).await?;
    let read = |(user, event, session, song): Row| {
        let user = UserId::from(fixed(&user, "user_id")?);
        Ok(((user, event), (fixed(&session, "playback_session")?, fixed(&song, "song_id")?)))
    };
    rows.into_iter().map(read).collect()
}

async fn insert(db: &mut AnyConnection, plays: &[&Play]) -> Result<(), DatabaseError> {
    if plays.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "INSERT INTO plays (user_id, playback_session, song_id, started_at) VALUES {}",
        tuples(plays.len(), 4)
    );
    let mut query = sqlx::query(bound(db, sql)).persistent(false);
    for play in plays {
        query = query.bind(play.user.bytes()).bind(&play.session[..]).bind(&play.song.0[..]);
        query = query.bind(play.started_ms as i64);
    }
    query.execute(db).await?;
    Ok(())
}
