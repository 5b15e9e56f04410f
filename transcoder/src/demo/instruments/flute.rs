//! Breathy flute: three harmonics, a breath of filtered noise, and a vibrato that comes late.

use super::{Mono, Tone};
use crate::demo::dsp::envelope::{Adsr, Envelope};
use crate::demo::dsp::filter::Svf;
use crate::demo::dsp::oscillator::{Phase, sine};
use crate::demo::random::Random;

const SHAPE: Adsr = Adsr { attack: 0.075, decay: 0.5, sustain: 0.82, release: 0.2 };

pub(super) struct Flute {
    hertz: f32,
    harmonics: [Phase; 3],
    vibrato: Phase,
    breath: Svf,
    noise: Random,
    envelope: Envelope,
    velocity: f32,
}

impl Flute {
    pub(super) fn new(tone: &Tone, random: &mut Random) -> Self {
        Self {
            hertz: tone.hertz,
            harmonics: [1.0, 2.0, 3.0].map(|n| Phase::new(tone.hertz * n, 0.0)),
            vibrato: Phase::new(4.7 + 0.5 * random.unit(), 0.0),
            breath: Svf::new((tone.hertz * 2.0).min(6000.0), 2.5),
            noise: Random::new(u64::from(random.bits())),
            envelope: Envelope::new(SHAPE, tone.seconds),
            velocity: tone.velocity,
        }
    }

    /// Frequency now: a touch flat as the breath sets in, then vibrato of up to 14 cents.
    fn bend(&mut self, frames: usize) -> f32 {
        let seconds = self.envelope.seconds();
        let depth = ((seconds - 0.35) / 0.6).clamp(0.0, 1.0) * 14.0;
        let cents = depth * sine(self.vibrato.skip(frames)) - 18.0 * (-seconds / 0.04).exp();
        self.hertz * (cents / 1200.0).exp2()
    }
}

impl Mono for Flute {
    fn fill(&mut self, block: &mut [f32]) -> bool {
        let hertz = self.bend(block.len());
        for (number, harmonic) in self.harmonics.iter_mut().enumerate() {
            harmonic.tune(hertz * (number + 1) as f32);
        }
        let chiff = 0.05 + 0.16 * (-self.envelope.seconds() / 0.06).exp();
        let ramp = self.envelope.advance(block.len());
        let level = 0.24 * self.velocity;
        let [first, second, third] = &mut self.harmonics;
        let bright = 0.12 + 0.2 * self.velocity;
        for (i, out) in block.iter_mut().enumerate() {
            let tone = sine(first.next()) + bright * sine(second.next()) + 0.3 * bright * sine(third.next());
            let breath = self.breath.band(self.noise.signed()) * chiff;
            *out = (tone + breath) * ramp.at(i) * level;
        }
        self.envelope.is_alive()
    }
}
