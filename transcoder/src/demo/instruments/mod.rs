//! The instruments: each note is a voice of its own that adds itself to its part until it has died away.

mod bass;
mod bell;
mod drums;
mod electric_piano;
mod felt_piano;
mod flute;
mod glow;
mod pad;
mod pluck;

use super::dsp::BLOCK;
use super::random::Random;

/// What an instrument is asked to play.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tone {
    /// Frequency of the fundamental.
    pub(crate) hertz: f32,
    /// How hard it is struck, 0..1.
    pub(crate) velocity: f32,
    /// How long it is held; what rings on comes on top.
    pub(crate) seconds: f32,
    /// Place between the loudspeakers, -1 (left) to 1 (right).
    pub(crate) pan: f32,
}

/// A sounding note.
pub(crate) trait Voice: Send {
    /// Adds the next frames (at most [`BLOCK`]); false when the note has died away.
    fn add_to(&mut self, left: &mut [f32], right: &mut [f32]) -> bool;
}

/// A voice that comes from one point.
trait Mono: Send {
    /// Fills the block; false when the note has died away.
    fn fill(&mut self, block: &mut [f32]) -> bool;
}

/// A mono voice at its place between the loudspeakers (equal power).
struct Panned<M> {
    voice: M,
    left: f32,
    right: f32,
}

impl<M: Mono + 'static> Panned<M> {
    fn boxed(voice: M, tone: &Tone) -> Box<dyn Voice> {
        let angle = (tone.pan.clamp(-1.0, 1.0) + 1.0) * std::f32::consts::FRAC_PI_4;
        Box::new(Self { voice, left: angle.cos(), right: angle.sin() })
    }
}

impl<M: Mono> Voice for Panned<M> {
    fn add_to(&mut self, left: &mut [f32], right: &mut [f32]) -> bool {
        let mut block = [0.0; BLOCK];
        let block = &mut block[..left.len()];
        let alive = self.voice.fill(block);
        for ((l, r), x) in left.iter_mut().zip(right).zip(block) {
            *l += *x * self.left;
            *r += *x * self.right;
        }
        alive
    }
}

/// Every instrument of the album.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Instrument {
    /// Slow strings: detuned saws and a sine below.
    Pad,
    /// Short soft synthesiser notes for arpeggios.
    Glow,
    /// Electric piano (frequency modulation).
    ElectricPiano,
    /// Nylon-stringed guitar (Karplus-Strong).
    Guitar,
    /// Harp: the same string, plucked softer and ringing longer.
    Harp,
    /// Piano with felt between hammers and strings (modal).
    FeltPiano,
    /// Vibraphone.
    Vibraphone,
    /// Thumb piano.
    Kalimba,
    /// Music box.
    MusicBox,
    /// Round electric bass.
    Bass,
    /// Breathy flute with late vibrato.
    Flute,
    /// Soft bass drum.
    Kick,
    /// Stick on the rim.
    Rim,
    /// Brush on the snare.
    Brush,
    /// Closed hi-hat.
    Hat,
    /// Shaker.
    Shaker,
}

impl Instrument {
    /// Starts a note.
    pub(crate) fn start(self, tone: &Tone, random: &mut Random) -> Box<dyn Voice> {
        match self {
            Self::Pad => Box::new(pad::Pad::new(tone, random)),
            Self::Glow => Panned::boxed(glow::Glow::new(tone, random), tone),
            Self::ElectricPiano => Panned::boxed(electric_piano::ElectricPiano::new(tone), tone),
            Self::Guitar => Panned::boxed(pluck::Pluck::new(&pluck::GUITAR, tone, random), tone),
            Self::Harp => Panned::boxed(pluck::Pluck::new(&pluck::HARP, tone, random), tone),
            Self::FeltPiano => Panned::boxed(felt_piano::FeltPiano::new(tone, random), tone),
            Self::Vibraphone => Panned::boxed(bell::Bell::new(&bell::VIBRAPHONE, tone), tone),
            Self::Kalimba => Panned::boxed(bell::Bell::new(&bell::KALIMBA, tone), tone),
            Self::MusicBox => Panned::boxed(bell::Bell::new(&bell::MUSIC_BOX, tone), tone),
            Self::Bass => Panned::boxed(bass::Bass::new(tone), tone),
            Self::Flute => Panned::boxed(flute::Flute::new(tone, random), tone),
            Self::Kick => Panned::boxed(drums::Kick::new(tone), tone),
            Self::Rim => Panned::boxed(drums::Rim::new(tone), tone),
            Self::Brush => Panned::boxed(drums::Noise::new(&drums::BRUSH, tone, random), tone),
            Self::Hat => Panned::boxed(drums::Noise::new(&drums::HAT, tone, random), tone),
            Self::Shaker => Panned::boxed(drums::Noise::new(&drums::SHAKER, tone, random), tone),
        }
    }
}

#[cfg(test)]
mod tests;
