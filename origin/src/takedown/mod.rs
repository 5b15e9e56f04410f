//! Songs that may not be played any more.
//!
//! Whatever an origin notices to have changed, by its own doing or another origin's, it answers by from then on, and
//! tells every edge and shield to forget the asset. An edge may ask again at an origin that has not noticed yet; that one tells it
//! once more when it does, so in the end no edge keeps what is taken down. With Redis an origin notices at once what
//! another has done; it looks at the database all the same.
//!
//! The store is told as well ([`tombstones`]): an edge that falls back to it has no origin to ask.

mod push;
mod tombstones;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use http::StatusCode;
use segue_manifests::AssetId;
use tokio::sync::Mutex;

use crate::accounts::{Identity, note};
use crate::catalog::{Catalog, SongId, fixed};
use crate::database::{Alone, Database, DatabaseError};
use crate::http::Problem;
use crate::shared::{Event, Events, Shared};
use crate::store::StoreError;
use push::Edges;
use tombstones::REMEMBERED;
pub(crate) use tombstones::{Stored, Tombstones};

/// Seconds between looks at the database for what other origins have taken down.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Time from word of another origin to the look, and so between such looks.
const SHORTEST: Duration = Duration::from_millis(100);

/// What is taken down.
#[derive(Debug)]
pub(crate) struct Takedowns {
    database: Database,
    songs: ArcSwap<HashSet<AssetId>>,
    /// Held from reading the database to answering by it: an older reading never replaces a newer one.
    refreshing: Mutex<()>,
    edges: Edges,
    tombstones: Tombstones,
    shared: Shared,
}

/// Where it stands what may not be played.
#[derive(Debug)]
pub(crate) enum Gone {
    /// In the database.
    Known(Arc<Takedowns>),
    /// In the store, for those who have nothing else.
    Stored(Stored),
}

impl Gone {
    /// Whether an asset may not be played.
    pub(crate) async fn holds(&self, asset: AssetId) -> Result<bool, StoreError> {
        match self {
            Self::Known(takedowns) => Ok(takedowns.holds(asset)),
            Self::Stored(stored) => stored.hold(asset).await,
        }
    }
}

/// 410: it was there and will not be again.
pub(crate) fn gone() -> Problem {
    let detail = "This song was taken down and cannot be played any more.";
    Problem::new(StatusCode::GONE, "taken-down", "Taken down", detail)
        .with(http::header::CACHE_CONTROL, "public, max-age=30")
}

impl Takedowns {
    /// Reads what is taken down. `edges` and `shields` are the addresses of admin listeners, checked before; tombstones go to
    /// the store.
    pub(crate) async fn load(
        database: Database,
        (edges, shields): (&[String], &[String]),
        secret: &str,
        tombstones: Tombstones,
        shared: Shared,
    ) -> Result<Self, DatabaseError> {
        let songs = read(&database).await?;
        tombstones.settle(songs.iter().copied());
        let (songs, edges) = (ArcSwap::from_pointee(songs), Edges::new(edges, shields, secret));
        Ok(Self { database, songs, refreshing: Mutex::new(()), edges, tombstones, shared })
    }

    /// Whether that song is taken down.
    pub(crate) fn holds(&self, song: SongId) -> bool {
        self.songs.load().contains(&song)
    }

    /// Follows the database, for what other origins do.
    pub(crate) async fn follow(self: Arc<Self>) {
        let mut events = self.shared.events();
        loop {
            if tokio::time::timeout(LOOK_EVERY, catalog_changed(&mut events)).await.is_ok() {
                // Much may change at once: one look is enough.
                tokio::time::sleep(SHORTEST).await;
                events.skip();
            }
            if let Err(error) = self.refresh().await {
                tracing::warn!(%error, "takedowns cannot be read; those known stay");
            }
        }
    }

    /// Keeps the store's tombstones as the database says.
    pub(crate) async fn mark(self: Arc<Self>) {
        // Until now an edge may have had the song from the store, and readers of tombstones remember for a while.
        let written = |song| self.edges.purge_later(2 * REMEMBERED, song);
        self.tombstones.keep(|song| self.holds(song), written).await;
    }

    /// Reads what is taken down, answers by it, and tells the edges and the store what has changed.
    async fn refresh(&self) -> Result<(), DatabaseError> {
        let _alone = self.refreshing.lock().await;
        let now = Arc::new(read(&self.database).await?);
        let before = self.songs.swap(Arc::clone(&now));
        now.symmetric_difference(&before).for_each(|song| self.edges.purge(*song));
        self.tombstones.settle(now.symmetric_difference(&before).copied());
        Ok(())
    }

    /// Takes a song down, or puts it back; says whether the song is there. `now` is in milliseconds since the Unix
    /// epoch.
    pub(crate) async fn set(
        &self,
        by: &Identity,
        song: SongId,
        down: bool,
        reason: &str,
        now: u64,
    ) -> Result<bool, DatabaseError> {
        let mut tx = self.database.begin_alone(Alone::Catalog).await?;
        if !Catalog::take_down(&mut tx, song, down, now).await? {
            return Ok(false);
        }
        let act = if down { "take-down" } else { "put-back" };
        note(&mut tx, by, act, &song.to_string(), reason, now).await?;
        self.database.commit_catalog(tx).await?;
        let (_, refreshed) = tokio::join!(self.shared.tell(Event::Catalog), self.refresh());
        refreshed?;
        // Also where nothing has changed: whoever asks again wants it to be so.
        self.tombstones.settle([song]);
        Ok(true)
    }
}

async fn catalog_changed(events: &mut Events) {
    while let Event::Account(_) = events.next().await {}
}

async fn read(database: &Database) -> Result<HashSet<AssetId>, DatabaseError> {
    let rows: Vec<(Vec<u8>,)> = sqlx::query_as("SELECT id FROM songs WHERE taken_down_at IS NOT NULL")
        .fetch_all(database.fresh())
        .await?;
    rows.iter().map(|(id,)| Ok(AssetId(fixed(id, "id")?))).collect()
}
