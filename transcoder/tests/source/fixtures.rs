//! Sources made on the spot: signals, WAV and AIFF by hand, the rest by ffmpeg.

use std::f64::consts::TAU;
use std::path::{Path, PathBuf};
use std::process::Command;

use segue_transcoder::source::{PcmReader, PcmSpec, SourceError};
use tempfile::TempDir;

/// A folder that is gone after the test.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// Writes `pcm` as WAV and has ffmpeg make `name` of it.
    pub(crate) fn encode(&self, pcm: &Pcm, name: &str, options: &[&str]) -> PathBuf {
        let wav = self.put("input.wav", &pcm.wav());
        let out = self.path(name);
        let input = ["-i", wav.to_str().unwrap()];
        ffmpeg(&[&input, options, &[out.to_str().unwrap()]].concat());
        out
    }
}

/// Runs ffmpeg; its absence fails the test with the way out.
pub(crate) fn ffmpeg(arguments: &[&str]) {
    let run = Command::new("ffmpeg").args(["-v", "error", "-y", "-nostdin"]).args(arguments).output();
    let output = run.expect("these tests need ffmpeg on the PATH: apt-get install ffmpeg");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ffmpeg {arguments:?} failed: {told}");
}

/// Interleaved 16-bit sound.
#[derive(Debug, Clone)]
pub(crate) struct Pcm {
    pub(crate) rate: u32,
    pub(crate) channels: u16,
    pub(crate) samples: Vec<i16>,
}

impl Pcm {
    /// A few partials and some noise, different in every channel; the same on every call.
    pub(crate) fn music(rate: u32, channels: u16, frames: usize) -> Self {
        let mut noise = 1u32;
        let mut samples = Vec::with_capacity(frames * usize::from(channels));
        for frame in 0..frames {
            let time = frame as f64 / f64::from(rate);
            for channel in 0..channels {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let pitch = 220.0 * f64::from(channel + 2);
                let tones = 0.3 * (TAU * pitch * time).sin() + 0.15 * (TAU * 2.51 * pitch * time).sin();
                let hiss = f64::from(noise >> 16) / 65_536.0 - 0.5;
                samples.push(((tones + 0.01 * hiss) * 32_767.0) as i16);
            }
        }
        Self { rate, channels, samples }
    }

    pub(crate) fn frames(&self) -> usize {
        self.samples.len() / usize::from(self.channels)
    }

    /// As a 16-bit WAV file.
    pub(crate) fn wav(&self) -> Vec<u8> {
        let data: Vec<u8> = self.samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        wav(Format { rate: self.rate, channels: self.channels, bits: 16, float: false }, &data)
    }

    /// As a 16-bit AIFF file.
    pub(crate) fn aiff(&self) -> Vec<u8> {
        let data: Vec<u8> = self.samples.iter().flat_map(|sample| sample.to_be_bytes()).collect();
        let mut comm = self.channels.to_be_bytes().to_vec();
        comm.extend((self.frames() as u32).to_be_bytes());
        comm.extend(16u16.to_be_bytes());
        // The rate as an 80-bit float: exponent, then the mantissa with its leading one.
        let exponent = 31 - self.rate.leading_zeros();
        comm.extend((16_383 + exponent as u16).to_be_bytes());
        comm.extend((u64::from(self.rate) << (63 - exponent)).to_be_bytes());
        let chunk = |id: &[u8], body: &[u8]| [id, &(body.len() as u32).to_be_bytes(), body].concat();
        let body = [b"AIFF".to_vec(), chunk(b"COMM", &comm), chunk(b"SSND", &[&[0; 8], &data[..]].concat())]
            .concat();
        chunk(b"FORM", &body)
    }
}

/// Shape of the samples of a WAV file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Format {
    pub(crate) rate: u32,
    pub(crate) channels: u16,
    pub(crate) bits: u16,
    pub(crate) float: bool,
}

/// A WAV file around little-endian sample data; more than two channels get the usual speaker mask.
pub(crate) fn wav(format: Format, data: &[u8]) -> Vec<u8> {
    let Format { rate, channels, bits, float } = format;
    let block = channels * bits / 8;
    let kind: u16 = if float { 3 } else { 1 };
    let mut fmt = if channels > 2 { 0xfffe } else { kind }.to_le_bytes().to_vec();
    fmt.extend(channels.to_le_bytes());
    fmt.extend(rate.to_le_bytes());
    fmt.extend((rate * u32::from(block)).to_le_bytes());
    fmt.extend(block.to_le_bytes());
    fmt.extend(bits.to_le_bytes());
    if channels > 2 {
        fmt.extend(22u16.to_le_bytes());
        fmt.extend(bits.to_le_bytes());
        fmt.extend(((1u32 << channels) - 1).to_le_bytes());
        fmt.extend(kind.to_le_bytes());
        fmt.extend(b"\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71");
    }
    let chunk = |id: &[u8], body: &[u8]| [id, &(body.len() as u32).to_le_bytes(), body].concat();
    chunk(b"RIFF", &[b"WAVE".to_vec(), chunk(b"fmt ", &fmt), chunk(b"data", data)].concat())
}

/// Everything that the reader delivers.
pub(crate) fn read(path: &Path) -> Result<(PcmSpec, Vec<i16>), SourceError> {
    let mut reader = PcmReader::open(path)?;
    let mut samples = Vec::new();
    while let Some(chunk) = reader.next_chunk()? {
        assert!(!chunk.is_empty(), "chunks are never empty");
        samples.extend(chunk);
    }
    Ok((reader.spec(), samples))
}

/// Signal to noise ratio of `got` against `want`, in dB.
pub(crate) fn snr(want: &[i16], got: &[i16]) -> f64 {
    let square = |x: f64| x * x;
    let power: f64 = want.iter().map(|&w| square(f64::from(w))).sum();
    let error: f64 = want.iter().zip(got).map(|(&w, &g)| square(f64::from(w) - f64::from(g))).sum();
    10.0 * (power / error.max(1e-9)).log10()
}
