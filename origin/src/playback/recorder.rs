//! Recording plays: durable before acknowledged, many in one commit.
//!
//! A commit costs a flush of the disk. While one is under way others gather, and the next commit takes them
//! all: the rate follows the load, not the disk.

use std::sync::{Arc, Mutex, PoisonError};

use segue_manifests::AssetId;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use super::batch;
use crate::accounts::UserId;
use crate::database::{Database, DatabaseError, Dialect};
use crate::ids::timed_id;

/// Plays and reports that may wait for a commit; more are refused.
const QUEUE: usize = 4096;
/// Most of them in one commit.
const BATCH: usize = 512;
/// Commits under way at once on PostgreSQL, where each waits more for the network and the disk than for the processor.
/// SQLite has one writer.
const AT_ONCE: usize = 3;

/// A play that was not recorded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RecordError {
    #[error("plays: too many wait to be recorded")]
    Full,
    #[error("plays: the recorder has stopped")]
    Stopped,
    #[error("plays: no such song")]
    UnknownSong,
    #[error("plays: no such account")]
    UnknownUser,
    #[error("plays: no such playback session")]
    UnknownSession,
    #[error("plays: the event belongs to another song")]
    EventUsed,
    #[error("plays: {0}")]
    Database(String),
}

/// A play to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Play {
    pub(super) session: [u8; 16],
    pub(super) user: UserId,
    pub(super) song: AssetId,
    /// Milliseconds since the Unix epoch.
    pub(super) started_ms: u64,
    /// The client's own name for it.
    pub(super) event: Option<String>,
}

impl Play {
    /// A new playback session of a song, begun at that time (milliseconds since the Unix epoch). Its
    /// identifier is a UUID of version 7 (RFC 9562 5.7): time first, so that rows are appended.
    pub(crate) fn new(user: UserId, song: AssetId, started_ms: u64, event: Option<String>) -> Self {
        Self { session: timed_id(started_ms), user, song, started_ms, event }
    }
}

/// What a player says about a playback session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) session: [u8; 16],
    pub(crate) user: UserId,
    /// Heard so far, milliseconds.
    pub(crate) heard_ms: u64,
    pub(crate) ended: bool,
    /// When it is said, milliseconds since the Unix epoch.
    pub(crate) at_ms: u64,
}

/// What is to be written.
#[derive(Debug)]
pub(super) enum Item {
    Play(Play),
    Report(Report),
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Recorded {
    /// The playback session.
    pub(crate) session: [u8; 16],
    /// Whether it began with this.
    pub(crate) new: bool,
}

pub(super) type Outcome = Result<Recorded, RecordError>;

struct Entry {
    item: Item,
    done: oneshot::Sender<Outcome>,
}

/// Writes plays to the database.
pub(crate) struct Recorder {
    queue: Mutex<Option<mpsc::Sender<Entry>>>,
    tasks: Mutex<JoinSet<()>>,
}

impl Recorder {
    /// Starts recording in the background.
    pub(crate) fn start(database: Database) -> Self {
        let (queue, entries) = mpsc::channel(QUEUE);
        let entries = Arc::new(tokio::sync::Mutex::new(entries));
        let at_once = if database.dialect() == Dialect::Postgres { AT_ONCE } else { 1 };
        let tasks = (0..at_once).map(|_| work(database.clone(), Arc::clone(&entries))).collect();
        Self { queue: Mutex::new(Some(queue)), tasks: Mutex::new(tasks) }
    }

    /// Records a play; it is on the disk when this returns. An event that is known already answers with the session
    /// that it began.
    pub(crate) async fn record(&self, play: Play) -> Outcome {
        self.write(Item::Play(play)).await
    }

    /// Notes what a player says; it is on the disk when this returns.
    pub(crate) async fn report(&self, report: Report) -> Result<(), RecordError> {
        self.write(Item::Report(report)).await.map(drop)
    }

    async fn write(&self, item: Item) -> Outcome {
        let (done, recorded) = oneshot::channel();
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let queue = queue.ok_or(RecordError::Stopped)?;
        queue.try_send(Entry { item, done }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => RecordError::Full,
            mpsc::error::TrySendError::Closed(_) => RecordError::Stopped,
        })?;
        drop(queue);
        recorded.await.unwrap_or(Err(RecordError::Stopped))
    }

    /// Takes no more plays and waits for those taken.
    pub(crate) async fn close(&self) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        while let Some(ended) = tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a recorder of plays ended early");
            }
        }
    }
}

async fn work(database: Database, entries: Arc<tokio::sync::Mutex<mpsc::Receiver<Entry>>>) {
    let mut taken = Vec::new();
    while take(&entries, &mut taken).await > 0 {
        let (items, waiting): (Vec<Item>, Vec<_>) =
            taken.drain(..).map(|entry| (entry.item, entry.done)).unzip();
        for (outcome, done) in write_all(&database, &items).await.into_iter().zip(waiting) {
            let _ = done.send(outcome);
        }
    }
}

/// Takes what waits, at least one; none when no more come.
async fn take(entries: &tokio::sync::Mutex<mpsc::Receiver<Entry>>, taken: &mut Vec<Entry>) -> usize {
    entries.lock().await.recv_many(taken, BATCH).await
}

/// Writes all in one commit. What another origin was in the way of is tried once more; what the database refuses for
/// good is tried one by one, so that the others do not suffer.
async fn write_all(database: &Database, items: &[Item]) -> Vec<Outcome> {
    let mut written = batch::write(database, items).await;
    if written.as_ref().is_err_and(DatabaseError::is_collision) {
        written = batch::write(database, items).await;
    }
    match written {
        Ok(outcomes) => outcomes,
        Err(error) if error.is_temporary() || items.len() < 2 => vec![Err(failed(&error)); items.len()],
        Err(error) => {
            tracing::warn!(%error, "plays are written one by one");
            let mut outcomes = Vec::new();
            for item in items {
                let written = batch::write(database, std::slice::from_ref(item)).await;
                outcomes.push(written.map_or_else(|error| Err(failed(&error)), |mut one| one.remove(0)));
            }
            outcomes
        }
    }
}

fn failed(error: &DatabaseError) -> RecordError {
    RecordError::Database(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn play(song: AssetId, started_ms: u64) -> Play {
        Play::new(UserId::GUEST, song, started_ms, None)
    }

    #[test]
    fn sessions_are_ordered_by_time() {
        let song = AssetId([1; 16]);
        let (early, late) = (play(song, 1000).session, play(song, 2000).session);
        assert!(early < late, "{early:?} {late:?}");
        assert_ne!(play(song, 1000).session, early);
        assert_eq!(early[6] >> 4, 7);
    }

    #[tokio::test]
    async fn closing_waits_and_then_refuses() {
        let database = crate::database::testing::Place::new().await.open().await;
        let recorder = Recorder::start(database);
        let song = AssetId([1; 16]);
        assert_eq!(recorder.record(play(song, 1)).await, Err(RecordError::UnknownSong));
        recorder.close().await;
        assert_eq!(recorder.record(play(song, 1)).await, Err(RecordError::Stopped));
    }
}
