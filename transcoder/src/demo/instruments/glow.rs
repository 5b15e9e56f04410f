//! Short soft synthesiser notes: two saws through a low-pass that closes as the note fades.

use super::{Mono, Tone};
use crate::demo::dsp::envelope::{Adsr, Envelope};
use crate::demo::dsp::filter::Svf;
use crate::demo::dsp::oscillator::{Phase, saw};
use crate::demo::random::Random;

const SHAPE: Adsr = Adsr { attack: 0.004, decay: 0.5, sustain: 0.12, release: 0.35 };

pub(super) struct Glow {
    upper: Phase,
    lower: Phase,
    filter: Svf,
    envelope: Envelope,
    brightness: f32,
    level: f32,
}

impl Glow {
    pub(super) fn new(tone: &Tone, random: &mut Random) -> Self {
        let turns = random.unit();
        Self {
            upper: Phase::new(tone.hertz * 1.003, turns),
            lower: Phase::new(tone.hertz * 0.997, turns),
            filter: Svf::new(400.0, 1.1),
            envelope: Envelope::new(SHAPE, tone.seconds),
            brightness: 500.0 + 3200.0 * tone.velocity,
            level: 0.2 * tone.velocity.sqrt(),
        }
    }
}

impl Mono for Glow {
    fn fill(&mut self, block: &mut [f32]) -> bool {
        let open = (-6.0 * self.envelope.seconds()).exp();
        self.filter.tune(260.0 + self.brightness * open, 1.1);
        let ramp = self.envelope.advance(block.len());
        let period = self.upper.frames_per_turn();
        for (i, out) in block.iter_mut().enumerate() {
            let both = saw(self.upper.next(), period) + saw(self.lower.next(), period);
            *out = self.filter.low(both) * ramp.at(i) * self.level;
        }
        self.envelope.is_alive()
    }
}
