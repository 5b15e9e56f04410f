//! Slow strings: two detuned saws to the left, two to the right, a sine in the middle.

use super::{Tone, Voice};
use crate::demo::dsp::envelope::{Adsr, Envelope};
use crate::demo::dsp::oscillator::{Phase, saw, sine};
use crate::demo::random::Random;

const SHAPE: Adsr = Adsr { attack: 0.9, decay: 2.0, sustain: 0.8, release: 1.6 };

/// How far the four saws are from the written pitch, in cents.
const DETUNE: [f32; 4] = [-9.0, 4.0, 8.0, -5.0];

pub(super) struct Pad {
    saws: [Phase; 4],
    below: Phase,
    envelope: Envelope,
    level: f32,
}

impl Pad {
    pub(super) fn new(tone: &Tone, random: &mut Random) -> Self {
        Self {
            saws: DETUNE.map(|cents| Phase::new(tone.hertz * (cents / 1200.0).exp2(), random.unit())),
            below: Phase::new(tone.hertz, random.unit()),
            envelope: Envelope::new(SHAPE, tone.seconds),
            level: 0.075 * tone.velocity,
        }
    }
}

impl Voice for Pad {
    fn add_to(&mut self, left: &mut [f32], right: &mut [f32]) -> bool {
        let ramp = self.envelope.advance(left.len());
        let [a, b, c, d] = &mut self.saws;
        let period = a.frames_per_turn();
        for (i, (l, r)) in left.iter_mut().zip(right).enumerate() {
            let level = ramp.at(i) * self.level;
            let below = 1.2 * sine(self.below.next());
            *l += level * (saw(a.next(), period) + saw(b.next(), period) + below);
            *r += level * (saw(c.next(), period) + saw(d.next(), period) + below);
        }
        self.envelope.is_alive()
    }
}
