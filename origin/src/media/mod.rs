//! The media endpoint: what edges pull.
//!
//! Truth is the store: a packaging can be played as soon as its descriptor lies there, whether the catalog
//! knows it or not. Every byte is checked against the descriptor's digests before it leaves.

mod descriptors;
mod fills;
mod segments;
mod window;

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderName;
use segue_manifests::playlists::{self, Form};
use segue_manifests::{AssetId, CacheLifetime, Descriptor, MediaPath, ObjectKey, RenditionName, Rev, Sha256};

use crate::http::{Conditions, Problem, Representation, Variant};
use crate::metrics::Metrics;
use crate::store::{Store, StoreError};
use crate::takedown::Gone;

use descriptors::Descriptors;
pub(crate) use descriptors::{DescriptorFault, read_descriptor};
use segments::{SegmentId, Segments};

/// Largest init segment that is read, bytes.
const MAX_INIT: u64 = 1 << 20;

/// Why a media resource could not be had.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum MediaError {
    /// There is no such resource.
    #[error("no such resource")]
    Unknown,
    /// It may not be played any more.
    #[error("{0} was taken down")]
    TakenDown(AssetId),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<MediaError> for Problem {
    fn from(error: MediaError) -> Self {
        match &error {
            // Edges may remember for a moment that something is not there.
            MediaError::Unknown | MediaError::Store(StoreError::NotFound(_)) => {
                Self::not_found("There is no such media resource.")
                    .with(http::header::CACHE_CONTROL, "public, max-age=30")
            }
            // With the key that a put-back purges, or edges would go on saying it for a while.
            MediaError::TakenDown(asset) => crate::takedown::gone()
                .with(HeaderName::from_static("surrogate-key"), &format!("asset-{asset}")),
            MediaError::Store(StoreError::Damaged(_)) => {
                Self::damaged("The stored media is damaged. Publish the track again.", &error)
            }
            MediaError::Store(StoreError::Unavailable(_)) => {
                Self::unavailable("The object store is not reachable at the moment. Try again.", &error)
            }
        }
    }
}

/// How much memory the media endpoint may use, and how far it reads ahead.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    pub(crate) descriptors: u64,
    pub(crate) segments: u64,
    pub(crate) read_ahead: u64,
}

/// Media of the store as players' resources.
#[derive(Debug)]
pub(crate) struct Media {
    store: Arc<Store>,
    descriptors: Descriptors,
    playlists: moka::sync::Cache<MediaPath, Representation>,
    inits: moka::sync::Cache<Sha256, Bytes>,
    segments: Segments,
    gone: Gone,
}

impl Media {
    /// Over that store.
    pub(crate) fn new(store: Arc<Store>, metrics: Arc<Metrics>, budget: Budget, gone: Gone) -> Self {
        let playlists = moka::sync::Cache::builder()
            .max_capacity(budget.descriptors / 2)
            .weigher(|_, it: &Representation| u32::try_from(it.weight() + 512).unwrap_or(u32::MAX))
            .build();
        Self {
            descriptors: Descriptors::new(Arc::clone(&store), budget.descriptors / 2),
            playlists,
            inits: moka::sync::Cache::new(1024),
            segments: Segments::new(Arc::clone(&store), metrics, budget.segments, budget.read_ahead),
            store,
            gone,
        }
    }

    /// The descriptor of a packaging.
    pub(crate) async fn descriptor(&self, asset: AssetId, rev: Rev) -> Result<Arc<Descriptor>, MediaError> {
        self.descriptors.get(asset, rev).await
    }

    /// The resource at a path; its body is left out where the conditions need none.
    pub(crate) async fn resource(
        &self,
        path: &MediaPath,
        conditions: &Conditions,
    ) -> Result<Representation, MediaError> {
        if let Some(asset) = asset_of(path)
            && self.gone.holds(asset).await?
        {
            return Err(MediaError::TakenDown(asset));
        }
        match path {
            MediaPath::Multivariant { asset, rev } => self.playlist(path, *asset, *rev, None).await,
            MediaPath::Media { asset, rev, rendition } => {
                self.playlist(path, *asset, *rev, Some(rendition)).await
            }
            MediaPath::Segment { asset, rev, rendition, index } => {
                let descriptor = self.descriptor(*asset, *rev).await?;
                let id = SegmentId { asset: *asset, rev: *rev, rendition: rendition.clone(), index: *index };
                self.segment(path, descriptor, id, conditions).await
            }
            MediaPath::Init { sha256 } => {
                let bytes = self.init(*sha256).await?;
                Ok(represent(path, Variant::known(bytes, *sha256)))
            }
        }
    }

    async fn playlist(
        &self,
        path: &MediaPath,
        asset: AssetId,
        rev: Rev,
        rendition: Option<&RenditionName>,
    ) -> Result<Representation, MediaError> {
        if let Some(known) = self.playlists.get(path) {
            return Ok(known);
        }
        let descriptor = self.descriptor(asset, rev).await?;
        let text = match rendition {
            None => playlists::multivariant(&descriptor).to_text(),
            Some(name) => {
                let playlist = playlists::media(&descriptor, name, Form::PerSegment);
                playlist.ok_or(MediaError::Unknown)?.to_text()
            }
        };
        let gzip = Variant::gzip(text.as_bytes());
        let made = represent(path, Variant::of(text.into())).with_gzip(gzip);
        self.playlists.insert(path.clone(), made.clone());
        Ok(made)
    }

    async fn segment(
        &self,
        path: &MediaPath,
        descriptor: Arc<Descriptor>,
        id: SegmentId,
        conditions: &Conditions,
    ) -> Result<Representation, MediaError> {
        let packed = descriptor.rendition(&id.rendition).ok_or(MediaError::Unknown)?;
        let segment = packed.segment(id.index as usize).ok_or(MediaError::Unknown)?;
        let head = represent(path, Variant::bodyless(u64::from(segment.size), segment.sha256));
        if head.is_bodyless(conditions) {
            return Ok(head);
        }
        let bytes = self.segments.get(&descriptor, id).await?;
        Ok(represent(path, Variant::known(bytes, segment.sha256)))
    }

    async fn init(&self, sha256: Sha256) -> Result<Bytes, MediaError> {
        if let Some(known) = self.inits.get(&sha256) {
            return Ok(known);
        }
        let bytes = self.store.read(&ObjectKey::Init { sha256 }, MAX_INIT).await?;
        if Sha256::of(&bytes) != sha256 {
            return Err(StoreError::Damaged(format!("init segment {sha256} hashes to something else")).into());
        }
        self.inits.insert(sha256, bytes.clone());
        Ok(bytes)
    }
}

fn asset_of(path: &MediaPath) -> Option<AssetId> {
    match path {
        MediaPath::Multivariant { asset, .. }
        | MediaPath::Media { asset, .. }
        | MediaPath::Segment { asset, .. } => Some(*asset),
        MediaPath::Init { .. } => None,
    }
}

/// A media answer: lifetimes for players and edges, and what it is purged by.
fn represent(path: &MediaPath, plain: Variant) -> Representation {
    let CacheLifetime { player, edge } = path.cache_lifetime();
    let made = Representation::new(path.content_type(), player, plain)
        .with(HeaderName::from_static("surrogate-key"), &path.surrogate_keys().join(" "))
        .into_media();
    match edge {
        Some(edge) => made.with(HeaderName::from_static("cdn-cache-control"), edge),
        None => made,
    }
}
