//! Opus (RFC 6716, in Ogg RFC 7845) through `unsafe-libopus`, libopus translated to Rust: it needs no C compiler and
//! no cmake, and its output equals libopus'. The translation kept the C interface, hence the unsafe block here.
#![allow(unsafe_code)]

use std::ptr::NonNull;

use symphonia::core::audio::Position;
use symphonia::core::codecs::audio::AudioCodecParameters;
use symphonia::core::packet::Packet;
use unsafe_libopus::{
    OpusMSDecoder, opus_multistream_decode_float, opus_multistream_decoder_create,
    opus_multistream_decoder_destroy,
};

use super::Block;

/// Opus always decodes at 48 kHz here.
const RATE: u32 = 48_000;
/// Longest packet: 120 ms.
const MAX_SAMPLES: usize = 5760;

/// A decoder of one or more coupled Opus streams.
pub(in crate::source) struct OpusDecoder {
    handle: NonNull<OpusMSDecoder>,
    layout: Vec<Position>,
    gain: f32,
    interleaved: Vec<f32>,
}

// SAFETY: the handle is owned by this value alone and the library keeps no state outside of it.
unsafe impl Send for OpusDecoder {}

/// The identification header, RFC 7845 section 5.1.
struct Head {
    streams: u8,
    coupled: u8,
    mapping: Vec<u8>,
    layout: Vec<Position>,
    gain: f32,
}

impl Head {
    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let damaged = || "its opus header is damaged".to_owned();
        let body = bytes.strip_prefix(b"OpusHead").filter(|body| body.len() >= 11).ok_or_else(damaged)?;
        let channels = body[1];
        // Version 0 is the form in MP4 (`dOps`), which is big-endian.
        let gain = [body[8], body[9]];
        let gain = if body[0] == 0 { i16::from_be_bytes(gain) } else { i16::from_le_bytes(gain) };
        let gain = f32::from(gain) / 256.0;
        let gain = 10f32.powf(gain / 20.0);
        let (streams, coupled, mapping) = match (body[10], channels) {
            (0, 1 | 2) => (1, channels - 1, vec![0, 1][..usize::from(channels)].to_vec()),
            (1, 1..=8) => {
                let mapping = body.get(13..13 + usize::from(channels)).ok_or_else(damaged)?;
                (body[11], body[12], mapping.to_vec())
            }
            (family, count) => {
                return Err(format!("opus mapping family {family} with {count} channels is not supported"));
            }
        };
        let layout = vorbis_layout(channels).ok_or_else(damaged)?;
        Ok(Self { streams, coupled, mapping, layout, gain })
    }
}

impl OpusDecoder {
    /// Makes a decoder from the identification header in `params`.
    ///
    /// # Errors
    /// When the header is damaged or asks for a mapping that is no speaker layout.
    pub(super) fn new(params: &AudioCodecParameters) -> Result<Self, String> {
        let head = Head::parse(params.extra_data.as_deref().unwrap_or_default())?;
        let channels = i32::try_from(head.layout.len()).map_err(|e| e.to_string())?;
        let (streams, coupled) = (i32::from(head.streams), i32::from(head.coupled));
        let mut error = 0;
        // SAFETY: `mapping` holds one byte for each of `channels`, as the function demands; it copies them.
        // Bad counts are refused by the function, which then returns null.
        let handle = unsafe {
            opus_multistream_decoder_create(
                RATE as i32,
                channels,
                streams,
                coupled,
                head.mapping.as_ptr(),
                &mut error,
            )
        };
        let handle = NonNull::new(handle).ok_or_else(|| "its opus channel mapping is damaged".to_owned())?;
        let interleaved = vec![0.0; MAX_SAMPLES * head.layout.len()];
        Ok(Self { handle, layout: head.layout, gain: head.gain, interleaved })
    }

    pub(super) fn decode(&mut self, packet: &Packet, block: &mut Block) -> Result<(), String> {
        let len = i32::try_from(packet.data.len()).map_err(|e| e.to_string())?;
        if len == 0 {
            return Err("empty opus packet".to_owned()); // Zero bytes would ask the library for concealment.
        }
        // SAFETY: the handle is live; `data` holds `len` bytes; `interleaved` has room for MAX_SAMPLES samples of
        // every channel, which is what it is told.
        let samples = unsafe {
            opus_multistream_decode_float(
                self.handle.as_ptr(),
                packet.data.as_ptr(),
                len,
                self.interleaved.as_mut_ptr(),
                MAX_SAMPLES as i32,
                0,
            )
        };
        let samples = usize::try_from(samples).map_err(|_| format!("opus error {samples}"))?;
        block.rate = RATE;
        block.is_16_bit = false;
        block.layout.clone_from(&self.layout);
        let (first, end) = trimmed(packet, samples);
        let channels = self.layout.len();
        let (frames, gain) = (&self.interleaved[first * channels..end * channels], self.gain);
        block.planes.resize_with(channels, Vec::new);
        for (channel, plane) in block.planes.iter_mut().enumerate() {
            plane.clear();
            plane.extend(frames.iter().skip(channel).step_by(channels).map(|sample| sample * gain));
        }
        Ok(())
    }
}

impl Drop for OpusDecoder {
    fn drop(&mut self) {
        // SAFETY: the handle is live and is not used again.
        unsafe { opus_multistream_decoder_destroy(self.handle.as_ptr()) }
    }
}

/// The samples of a packet that its container presents.
fn trimmed(packet: &Packet, samples: usize) -> (usize, usize) {
    let ticks = |ticks: u64| usize::try_from(ticks).unwrap_or(usize::MAX).min(samples);
    let end = samples - ticks(packet.trim_end.get());
    (ticks(packet.trim_start.get()).min(end), end)
}

/// Channel order of Vorbis and Opus: Vorbis I section 4.3.9, RFC 7845 section 5.1.1.2.
fn vorbis_layout(channels: u8) -> Option<Vec<Position>> {
    use Position as P;
    let (l, r, c, lfe) = (P::FRONT_LEFT, P::FRONT_RIGHT, P::FRONT_CENTER, P::LFE1);
    let (sl, sr, rl, rr) = (P::SIDE_LEFT, P::SIDE_RIGHT, P::REAR_LEFT, P::REAR_RIGHT);
    Some(match channels {
        1 => vec![c],
        2 => vec![l, r],
        3 => vec![l, c, r],
        4 => vec![l, r, rl, rr],
        5 => vec![l, c, r, rl, rr],
        6 => vec![l, c, r, rl, rr, lfe],
        7 => vec![l, c, r, sl, sr, P::REAR_CENTER, lfe],
        8 => vec![l, c, r, sl, sr, rl, rr, lfe],
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_checked() {
        let params = |extra: &[u8]| {
            let mut params = AudioCodecParameters::new();
            params.with_extra_data(extra.into());
            params
        };
        let stereo = b"OpusHead\x01\x02\x38\x01\x80\xbb\0\0\0\0\0";
        assert!(OpusDecoder::new(&params(stereo)).is_ok());
        assert!(OpusDecoder::new(&params(&stereo[..18])).is_err());
        let surround = b"OpusHead\x01\x06\x38\x01\x80\xbb\0\0\0\0\x01\x04\x02\0\x04\x01\x02\x03\x05";
        assert!(OpusDecoder::new(&params(surround)).is_ok());
        let lying = b"OpusHead\x01\x06\x38\x01\x80\xbb\0\0\0\0\x01\x01\x00\0\x04\x01\x02\x03\x05";
        assert!(OpusDecoder::new(&params(lying)).is_err());
        let ambisonic = b"OpusHead\x01\x04\x38\x01\x80\xbb\0\0\0\0\x02\x04\x00\0\x01\x02\x03";
        assert!(OpusDecoder::new(&params(ambisonic)).is_err_and(|why| why.contains("family 2")));
    }
}
