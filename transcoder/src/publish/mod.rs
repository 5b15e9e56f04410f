//! From a package to objects in the store. The descriptor goes last: until it is there nothing of the release can be
//! seen, and a publication that was cut short is repeated with the same bytes.

mod release;
mod settings;

use segue_manifests::{AssetId, ObjectKey, Rev};
use segue_storage::{Error, ErrorKind, Payload, Storage};

pub(crate) use release::{Release, digest_of_cover};
pub(crate) use settings::Settings;

/// Whether the release is already there: its descriptor says so.
pub(crate) async fn is_published(store: &dyn Storage, asset: AssetId, rev: Rev) -> Result<bool, Error> {
    exists(store, &ObjectKey::Descriptor { asset, rev }).await
}

/// Puts every object of a release, the descriptor last.
pub(crate) async fn publish(store: &dyn Storage, release: &Release) -> Result<(), Error> {
    for (object_key, payload) in release.objects() {
        // Init segments are shared by content: what is there is right, and others are reading it.
        let shared = matches!(object_key, ObjectKey::Init { .. });
        if shared && exists(store, &object_key).await? {
            continue;
        }
        put(store, &object_key, payload).await?;
    }
    Ok(())
}

async fn put(store: &dyn Storage, object_key: &ObjectKey, payload: Payload) -> Result<(), Error> {
    store.put(&object_key.path(), payload, object_key.content_type()).await
}

async fn exists(store: &dyn Storage, object_key: &ObjectKey) -> Result<bool, Error> {
    match store.head(&object_key.path()).await {
        Ok(_) => Ok(true),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(false),
        Err(e) => Err(e),
    }
}
