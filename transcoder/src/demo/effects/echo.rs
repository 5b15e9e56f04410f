//! Echo in time with the music: it answers left, then right, a little darker each time.

use crate::demo::dsp::SAMPLE_RATE;
use crate::demo::dsp::filter::{OnePole, Svf};

/// A ping-pong delay.
#[derive(Debug)]
pub(crate) struct Echo {
    left: Vec<f32>,
    right: Vec<f32>,
    at: usize,
    feedback: f32,
    dark: OnePole,
    thin: Svf,
}

impl Echo {
    /// An echo every `seconds`, each `feedback` times as loud as the one before.
    pub(crate) fn new(seconds: f32, feedback: f32) -> Self {
        let frames = (seconds * SAMPLE_RATE).round().max(1.0) as usize;
        Self {
            left: vec![0.0; frames],
            right: vec![0.0; frames],
            at: 0,
            feedback,
            dark: OnePole::new(3400.0),
            thin: Svf::new(180.0, 0.7),
        }
    }

    /// One frame: what comes back of everything that was sent before.
    #[inline(always)]
    pub(crate) fn process(&mut self, sent: f32) -> [f32; 2] {
        let (left, right) = (self.left[self.at], self.right[self.at]);
        self.left[self.at] = self.thin.high(self.dark.low(sent + right * self.feedback));
        self.right[self.at] = left * self.feedback;
        self.at = if self.at + 1 == self.left.len() { 0 } else { self.at + 1 };
        [left, right]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_in_time_and_dies_away() {
        let mut echo = Echo::new(0.1, 0.5);
        let out: Vec<[f32; 2]> = (0..44_100).map(|i| echo.process(if i < 20 { 1.0 } else { 0.0 })).collect();
        let power =
            |side: usize, from: usize| out[from..from + 200].iter().map(|f| f[side] * f[side]).sum::<f32>();
        assert!(power(0, 0) < 1e-9 && power(1, 4410) < 1e-9);
        assert!(power(0, 4410) > 1.0, "left first");
        assert!(power(1, 8820) > 0.1, "then right");
        assert!(power(0, 13_230) < power(0, 4410) * 0.1);
        assert!(power(0, 39_690) < power(0, 4410) * 1e-3);
    }
}
