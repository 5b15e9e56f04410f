//! Electric piano by frequency modulation: a body whose spectrum mellows as it fades, and a short
//! bright tine fourteen times above it.

use super::{Mono, Tone};
use crate::demo::dsp::Ramp;
use crate::demo::dsp::envelope::{Adsr, Envelope};
use crate::demo::dsp::oscillator::{Phase, sine};

pub(super) struct ElectricPiano {
    body: Phase,
    body_modulator: Phase,
    tine: Phase,
    tine_modulator: Phase,
    envelope: Envelope,
    velocity: f32,
    tine_level: f32,
}

impl ElectricPiano {
    pub(super) fn new(tone: &Tone) -> Self {
        let decay = (3.6 * (220.0 / tone.hertz).sqrt()).clamp(1.2, 6.0);
        let shape = Adsr { attack: 0.003, decay, sustain: 0.0, release: 0.22 };
        let tine = tone.hertz * 14.0;
        Self {
            body: Phase::new(tone.hertz, 0.0),
            body_modulator: Phase::new(tone.hertz * 1.0007, 0.0),
            tine: Phase::new(tone.hertz * 0.9996, 0.0),
            tine_modulator: Phase::new(tine.min(15_000.0), 0.0),
            envelope: Envelope::new(shape, tone.seconds),
            velocity: tone.velocity,
            tine_level: if tine < 15_000.0 { 0.5 * tone.velocity } else { 0.0 },
        }
    }

    /// Modulation of the body and of the tine in turns, and level of the tine, at `seconds`.
    fn colour(&self, seconds: f32) -> [f32; 3] {
        let body = 0.03 + 0.2 * self.velocity * (-1.3 * seconds).exp();
        let tine = 0.2 * self.velocity * (-9.0 * seconds).exp();
        [body, tine, self.tine_level * (-3.5 * seconds).exp()]
    }
}

impl Mono for ElectricPiano {
    fn fill(&mut self, block: &mut [f32]) -> bool {
        let before = self.colour(self.envelope.seconds());
        let level = self.envelope.advance(block.len());
        let after = self.colour(self.envelope.seconds());
        let [body, tine, tine_level] = std::array::from_fn(|i| Ramp::new(before[i], after[i], block.len()));
        let loudness = 0.3 * self.velocity;
        for (i, out) in block.iter_mut().enumerate() {
            let bell = sine(self.tine.next() + tine.at(i) * sine(self.tine_modulator.next()));
            let round = sine(self.body.next() + body.at(i) * sine(self.body_modulator.next()));
            *out = (round + tine_level.at(i) * bell) * level.at(i) * loudness;
        }
        self.envelope.is_alive()
    }
}
