//! Floating point to interleaved 16-bit samples, with triangular dither where something finer is lost.

/// Rounds samples to 16 bits; the same source always gives the same output.
#[derive(Debug)]
pub(super) struct Quantise {
    state: u64,
}

impl Quantise {
    /// Starts the dither's sequence.
    pub(super) fn new() -> Self {
        Self { state: 0x9e37_79b9_7f4a_7c15 }
    }

    /// Interleaves planes as 16-bit samples, clipped at full scale. `dither` adds triangular noise of two steps
    /// peak to peak, which makes the rounding error independent of the sound.
    pub(super) fn interleave(&mut self, planes: &[Vec<f32>], dither: bool) -> Vec<i16> {
        let len = planes.first().map_or(0, Vec::len);
        let mut out = Vec::with_capacity(len * planes.len());
        for index in 0..len {
            for plane in planes {
                let noise = if dither { self.noise() } else { 0.0 };
                let step = (plane[index] * 32_768.0 + noise).round();
                out.push(step as i16); // `as` clips at both ends and makes silence of NaN.
            }
        }
        out
    }

    /// The difference of two uniform numbers, from one draw of a 64-bit linear congruential generator.
    fn noise(&mut self) -> f32 {
        self.state =
            self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mixed = self.state ^ (self.state >> 29);
        let uniform = |bits: u64| (bits & 0xff_ffff) as f32 / 16_777_216.0;
        uniform(mixed >> 40) - uniform(mixed >> 14)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_bit_samples_survive() {
        let all: Vec<f32> = (i16::MIN..=i16::MAX).map(|n| f32::from(n) / 32_768.0).collect();
        let out = Quantise::new().interleave(&[all], false);
        assert!(out.iter().copied().eq(i16::MIN..=i16::MAX));
    }

    #[test]
    fn full_scale_clips_and_nan_is_silence() {
        let out = Quantise::new().interleave(&[vec![1.0, 7.5, -3.0, f32::NAN]], false);
        assert_eq!(out, [i16::MAX, i16::MAX, i16::MIN, 0]);
    }

    #[test]
    fn dither_is_triangular_and_repeatable() {
        let quarter = vec![0.25 / 32_768.0; 400_000];
        let out = Quantise::new().interleave(std::slice::from_ref(&quarter), true);
        assert_eq!(out, Quantise::new().interleave(&[quarter], true));
        let mean = out.iter().map(|&n| f64::from(n)).sum::<f64>() / out.len() as f64;
        assert!((mean - 0.25).abs() < 0.01, "{mean}");
        // Triangular dither makes the error's power 1/4 step whatever the sample.
        let power = out.iter().map(|&n| (f64::from(n) - 0.25).powi(2)).sum::<f64>() / out.len() as f64;
        assert!((power - 0.25).abs() < 0.01, "{power}");
        assert!(out.iter().all(|n| (-1..=1).contains(n)));
    }
}
