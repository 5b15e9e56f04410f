//! First step of a file: what is it? Answered by the journal where the file has not changed.

use std::path::Path;
use std::time::Duration;

use segue_manifests::{AssetId, Rev};

use super::fault::Fault;
use super::sources::Sources;
use super::walk::FoundFile;
use crate::journal::{Journal, Stamp};
use crate::publish::{Settings, digest_of_cover};
use crate::source::Identity;
use crate::{cpu, panics};

/// A file and what it is.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) file: FoundFile,
    /// The file as it was before it was read.
    pub(super) stamp: Option<Stamp>,
    pub(super) known: Result<Known, Fault>,
    /// Processor time of looking.
    pub(super) cpu: Duration,
}

/// What a file holds.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) asset: AssetId,
    pub(super) rev: Rev,
    /// `None` where the journal knew.
    pub(super) identity: Option<Identity>,
}

/// Asks the journal, else reads the file.
pub(super) fn look(
    file: FoundFile,
    sources: &dyn Sources,
    settings: &Settings,
    journal: Option<&Journal>,
) -> Look {
    let stamp = Stamp::of(&file.absolute);
    let remembered = journal.zip(stamp.as_ref()).and_then(|(journal, stamp)| journal.lookup(stamp));
    if let Some((asset, rev)) = remembered {
        let known = Ok(Known { asset, rev, identity: None });
        return Look { file, stamp, known, cpu: Duration::ZERO };
    }
    let (known, cpu) = cpu::measured(|| read(&file.path, sources, settings));
    Look { file, stamp, known, cpu }
}

/// Reads the file, whatever the journal says.
pub(super) fn read(path: &Path, sources: &dyn Sources, settings: &Settings) -> Result<Known, Fault> {
    let identity = panics::caught(|| sources.identify(path))
        .map_err(|message| Fault::crashed("reading", &message))?
        .map_err(Fault::from)?;
    let rev = settings.revision(&identity.tags, digest_of_cover(identity.artwork.as_ref()));
    Ok(Known { asset: identity.asset, rev, identity: Some(identity) })
}
