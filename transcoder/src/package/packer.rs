//! One rendition on its way into its packed object: init segment, then every segment.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;
use segue_manifests::{InitSegment, Packed, RenditionName, Sha256};

use super::PackageError;
use super::ramp::{Cutter, Ramp};
use crate::cmaf::{self, Fragment};
use crate::encode::{AccessUnits, Stream};

/// A finished packed object in a temporary file.
#[derive(Debug)]
pub(crate) struct PackedFile {
    pub(crate) path: PathBuf,
    pub(crate) packed: Packed,
    pub(crate) init: Vec<u8>,
    pub(crate) stream: Stream,
    pub(crate) segment_frames: Vec<u32>,
    /// Samples per channel that are presented.
    pub(crate) samples: u64,
}

/// Writes segments as soon as they are certain; holds at most one and a short tail in memory.
pub(super) struct Packer {
    file: File,
    path: PathBuf,
    name: RenditionName,
    stream: Stream,
    init: Vec<u8>,
    cutter: Cutter,
    units: AccessUnits,
    /// Access units of `units` that the cutter has counted.
    counted: usize,
    /// Access units written.
    written: u64,
    segment_frames: Vec<u32>,
    sizes: Vec<u32>,
    digests: Vec<Sha256>,
}

impl Packer {
    /// Begins the packed object of a rendition at `path` with its init segment.
    pub(super) fn create(path: &Path, name: RenditionName, stream: &Stream) -> Result<Self, PackageError> {
        let init = cmaf::init_segment(stream)?;
        let mut file = File::create_new(path).map_err(PackageError::Scratch)?;
        file.write_all(&init).map_err(PackageError::Scratch)?;
        Ok(Self {
            file,
            path: path.to_owned(),
            name,
            init,
            cutter: Cutter::new(Ramp::of(stream)),
            stream: stream.clone(),
            units: AccessUnits::default(),
            counted: 0,
            written: 0,
            segment_frames: Vec::new(),
            sizes: Vec::new(),
            digests: Vec::new(),
        })
    }

    /// Where the encoder puts access units; follow with [`Self::advance`].
    pub(super) fn units(&mut self) -> &mut AccessUnits {
        &mut self.units
    }

    /// Writes the segments that have become certain.
    pub(super) fn advance(&mut self) -> Result<(), PackageError> {
        while self.counted < self.units.len() {
            self.counted += 1;
            if let Some(frames) = self.cutter.push() {
                self.write_segment(frames, self.stream.frame_samples)?;
                self.counted -= frames as usize;
            }
        }
        Ok(())
    }

    /// Writes what is left; `samples` per channel went into the encoder.
    pub(super) fn finish(mut self, samples: u64) -> Result<PackedFile, PackageError> {
        self.advance()?;
        let frames = self.written + self.units.len() as u64;
        if frames != self.stream.frames_for(samples) {
            return Err(PackageError::Inconsistent("the encoder gave another number of access units"));
        }
        // The padding behind the source is cut off, so that what is presented is exactly the source.
        let media = samples + u64::from(self.stream.delay);
        let last_samples = media - (frames - 1) * u64::from(self.stream.frame_samples);
        let last = std::mem::replace(&mut self.cutter, Cutter::new(Ramp::of(&self.stream))).finish();
        self.write_segment(last, last_samples as u32)?;
        let packed = Packed {
            name: self.name,
            codec: self.stream.codec.to_owned(),
            bit_rate: self.stream.bit_rate,
            init: InitSegment { size: self.init.len() as u32, sha256: Sha256::of(&self.init) },
            segment_sizes: self.sizes,
            segment_sha256: self.digests,
        };
        Ok(PackedFile {
            path: self.path,
            packed,
            init: self.init,
            stream: self.stream,
            segment_frames: self.segment_frames,
            samples,
        })
    }

    fn write_segment(&mut self, frames: u32, last_samples: u32) -> Result<(), PackageError> {
        let count = frames as usize;
        let head = cmaf::head(&Fragment {
            sequence: self.sizes.len() as u32 + 1,
            decode_time: self.written * u64::from(self.stream.frame_samples),
            frame_samples: self.stream.frame_samples,
            last_samples,
            sizes: &self.units.sizes()[..count],
        })?;
        let payload = self.units.front(count);
        write_both(&mut self.file, &head, payload).map_err(PackageError::Scratch)?;
        let size = u32::try_from(head.len() + payload.len());
        self.sizes.push(size.map_err(|_| PackageError::Inconsistent("a segment is over 4 GiB"))?);
        self.digests.push(digest_of(&head, payload));
        self.segment_frames.push(frames);
        self.written += u64::from(frames);
        self.units.drop_front(count);
        Ok(())
    }
}

fn write_both(file: &mut File, head: &[u8], payload: &[u8]) -> io::Result<()> {
    file.write_all(head)?;
    file.write_all(payload)
}

fn digest_of(head: &[u8], payload: &[u8]) -> Sha256 {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(head);
    context.update(payload);
    let mut out = [0; 32];
    out.copy_from_slice(context.finish().as_ref());
    Sha256(out)
}
