//! Oscillators. The phase is a wrapping 32-bit integer: it never drifts, and wrapping costs nothing.

use super::SAMPLE_RATE;

/// A phase that advances by a fixed step per frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Phase {
    at: u32,
    step: u32,
}

impl Phase {
    /// A phase that turns `hertz` times a second and starts at `turns` (0..1).
    pub(crate) fn new(hertz: f32, turns: f32) -> Self {
        let mut phase = Self { at: (turns * 4_294_967_296.0) as u32, step: 0 };
        phase.tune(hertz);
        phase
    }

    /// Changes the frequency; the phase stays where it is.
    pub(crate) fn tune(&mut self, hertz: f32) {
        self.step = (hertz / SAMPLE_RATE * 4_294_967_296.0) as u32;
    }

    /// Frames per turn: what [`saw`] needs to round off its edge.
    pub(crate) fn frames_per_turn(self) -> f32 {
        4_294_967_296.0 / self.step.max(1) as f32
    }

    /// The phase in turns, -0.5..0.5; then one frame on.
    #[inline(always)]
    pub(crate) fn next(&mut self) -> f32 {
        let turns = self.at as i32 as f32 / 4_294_967_296.0;
        self.at = self.at.wrapping_add(self.step);
        turns
    }

    /// The phase in turns, then `frames` frames on: for slow oscillators that are read once per block.
    pub(crate) fn skip(&mut self, frames: usize) -> f32 {
        let turns = self.at as i32 as f32 / 4_294_967_296.0;
        self.at = self.at.wrapping_add(self.step.wrapping_mul(frames as u32));
        turns
    }
}

/// Sine of a phase in turns, for |turns| <= 0.75 (a phase plus up to a quarter turn of modulation).
/// Odd polynomial of degree 9 over a quarter turn: the error is below -108 dB.
#[inline(always)]
pub(crate) fn sine(turns: f32) -> f32 {
    let folded = 0.25 - (turns.abs() - 0.25).abs();
    let x = folded * std::f32::consts::TAU * 1.0_f32.copysign(turns);
    let x2 = x * x;
    x * (1.0 + x2 * (-1.0 / 6.0 + x2 * (1.0 / 120.0 + x2 * (-1.0 / 5040.0 + x2 / 362_880.0))))
}

/// Band-limited rising saw (polyBLEP): the jump is rounded off over one frame on either side, so
/// that what would alias is some 40 dB weaker than in the naive saw.
#[inline(always)]
pub(crate) fn saw(turns: f32, frames_per_turn: f32) -> f32 {
    let after = (1.0 - (turns + 0.5) * frames_per_turn).max(0.0);
    let before = (1.0 - (0.5 - turns) * frames_per_turn).max(0.0);
    2.0 * turns + after * after - before * before
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sine_is_accurate() {
        for i in -750..=750 {
            let turns = i as f32 / 1000.0;
            let exact = (f64::from(turns) * std::f64::consts::TAU).sin();
            assert!((f64::from(sine(turns)) - exact).abs() < 5e-6, "at {turns}");
        }
    }

    #[test]
    fn a_saw_has_no_jump_and_no_offset() {
        let mut phase = Phase::new(441.0, 0.0);
        let period = phase.frames_per_turn();
        let wave: Vec<f32> = (0..44_100).map(|_| saw(phase.next(), period)).collect();
        let largest = wave.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max);
        assert!(largest < 1.2, "the naive saw jumps by 2, this one by {largest}");
        assert!((wave.iter().sum::<f32>() / 44_100.0).abs() < 1e-3);
    }

    #[test]
    fn phase_keeps_its_pitch() {
        let mut phase = Phase::new(1000.0, 0.0);
        let mut turns = 0;
        let mut last = phase.next();
        for _ in 0..SAMPLE_RATE as usize {
            let now = phase.next();
            turns += usize::from(now < last);
            last = now;
        }
        assert_eq!(turns, 1000);
    }
}
