//! Envelopes: how the level of a note rises, stays and dies away.

use super::{Ramp, SAMPLE_RATE};

/// Attack, decay and release in seconds; sustain as a level (0..1).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Adsr {
    pub(crate) attack: f32,
    pub(crate) decay: f32,
    pub(crate) sustain: f32,
    pub(crate) release: f32,
}

/// The envelope of one note, a function of time that is evaluated at the edges of blocks.
#[derive(Debug, Clone)]
pub(crate) struct Envelope {
    shape: Adsr,
    gate: f32,
    frames: usize,
    level: f32,
}

impl Envelope {
    /// The envelope of a note that is held for `gate` seconds.
    pub(crate) fn new(shape: Adsr, gate: f32) -> Self {
        Self { shape, gate, frames: 0, level: 0.0 }
    }

    /// The level over the next `frames` frames.
    pub(crate) fn advance(&mut self, frames: usize) -> Ramp {
        self.frames += frames;
        let from = self.level;
        self.level = self.level_at(self.seconds());
        Ramp::new(from, self.level, frames)
    }

    /// Whether the note still sounds.
    pub(crate) fn is_alive(&self) -> bool {
        self.seconds() < self.gate + self.shape.release
    }

    /// Seconds since the note began.
    pub(crate) fn seconds(&self) -> f32 {
        self.frames as f32 / SAMPLE_RATE
    }

    fn level_at(&self, seconds: f32) -> f32 {
        if seconds <= self.gate {
            return self.held(seconds);
        }
        let left = 1.0 - (seconds - self.gate) / self.shape.release;
        self.held(self.gate) * left.max(0.0).powi(3)
    }

    fn held(&self, seconds: f32) -> f32 {
        let Adsr { attack, decay, sustain, .. } = self.shape;
        if seconds < attack {
            let s = seconds / attack;
            return s * s * (3.0 - 2.0 * s);
        }
        sustain + (1.0 - sustain) * (-3.0 * (seconds - attack) / decay).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::super::BLOCK;
    use super::*;

    const SHAPE: Adsr = Adsr { attack: 0.05, decay: 0.2, sustain: 0.5, release: 0.3 };

    #[test]
    fn rises_to_one_settles_and_ends_at_zero() {
        let mut envelope = Envelope::new(SHAPE, 1.0);
        let mut levels = Vec::new();
        while envelope.is_alive() {
            let ramp = envelope.advance(BLOCK);
            levels.extend((0..BLOCK).map(|i| ramp.at(i)));
        }
        let peak = levels.iter().copied().fold(0.0, f32::max);
        assert!((0.95..=1.0).contains(&peak), "peak {peak}");
        assert!((levels[40_000] - 0.5).abs() < 0.01, "sustain {}", levels[40_000]);
        assert!(levels[levels.len() - 1] < 1e-3);
        let jump = levels.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max);
        assert!(jump < 0.002, "jump {jump}");
    }

    #[test]
    fn a_gate_shorter_than_the_attack_releases_from_where_it_is() {
        let mut envelope = Envelope::new(SHAPE, 0.01);
        let mut last = 0.0_f32;
        let mut jump = 0.0_f32;
        while envelope.is_alive() {
            let level = envelope.advance(16).at(16);
            jump = jump.max((level - last).abs());
            last = level;
        }
        assert!(jump < 0.03);
    }
}
