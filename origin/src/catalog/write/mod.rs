//! Writing the catalog: descriptors, what curators set, what is taken down. One transaction at a time.
//!
//! Counts on artists and albums are kept up with every change, never counted on read. Albums and artists that
//! nothing names any more disappear in the same transaction.

mod ahead;
mod albums;
mod artists;
mod batch;
mod flush;
mod songs;
mod tally;

use std::collections::HashSet;

use ahead::of_these;
use batch::ROWS;
use segue_manifests::{AssetId, Descriptor, Rev};

use super::Catalog;
use super::ids::SongId;
use super::rows::fixed;
use super::tags::{READ_AS, Shelf};
use crate::database::{Alone, DatabaseError};

pub(super) use albums::{AlbumState, Wanted, state};
pub(super) use batch::Batch;
pub(super) use songs::standing;

/// What asks for an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trigger {
    /// Someone named this packaging: it becomes the current one, also when it was known before.
    Named,
    /// A scan found it. Packagings carry no time, so one that became current after the scan had begun (at this
    /// time in milliseconds since the Unix epoch) is taken for newer and stays.
    Scan {
        /// When the scan began.
        began: u64,
    },
}

/// What an import changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// A song is new.
    Added,
    /// A song has another packaging, and perhaps other tags; or its tags were read in a newer way.
    Moved,
    /// The packaging was already the current one.
    Unchanged,
    /// The packaging is noted, another one stays current.
    Noted,
}

impl Change {
    /// Name in answers, logs and metrics.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Moved => "moved",
            Self::Unchanged => "unchanged",
            Self::Noted => "noted",
        }
    }
}

impl Catalog {
    /// Those of the packagings that were ever imported, and are not to be read anew.
    pub(crate) async fn known(
        &self,
        packagings: &[(AssetId, Rev)],
    ) -> Result<HashSet<(AssetId, Rev)>, DatabaseError> {
        let sql = "SELECT a.asset, a.rev, COALESCE(s.read_as, -1) FROM assets a
             LEFT JOIN songs s ON s.id = a.asset AND s.rev = a.rev WHERE a.asset IN (#)";
        let mut db = self.database.readers().acquire().await?;
        let assets: Vec<&[u8]> = packagings.iter().map(|(asset, _)| &asset.0[..]).collect();
        let mut known = HashSet::new();
        for assets in assets.chunks(ROWS) {
            let rows: Vec<(Vec<u8>, Vec<u8>, i64)> = of_these(&mut db, sql, assets).await?;
            for (asset, rev, _) in rows.into_iter().filter(|(_, _, read_as)| !(0..READ_AS).contains(read_as))
            {
                known.insert((AssetId(fixed(&asset, "asset")?), Rev(fixed(&rev, "rev")?)));
            }
        }
        Ok(known)
    }

    /// The current packaging of an asset, if it is in the catalog.
    pub(crate) async fn current_rev(&self, asset: AssetId) -> Result<Option<Rev>, DatabaseError> {
        let found: Option<(Vec<u8>,)> = sqlx::query_as("SELECT rev FROM songs WHERE id = $1")
            .bind(&asset.0[..])
            .fetch_optional(self.database.fresh())
            .await?;
        found.map(|(rev,)| Ok(Rev(fixed(&rev, "rev")?))).transpose()
    }

    /// Brings a checked descriptor into the catalog, whole or not at all. `now` is in milliseconds since the
    /// Unix epoch. The same descriptor again changes nothing.
    pub(crate) async fn apply(
        &self,
        descriptor: &Descriptor,
        trigger: Trigger,
        now: u64,
    ) -> Result<Change, DatabaseError> {
        let changes = self.apply_all(std::slice::from_ref(descriptor), trigger, now).await?;
        Ok(changes[0])
    }

    /// The same for many descriptors in one transaction: all of them or, when the database fails, none.
    pub(crate) async fn apply_all(
        &self,
        descriptors: &[Descriptor],
        trigger: Trigger,
        now: u64,
    ) -> Result<Vec<Change>, DatabaseError> {
        let mut tx = self.database.begin_alone(Alone::Catalog).await?;
        let mut batch = Batch::new(&mut tx, now);
        let all: Vec<_> = descriptors.iter().map(|it| (it, Shelf::of(&it.tags))).collect();
        batch.read_ahead(&all).await?;
        let mut changes = Vec::with_capacity(all.len());
        for (descriptor, shelf) in all {
            changes.push(change(&mut batch, descriptor, shelf, trigger).await?);
        }
        batch.finish().await?;
        if changes.iter().any(|change| matches!(change, Change::Added | Change::Moved)) {
            self.database.commit_catalog(tx).await?;
        } else {
            tx.commit().await?;
        }
        Ok(changes)
    }

    /// Takes a song out of lists and counts, or puts it back, in a transaction that is alone; says whether the song is
    /// there. `now` is in milliseconds since the Unix epoch.
    pub(crate) async fn take_down(
        db: &mut sqlx::AnyConnection,
        song: SongId,
        down: bool,
        now: u64,
    ) -> Result<bool, DatabaseError> {
        let mut batch = Batch::new(db, now);
        let Some(before) = standing(batch.db, song).await? else { return Ok(false) };
        batch.set_taken_down(song, &before, down).await?;
        batch.finish().await?;
        Ok(true)
    }
}

async fn change(
    batch: &mut Batch<'_>,
    descriptor: &Descriptor,
    shelf: Shelf,
    trigger: Trigger,
) -> Result<Change, DatabaseError> {
    let before = batch.standing(descriptor.asset).await?;
    let again = before.as_ref().is_some_and(|song| song.rev == descriptor.rev);
    if again && before.as_ref().is_some_and(|song| song.read_as >= READ_AS) {
        return Ok(Change::Unchanged);
    }
    // Only the first in a batch is new.
    let new = batch.ahead.assets.remove(&(descriptor.asset, descriptor.rev)).unwrap_or(false);
    if let (Trigger::Scan { began }, Some(song)) = (trigger, &before)
        && !again
        && (!new || song.since >= began)
    {
        return Ok(Change::Noted);
    }
    batch.place(descriptor, shelf, before.as_ref()).await?;
    Ok(if before.is_some() { Change::Moved } else { Change::Added })
}
