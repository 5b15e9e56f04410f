//! Soft percussion: a bass drum, the rim of a snare, and bands of noise for brush, hi-hat and shaker.

use super::{Mono, Tone};
use crate::demo::dsp::envelope::{Adsr, Envelope};
use crate::demo::dsp::filter::{OnePole, Svf};
use crate::demo::dsp::modes::{Mode, Modes};
use crate::demo::dsp::oscillator::{Phase, sine};
use crate::demo::random::Random;

/// A skin: a sine that falls from 120 to 46 Hz as it dies away.
pub(super) struct Kick {
    skin: Phase,
    envelope: Envelope,
    level: f32,
}

const SKIN: Adsr = Adsr { attack: 0.003, decay: 0.42, sustain: 0.0, release: 0.1 };

impl Kick {
    pub(super) fn new(tone: &Tone) -> Self {
        Self { skin: Phase::new(120.0, 0.0), envelope: Envelope::new(SKIN, 0.4), level: 0.55 * tone.velocity }
    }
}

impl Mono for Kick {
    fn fill(&mut self, block: &mut [f32]) -> bool {
        let ramp = self.envelope.advance(block.len());
        self.skin.tune(46.0 + 74.0 * (-self.envelope.seconds() / 0.035).exp());
        for (i, out) in block.iter_mut().enumerate() {
            *out = sine(self.skin.next()) * ramp.at(i) * self.level;
        }
        self.envelope.is_alive()
    }
}

/// The rim: four short modes of wood.
pub(super) struct Rim {
    wood: Modes<4>,
    envelope: Envelope,
}

const WOOD: [(f32, f32, f32); 4] =
    [(392.0, 0.16, 0.09), (830.0, 0.2, 0.07), (1710.0, 0.16, 0.05), (3250.0, 0.06, 0.03)];
const TAP: Adsr = Adsr { attack: 0.001, decay: 1.0, sustain: 1.0, release: 0.05 };

impl Rim {
    pub(super) fn new(tone: &Tone) -> Self {
        let modes =
            WOOD.map(|(hertz, amplitude, decay)| Mode { hertz, amplitude: amplitude * tone.velocity, decay });
        Self { wood: Modes::strike(&modes), envelope: Envelope::new(TAP, 0.12) }
    }
}

impl Mono for Rim {
    fn fill(&mut self, block: &mut [f32]) -> bool {
        let ramp = self.envelope.advance(block.len());
        self.wood.fill(block);
        block.iter_mut().enumerate().for_each(|(i, out)| *out *= ramp.at(i));
        self.envelope.is_alive()
    }
}

/// What makes one hiss differ from another: centre and Q of its band, upper edge, envelope, level.
#[derive(Debug)]
pub(super) struct NoiseKind {
    centre: f32,
    width: f32,
    edge: f32,
    shape: Adsr,
    level: f32,
}

pub(super) const BRUSH: NoiseKind = NoiseKind {
    centre: 2300.0,
    width: 0.5,
    edge: 7000.0,
    shape: Adsr { attack: 0.006, decay: 0.22, sustain: 0.0, release: 0.06 },
    level: 0.55,
};

pub(super) const HAT: NoiseKind = NoiseKind {
    centre: 9000.0,
    width: 1.0,
    edge: 12_000.0,
    shape: Adsr { attack: 0.001, decay: 0.07, sustain: 0.0, release: 0.03 },
    level: 0.45,
};

pub(super) const SHAKER: NoiseKind = NoiseKind {
    centre: 5600.0,
    width: 1.4,
    edge: 9000.0,
    shape: Adsr { attack: 0.028, decay: 0.11, sustain: 0.0, release: 0.04 },
    level: 0.6,
};

/// A band of noise.
pub(super) struct Noise {
    noise: Random,
    band: Svf,
    edge: OnePole,
    envelope: Envelope,
    level: f32,
}

impl Noise {
    pub(super) fn new(kind: &NoiseKind, tone: &Tone, random: &mut Random) -> Self {
        Self {
            noise: Random::new(u64::from(random.bits())),
            band: Svf::new(kind.centre, kind.width),
            edge: OnePole::new(kind.edge),
            envelope: Envelope::new(kind.shape, kind.shape.attack + kind.shape.decay),
            level: kind.level * tone.velocity,
        }
    }
}

impl Mono for Noise {
    fn fill(&mut self, block: &mut [f32]) -> bool {
        let ramp = self.envelope.advance(block.len());
        for (i, out) in block.iter_mut().enumerate() {
            let hiss = self.edge.low(self.band.band(self.noise.signed()));
            *out = hiss * ramp.at(i) * self.level;
        }
        self.envelope.is_alive()
    }
}
