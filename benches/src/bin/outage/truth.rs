//! What every body must be: it follows from the descriptors, which are read from the S3 server's own folder.

use std::collections::HashMap;
use std::path::Path;

use segue_benches::client::Failure;
use segue_manifests::playlists::{self, Form};
use segue_manifests::{Descriptor, MediaPath, Sha256};

/// The digest of everything that players may fetch, by its path without a token.
#[derive(Debug, Default)]
pub(crate) struct Truth {
    digests: HashMap<String, Sha256>,
    pub(crate) assets: usize,
    pub(crate) bytes: u64,
}

impl Truth {
    /// Reads every descriptor below `a/` of a bucket.
    pub(crate) fn read(bucket: &Path) -> Result<Self, Failure> {
        let mut truth = Self::default();
        for asset in std::fs::read_dir(bucket.join("a"))? {
            for rev in std::fs::read_dir(asset?.path())? {
                let text = std::fs::read(rev?.path().join("asset.json"))?;
                truth.add(&Descriptor::from_json(&text)?);
            }
        }
        Ok(truth)
    }

    fn add(&mut self, descriptor: &Descriptor) {
        let (asset, rev) = (descriptor.asset, descriptor.rev);
        let mut note = |path: MediaPath, digest| {
            self.digests.insert(path.path(), digest);
        };
        let text = playlists::multivariant(descriptor).to_text();
        note(MediaPath::Multivariant { asset, rev }, Sha256::of(text.as_bytes()));
        for packed in &descriptor.renditions {
            let rendition = &packed.name;
            if let Some(playlist) = playlists::media(descriptor, rendition, Form::PerSegment) {
                let digest = Sha256::of(playlist.to_text().as_bytes());
                note(MediaPath::Media { asset, rev, rendition: rendition.clone() }, digest);
            }
            note(MediaPath::Init { sha256: packed.init.sha256 }, packed.init.sha256);
            for (index, digest) in (0..).zip(&packed.segment_sha256) {
                note(MediaPath::Segment { asset, rev, rendition: rendition.clone(), index }, *digest);
            }
        }
        self.assets += 1;
        self.bytes += descriptor.renditions.iter().map(|packed| packed.object_size()).sum::<u64>();
    }

    /// Whether that is what lies at a path.
    pub(crate) fn holds(&self, path: &str, body: &[u8]) -> bool {
        self.digests.get(path).is_some_and(|digest| Sha256::of(body) == *digest)
    }
}
