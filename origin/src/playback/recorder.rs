//! Recording plays: durable before acknowledged, many in one commit.
//!
//! A commit costs a flush of the disk. While one is under way others gather, and the next commit takes them
//! all: the rate follows the load, not the disk.

use std::sync::Mutex;
use std::sync::PoisonError;

use segue_manifests::AssetId;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::accounts::timed_id;
use crate::database::{Database, DatabaseError};

/// Plays that may wait for a commit; more are refused.
const QUEUE: usize = 4096;
/// Most plays in one commit.
const BATCH: usize = 512;

/// A play that was not recorded.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum RecordError {
    #[error("plays: too many wait to be recorded")]
    Full,
    #[error("plays: the recorder has stopped")]
    Stopped,
    #[error("plays: {0}")]
    Database(String),
}

/// A play to be recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Play {
    session: [u8; 16],
    song: AssetId,
    started_ms: u64,
}

impl Play {
    /// A new playback session of a song, begun at that time (milliseconds since the Unix epoch). Its
    /// identifier is a UUID of version 7 (RFC 9562 5.7): time first, so that rows are appended.
    pub(crate) fn new(song: AssetId, started_ms: u64) -> Self {
        Self { session: timed_id(started_ms), song, started_ms }
    }

    /// The playback session's identifier, 32 hexadecimal digits.
    pub(crate) fn session(&self) -> String {
        hex::encode(self.session)
    }
}

struct Entry {
    play: Play,
    done: oneshot::Sender<Result<(), RecordError>>,
}

/// Writes plays to the database.
pub(crate) struct Recorder {
    queue: Mutex<Option<mpsc::Sender<Entry>>>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Recorder {
    /// Starts recording in the background.
    pub(crate) fn start(database: Database) -> Self {
        let (queue, entries) = mpsc::channel(QUEUE);
        let task = tokio::spawn(work(database, entries));
        Self { queue: Mutex::new(Some(queue)), task: Mutex::new(Some(task)) }
    }

    /// Records a play; it is on the disk when this returns.
    pub(crate) async fn record(&self, play: Play) -> Result<(), RecordError> {
        let (done, recorded) = oneshot::channel();
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let queue = queue.ok_or(RecordError::Stopped)?;
        queue.try_send(Entry { play, done }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => RecordError::Full,
            mpsc::error::TrySendError::Closed(_) => RecordError::Stopped,
        })?;
        drop(queue);
        recorded.await.unwrap_or(Err(RecordError::Stopped))
    }

    /// Takes no more plays and waits for those taken.
    pub(crate) async fn close(&self) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).take();
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task
            && let Err(error) = task.await
        {
            tracing::error!(%error, "the recorder of plays ended early");
        }
    }
}

async fn work(database: Database, mut entries: mpsc::Receiver<Entry>) {
    let mut batch = Vec::new();
    while entries.recv_many(&mut batch, BATCH).await > 0 {
        let written = write(&database, &batch).await;
        let result = written.map_err(|error| RecordError::Database(error.to_string()));
        for entry in batch.drain(..) {
            let _ = entry.done.send(result.clone());
        }
    }
}

async fn write(database: &Database, batch: &[Entry]) -> Result<(), DatabaseError> {
    let mut tx = database.begin_write().await?;
    for Entry { play, .. } in batch {
        sqlx::query("INSERT INTO plays (playback_session, song_id, started_at) VALUES ($1, $2, $3)")
            .bind(&play.session[..])
            .bind(&play.song.0[..])
            .bind(play.started_ms as i64)
            .execute(&mut *tx)
            .await?;
    }
    tx.commit().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_are_ordered_by_time() {
        let song = AssetId([1; 16]);
        let (early, late) = (Play::new(song, 1000).session(), Play::new(song, 2000).session());
        assert!(early < late, "{early} {late}");
        assert_ne!(Play::new(song, 1000).session(), early);
        assert_eq!(&early[12..13], "7");
    }

    #[tokio::test]
    async fn closing_waits_and_then_refuses() {
        let database = crate::database::testing::Place::new().await.open().await;
        let recorder = Recorder::start(database);
        // The song is not there: the database refuses, and says so to whoever asked.
        let refused = recorder.record(Play::new(AssetId([1; 16]), 1)).await;
        assert!(matches!(refused, Err(RecordError::Database(_))));
        recorder.close().await;
        assert!(matches!(recorder.record(Play::new(AssetId([1; 16]), 1)).await, Err(RecordError::Stopped)));
    }
}
