//! From coded packets to planes of floating-point samples.

mod aac;
mod opus;
mod pure;

use symphonia::core::audio::Position;
use symphonia::core::codecs::audio::well_known::{CODEC_ID_AAC, CODEC_ID_OPUS};
use symphonia::core::packet::Packet;

use super::SourceError;
use super::demux::Stream;

/// Decoded sound of one packet.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Block {
    /// Samples a second.
    pub(super) rate: u32,
    /// The speaker of each plane.
    pub(super) layout: Vec<Position>,
    /// One plane a channel, full scale at 1.0; all are equally long.
    pub(super) planes: Vec<Vec<f32>>,
    /// True if every sample is a whole number of 16-bit steps, so that no dither is due.
    pub(super) is_16_bit: bool,
}

impl Block {
    /// Samples of one channel.
    pub(super) fn len(&self) -> usize {
        self.planes.first().map_or(0, Vec::len)
    }

    /// Makes `samples` of silence in every plane.
    pub(super) fn silence(&mut self, samples: usize) {
        for plane in &mut self.planes {
            plane.clear();
            plane.resize(samples, 0.0);
        }
    }
}

/// A decoder of any coding.
pub(super) enum Decoder {
    /// Symphonia's pure Rust decoders.
    Symphonia(pure::SymphoniaDecoder),
    /// Every kind of AAC, through the FDK library.
    Aac(aac::AacDecoder),
    /// Opus, through a translation of libopus.
    Opus(opus::OpusDecoder),
}

impl Decoder {
    /// Makes the decoder for a stream.
    ///
    /// # Errors
    /// When the coding is not supported.
    pub(super) fn new(stream: &Stream) -> Result<Self, SourceError> {
        let made = match stream.params.codec {
            CODEC_ID_AAC => aac::AacDecoder::new(&stream.params).map(Self::Aac),
            CODEC_ID_OPUS => opus::OpusDecoder::new(&stream.params).map(Self::Opus),
            _ => pure::SymphoniaDecoder::new(&stream.params).map(Self::Symphonia),
        };
        made.map_err(|reason| {
            SourceError::new(stream.container.name(), reason).with_remedy("convert it to FLAC and add that")
        })
    }

    /// Decodes one packet into `block`, which may come out empty while a decoder primes.
    ///
    /// # Errors
    /// When the packet is damaged; says how.
    pub(super) fn decode(&mut self, packet: &Packet, block: &mut Block) -> Result<(), String> {
        match self {
            Self::Symphonia(decoder) => decoder.decode(packet, block),
            Self::Aac(decoder) => decoder.decode(packet, block),
            Self::Opus(decoder) => decoder.decode(packet, block),
        }
    }
}

/// Speakers in WAVE order for streams that only tell a number of channels.
pub(super) fn usual_layout(channels: usize) -> Option<Vec<Position>> {
    use Position as P;
    const FRONT: [P; 3] = [P::FRONT_LEFT, P::FRONT_RIGHT, P::FRONT_CENTER];
    let (l, r, c) = (FRONT[0], FRONT[1], FRONT[2]);
    let layout = match channels {
        1 => vec![c],
        2 => vec![l, r],
        3 => vec![l, r, c],
        4 => vec![l, r, P::REAR_LEFT, P::REAR_RIGHT],
        5 => vec![l, r, c, P::REAR_LEFT, P::REAR_RIGHT],
        6 => vec![l, r, c, P::LFE1, P::REAR_LEFT, P::REAR_RIGHT],
        7 => vec![l, r, c, P::LFE1, P::REAR_CENTER, P::SIDE_LEFT, P::SIDE_RIGHT],
        8 => vec![l, r, c, P::LFE1, P::REAR_LEFT, P::REAR_RIGHT, P::SIDE_LEFT, P::SIDE_RIGHT],
        _ => return None,
    };
    Some(layout)
}
