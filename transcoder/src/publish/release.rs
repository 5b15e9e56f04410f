//! Everything of one publication, in the order in which it must be written.

use bytes::Bytes;
use segue_manifests::playlists::{Form, media, static_multivariant};
use segue_manifests::{AssetId, Cover, Descriptor, DescriptorError, ObjectKey, Rev, Sha256, VERSION};
use segue_storage::Payload;

use super::Settings;
use crate::package::{Package, PackedFile};
use crate::source::{Artwork, Identity};

/// A package with its descriptor and cover.
#[derive(Debug)]
pub(crate) struct Release {
    descriptor: Descriptor,
    package: Package,
    cover: Option<Bytes>,
}

/// The digest that stands for the artwork in the revision.
pub(crate) fn digest_of_cover(artwork: Option<&Artwork>) -> Option<Sha256> {
    artwork.map(|artwork| Sha256::of(&artwork.bytes))
}

impl Release {
    /// Describes a package.
    ///
    /// # Errors
    /// When its figures contradict one another.
    pub(crate) fn new(
        identity: Identity,
        rev: Rev,
        package: Package,
        settings: &Settings,
    ) -> Result<Self, DescriptorError> {
        let first = package.renditions.first().ok_or(DescriptorError::Inconsistent("no renditions"))?;
        let stream = &first.stream;
        let descriptor = Descriptor {
            version: VERSION,
            asset: identity.asset,
            rev,
            sample_rate: stream.sample_rate,
            channels: stream.channels,
            samples: first.samples,
            encoder_delay: stream.delay,
            frame_samples: stream.frame_samples,
            segment_frames: first.segment_frames.clone(),
            renditions: package.renditions.iter().map(|file| file.packed.clone()).collect(),
            tags: identity.tags,
            cover: identity.artwork.as_ref().map(describe_cover),
            loudness: None,
            source: identity.source,
            encoder: settings.describe(),
        };
        descriptor.check()?;
        let cover = identity.artwork.map(|artwork| Bytes::from(artwork.bytes));
        Ok(Self { descriptor, package, cover })
    }

    /// What will be written last.
    pub(crate) fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// Every object: shared init segments, packed objects, playlists, cover, and the descriptor at the end.
    pub(crate) fn objects(&self) -> Vec<(ObjectKey, Payload)> {
        let Descriptor { asset, rev, .. } = self.descriptor;
        let files = &self.package.renditions;
        let mut objects: Vec<_> = files.iter().map(init).collect();
        objects.extend(files.iter().map(|file| {
            let rendition = file.packed.name.clone();
            (ObjectKey::Packed { asset, rev, rendition }, Payload::File(file.path.clone()))
        }));
        objects.extend(self.playlists(asset, rev));
        if let (Some(cover), Some(about)) = (&self.cover, &self.descriptor.cover) {
            let object_key = ObjectKey::Cover { asset, rev, extension: about.extension.clone() };
            objects.push((object_key, Payload::Bytes(cover.clone())));
        }
        objects.push((ObjectKey::Descriptor { asset, rev }, self.descriptor.to_json().into()));
        objects
    }

    /// The static playlists, by which the bucket alone is playable.
    fn playlists(&self, asset: AssetId, rev: Rev) -> Vec<(ObjectKey, Payload)> {
        let media = self.descriptor.renditions.iter().filter_map(|packed| {
            let playlist = media(&self.descriptor, &packed.name, Form::ByteRange)?;
            let object_key = ObjectKey::StaticMedia { asset, rev, rendition: packed.name.clone() };
            Some((object_key, playlist.to_text().into()))
        });
        let multivariant = static_multivariant(&self.descriptor).to_text().into();
        let multivariant = (ObjectKey::StaticMultivariant { asset, rev }, multivariant);
        media.chain([multivariant]).collect()
    }
}

fn init(file: &PackedFile) -> (ObjectKey, Payload) {
    (ObjectKey::Init { sha256: file.packed.init.sha256 }, file.init.clone().into())
}

fn describe_cover(artwork: &Artwork) -> Cover {
    Cover {
        extension: artwork.extension.to_owned(),
        size: artwork.bytes.len() as u32,
        sha256: Sha256::of(&artwork.bytes),
        width: artwork.width,
        height: artwork.height,
    }
}
