//! Modal synthesis: a struck thing rings in modes, each a sine that dies away at its own pace.
//! A mode is a point that turns around the origin while it spirals inwards: four products per frame,
//! and the compiler works on several modes at once.

use super::SAMPLE_RATE;

/// One mode: frequency in hertz, amplitude, and seconds until it is 60 dB down.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Mode {
    pub(crate) hertz: f32,
    pub(crate) amplitude: f32,
    pub(crate) decay: f32,
}

/// `N` modes that were struck together.
#[derive(Debug, Clone)]
pub(crate) struct Modes<const N: usize> {
    re: [f32; N],
    im: [f32; N],
    turn_re: [f32; N],
    turn_im: [f32; N],
}

impl<const N: usize> Modes<N> {
    /// Strikes the modes; those above 18 kHz stay silent. Every mode begins at zero: no click.
    pub(crate) fn strike(modes: &[Mode; N]) -> Self {
        let mut bank = Self { re: [0.0; N], im: [0.0; N], turn_re: [0.0; N], turn_im: [0.0; N] };
        for (i, mode) in modes.iter().enumerate() {
            if mode.hertz > 18_000.0 || mode.amplitude == 0.0 {
                continue;
            }
            let turn = std::f64::consts::TAU * f64::from(mode.hertz / SAMPLE_RATE);
            let shrink = f64::from(0.001_f32).powf(1.0 / f64::from(mode.decay * SAMPLE_RATE));
            bank.re[i] = mode.amplitude;
            bank.turn_re[i] = (turn.cos() * shrink) as f32;
            bank.turn_im[i] = (turn.sin() * shrink) as f32;
        }
        bank
    }

    /// Fills a block with the sum of all modes.
    pub(crate) fn fill(&mut self, block: &mut [f32]) {
        // Local copies stay in registers.
        let (mut re, mut im) = (self.re, self.im);
        let (turn_re, turn_im) = (self.turn_re, self.turn_im);
        for out in block {
            let mut sums = [0.0; 4];
            for i in 0..N {
                let turned = re[i] * turn_re[i] - im[i] * turn_im[i];
                im[i] = re[i] * turn_im[i] + im[i] * turn_re[i];
                re[i] = turned;
                sums[i % 4] += im[i];
            }
            *out = (sums[0] + sums[1]) + (sums[2] + sums[3]);
        }
        for i in 0..N {
            // A mode that has died away stops, before it reaches the slow denormal numbers.
            let alive = if re[i].abs() + im[i].abs() > 1e-9 { 1.0 } else { 0.0 };
            self.re[i] = re[i] * alive;
            self.im[i] = im[i] * alive;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_decays_by_sixty_decibels() {
        let mode = Mode { hertz: 441.0, amplitude: 1.0, decay: 0.5 };
        let mut bank = Modes::strike(&[mode, Mode::default(), Mode::default(), Mode::default()]);
        let mut wave = vec![0.0; 22_150];
        wave.chunks_mut(128).for_each(|block| bank.fill(block));
        let start = wave[..100].iter().copied().fold(0.0, f32::max);
        let end = wave[22_050..].iter().copied().fold(0.0, f32::max);
        assert!((0.9..=1.0).contains(&start));
        assert!((0.0009..0.0011).contains(&end), "end {end}");
        assert!(wave[0].abs() < 0.07, "no click at the start");
    }

    #[test]
    fn modes_beyond_hearing_are_left_out() {
        let mut bank = Modes::strike(&[Mode { hertz: 19_000.0, amplitude: 1.0, decay: 1.0 }; 4]);
        let mut block = [1.0; 100];
        bank.fill(&mut block);
        assert_eq!(block, [0.0; 100]);
    }
}
