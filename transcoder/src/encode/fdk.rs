//! AAC-LC through the Fraunhofer FDK encoder.
//!
//! The only file of this crate with unsafe code: the encoder is a C library. Each block says why it is sound.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_void};
use std::ptr;

use fdk_aac_sys as sys;
use segue_manifests::Rung;

use super::{AccessUnits, EncodeError, Encoder, Stream};
use crate::source::PcmSpec;

/// Bits of the decoder's input buffer for each channel (ISO/IEC 14496-3 4.5.3.1).
const BUFFER_BITS: u32 = 6144;
/// `encModules` of `aacEncOpen`: the AAC core alone, without SBR, metadata and MPEG Surround.
const MODULE_AAC: u32 = 1;
/// Raw access units, no transport framing.
const TRANSPORT_RAW: u32 = 0;
/// Constant bit rate with the full bit reservoir.
const CONSTANT_BIT_RATE: u32 = 0;

/// AAC-LC at a constant bit rate, afterburner on, bandwidth as the rung asks.
pub struct FdkAacLc {
    handle: Handle,
    stream: Stream,
    max_unit_bytes: usize,
}

impl FdkAacLc {
    /// Opens an encoder and reads back what it settled on.
    ///
    /// # Errors
    /// When the library refuses the settings or is out of memory.
    pub fn open(rung: &Rung, pcm: PcmSpec) -> Result<Self, EncodeError> {
        let mut handle = Handle::open(u32::from(pcm.channels))?;
        let bandwidth = rung.bandwidth_hz.min(pcm.sample_rate / 2);
        let settings = [
            ("object type", sys::AACENC_PARAM_AACENC_AOT, sys::AUDIO_OBJECT_TYPE_AOT_AAC_LC as u32),
            ("sample rate", sys::AACENC_PARAM_AACENC_SAMPLERATE, pcm.sample_rate),
            ("channel mode", sys::AACENC_PARAM_AACENC_CHANNELMODE, u32::from(pcm.channels)),
            ("bit rate mode", sys::AACENC_PARAM_AACENC_BITRATEMODE, CONSTANT_BIT_RATE),
            ("bit rate", sys::AACENC_PARAM_AACENC_BITRATE, rung.bit_rate),
            ("bandwidth", sys::AACENC_PARAM_AACENC_BANDWIDTH, bandwidth),
            ("afterburner", sys::AACENC_PARAM_AACENC_AFTERBURNER, 1),
            ("transport", sys::AACENC_PARAM_AACENC_TRANSMUX, TRANSPORT_RAW),
        ];
        for (step, parameter, value) in settings {
            handle.set(step, parameter, value)?;
        }
        handle.initialise()?;
        let info = handle.info()?;
        let stream = Stream {
            codec: "mp4a.40.2",
            config: info.confBuf[..(info.confSize as usize).min(info.confBuf.len())].to_vec(),
            sample_rate: pcm.sample_rate,
            channels: pcm.channels,
            frame_samples: info.frameLength,
            delay: info.nDelay,
            bit_rate: handle.get(sys::AACENC_PARAM_AACENC_BITRATE),
            buffer_bytes: BUFFER_BITS * u32::from(pcm.channels) / 8,
        };
        Ok(Self { handle, stream, max_unit_bytes: info.maxOutBufBytes as usize })
    }
}

impl Encoder for FdkAacLc {
    fn stream(&self) -> &Stream {
        &self.stream
    }

    fn encode(&mut self, mut pcm: &[i16], out: &mut AccessUnits) -> Result<(), EncodeError> {
        while !pcm.is_empty() {
            let mut taken = 0;
            out.append(self.max_unit_bytes, |room| {
                let call = self.handle.encode(pcm, room)?;
                taken = call.taken;
                Ok(call.written)
            })?;
            if taken == 0 {
                return Err(error("encode", "whole samples of all channels are expected"));
            }
            pcm = &pcm[taken..];
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut AccessUnits) -> Result<(), EncodeError> {
        // The library appends silence until the delay has been pushed out, one access unit a call.
        while out.append(self.max_unit_bytes, |room| self.handle.flush(room))? > 0 {}
        Ok(())
    }
}

/// What one call of the encoder did.
struct Call {
    /// Interleaved samples read.
    taken: usize,
    /// Bytes written; 0 while an access unit is still filling.
    written: usize,
}

/// Owns the C library's encoder.
struct Handle(sys::HANDLE_AACENCODER);

// SAFETY: the encoder is plain heap memory without thread-local or shared mutable state (the library's tables are
// constant), and `Handle` is its only owner, so it may move to another thread. It is not `Sync`.
unsafe impl Send for Handle {}

impl Handle {
    fn open(channels: u32) -> Result<Self, EncodeError> {
        let mut raw = ptr::null_mut();
        // SAFETY: `raw` is a valid place for the handle that the library allocates.
        let code = unsafe { sys::aacEncOpen(&raw mut raw, MODULE_AAC, channels) };
        check("open", code)?;
        Ok(Self(raw))
    }

    fn set(&mut self, step: &'static str, parameter: u32, value: u32) -> Result<(), EncodeError> {
        // SAFETY: the handle is open as long as `self` lives.
        check(step, unsafe { sys::aacEncoder_SetParam(self.0, parameter, value) })
    }

    fn get(&mut self, parameter: u32) -> u32 {
        // SAFETY: the handle is open as long as `self` lives.
        unsafe { sys::aacEncoder_GetParam(self.0, parameter) }
    }

    /// Applies the settings: the library documents a call with nothing but the handle for it.
    fn initialise(&mut self) -> Result<(), EncodeError> {
        // SAFETY: the handle is open, and null is documented for the other four.
        let code =
            unsafe { sys::aacEncEncode(self.0, ptr::null(), ptr::null(), ptr::null(), ptr::null_mut()) };
        check("initialise", code)
    }

    fn info(&mut self) -> Result<sys::AACENC_InfoStruct, EncodeError> {
        let mut info = sys::AACENC_InfoStruct {
            maxOutBufBytes: 0,
            maxAncBytes: 0,
            inBufFillLevel: 0,
            inputChannels: 0,
            frameLength: 0,
            nDelay: 0,
            nDelayCore: 0,
            confBuf: [0; 64],
            confSize: 0,
        };
        // SAFETY: the handle is open and `info` is a complete structure of the library's own layout.
        check("info", unsafe { sys::aacEncInfo(self.0, &raw mut info) })?;
        match info.frameLength {
            0 => Err(error("info", "the frame length is zero")),
            _ => Ok(info),
        }
    }

    fn encode(&mut self, pcm: &[i16], out: &mut [u8]) -> Result<Call, EncodeError> {
        let samples = c_int::try_from(pcm.len()).unwrap_or(c_int::MAX);
        let (code, args) = self.call(pcm, samples, out);
        check("encode", code)?;
        Ok(Call { taken: args.numInSamples as usize, written: args.numOutBytes as usize })
    }

    /// Bytes written; 0 when everything is out.
    fn flush(&mut self, out: &mut [u8]) -> Result<usize, EncodeError> {
        match self.call(&[], -1, out) {
            (sys::AACENC_ERROR_AACENC_ENCODE_EOF, _) => Ok(0),
            (code, args) => check("flush", code).map(|()| args.numOutBytes as usize),
        }
    }

    /// One call of `aacEncEncode`; `samples` is the length of `pcm`, or -1 to flush.
    fn call(
        &mut self,
        pcm: &[i16],
        samples: c_int,
        out: &mut [u8],
    ) -> (sys::AACENC_ERROR, sys::AACENC_OutArgs) {
        let mut input = Buffer::new(
            pcm.as_ptr().cast_mut().cast(),
            samples.max(0).saturating_mul(2),
            2,
            sys::AACENC_BufferIdentifier_IN_AUDIO_DATA,
        );
        let out_bytes = c_int::try_from(out.len()).unwrap_or(c_int::MAX);
        let mut output = Buffer::new(
            out.as_mut_ptr().cast(),
            out_bytes,
            1,
            sys::AACENC_BufferIdentifier_OUT_BITSTREAM_DATA,
        );
        let (input, output) = (input.describe(), output.describe());
        let in_args = sys::AACENC_InArgs { numInSamples: samples, numAncBytes: 0 };
        let mut out_args =
            sys::AACENC_OutArgs { numOutBytes: 0, numInSamples: 0, numAncBytes: 0, bitResState: 0 };
        // SAFETY: the handle is open; both descriptors point at buffers that outlive the call and state sizes no
        // larger than the slices. The library only reads from the input buffer, so the cast from a shared slice
        // is never written through.
        let code = unsafe {
            sys::aacEncEncode(
                self.0,
                &raw const input,
                &raw const output,
                &raw const in_args,
                &raw mut out_args,
            )
        };
        (code, out_args)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the handle is open, and nobody else holds it. The library sets it to null.
        unsafe { sys::aacEncClose(&raw mut self.0) };
    }
}

/// A buffer as the library describes it: four one-element arrays.
struct Buffer {
    address: *mut c_void,
    bytes: c_int,
    element_bytes: c_int,
    identifier: c_int,
}

impl Buffer {
    fn new(address: *mut c_void, bytes: c_int, element_bytes: c_int, identifier: u32) -> Self {
        Self { address, bytes, element_bytes, identifier: identifier as c_int }
    }

    /// Valid while `self` is neither moved nor dropped.
    fn describe(&mut self) -> sys::AACENC_BufDesc {
        sys::AACENC_BufDesc {
            numBufs: 1,
            bufs: &raw mut self.address,
            bufferIdentifiers: &raw mut self.identifier,
            bufSizes: &raw mut self.bytes,
            bufElSizes: &raw mut self.element_bytes,
        }
    }
}

fn check(step: &'static str, code: sys::AACENC_ERROR) -> Result<(), EncodeError> {
    let reason = match code {
        sys::AACENC_ERROR_AACENC_OK => return Ok(()),
        sys::AACENC_ERROR_AACENC_MEMORY_ERROR => "out of memory",
        sys::AACENC_ERROR_AACENC_UNSUPPORTED_PARAMETER => "the value is not supported",
        sys::AACENC_ERROR_AACENC_INVALID_CONFIG => "the settings contradict one another",
        sys::AACENC_ERROR_AACENC_ENCODE_ERROR => "encoding failed",
        other => return Err(error(step, &format!("error code {other:#x}"))),
    };
    Err(error(step, reason))
}

fn error(step: &'static str, reason: &str) -> EncodeError {
    EncodeError { step, reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEREO: PcmSpec = PcmSpec { sample_rate: 44_100, channels: 2 };

    fn rung(bit_rate: u32) -> Rung {
        Rung { bit_rate, bandwidth_hz: 18_000 }
    }

    fn noise(values: usize) -> Vec<i16> {
        let mut state = 1u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 20) as i16
        };
        (0..values).map(|_| next()).collect()
    }

    fn encode(pcm: &[i16], spec: PcmSpec, cut: usize) -> (Stream, AccessUnits) {
        let mut encoder = FdkAacLc::open(&rung(128_000), spec).unwrap();
        let mut out = AccessUnits::default();
        pcm.chunks(cut).for_each(|chunk| encoder.encode(chunk, &mut out).unwrap());
        encoder.finish(&mut out).unwrap();
        (encoder.stream().clone(), out)
    }

    #[test]
    fn figures_are_read_back() {
        let encoder = FdkAacLc::open(&rung(256_000), STEREO).unwrap();
        let stream = encoder.stream();
        assert_eq!((stream.bit_rate, stream.frame_samples, stream.delay), (256_000, 1024, 1600));
        assert_eq!(stream.config, [0x12, 0x10], "AAC-LC, 44.1 kHz, 2 channels");
        assert_eq!(stream.buffer_bytes, 1536);
    }

    #[test]
    fn mono_is_clamped_and_says_so() {
        let mono = PcmSpec { sample_rate: 44_100, channels: 1 };
        let encoder = FdkAacLc::open(&rung(320_000), mono).unwrap();
        assert_eq!(encoder.stream().bit_rate, 264_600);
    }

    #[test]
    fn as_many_access_units_as_the_samples_need() {
        for spec in [STEREO, PcmSpec { sample_rate: 48_000, channels: 1 }] {
            for samples in [1, 447, 448, 449, 1023, 1024, 1025, 2496, 5000] {
                let pcm = noise(samples * usize::from(spec.channels));
                let (stream, units) = encode(&pcm, spec, 4096);
                assert_eq!(units.len() as u64, stream.frames_for(samples as u64), "{samples} samples");
            }
        }
    }

    #[test]
    fn bytes_do_not_depend_on_how_the_samples_are_cut() {
        let pcm = noise(20_000);
        let whole = encode(&pcm, STEREO, 20_000).1;
        assert_eq!(encode(&pcm, STEREO, 2).1, whole);
        assert_eq!(encode(&pcm, STEREO, 1154).1, whole);
    }

    #[test]
    fn refusals_are_errors() {
        let odd = PcmSpec { sample_rate: 44_101, channels: 2 };
        let refused = FdkAacLc::open(&rung(128_000), odd).err().unwrap();
        assert_eq!(refused.to_string(), "encoder (sample rate): the settings contradict one another");
        let mut encoder = FdkAacLc::open(&rung(128_000), STEREO).unwrap();
        assert!(encoder.encode(&[1], &mut AccessUnits::default()).is_err(), "half a sample");
    }
}
