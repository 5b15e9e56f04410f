//! The building blocks of sound: oscillators, envelopes, filters and resonating modes.

pub(crate) mod envelope;
pub(crate) mod filter;
pub(crate) mod modes;
pub(crate) mod oscillator;

/// Frames per second of everything the demo album contains.
pub(crate) const SAMPLE_RATE: f32 = 44_100.0;

/// The longest run of frames that is worked on at once: envelopes and filters move once per block (2.9 ms).
pub(crate) const BLOCK: usize = 128;

/// Frequency in hertz of a MIDI pitch (69 = A4 = 440 Hz); fractions are allowed.
pub(crate) fn hertz(pitch: f32) -> f32 {
    440.0 * ((pitch - 69.0) / 12.0).exp2()
}

/// Linear gain of a level in decibels.
pub(crate) fn gain(decibels: f32) -> f32 {
    10.0_f32.powf(decibels / 20.0)
}

/// A straight line over one block, from the level before it to the level after it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Ramp {
    from: f32,
    step: f32,
}

impl Ramp {
    /// The line that reaches `to` after `frames` frames.
    pub(crate) fn new(from: f32, to: f32, frames: usize) -> Self {
        Self { from, step: (to - from) / frames.max(1) as f32 }
    }

    /// The level at one frame of the block.
    #[inline(always)]
    pub(crate) fn at(self, frame: usize) -> f32 {
        self.from + self.step * frame as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pitch_and_level_scales() {
        assert!((hertz(69.0) - 440.0).abs() < 1e-3);
        assert!((hertz(57.0) - 220.0).abs() < 1e-3);
        assert!((gain(-6.0206) - 0.5).abs() < 1e-4);
    }
}
