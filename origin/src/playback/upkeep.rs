//! What is done for the plays now and then: room for the months to come, and old events cleared away.

use std::time::Duration;

use crate::clock;
use crate::database::{Database, DatabaseError, Dialect};

/// Time between two rounds.
const EVERY: Duration = Duration::from_secs(3600);
const DAY_MS: u64 = 24 * 3600 * 1000;
/// Events are remembered for so long, milliseconds.
const EVENT_LIFE_MS: u64 = 7 * DAY_MS;
/// Events cleared away in one transaction.
const CHUNK: i64 = 5000;

/// Goes round for ever. What fails is tried again in the next round: nothing depends on it.
pub(crate) async fn run(database: Database) {
    loop {
        let now = clock::now_ms();
        if let Err(error) = make_partitions(&database, now).await {
            tracing::warn!(%error, "plays: the next months have no partition yet");
        }
        if let Err(error) = prune_events(&database, now).await {
            tracing::warn!(%error, "plays: old events stay for now");
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Makes the partitions of this month and the two to come. SQLite has none.
async fn make_partitions(database: &Database, now: u64) -> Result<(), DatabaseError> {
    if database.dialect() == Dialect::Sqlite {
        return Ok(());
    }
    // 31 days after any day lies the next month, or the one after January.
    for days in [0, 31, 62] {
        let mut tx = database.begin_write().await?;
        let (made,): (i64,) = sqlx::query_as("SELECT make_plays_partition($1)")
            .bind((now + days * DAY_MS) as i64)
            .fetch_one(&mut *tx)
            .await?;
        tx.commit().await?;
        if made > 0 {
            tracing::info!(days, "plays: made the partition of a month");
        }
    }
    Ok(())
}

/// Forgets events that nobody will send again.
async fn prune_events(database: &Database, now: u64) -> Result<u64, DatabaseError> {
    let mut pruned = 0;
    loop {
        let mut tx = database.begin_write().await?;
        let gone = sqlx::query(
            "DELETE FROM play_events WHERE (user_id, event_id) IN (
                 SELECT user_id, event_id FROM play_events WHERE at < $1 ORDER BY at LIMIT $2)",
        )
        .bind(now.saturating_sub(EVENT_LIFE_MS) as i64)
        .bind(CHUNK)
        .execute(&mut *tx)
        .await?
        .rows_affected();
        tx.commit().await?;
        pruned += gone;
        if gone < CHUNK as u64 {
            return Ok(pruned);
        }
    }
}
