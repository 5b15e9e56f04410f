//! HE-AAC, with SBR announced and with SBR hidden in the packets: full bandwidth, at the rate and place that ffmpeg
//! gives it. ffmpeg cannot encode it, so the FDK encoder, which is built in anyway, does.
#![allow(unsafe_code)] // The encoder is a C library.

use std::path::Path;
use std::process::Command;
use std::ptr::{null, null_mut};

use fdk_aac_sys as fdk;
use segue_transcoder::source::identify;

use crate::fixtures::{Folder, Pcm, read, snr};

/// Encodes to ADTS, which never announces SBR.
fn adts(pcm: &Pcm, object_type: u32, bit_rate: u32) -> Vec<u8> {
    let mut handle = null_mut();
    let ok = |code: fdk::AACENC_ERROR| assert_eq!(code, fdk::AACENC_ERROR_AACENC_OK);
    // SAFETY: `handle` is written by the open call and closed below; all buffers outlive the calls that use them.
    unsafe {
        ok(fdk::aacEncOpen(&mut handle, 0, u32::from(pcm.channels)));
        for (param, value) in [
            (fdk::AACENC_PARAM_AACENC_AOT, object_type),
            (fdk::AACENC_PARAM_AACENC_SAMPLERATE, pcm.rate),
            (fdk::AACENC_PARAM_AACENC_CHANNELMODE, u32::from(pcm.channels)),
            (fdk::AACENC_PARAM_AACENC_BITRATE, bit_rate),
            (fdk::AACENC_PARAM_AACENC_TRANSMUX, 2),
        ] {
            ok(fdk::aacEncoder_SetParam(handle, param, value));
        }
        ok(fdk::aacEncEncode(handle, null(), null(), null(), null_mut()));
    }
    let (mut out, mut samples) = (Vec::new(), pcm.samples.clone());
    let mut at = 0;
    loop {
        let mut frame = [0u8; 8192];
        let (mut input, mut output) = (samples[at..].as_mut_ptr().cast(), frame.as_mut_ptr().cast());
        let (mut in_id, mut in_size, mut in_element) = (0, ((samples.len() - at) * 2) as i32, 2);
        let (mut out_id, mut out_size, mut out_element) = (3, frame.len() as i32, 1);
        let given = fdk::AACENC_BufDesc {
            numBufs: 1,
            bufs: &mut input,
            bufferIdentifiers: &mut in_id,
            bufSizes: &mut in_size,
            bufElSizes: &mut in_element,
        };
        let taken = fdk::AACENC_BufDesc {
            numBufs: 1,
            bufs: &mut output,
            bufferIdentifiers: &mut out_id,
            bufSizes: &mut out_size,
            bufElSizes: &mut out_element,
        };
        let left = (samples.len() - at) as i32;
        let arguments = fdk::AACENC_InArgs { numInSamples: if left > 0 { left } else { -1 }, numAncBytes: 0 };
        // SAFETY: all fields are plain numbers.
        let mut done: fdk::AACENC_OutArgs = unsafe { std::mem::zeroed() };
        // SAFETY: the descriptors point at live buffers of the sizes that they state.
        let code = unsafe { fdk::aacEncEncode(handle, &given, &taken, &arguments, &mut done) };
        if code != fdk::AACENC_ERROR_AACENC_OK {
            break;
        }
        at += done.numInSamples as usize;
        out.extend_from_slice(&frame[..done.numOutBytes as usize]);
    }
    // SAFETY: the handle is live and not used again.
    unsafe { fdk::aacEncClose(&mut handle) };
    out
}

fn by_ffmpeg(path: &Path) -> Vec<i16> {
    let run = Command::new("ffmpeg")
        .args(["-v", "error", "-i", path.to_str().unwrap(), "-f", "s16le", "-"])
        .output();
    let bytes = run.expect("these tests need ffmpeg on the PATH: apt-get install ffmpeg").stdout;
    bytes.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
}

fn assert_full_bandwidth(name: &str, bytes: &[u8], channels: u8) {
    let folder = Folder::new();
    let path = folder.put(name, bytes);
    let (spec, samples) = read(&path).unwrap();
    assert_eq!((spec.sample_rate, spec.channels), (44_100, channels), "{name}");
    let source = identify(&path).unwrap().source;
    assert_eq!((source.codec.as_str(), source.sample_rate), ("aac", 44_100));
    let reference = by_ffmpeg(&path);
    assert_eq!(samples.len(), reference.len(), "{name}");
    let ratio = snr(&reference, &samples);
    assert!(ratio > 30.0, "{name}: {ratio:.1} dB against ffmpeg"); // The two decoders invent highs of their own.
}

#[test]
fn hidden_sbr_is_found() {
    let pcm = Pcm::music(44_100, 2, 88_200);
    assert_full_bandwidth("he.aac", &adts(&pcm, 5, 48_000), 2);
    assert_full_bandwidth("hev2.aac", &adts(&pcm, 29, 32_000), 2);
    assert_full_bandwidth("lc.aac", &adts(&pcm, 2, 128_000), 2);
}
