//! The threads that encode, one for each rendition.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, Scope, ScopedJoinHandle};
use std::time::Duration;

use segue_manifests::Ladder;

use super::PackageError;
use super::packer::{PackedFile, Packer};
use crate::cpu;
use crate::encode::{self, Encoder};
use crate::source::PcmSpec;

/// Chunks that may wait for each encoder: bounds memory, and lets fast renditions run ahead of slow ones.
const QUEUE: usize = 16;

/// What an encoder is fed.
pub(super) enum Feed {
    /// Interleaved samples, shared with the other encoders.
    Pcm(Arc<Vec<i16>>),
    /// The source is complete. A channel that closes without it means that the work was given up.
    End,
}

/// What came out of a thread.
pub(super) struct Work {
    pub(super) file: PackedFile,
    pub(super) cpu: Duration,
}

/// An encoder with the object that it fills.
pub(super) struct Rendition {
    encoder: Box<dyn Encoder>,
    packer: Packer,
}

/// Threads under way, in the ladder's order.
pub(super) struct Started<'scope> {
    pub(super) feeds: Vec<SyncSender<Feed>>,
    pub(super) threads: Vec<Thread<'scope>>,
}

pub(super) type Thread<'scope> = ScopedJoinHandle<'scope, Result<Work, PackageError>>;

/// Opens encoder and file of every rung.
pub(super) fn prepare(ladder: &Ladder, pcm: PcmSpec, dir: &Path) -> Result<Vec<Rendition>, PackageError> {
    let rungs = ladder.rungs.iter().map(|rung| {
        let encoder = encode::open(rung, pcm)?;
        let name = rung.name();
        let packer = Packer::create(&dir.join(format!("{name}.mp4")), name, encoder.stream())?;
        Ok(Rendition { encoder, packer })
    });
    rungs.collect()
}

/// Starts a thread for each rendition.
pub(super) fn start<'scope>(
    scope: &'scope Scope<'scope, '_>,
    renditions: Vec<Rendition>,
) -> Result<Started<'scope>, PackageError> {
    let mut started = Started { feeds: Vec::new(), threads: Vec::new() };
    for rendition in renditions {
        let (feed, fed) = sync_channel(QUEUE);
        let thread = thread::Builder::new()
            .name("segue-encode".to_owned())
            .spawn_scoped(scope, move || run(rendition, &fed))
            .map_err(PackageError::Scratch)?;
        started.feeds.push(feed);
        started.threads.push(thread);
    }
    Ok(started)
}

/// Waits for a thread; a panic in it is an error like any other.
pub(super) fn join(thread: Thread) -> Result<Work, PackageError> {
    thread.join().unwrap_or_else(|panic| Err(PackageError::Crashed(crate::panics::message(&*panic))))
}

fn run(rendition: Rendition, fed: &Receiver<Feed>) -> Result<Work, PackageError> {
    let (file, cpu) = cpu::measured(|| encode_all(rendition, fed));
    Ok(Work { file: file?, cpu })
}

fn encode_all(rendition: Rendition, fed: &Receiver<Feed>) -> Result<PackedFile, PackageError> {
    let Rendition { mut encoder, mut packer } = rendition;
    let channels = u64::from(encoder.stream().channels);
    let mut values = 0u64;
    loop {
        match fed.recv() {
            Ok(Feed::Pcm(pcm)) => {
                encoder.encode(&pcm, packer.units())?;
                packer.advance()?;
                values += pcm.len() as u64;
            }
            Ok(Feed::End) => break,
            Err(_) => return Err(PackageError::Stopped),
        }
    }
    encoder.finish(packer.units())?;
    packer.finish(values / channels)
}
