//! Piano with felt between hammers and strings: modes that are slightly stretched as on real strings, the
//! lowest of them doubled (two strings that beat slowly and hand over from a fast decay to a slow one).

use super::{Mono, Tone};
use crate::demo::dsp::envelope::{Adsr, Envelope};
use crate::demo::dsp::filter::OnePole;
use crate::demo::dsp::modes::{Mode, Modes};
use crate::demo::random::Random;

const SHAPE: Adsr = Adsr { attack: 0.004, decay: 1.0, sustain: 1.0, release: 0.3 };
const PARTIALS: usize = 12;
const DOUBLED: usize = 4;

pub(super) struct FeltPiano {
    strings: Modes<{ PARTIALS + DOUBLED }>,
    felt: OnePole,
    thump: f32,
    noise: Random,
    envelope: Envelope,
    silent_after: f32,
}

impl FeltPiano {
    pub(super) fn new(tone: &Tone, random: &mut Random) -> Self {
        let ring = ring_seconds(tone.hertz);
        Self {
            strings: Modes::strike(&strings(tone)),
            felt: OnePole::new(240.0),
            thump: 0.5 * tone.velocity,
            noise: Random::new(u64::from(random.bits())),
            envelope: Envelope::new(SHAPE, tone.seconds.min(ring)),
            silent_after: ring + SHAPE.release,
        }
    }
}

/// Seconds until the slow decay of the fundamental is 60 dB down.
fn ring_seconds(hertz: f32) -> f32 {
    (9.0 * (180.0 / hertz).powf(0.7)).clamp(1.5, 12.0)
}

/// The modes of the string: softer blows leave the upper ones out.
fn strings(tone: &Tone) -> [Mode; PARTIALS + DOUBLED] {
    let soft = 380.0 + 1500.0 * tone.velocity * tone.velocity;
    std::array::from_fn(|i| {
        let slow = i >= PARTIALS;
        let number = (if slow { i - PARTIALS } else { i } + 1) as f32;
        let stretch = (1.0 + 0.0004 * number * number).sqrt();
        let hertz = tone.hertz * number * stretch;
        let bright = (-(hertz - tone.hertz) / soft).exp() / number.powf(0.6);
        let share = if slow { 0.3 } else { 0.7 };
        let pace = if slow { 1.0 } else { 0.35 };
        Mode {
            hertz: if slow { hertz + 0.35 } else { hertz },
            amplitude: 0.34 * tone.velocity * bright * share,
            decay: ring_seconds(tone.hertz) * pace / (1.0 + 0.3 * (number - 1.0)),
        }
    })
}

impl Mono for FeltPiano {
    fn fill(&mut self, block: &mut [f32]) -> bool {
        let ramp = self.envelope.advance(block.len());
        self.strings.fill(block);
        block.iter_mut().enumerate().for_each(|(i, out)| *out *= ramp.at(i));
        if self.thump > 1e-4 {
            for out in block.iter_mut() {
                *out += self.felt.low(self.noise.signed() * self.thump);
                self.thump *= 0.997;
            }
        }
        self.envelope.is_alive() && self.envelope.seconds() < self.silent_after
    }
}
