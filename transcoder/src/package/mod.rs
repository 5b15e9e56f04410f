//! From PCM to packed objects: decoded once, encoded by one thread for each rendition, cut alike, in bounded memory.

mod encoding;
mod error;
mod packer;
mod ramp;

use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::thread;
use std::time::Duration;

use segue_manifests::Ladder;

use crate::cpu;
use crate::scratch::JobDir;
use crate::source::{PcmReader, PcmSpec, SourceError};
use encoding::{Feed, Work};
pub(crate) use error::PackageError;
pub(crate) use packer::PackedFile;

/// Decoded sound, in order.
pub(crate) trait PcmSource {
    /// Shape of the samples.
    fn spec(&self) -> PcmSpec;
    /// The next interleaved samples; `None` at the end.
    fn next_chunk(&mut self) -> Result<Option<Vec<i16>>, SourceError>;
}

impl PcmSource for PcmReader {
    fn spec(&self) -> PcmSpec {
        Self::spec(self)
    }

    fn next_chunk(&mut self) -> Result<Option<Vec<i16>>, SourceError> {
        Self::next_chunk(self)
    }
}

/// All renditions of a track in temporary files.
#[derive(Debug)]
pub(crate) struct Package {
    /// Lowest bit rate first, never empty; cut alike.
    pub(crate) renditions: Vec<PackedFile>,
    /// Processor time of decoding and encoding.
    pub(crate) cpu: Duration,
    /// Holds the files.
    _dir: JobDir,
}

/// Packs a source into every rung of the ladder, in files below `dir`. `stopped` is asked again and again and ends
/// the work early.
pub(crate) fn package(
    source: &mut dyn PcmSource,
    ladder: &Ladder,
    dir: JobDir,
    stopped: &(dyn Fn() -> bool + Sync),
) -> Result<Package, PackageError> {
    if ladder.rungs.is_empty() {
        return Err(PackageError::NoLadder);
    }
    let renditions = encoding::prepare(ladder, source.spec(), dir.path())?;
    let (fed, results) = thread::scope(|scope| {
        let started = encoding::start(scope, renditions)?;
        let fed = cpu::measured(|| feed(source, &started.feeds, stopped));
        drop(started.feeds);
        let results: Vec<_> = started.threads.into_iter().map(encoding::join).collect();
        Ok::<_, PackageError>((fed, results))
    })?;
    let (decoded, mut cpu) = fed;
    decoded?;
    let mut renditions = Vec::with_capacity(results.len());
    for result in results {
        let Work { file, cpu: spent } = result?;
        renditions.push(file);
        cpu += spent;
    }
    check(&renditions)?;
    Ok(Package { renditions, cpu, _dir: dir })
}

/// Decodes to the end and shares every chunk with all encoders. Where an encoder has gone it ends early without an
/// error: that thread's own result says why.
fn feed(
    source: &mut dyn PcmSource,
    feeds: &[SyncSender<Feed>],
    stopped: &(dyn Fn() -> bool + Sync),
) -> Result<(), PackageError> {
    let mut any = false;
    while let Some(chunk) = source.next_chunk()? {
        if stopped() {
            return Err(PackageError::Stopped);
        }
        any |= !chunk.is_empty();
        let chunk = Arc::new(chunk);
        if feeds.iter().any(|feed| feed.send(Feed::Pcm(Arc::clone(&chunk))).is_err()) {
            return Ok(());
        }
    }
    if !any {
        return Err(PackageError::Empty);
    }
    // A thread that is gone here is one that failed.
    feeds.iter().for_each(|feed| drop(feed.send(Feed::End)));
    Ok(())
}

/// What a switch between renditions relies on (23000-19 7.3.4).
fn check(renditions: &[PackedFile]) -> Result<(), PackageError> {
    let (first, others) = renditions.split_first().ok_or(PackageError::NoLadder)?;
    let alike = |other: &PackedFile| {
        let (a, b) = (&first.stream, &other.stream);
        let timeline = a.delay == b.delay && a.frame_samples == b.frame_samples && a.config == b.config;
        timeline && first.segment_frames == other.segment_frames && first.samples == other.samples
    };
    match others.iter().all(alike) {
        true => Ok(()),
        false => Err(PackageError::Inconsistent("renditions are not cut alike")),
    }
}

#[cfg(test)]
mod tests;
