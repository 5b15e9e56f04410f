//! The pipeline from file to 16-bit samples: demux, decode, mix, trim, resample, quantise.
//!
//! What becomes of damaged packets: in MP3, where players have always glossed over them, up to [`CONCEAL_RUN`] in a
//! row and [`CONCEAL_TOTAL`] in all are replaced by silence of the same length, with a warning; the first packets of
//! a stream cut from a longer one are of that kind. In every other coding a damaged packet is an error.

use std::path::Path;

use symphonia::core::audio::Position;

use super::decode::{Block, Decoder};
use super::demux::Demux;
use super::guard::guarded;
use super::limits::{MAX_SECONDS, SAMPLE_RATES};
use super::mix::Mix;
use super::mp4::scale;
use super::quantise::Quantise;
use super::resample::{Resample, target_rate};
use super::sniff::Container;
use super::trim::Trim;
use super::{PcmSpec, SourceError};

/// Most damaged MP3 packets in a row that are replaced by silence.
const CONCEAL_RUN: u32 = 3;
/// Most damaged MP3 packets in a file that are replaced by silence.
const CONCEAL_TOTAL: u32 = 16;
/// Packets that are decoded to learn what a decoder delivers; SBR and PS may show up only after some.
const SHAPE_PACKETS: usize = 12;
/// Most seconds of sound that wait for a packet duration that covers them.
const MAX_WAIT_SECONDS: u64 = 20;

/// What a decoder delivers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shape {
    /// Samples a second.
    pub(super) rate: u32,
    /// Speakers.
    pub(super) layout: Vec<Position>,
}

impl Shape {
    /// Decodes the first packets of a file to see what comes out.
    ///
    /// # Errors
    /// When the file cannot be opened or its first packets cannot be decoded.
    pub(super) fn of(path: &Path) -> Result<Self, SourceError> {
        let mut demux = Demux::open(path)?;
        let mut decoder = Decoder::new(demux.stream())?;
        let (mut block, mut damage) = (Block::default(), None);
        for _ in 0..SHAPE_PACKETS {
            let Some(packet) = demux.next_packet()? else { break };
            let place = demux.place();
            let decoded = guarded(&place, || Ok(decoder.decode(&packet, &mut block)))?;
            damage = decoded.err().map(|why| damaged(&place, &why)).or(damage);
        }
        if block.layout.is_empty() {
            let nothing =
                || SourceError::new(demux.stream().container.name(), "its first packets hold no sound");
            return Err(damage.unwrap_or_else(nothing));
        }
        if !SAMPLE_RATES.contains(&block.rate) {
            let reason = format!("a sample rate of {} Hz is not supported", block.rate);
            return Err(SourceError::new(demux.stream().container.name(), reason));
        }
        Ok(Self { rate: block.rate, layout: block.layout })
    }

    /// What the reader will make of it.
    pub(super) fn spec(&self) -> PcmSpec {
        PcmSpec { sample_rate: target_rate(self.rate), channels: self.layout.len().min(2) as u8 }
    }
}

/// Streams the sound of a source as interleaved 16-bit samples at the rate of [`PcmSpec`].
///
/// Sources of 16 bits at 44.1 or 48 kHz in mono or stereo pass bit-exactly. Others are mixed down, resampled and
/// dithered with a fixed seed, so that the same file always gives the same samples. Their number is exactly that of
/// the presented samples of the source, after resampling rounded to nearest.
pub struct PcmReader {
    spec: PcmSpec,
    shape: Shape,
    demux: Demux,
    decoder: Decoder,
    block: Block,
    mix: Mix,
    trim: Trim,
    resample: Option<Resample>,
    quantise: Quantise,
    decoded: u64,
    given: u64,
    conceal_run: u32,
    conceal_total: u32,
    finished: bool,
}

impl PcmReader {
    /// Opens the file at `path` for decoding.
    ///
    /// # Errors
    /// As [`identify`](super::identify).
    pub fn open(path: &Path) -> Result<Self, SourceError> {
        let shape = Shape::of(path)?;
        let spec = shape.spec();
        let demux = Demux::open(path)?;
        let stream = demux.stream();
        let decoder = Decoder::new(stream)?;
        let mix = Mix::new(&shape.layout);
        let trim = Trim::new(stream.span.at_rate(shape.rate, stream.clock));
        let resample = (shape.rate != spec.sample_rate)
            .then(|| Resample::new(shape.rate, spec.sample_rate, mix.channels()))
            .transpose()?;
        Ok(Self {
            spec,
            demux,
            decoder,
            block: Block {
                layout: shape.layout.clone(),
                planes: vec![Vec::new(); shape.layout.len()],
                ..Block::default()
            },
            shape,
            mix,
            trim,
            resample,
            quantise: Quantise::new(),
            decoded: 0,
            given: 0,
            conceal_run: 0,
            conceal_total: 0,
            finished: false,
        })
    }

    /// Shape of the samples.
    pub fn spec(&self) -> PcmSpec {
        self.spec
    }

    /// The next interleaved samples, never empty; `None` at the end.
    ///
    /// # Errors
    /// When a packet is damaged or the source ends early.
    pub fn next_chunk(&mut self) -> Result<Option<Vec<i16>>, SourceError> {
        while !self.finished {
            let planes = match self.next_planes()? {
                Some(planes) => self.converted(&planes)?,
                None => self.rest()?,
            };
            let dither = !(self.block.is_16_bit && self.mix.is_identity() && self.resample.is_none());
            let samples = self.quantise.interleave(&planes, dither);
            if !samples.is_empty() {
                self.given += samples.len() as u64;
                return Ok(Some(samples));
            }
        }
        if self.given == 0 {
            let name = self.demux.stream().container.name();
            return Err(SourceError::new(name, "presents no samples").with_remedy("export it again"));
        }
        Ok(None)
    }

    /// Presented samples of the next packet, mixed to one or two planes.
    fn next_planes(&mut self) -> Result<Option<Vec<Vec<f32>>>, SourceError> {
        if self.trim.is_done() {
            return Ok(None);
        }
        let Some(packet) = self.demux.next_packet()? else { return Ok(None) };
        let place = self.demux.place();
        let (decoder, block) = (&mut self.decoder, &mut self.block);
        match guarded(&place, || Ok(decoder.decode(&packet, block)))? {
            Ok(()) => self.conceal_run = 0,
            Err(why) => self.conceal(&place, &why, packet.block_dur().get())?,
        }
        self.check_block(&place)?;
        self.mix.apply(&mut self.block.planes);
        let covered = scale(self.demux.ticks(), self.shape.rate, self.demux.stream().clock);
        let planes = self.trim.push(&self.block.planes, covered);
        if self.trim.pending() > MAX_WAIT_SECONDS * u64::from(self.shape.rate) {
            return Err(SourceError::new(place, "its durations contradict its sound"));
        }
        Ok(Some(planes))
    }

    /// Replaces a damaged packet by silence, where the policy of this module allows it.
    fn conceal(&mut self, place: &str, why: &str, ticks: u64) -> Result<(), SourceError> {
        self.conceal_run += 1;
        self.conceal_total += 1;
        let forgiving = self.demux.stream().container == Container::Mp3;
        if !forgiving || self.conceal_run > CONCEAL_RUN || self.conceal_total > CONCEAL_TOTAL {
            return Err(damaged(place, why));
        }
        tracing::warn!(source.place = place, source.reason = why, "damaged packet replaced by silence");
        let samples = usize::try_from(scale(ticks, self.shape.rate, self.demux.stream().clock)).unwrap_or(0);
        self.block.rate = self.shape.rate;
        self.block.layout.clone_from(&self.shape.layout);
        self.block.planes.resize_with(self.shape.layout.len(), Vec::new);
        self.block.silence(samples.min(4096));
        Ok(())
    }

    /// Checks that a packet is of the stream's shape; a mono packet before parametric stereo sets in is doubled.
    fn check_block(&mut self, place: &str) -> Result<(), SourceError> {
        if self.block.planes.len() == 1 && self.shape.layout.len() == 2 {
            self.block.planes.push(self.block.planes[0].clone());
            self.block.layout.clone_from(&self.shape.layout);
        }
        let same = self.block.rate == self.shape.rate && self.mix.is_for(&self.block.layout);
        if !same && self.block.len() > 0 {
            return Err(SourceError::new(place, "its sample rate or channels change on the way")
                .with_remedy("convert it to FLAC and add that"));
        }
        self.decoded += self.block.len() as u64;
        if self.decoded / u64::from(self.shape.rate) > MAX_SECONDS {
            let reason = format!("is longer than the limit of {} hours", MAX_SECONDS / 3600);
            return Err(SourceError::new(place, reason).with_remedy("split it"));
        }
        Ok(())
    }

    fn converted(&mut self, planes: &[Vec<f32>]) -> Result<Vec<Vec<f32>>, SourceError> {
        match &mut self.resample {
            Some(resample) if !planes.is_empty() => resample.push(planes),
            _ => Ok(planes.to_vec()),
        }
    }

    fn rest(&mut self) -> Result<Vec<Vec<f32>>, SourceError> {
        self.finished = true;
        self.resample.as_mut().map_or(Ok(Vec::new()), Resample::finish)
    }
}

fn damaged(place: &str, why: &str) -> SourceError {
    SourceError::new(place, format!("damaged: {why}")).with_remedy("copy or download the file again")
}
