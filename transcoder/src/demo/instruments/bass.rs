//! Round electric bass: a sine for the weight, a filtered saw for the string.

use super::{Mono, Tone};
use crate::demo::dsp::envelope::{Adsr, Envelope};
use crate::demo::dsp::filter::Svf;
use crate::demo::dsp::oscillator::{Phase, saw, sine};

const SHAPE: Adsr = Adsr { attack: 0.008, decay: 1.8, sustain: 0.35, release: 0.12 };

pub(super) struct Bass {
    weight: Phase,
    string: Phase,
    filter: Svf,
    envelope: Envelope,
    velocity: f32,
}

impl Bass {
    pub(super) fn new(tone: &Tone) -> Self {
        Self {
            weight: Phase::new(tone.hertz, 0.0),
            string: Phase::new(tone.hertz, 0.5),
            filter: Svf::new(600.0, 0.8),
            envelope: Envelope::new(SHAPE, tone.seconds),
            velocity: tone.velocity,
        }
    }
}

impl Mono for Bass {
    fn fill(&mut self, block: &mut [f32]) -> bool {
        let open = (-5.0 * self.envelope.seconds()).exp();
        self.filter.tune(220.0 + 900.0 * self.velocity * open, 0.8);
        let ramp = self.envelope.advance(block.len());
        let period = self.string.frames_per_turn();
        let level = 0.3 * self.velocity;
        for (i, out) in block.iter_mut().enumerate() {
            let string = self.filter.low(saw(self.string.next(), period));
            *out = (sine(self.weight.next()) + 0.7 * string) * ramp.at(i) * level;
        }
        self.envelope.is_alive()
    }
}
