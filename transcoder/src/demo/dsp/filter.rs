//! Filters: a state variable low/band/high-pass, a one-pole low-pass and a blocker of direct current.

use super::SAMPLE_RATE;

/// Added to what goes into recursive filters, so that their tails never reach the slow denormal numbers.
const TINY: f32 = 1e-20;

/// State variable filter of second order in the topology-preserving form: stable while its cutoff moves.
#[derive(Debug, Clone, Default)]
pub(crate) struct Svf {
    a1: f32,
    a2: f32,
    a3: f32,
    damping: f32,
    s1: f32,
    s2: f32,
}

impl Svf {
    /// A filter at `cutoff` hertz; `resonance` is Q, 0.707 is flat.
    pub(crate) fn new(cutoff: f32, resonance: f32) -> Self {
        let mut filter = Self::default();
        filter.tune(cutoff, resonance);
        filter
    }

    /// Moves the cutoff (hertz) and the resonance (Q).
    pub(crate) fn tune(&mut self, cutoff: f32, resonance: f32) {
        let g = (std::f32::consts::PI * cutoff.clamp(10.0, 0.45 * SAMPLE_RATE) / SAMPLE_RATE).tan();
        self.damping = 1.0 / resonance;
        self.a1 = 1.0 / (1.0 + g * (g + self.damping));
        self.a2 = g * self.a1;
        self.a3 = g * self.a2;
    }

    /// Low-pass output.
    #[inline(always)]
    pub(crate) fn low(&mut self, input: f32) -> f32 {
        self.step(input).1
    }

    /// Band-pass output, unity gain at the centre.
    #[inline(always)]
    pub(crate) fn band(&mut self, input: f32) -> f32 {
        self.step(input).0 * self.damping
    }

    /// High-pass output.
    #[inline(always)]
    pub(crate) fn high(&mut self, input: f32) -> f32 {
        let (band, low) = self.step(input);
        input - self.damping * band - low
    }

    #[inline(always)]
    fn step(&mut self, input: f32) -> (f32, f32) {
        let v3 = input + TINY - self.s2;
        let band = self.a1 * self.s1 + self.a2 * v3;
        let low = self.s2 + self.a2 * self.s1 + self.a3 * v3;
        self.s1 = 2.0 * band - self.s1;
        self.s2 = 2.0 * low - self.s2;
        (band, low)
    }
}

/// Low-pass of first order.
#[derive(Debug, Clone)]
pub(crate) struct OnePole {
    amount: f32,
    state: f32,
}

impl OnePole {
    /// A low-pass at `cutoff` hertz.
    pub(crate) fn new(cutoff: f32) -> Self {
        Self { amount: 1.0 - (-std::f32::consts::TAU * cutoff / SAMPLE_RATE).exp(), state: 0.0 }
    }

    /// Filters one frame.
    #[inline(always)]
    pub(crate) fn low(&mut self, input: f32) -> f32 {
        self.state += self.amount * (input + TINY - self.state);
        self.state
    }
}

/// Takes out what does not swing: direct current and rumble below some 10 Hz.
#[derive(Debug, Clone, Default)]
pub(crate) struct DcBlocker {
    input: f32,
    output: f32,
}

impl DcBlocker {
    /// Filters one frame.
    #[inline(always)]
    pub(crate) fn process(&mut self, input: f32) -> f32 {
        self.output = input - self.input + 0.9985 * self.output + TINY;
        self.input = input;
        self.output
    }
}

#[cfg(test)]
mod tests {
    use super::super::oscillator::{Phase, sine};
    use super::*;

    /// Level in decibels of a sine of `hertz` after `filter`.
    fn response(hertz: f32, mut filter: impl FnMut(f32) -> f32) -> f32 {
        let mut phase = Phase::new(hertz, 0.0);
        let out: Vec<f32> = (0..44_100).map(|_| filter(sine(phase.next()))).collect();
        let power = out[22_050..].iter().map(|x| x * x).sum::<f32>() / 22_050.0;
        10.0 * (2.0 * power).log10()
    }

    #[test]
    fn low_pass_keeps_lows_and_takes_highs() {
        let mut svf = Svf::new(1000.0, 0.707);
        assert!(response(100.0, |x| svf.low(x)).abs() < 0.2);
        assert!((response(1000.0, |x| svf.low(x)) + 3.0).abs() < 0.3);
        assert!(response(8000.0, |x| svf.low(x)) < -34.0);
    }

    #[test]
    fn band_and_high_pass() {
        let mut band = Svf::new(2000.0, 2.0);
        assert!(response(2000.0, |x| band.band(x)).abs() < 0.3);
        assert!(response(100.0, |x| band.band(x)) < -25.0);
        let mut high = Svf::new(2000.0, 0.707);
        assert!(response(100.0, |x| high.high(x)) < -48.0);
    }

    #[test]
    fn the_blocker_takes_direct_current_only() {
        let mut blocker = DcBlocker::default();
        assert!(response(50.0, |x| blocker.process(x)) > -0.3);
        let mut blocker = DcBlocker::default();
        let last = (0..44_100).map(|_| blocker.process(1.0)).last();
        assert!(last.is_some_and(|x| x.abs() < 1e-6));
    }
}
