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

/// What is needed before plays come. What fails is tried again in the next round: nothing depends on it.
pub(crate) async fn prepare(database: &Database) {
    if let Err(error) = make_partitions(database, clock::now_ms()).await {
        tracing::warn!(%error, "plays: the next months have no partition yet");
    }
}

/// Goes round for ever.
pub(crate) async fn run(database: Database) {
    loop {
        if let Err(error) = prune_events(&database, clock::now_ms()).await {
            tracing::warn!(%error, "plays: old events stay for now");
        }
        tokio::time::sleep(EVERY).await;
        prepare(&database).await;
    }
}

/// Makes the partitions of this month and of the next two or three. SQLite has none.
async fn make_partitions(database: &Database, now: u64) -> Result<(), DatabaseError> {
    if database.dialect() == Dialect::Sqlite {
        return Ok(());
    }
    // Steps shorter than any month: none is passed over.
    for days in [0, 28, 56, 84] {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::UserId;
    use crate::database::testing::{Place, add_song};
    use crate::playback::recorder::{Play, Recorder};
    use segue_manifests::AssetId;

    /// 2026-01-31, milliseconds since the Unix epoch.
    const NOW: u64 = 1_769_817_600_000;

    async fn count(database: &Database, sql: &'static str) -> i64 {
        sqlx::query_as::<_, (i64,)>(sql).fetch_one(database.fresh()).await.unwrap().0
    }

    async fn play(database: &Database, at_ms: u64, event: &str) {
        let recorder = Recorder::start(database.clone());
        let play = Play::new(UserId::GUEST, AssetId([1; 16]), at_ms, Some(event.into()));
        recorder.record(play).await.unwrap();
        recorder.close().await;
    }

    #[tokio::test]
    async fn old_events_are_forgotten_and_their_plays_kept() {
        let place = Place::new().await;
        let database = place.open().await;
        add_song(&database, 1, 1000).await;
        play(&database, NOW, "new").await;
        play(&database, NOW - EVENT_LIFE_MS - 1, "old").await;
        assert_eq!(prune_events(&database, NOW).await.unwrap(), 1);
        assert_eq!(prune_events(&database, NOW).await.unwrap(), 0);
        assert_eq!(count(&database, "SELECT COUNT(*) FROM play_events").await, 1);
        assert_eq!(count(&database, "SELECT COUNT(*) FROM plays").await, 2);
    }

    #[tokio::test]
    async fn months_get_partitions_and_what_lay_elsewhere() {
        let place = Place::new().await;
        let database = place.open().await;
        add_song(&database, 1, 1000).await;
        // Before there is a partition; in the month after the next one; at a time that no clock should show.
        for (n, at) in [NOW, NOW + 59 * DAY_MS, 1].into_iter().enumerate() {
            play(&database, at, &n.to_string()).await;
        }
        let other = place.open().await;
        let (one, two) = tokio::join!(make_partitions(&database, NOW), make_partitions(&other, NOW));
        assert!(one.is_ok() && two.is_ok(), "{one:?} {two:?}");
        make_partitions(&database, NOW).await.unwrap();
        assert_eq!(count(&database, "SELECT COUNT(*) FROM plays").await, 3);
        if database.dialect() == Dialect::Postgres {
            assert_eq!(count(&database, "SELECT COUNT(*) FROM plays_elsewhen").await, 1);
            assert_eq!(count(&database, "SELECT COUNT(*) FROM plays_2026_01").await, 1);
            assert_eq!(count(&database, "SELECT COUNT(*) FROM plays_2026_03").await, 1);
            let partitions = "SELECT COUNT(*) FROM pg_inherits WHERE inhparent = CAST('plays' AS regclass)";
            assert_eq!(count(&database, partitions).await, 1 + 4, "{NOW}");
        }
    }
}
