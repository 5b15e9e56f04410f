//! How often the catalog was changed, so that what was made of it earlier is told from what is made of it now.
//!
//! Each transaction that changes the catalog adds one in the database and ends by [`Database::commit_catalog`]. The row
//! is locked until the commit: whoever has seen a generation sees everything that was written up to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::time::Duration;

use futures_util::future::{join, join_all};
use sqlx::{Any, AnyPool, Transaction};

use super::{Database, DatabaseError};

/// Time between looks at the database for what other origins have changed.
const LOOK_EVERY: Duration = Duration::from_millis(400);
/// How long one look may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// Connections for reading, and the generation that is known to have reached them.
#[derive(Debug, Clone)]
pub(super) struct Reader {
    pub(super) pool: AnyPool,
    reached: Arc<AtomicI64>,
}

impl Reader {
    /// Reads what was committed last.
    pub(super) fn current(pool: AnyPool) -> Self {
        Self { pool, reached: Arc::new(AtomicI64::new(i64::MAX)) }
    }

    /// Follows the writer, some time behind.
    pub(super) fn replica(pool: AnyPool) -> Self {
        Self { pool, reached: Arc::new(AtomicI64::new(-1)) }
    }

    /// Whether it shows everything up to that generation.
    pub(super) fn shows(&self, generation: i64) -> bool {
        self.reached.load(SeqCst) >= generation
    }

    fn is_replica(&self) -> bool {
        self.reached.load(SeqCst) != i64::MAX
    }

    /// A replica that does not answer is not asked until it does.
    async fn look(&self) {
        let found = look(&self.pool).await;
        if let Err(error) = &found
            && self.reached.load(SeqCst) >= 0
        {
            tracing::warn!(%error, "a database replica does not answer; the others and the writer are read");
        }
        self.reached.store(found.unwrap_or(-1), SeqCst);
    }
}

impl Database {
    /// The generation of the catalog that this origin knows of. What is read from now on shows it, or a later one.
    pub(crate) fn catalog_generation(&self) -> i64 {
        self.generation.load(SeqCst)
    }

    /// Commits a transaction that changes what lists and details of the catalog show. When it returns, this origin
    /// answers nothing that was made before; others follow within a second.
    pub(crate) async fn commit_catalog(
        &self,
        mut tx: Transaction<'static, Any>,
    ) -> Result<(), DatabaseError> {
        let sql =
            "UPDATE catalog_generation SET generation = generation + 1 WHERE one = 1 RETURNING generation";
        let (generation,): (i64,) = sqlx::query_as(sql).fetch_one(&mut *tx).await?;
        tx.commit().await?;
        self.generation.fetch_max(generation, SeqCst);
        Ok(())
    }

    /// Looks once at what the writer and each replica show.
    pub(super) async fn look(&self) -> Result<(), DatabaseError> {
        let generation = look(&self.fresh).await?;
        self.generation.fetch_max(generation, SeqCst);
        join_all(self.readers.iter().filter(|it| it.is_replica()).map(Reader::look)).await;
        Ok(())
    }

    /// Follows the database, for what other origins change and how far replicas are.
    pub(crate) async fn follow(self) {
        let replicas = self.readers.iter().filter(|it| it.is_replica()).map(async |replica| {
            loop {
                tokio::time::sleep(LOOK_EVERY).await;
                replica.look().await;
            }
        });
        join(self.follow_writer(), join_all(replicas)).await;
    }

    async fn follow_writer(&self) {
        let mut answers = true;
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            match look(&self.fresh).await {
                Ok(generation) => {
                    answers = true;
                    self.generation.fetch_max(generation, SeqCst);
                }
                Err(error) if answers => {
                    answers = false;
                    tracing::warn!(%error, "changes of the catalog cannot be looked for; what is known stays");
                }
                Err(_) => {}
            }
        }
    }
}

async fn look(pool: &AnyPool) -> Result<i64, DatabaseError> {
    let looking = sqlx::query_as("SELECT generation FROM catalog_generation WHERE one = 1").fetch_one(pool);
    let found: Result<(i64,), _> =
        tokio::time::timeout(PATIENCE, looking).await.unwrap_or(Err(sqlx::Error::PoolTimedOut));
    Ok(found?.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::testing;

    #[tokio::test]
    async fn every_commit_advances_and_others_notice() {
        let place = testing::Place::new().await;
        let (here, there) = (place.open().await, place.open().await);
        let before = here.catalog_generation();
        here.commit_catalog(here.begin_write().await.unwrap()).await.unwrap();
        assert_eq!(here.catalog_generation(), before + 1);
        drop(here.begin_write().await.unwrap());
        assert_eq!(there.catalog_generation(), before);
        there.look().await.unwrap();
        assert_eq!(there.catalog_generation(), before + 1);
        there.commit_catalog(there.begin_write().await.unwrap()).await.unwrap();
        assert_eq!((there.catalog_generation(), here.catalog_generation()), (before + 2, before + 1));
    }

    #[tokio::test]
    async fn replicas_are_read_when_they_have_caught_up() {
        let place = testing::Place::new().await;
        let mut database = place.open().await;
        // The same database in the part of a replica: it lags for as long as nobody looks.
        let replica = Reader::replica(database.fresh.clone());
        database.readers = vec![replica.clone()];
        database.look().await.unwrap();
        assert!(replica.shows(database.catalog_generation()));
        database.commit_catalog(database.begin_write().await.unwrap()).await.unwrap();
        assert!(!replica.shows(database.catalog_generation()), "the writer is read");
        replica.look().await;
        assert!(replica.shows(database.catalog_generation()));
        replica.pool.close().await;
        replica.look().await;
        assert!(!replica.shows(0), "it does not answer");
    }

    /// A transaction that is alone on the catalog changes it, and must say so when it commits.
    #[test]
    fn writers_of_the_catalog_commit_as_such() {
        // Tests run in their package's folder, wherever they were built.
        let mut files = vec![std::path::PathBuf::from("src")];
        let mut writers = 0;
        while let Some(path) = files.pop() {
            if path.is_dir() {
                files.extend(std::fs::read_dir(path).unwrap().map(|it| it.unwrap().path()));
                continue;
            }
            let source = std::fs::read_to_string(&path).unwrap();
            let begun = source.matches("begin_alone(Alone::Catalog)").count();
            if begun == 0 || path.ends_with("database/generation.rs") {
                continue;
            }
            writers += begun;
            let said = source.matches(".commit_catalog(").count();
            assert!(said >= begun, "{}: end with database.commit_catalog(tx)", path.display());
        }
        assert!(writers >= 2, "the source is still read as it is written");
    }
}
