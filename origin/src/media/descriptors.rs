//! Descriptors, read once and remembered: they never change.

use std::sync::Arc;

use segue_manifests::{AssetId, Descriptor, DescriptorError, ObjectKey, Rev};

use super::MediaError;
use crate::store::{Store, StoreError};

/// Largest descriptor that is read, bytes: a day of audio in ten renditions stays below.
const MAX_DESCRIPTOR: u64 = 16 << 20;

/// A descriptor that could not be had.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum DescriptorFault {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It contradicts itself or its place.
    #[error("{0}")]
    Bad(String),
}

impl From<DescriptorError> for DescriptorFault {
    fn from(error: DescriptorError) -> Self {
        Self::Bad(error.to_string())
    }
}

/// Reads the descriptor of a packaging and checks that it is what its path says.
pub(crate) async fn read_descriptor(
    store: &Store,
    asset: AssetId,
    rev: Rev,
) -> Result<Descriptor, DescriptorFault> {
    let bytes = store.read(&ObjectKey::Descriptor { asset, rev }, MAX_DESCRIPTOR).await?;
    let descriptor = Descriptor::from_json(&bytes)?;
    if (descriptor.asset, descriptor.rev) != (asset, rev) {
        return Err(DescriptorFault::Bad("descriptor: names another asset or rev than its path".into()));
    }
    check_cover(&descriptor)?;
    Ok(descriptor)
}

fn check_cover(descriptor: &Descriptor) -> Result<(), DescriptorFault> {
    match &descriptor.cover {
        Some(cover) if !["jpg", "png"].contains(&cover.extension.as_str()) => {
            Err(DescriptorFault::Bad("descriptor: the cover is neither jpg nor png".into()))
        }
        _ => Ok(()),
    }
}

/// Descriptors in memory; one read however many ask.
#[derive(Debug)]
pub(crate) struct Descriptors {
    store: Arc<Store>,
    cache: moka::future::Cache<(AssetId, Rev), Arc<Descriptor>>,
}

impl Descriptors {
    /// At most about `bytes` of them.
    pub(crate) fn new(store: Arc<Store>, bytes: u64) -> Self {
        let cache = moka::future::Cache::builder()
            .max_capacity(bytes)
            .weigher(|_, it: &Arc<Descriptor>| weight(it))
            .build();
        Self { store, cache }
    }

    /// The descriptor of a packaging.
    pub(crate) async fn get(&self, asset: AssetId, rev: Rev) -> Result<Arc<Descriptor>, MediaError> {
        let reading = async { read_descriptor(&self.store, asset, rev).await.map(Arc::new) };
        self.cache.try_get_with((asset, rev), reading).await.map_err(|fault: Arc<DescriptorFault>| {
            MediaError::Store(match &*fault {
                DescriptorFault::Store(error) => error.clone(),
                DescriptorFault::Bad(reason) => StoreError::Damaged(reason.clone()),
            })
        })
    }
}

/// About the bytes that a descriptor takes in memory.
fn weight(descriptor: &Descriptor) -> u32 {
    let segments = descriptor.segment_frames.len();
    let bytes = 2048 + segments * 4 + descriptor.renditions.len() * (256 + segments * 36);
    u32::try_from(bytes).unwrap_or(u32::MAX)
}
