//! Symphonia's decoders: PCM, FLAC, ALAC, MP3, Vorbis.

use symphonia::core::audio::{Channels, GenericAudioBufferRef as Buffer, Position};
use symphonia::core::codecs::audio::well_known::CODEC_ID_MP3;
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::packet::Packet;

use super::{Block, usual_layout};
use crate::source::limits::MAX_CHANNELS;

/// One of symphonia's decoders.
pub(in crate::source) struct SymphoniaDecoder {
    decoder: Box<dyn AudioDecoder>,
    /// Bits of a sample, where the stream tells.
    bits: Option<u32>,
}

impl SymphoniaDecoder {
    /// Makes the decoder for `params`.
    ///
    /// # Errors
    /// When no decoder knows the coding.
    pub(super) fn new(params: &AudioCodecParameters) -> Result<Self, String> {
        // MP3 is trimmed by its LAME tag alone, outside; see `demux::span`.
        let options = AudioDecoderOptions::default().gapless(params.codec != CODEC_ID_MP3);
        let decoder = symphonia::default::get_codecs().make_audio_decoder(params, &options);
        let decoder = decoder.map_err(|error| match error {
            Error::Unsupported(_) => "its coding is not supported".to_owned(),
            other => other.to_string(),
        })?;
        Ok(Self { decoder, bits: params.bits_per_coded_sample.or(params.bits_per_sample) })
    }

    pub(super) fn decode(&mut self, packet: &Packet, block: &mut Block) -> Result<(), String> {
        let buffer = self.decoder.decode(packet).map_err(|error| error.to_string())?;
        if buffer.spec().rate() != block.rate || buffer.num_planes() != block.layout.len() {
            block.rate = buffer.spec().rate();
            block.layout = layout_of(buffer.spec().channels())?;
        }
        block.is_16_bit = match buffer {
            Buffer::U8(_) | Buffer::S8(_) | Buffer::U16(_) | Buffer::S16(_) => true,
            Buffer::F32(_) | Buffer::F64(_) => false,
            _ => self.bits.is_some_and(|bits| (1..=16).contains(&bits)),
        };
        buffer.copy_to_vecs_planar::<f32>(&mut block.planes);
        Ok(())
    }
}

/// The speaker of each plane.
///
/// # Errors
/// When the channels are not speakers, or too many.
pub(super) fn layout_of(channels: &Channels) -> Result<Vec<Position>, String> {
    let count = channels.count();
    if !(1..=MAX_CHANNELS).contains(&count) {
        return Err(format!("{count} channels are not supported"));
    }
    match channels {
        Channels::Positioned(positions) if count > 2 => Ok(positions.iter().collect()),
        Channels::Positioned(_) | Channels::Discrete(_) => {
            usual_layout(count).ok_or_else(|| format!("{count} channels without a layout are not supported"))
        }
        _ => Err("its channel layout is not supported".to_owned()),
    }
}
