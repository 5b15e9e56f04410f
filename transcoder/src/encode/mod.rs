//! Encoders: from interleaved PCM to access units.

mod fdk;
mod units;

use segue_manifests::Rung;

pub use fdk::FdkAacLc;
pub use units::AccessUnits;

use crate::source::PcmSpec;

/// What a decoder, a container and a playlist must know about an encoder's output. Every figure is read back from
/// the encoder, none is assumed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// RFC 6381 codec string, `mp4a.40.2`.
    pub codec: &'static str,
    /// AudioSpecificConfig (ISO/IEC 14496-3 1.6.2.1).
    pub config: Vec<u8>,
    /// Samples a second of one channel; also the timescale.
    pub sample_rate: u32,
    /// Channels, 1 or 2.
    pub channels: u8,
    /// Samples of one channel in each access unit: 1024.
    pub frame_samples: u32,
    /// Samples that a decoder puts out before the first one that went in.
    pub delay: u32,
    /// Bit rate that the encoder settled on, bit/s.
    pub bit_rate: u32,
    /// Size of the decoder's input buffer (ISO/IEC 14496-3 4.5.3.1), bytes.
    pub buffer_bytes: u32,
}

impl Stream {
    /// Access units that hold `samples` samples of one channel and the encoder delay before them.
    pub fn frames_for(&self, samples: u64) -> u64 {
        (samples + u64::from(self.delay)).div_ceil(u64::from(self.frame_samples))
    }
}

/// An encoder of one rendition. Deterministic: the same samples give the same bytes, however they are cut into calls.
pub trait Encoder: Send {
    /// What comes out.
    fn stream(&self) -> &Stream;

    /// Takes interleaved samples and appends the access units that became complete to `out`.
    ///
    /// # Errors
    /// When the encoder refuses.
    fn encode(&mut self, pcm: &[i16], out: &mut AccessUnits) -> Result<(), EncodeError>;

    /// Flushes: afterwards exactly [`Stream::frames_for`] access units have come out. Nothing may be encoded after.
    ///
    /// # Errors
    /// When the encoder refuses.
    fn finish(&mut self, out: &mut AccessUnits) -> Result<(), EncodeError>;
}

/// Opens the encoder of a rung. The one place that chooses an encoder.
///
/// # Errors
/// When the encoder refuses the settings.
pub fn open(rung: &Rung, pcm: PcmSpec) -> Result<Box<dyn Encoder>, EncodeError> {
    Ok(Box::new(FdkAacLc::open(rung, pcm)?))
}

/// Names encoder and settings; enters the revision of everything encoded with it.
pub const ENCODER: &str = "fdk-aac 2 (fdk-aac-sys 0.5) aac-lc cbr afterburner";

/// An encoder that refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("encoder ({step}): {reason}")]
pub struct EncodeError {
    /// What it was doing.
    pub step: &'static str,
    /// What it said.
    pub reason: String,
}
