//! Artwork in sizes: read from the store, checked, resized once, kept in memory while wanted.

mod resize;

use std::sync::Arc;

use bytes::Bytes;
use segue_manifests::{ObjectKey, Sha256};
use tokio::sync::Semaphore;

use crate::catalog::Catalog;
use crate::database::DatabaseError;
use crate::http::{Problem, Representation, Variant};
use crate::store::{Store, StoreError};

/// Largest artwork that is read, bytes.
const MAX_COVER: u64 = 24 << 20;
const CACHE_CONTROL: &str = "public, max-age=31536000, immutable";

/// How every PNG file begins.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
/// Stands for the size of artwork that is not resized.
const AS_PUBLISHED: u32 = 0;

/// Edges of the squares that covers are fitted into, pixels.
pub(crate) const SIZES: [u32; 4] = [96, 192, 384, 768];

/// Why a cover could not be had.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum CoverError {
    /// No song has it.
    #[error("no such cover")]
    Unknown,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The database.
    #[error(transparent)]
    Database(Arc<DatabaseError>),
    /// It cannot be decoded.
    #[error("cover {0}: {1}")]
    Unreadable(Sha256, String),
}

impl From<CoverError> for Problem {
    fn from(error: CoverError) -> Self {
        match &error {
            CoverError::Unknown => Self::not_found("There is no such cover."),
            CoverError::Store(StoreError::Unavailable(_)) => {
                Self::unavailable("The object store is not reachable at the moment. Try again.", &error)
            }
            CoverError::Database(inner) if inner.is_temporary() => {
                Self::unavailable("The catalog is not reachable at the moment. Try again.", &error)
            }
            CoverError::Database(_) => Self::internal(&error),
            CoverError::Store(_) | CoverError::Unreadable(..) => {
                Self::damaged("The stored artwork is damaged. Publish the track again.", &error)
            }
        }
    }
}

/// The size among [`SIZES`] nearest to a wish; between two, the larger.
pub(crate) fn nearest(wish: u32) -> u32 {
    SIZES.into_iter().rev().min_by_key(|size| size.abs_diff(wish)).unwrap_or(wish)
}

/// Artwork of the store.
#[derive(Debug)]
pub(crate) struct Covers {
    catalog: Catalog,
    store: Arc<Store>,
    cache: moka::future::Cache<(Sha256, u32), Bytes>,
    jobs: Arc<Semaphore>,
}

impl Covers {
    /// Keeps about `budget` bytes of resized covers, decodes at most `jobs` at once.
    pub(crate) fn new(catalog: Catalog, store: Arc<Store>, budget: u64, jobs: usize) -> Self {
        let cache = moka::future::Cache::builder()
            .max_capacity(budget)
            .weigher(|_, it: &Bytes| u32::try_from(it.len() + 128).unwrap_or(u32::MAX))
            .build();
        Self { catalog, store, cache, jobs: Arc::new(Semaphore::new(jobs.min(Semaphore::MAX_PERMITS))) }
    }

    /// A cover as it was published, or fitted into a square of `size` pixels, as JPEG. However many ask for
    /// the same one at once, it is made once.
    pub(crate) async fn get(&self, cover: Sha256, size: Option<u32>) -> Result<Representation, CoverError> {
        let made = match size {
            Some(size) => self.cache.try_get_with((cover, size), self.make(cover, size)).await,
            None => self.cache.try_get_with((cover, AS_PUBLISHED), self.original(cover)).await,
        };
        let bytes = made.map_err(|error: Arc<CoverError>| CoverError::clone(&error))?;
        let content_type = if bytes.starts_with(PNG) { "image/png" } else { "image/jpeg" };
        Ok(Representation::new(content_type, CACHE_CONTROL, Variant::of(bytes)))
    }

    async fn make(&self, cover: Sha256, size: u32) -> Result<Bytes, CoverError> {
        // The permit is taken before the original is read: waiting ones hold no artwork in memory. It moves
        // into the job, which runs on even when nobody waits for it any more.
        let permit = Arc::clone(&self.jobs).acquire_owned().await;
        let permit = permit.expect("the semaphore is never closed");
        let bytes = self.original(cover).await?;
        let job = tokio::task::spawn_blocking(move || {
            let made = resize::fit(&bytes, size);
            drop(permit);
            made
        });
        match job.await {
            Ok(Ok(jpeg)) => Ok(jpeg.into()),
            Ok(Err(error)) => Err(CoverError::Unreadable(cover, error.to_string())),
            Err(error) => Err(CoverError::Unreadable(cover, error.to_string())),
        }
    }

    /// The artwork as published, from the first of its copies that is sound.
    async fn original(&self, cover: Sha256) -> Result<Bytes, CoverError> {
        let places = self.catalog.cover_places(cover).await;
        let places = places.map_err(|error| CoverError::Database(Arc::new(error)))?;
        let mut last = CoverError::Unknown;
        for place in places {
            let object = ObjectKey::Cover { asset: place.asset, rev: place.rev, extension: place.extension };
            match self.store.read(&object, MAX_COVER).await {
                Ok(bytes) if Sha256::of(&bytes) == cover => return Ok(bytes),
                Ok(_) => last = StoreError::Damaged(format!("{object} hashes to something else")).into(),
                Err(StoreError::NotFound(path)) => {
                    last = StoreError::Damaged(format!("{path} is missing, its descriptor is not")).into();
                }
                Err(error) => last = error.into(),
            }
        }
        Err(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_meet_the_nearest_size() {
        for (wish, size) in
            [(0, 96), (96, 96), (143, 96), (144, 192), (300, 384), (5000, 768), (u32::MAX, 768)]
        {
            assert_eq!(nearest(wish), size, "{wish}");
        }
    }
}
