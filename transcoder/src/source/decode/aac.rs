//! AAC through the FDK library that also encodes: LC, HE (SBR), HE v2 (PS), LD, ELD, xHE, mono to 7.1.
//!
//! All AAC goes this way because SBR may be signalled nowhere but in the packets (ISO/IEC 14496-3 section 1.6.5), and
//! a decoder that does not look would halve the bandwidth without a word. The library is C++ behind a C interface,
//! hence the unsafe blocks; it decodes to 16 bits.
//!
//! The SBR tool delays its output by 962 samples. That delay stays in: encoders count it in the delay that they
//! declare, and other decoders leave it in too.
#![allow(unsafe_code)]

use std::ptr::NonNull;

use fdk_aac_sys as fdk;
use symphonia::core::audio::Position;
use symphonia::core::codecs::audio::AudioCodecParameters;
use symphonia::core::packet::Packet;

use super::{Block, usual_layout};

/// Longest frame (xHE-AAC: 4096) of most channels.
const MAX_OUTPUT: usize = 4096 * 8;

/// A decoder of AAC access units.
pub(in crate::source) struct AacDecoder {
    handle: NonNull<fdk::AAC_DECODER_INSTANCE>,
    interleaved: Vec<i16>,
}

// SAFETY: the handle is owned by this value alone; the library's tables are constant.
unsafe impl Send for AacDecoder {}

impl AacDecoder {
    /// Makes a decoder for the AudioSpecificConfig in `params`.
    ///
    /// # Errors
    /// When there is no configuration, or it asks for a profile that the library does not know.
    pub(super) fn new(params: &AudioCodecParameters) -> Result<Self, String> {
        // SAFETY: takes plain numbers; null is checked.
        let handle = unsafe { fdk::aacDecoder_Open(fdk::TRANSPORT_TYPE_TT_MP4_RAW, 1) };
        let handle = NonNull::new(handle).ok_or_else(|| "the aac decoder could not be made".to_owned())?;
        let mut decoder = Self { handle, interleaved: vec![0; MAX_OUTPUT] };
        // The limiter would add delay and change samples; loudness metadata must not change them either.
        decoder.set(fdk::AACDEC_PARAM_AAC_PCM_LIMITER_ENABLE, 0)?;
        // Energy interpolation, the default, delays everything by a frame; no packet is concealed here anyway.
        decoder.set(fdk::AACDEC_PARAM_AAC_CONCEAL_METHOD, 1)?;
        decoder.set(fdk::AACDEC_PARAM_AAC_DRC_ATTENUATION_FACTOR, 0)?;
        decoder.set(fdk::AACDEC_PARAM_AAC_DRC_BOOST_FACTOR, 0)?;
        decoder.set(fdk::AACDEC_PARAM_AAC_DRC_REFERENCE_LEVEL, -1)?;
        decoder.set(fdk::AACDEC_PARAM_AAC_UNIDRC_SET_EFFECT, -1)?;
        decoder.configure(params.extra_data.as_deref().unwrap_or_default())?;
        Ok(decoder)
    }

    fn set(&mut self, param: fdk::AACDEC_PARAM, value: i32) -> Result<(), String> {
        // SAFETY: the handle is live.
        check(unsafe { fdk::aacDecoder_SetParam(self.handle.as_ptr(), param, value) })
    }

    fn configure(&mut self, config: &[u8]) -> Result<(), String> {
        let mut config = config.to_vec();
        let (mut start, len) = (config.as_mut_ptr(), u32::try_from(config.len()).map_err(|e| e.to_string())?);
        if len == 0 {
            return Err("its aac configuration is missing".to_owned());
        }
        // SAFETY: `start` points at `len` bytes that outlive the call; the library copies what it keeps.
        let code = unsafe { fdk::aacDecoder_ConfigRaw(self.handle.as_ptr(), &mut start, &len) };
        check(code).map_err(|why| format!("its aac profile is not supported ({why})"))
    }

    pub(super) fn decode(&mut self, packet: &Packet, block: &mut Block) -> Result<(), String> {
        let mut data = packet.data.to_vec();
        block.planes.iter_mut().for_each(Vec::clear);
        let mut left = u32::try_from(data.len()).map_err(|e| e.to_string())?;
        let (len, mut frames) = (left, 0);
        while left > 0 {
            let (mut start, before) = (data.as_mut_ptr(), left);
            // SAFETY: `start` points at `len` bytes; the library reads the last `left` of them and lowers `left`.
            check(unsafe { fdk::aacDecoder_Fill(self.handle.as_ptr(), &mut start, &len, &mut left) })?;
            while self.decode_one(block)? {
                frames += 1;
            }
            if left == before {
                return Err("the aac decoder takes no more input".to_owned());
            }
        }
        if frames == 0 { Err("holds no complete aac frame".to_owned()) } else { Ok(()) }
    }

    /// Decodes one access unit onto the end of `block`; false if there is none.
    fn decode_one(&mut self, block: &mut Block) -> Result<bool, String> {
        let (handle, room) = (self.handle.as_ptr(), MAX_OUTPUT as i32);
        // SAFETY: `interleaved` has room for MAX_OUTPUT samples, which is what the library is told.
        let code = unsafe { fdk::aacDecoder_DecodeFrame(handle, self.interleaved.as_mut_ptr(), room, 0) };
        if code == fdk::AAC_DECODER_ERROR_AAC_DEC_NOT_ENOUGH_BITS {
            return Ok(false);
        }
        check(code)?;
        // SAFETY: the library returns its own live struct, or null before the first frame.
        let info =
            unsafe { fdk::aacDecoder_GetStreamInfo(handle).as_ref() }.ok_or("no stream information")?;
        let count = |number: i32| usize::try_from(number).unwrap_or(0);
        let (channels, samples) = (count(info.numChannels), count(info.frameSize));
        if channels * samples > MAX_OUTPUT || channels == 0 {
            return Err("its aac frame is too long".to_owned());
        }
        block.rate = u32::try_from(info.sampleRate).unwrap_or(0);
        block.is_16_bit = true;
        if block.layout.len() != channels || block.planes.len() != channels {
            block.layout =
                layout(channels).ok_or_else(|| format!("{channels} channels of aac are not supported"))?;
            block.planes = vec![Vec::new(); channels];
        }
        let frames = &self.interleaved[..samples * channels];
        for (channel, plane) in block.planes.iter_mut().enumerate() {
            plane.extend(
                frames.iter().skip(channel).step_by(channels).map(|&sample| f32::from(sample) / 32768.0),
            );
        }
        Ok(true)
    }
}

impl Drop for AacDecoder {
    fn drop(&mut self) {
        // SAFETY: the handle is live and is not used again.
        unsafe { fdk::aacDecoder_Close(self.handle.as_ptr()) }
    }
}

/// The library's order of speakers, which is WAVE's.
fn layout(channels: usize) -> Option<Vec<Position>> {
    use Position as P;
    match channels {
        // AAC's channel configuration 4 has one centre surround, not two.
        4 => Some(vec![P::FRONT_LEFT, P::FRONT_RIGHT, P::FRONT_CENTER, P::REAR_CENTER]),
        other => usual_layout(other),
    }
}

fn check(code: fdk::AAC_DECODER_ERROR) -> Result<(), String> {
    if code == fdk::AAC_DECODER_ERROR_AAC_DEC_OK { Ok(()) } else { Err(format!("aac error {code:#06x}")) }
}
