//! Rate conversion to 44.1 or 48 kHz in bounded memory, with the filter's delay cut off and an exact length.

use rubato::audioadapter_buffers::direct::SequentialSliceOfVecs;
use rubato::{Fft, FixedSync, Resampler as _, WindowFunction};

use super::SourceError;

/// Source samples in one block of the filter, at least: long blocks make the transition band narrow.
const BLOCK: usize = 4096;

/// The rate that a source of `rate` Hz is delivered at: 44,100 for its multiples and parts, else 48,000.
pub(super) fn target_rate(rate: u32) -> u32 {
    if rate.is_multiple_of(11_025) { 44_100 } else { 48_000 }
}

/// Samples at `to` Hz that last as long as `samples` at `from` Hz: rounded to nearest, never nothing of something.
pub(super) fn scaled_len(samples: u64, from: u32, to: u32) -> u64 {
    super::mp4::scale(samples, to, from).max(u64::from(samples > 0))
}

/// A streaming converter between two fixed rates.
pub(super) struct Resample {
    inner: Fft<f32>,
    from: u32,
    to: u32,
    input: Vec<Vec<f32>>,
    taken: u64,
    given: u64,
    delay: usize,
}

impl Resample {
    /// A converter for 1 or 2 channels.
    ///
    /// # Errors
    /// When the converter refuses the rates, which the limits rule out.
    pub(super) fn new(from: u32, to: u32, channels: usize) -> Result<Self, SourceError> {
        // A block of an even number of shortest periods, so that half of it, the delay, is whole at both rates.
        let shortest = 2 * (from / gcd(from, to)) as usize;
        let block = shortest * BLOCK.div_ceil(shortest);
        let window = WindowFunction::BlackmanHarris2;
        let inner = Fft::new_custom(from as usize, to as usize, block, 1, channels, window, FixedSync::Both);
        let inner = inner.map_err(|error| SourceError::new("resample", error.to_string()))?;
        let delay = inner.output_delay();
        Ok(Self { inner, from, to, input: vec![Vec::new(); channels], taken: 0, given: 0, delay })
    }

    /// Takes planes and gives what is ready.
    ///
    /// # Errors
    /// When the converter refuses a block, which its sizes rule out.
    pub(super) fn push(&mut self, planes: &[Vec<f32>]) -> Result<Vec<Vec<f32>>, SourceError> {
        self.taken += planes.first().map_or(0, Vec::len) as u64;
        for (input, plane) in self.input.iter_mut().zip(planes) {
            input.extend_from_slice(plane);
        }
        let mut out = vec![Vec::new(); self.input.len()];
        while self.input[0].len() >= self.inner.input_frames_next() {
            self.block(&mut out)?;
        }
        self.given += out[0].len() as u64;
        Ok(out)
    }

    /// Gives the rest, so that the whole is [`scaled_len`] long.
    ///
    /// # Errors
    /// As [`Self::push`].
    pub(super) fn finish(&mut self) -> Result<Vec<Vec<f32>>, SourceError> {
        let want = scaled_len(self.taken, self.from, self.to) - self.given;
        let want = usize::try_from(want).unwrap_or(usize::MAX);
        let mut out = vec![Vec::new(); self.input.len()];
        while out[0].len() < want {
            let block = self.inner.input_frames_next();
            self.input.iter_mut().for_each(|input| input.resize(block.max(input.len()), 0.0));
            self.block(&mut out)?;
        }
        out.iter_mut().for_each(|plane| plane.truncate(want));
        Ok(out)
    }

    fn block(&mut self, out: &mut [Vec<f32>]) -> Result<(), SourceError> {
        let (takes, gives) = (self.inner.input_frames_next(), self.inner.output_frames_next());
        let channels = self.input.len();
        let mut fresh = vec![vec![0.0; gives]; channels];
        let refused = |error: String| SourceError::new("resample", error);
        let input =
            SequentialSliceOfVecs::new(&self.input, channels, takes).map_err(|e| refused(e.to_string()))?;
        let mut output = SequentialSliceOfVecs::new_mut(&mut fresh, channels, gives)
            .map_err(|e| refused(e.to_string()))?;
        self.inner.process_into_buffer(&input, &mut output, None).map_err(|e| refused(e.to_string()))?;
        let late = self.delay.min(gives);
        self.delay -= late;
        for ((input, fresh), out) in self.input.iter_mut().zip(&fresh).zip(out) {
            input.drain(..takes);
            out.extend_from_slice(&fresh[late..]);
        }
        Ok(())
    }
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::TAU;

    fn sine(rate: u32, hertz: f64, samples: usize) -> Vec<f32> {
        (0..samples).map(|n| (0.5 * (TAU * hertz * n as f64 / f64::from(rate)).sin()) as f32).collect()
    }

    fn converted(from: u32, plane: &[f32], chunk: usize) -> Vec<f32> {
        let mut resample = Resample::new(from, target_rate(from), 1).unwrap();
        let mut out = Vec::new();
        for part in plane.chunks(chunk) {
            out.extend(resample.push(&[part.to_vec()]).unwrap().remove(0));
        }
        out.extend(resample.finish().unwrap().remove(0));
        out
    }

    #[test]
    fn families() {
        let at_44 = [11_025, 22_050, 44_100, 88_200, 176_400, 352_800];
        assert!(at_44.iter().all(|&rate| target_rate(rate) == 44_100));
        let at_48 = [8_000, 12_000, 16_000, 24_000, 32_000, 37_800, 48_000, 96_000, 192_000, 384_000];
        assert!(at_48.iter().all(|&rate| target_rate(rate) == 48_000));
    }

    #[test]
    fn lengths_are_exact() {
        for from in [4_000, 8_000, 22_050, 37_800, 47_999, 96_000, 192_000, 768_000] {
            for samples in [1, 2, 1000, 30_001] {
                let got = converted(from, &vec![0.25; samples], 777).len() as u64;
                assert_eq!(got, scaled_len(samples as u64, from, target_rate(from)), "{from} {samples}");
            }
        }
    }

    #[test]
    fn sound_stays_in_place() {
        for from in [8_000, 11_025, 32_000, 37_800, 88_200, 96_000, 192_000] {
            let to = target_rate(from);
            let out = converted(from, &sine(from, 997.0, from as usize), 4001);
            let want = sine(to, 997.0, out.len());
            let middle = out.len() / 4..out.len() * 3 / 4;
            let error = middle.clone().map(|n| f64::from(out[n] - want[n]).powi(2)).sum::<f64>();
            let power = middle.map(|n| f64::from(want[n]).powi(2)).sum::<f64>();
            let ratio = 10.0 * (power / error).log10();
            assert!(ratio > 110.0, "{from} Hz: {ratio:.1} dB");
        }
    }
}
