//! Integrated loudness as ITU-R BS.1770-4 defines it: K-weighting, blocks of 400 ms that overlap by
//! three quarters, an absolute gate at -70 LUFS and a relative one 10 LU below what passes it.

use super::dsp::SAMPLE_RATE;
use super::mix::Stereo;

/// A quarter of a block, in frames: 100 ms.
const STEP: usize = (SAMPLE_RATE / 10.0) as usize;

/// Integrated loudness in LUFS; negative infinity for silence or less than 400 ms.
pub(crate) fn integrated(sound: &Stereo) -> f32 {
    let steps = weighted_power(sound);
    let blocks: Vec<f64> = steps.windows(4).map(|four| four.iter().sum::<f64>() / 4.0).collect();
    let audible = gated_mean(&blocks, power(-70.0));
    if audible == 0.0 {
        return f32::NEG_INFINITY;
    }
    lufs(gated_mean(&blocks, audible * 0.1))
}

fn lufs(power: f64) -> f32 {
    (-0.691 + 10.0 * power.log10()) as f32
}

fn power(lufs: f64) -> f64 {
    10.0_f64.powf((lufs + 0.691) / 10.0)
}

/// Mean of the blocks above the gate.
fn gated_mean(blocks: &[f64], gate: f64) -> f64 {
    let passing: Vec<f64> = blocks.iter().copied().filter(|block| *block > gate).collect();
    passing.iter().sum::<f64>() / passing.len().max(1) as f64
}

/// Mean square of every 100 ms after K-weighting, both sides added.
fn weighted_power(sound: &Stereo) -> Vec<f64> {
    let mut sides = [(); 2].map(|()| (Biquad::shelf(), Biquad::high_pass()));
    let chunks = sound.left.chunks_exact(STEP).zip(sound.right.chunks_exact(STEP));
    let mut power = |(left, right): (&[f32], &[f32])| {
        let mut sum = 0.0;
        for (l, r) in left.iter().zip(right) {
            for ((shelf, high_pass), x) in sides.iter_mut().zip([l, r]) {
                sum += high_pass.process(shelf.process(f64::from(*x))).powi(2);
            }
        }
        sum / STEP as f64
    };
    chunks.map(&mut power).collect()
}

/// A filter of second order, transposed direct form II.
struct Biquad {
    b: [f64; 3],
    a: [f64; 2],
    s: [f64; 2],
}

impl Biquad {
    /// First stage of K-weighting: a shelf of 4 dB above 1.7 kHz (the head), for our sample rate.
    fn shelf() -> Self {
        let (q, k) = (0.707_175_236_955_42, Self::warp(1_681.974_450_955_533));
        let (high, band) = (1.584_864_701_130_855, 1.258_720_930_232_562);
        let norm = 1.0 + k / q + k * k;
        Self {
            b: [
                (high + band * k / q + k * k) / norm,
                2.0 * (k * k - high) / norm,
                (high - band * k / q + k * k) / norm,
            ],
            a: [2.0 * (k * k - 1.0) / norm, (1.0 - k / q + k * k) / norm],
            s: [0.0; 2],
        }
    }

    /// Second stage: a high-pass at 38 Hz.
    fn high_pass() -> Self {
        let (q, k) = (0.500_327_037_323_877, Self::warp(38.135_470_876_024_44));
        let norm = 1.0 + k / q + k * k;
        Self {
            b: [1.0, -2.0, 1.0],
            a: [2.0 * (k * k - 1.0) / norm, (1.0 - k / q + k * k) / norm],
            s: [1e-20; 2],
        }
    }

    fn warp(hertz: f64) -> f64 {
        (std::f64::consts::PI * hertz / f64::from(SAMPLE_RATE)).tan()
    }

    fn process(&mut self, x: f64) -> f64 {
        let y = self.b[0] * x + self.s[0];
        self.s[0] = self.b[1] * x - self.a[0] * y + self.s[1];
        self.s[1] = self.b[2] * x - self.a[1] * y;
        y
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::dsp::oscillator::{Phase, sine};

    /// BS.1770-4: a full-scale sine of 997 Hz on one channel measures -3.01 LUFS.
    #[test]
    fn a_full_scale_sine_measures_as_the_standard_says() {
        let mut phase = Phase::new(997.0, 0.0);
        let left: Vec<f32> = (0..88_200).map(|_| sine(phase.next())).collect();
        let one_side = Stereo { right: vec![0.0; left.len()], left };
        assert!((integrated(&one_side) + 3.01).abs() < 0.05, "{}", integrated(&one_side));
    }

    #[test]
    fn silence_is_gated() {
        let mut phase = Phase::new(997.0, 0.0);
        let mut left: Vec<f32> = (0..88_200).map(|_| 0.1 * sine(phase.next())).collect();
        left.extend(vec![0.0; 441_000]);
        let sound = Stereo { right: left.clone(), left };
        assert!((integrated(&sound) + 20.0).abs() < 0.4, "{}", integrated(&sound));
        assert_eq!(integrated(&Stereo::silence(88_200)), f32::NEG_INFINITY);
    }
}
