//! One batch of plays and reports, one transaction.
//!
//! Everything is written in statements about many rows, in the order of their keys: several origins may write the same
//! rows, and whoever takes locks in the same order cannot wait in a circle.

use super::recorder::{Item, Outcome, RecordError};
use super::{begin, progress};
use crate::database::{Database, DatabaseError, Dialect};

/// PostgreSQL would rather read all months of plays once, or a stretch of them again and again, than look up the rows of
/// a large batch by their keys: it does not count on passing over partitions while it runs, and knows little of a month
/// that has just begun. Holds until the end of the transaction.
const BY_KEY: &str =
    "SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL enable_material = off;
    SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL jit = off";

/// Writes the items, whole or not at all; the outcomes are in their order. Items that name what is not there are left
/// out.
///
/// # Errors
/// When the database refuses; then nothing is written.
pub(super) async fn write(database: &Database, items: &[Item]) -> Result<Vec<Outcome>, DatabaseError> {
    let (mut plays, mut reports) = (Vec::new(), Vec::new());
    for (place, item) in items.iter().enumerate() {
        match item {
            Item::Play(play) => plays.push((place, play)),
            Item::Report(report) => reports.push((place, report)),
        }
    }
    let mut outcomes = vec![Err(RecordError::Stopped); items.len()];
    let mut tx = database.begin_write().await?;
    if database.dialect() == Dialect::Postgres {
        sqlx::raw_sql(BY_KEY).execute(&mut *tx).await?;
    }
    let dialect = database.dialect();
    let begun = begin::put(&mut tx, dialect, &plays).await?;
    let noted = progress::put(&mut tx, dialect, &reports).await?;
    for (place, outcome) in begun.into_iter().chain(noted) {
        outcomes[place] = outcome;
    }
    tx.commit().await?;
    Ok(outcomes)
}
