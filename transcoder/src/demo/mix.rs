//! The mixing desk: plays a score block by block through parts, sends and effects.

use super::dsp::filter::{DcBlocker, Svf};
use super::dsp::{BLOCK, gain, hertz};
use super::effects::chorus::Chorus;
use super::effects::echo::Echo;
use super::effects::room::Room;
use super::instruments::{Tone, Voice};
use super::random::Random;
use super::score::{Part, Score};

/// Sound for two loudspeakers; both sides are equally long.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stereo {
    pub(crate) left: Vec<f32>,
    pub(crate) right: Vec<f32>,
}

impl Stereo {
    /// Silence of this length.
    pub(crate) fn silence(frames: usize) -> Self {
        Self { left: vec![0.0; frames], right: vec![0.0; frames] }
    }

    /// Number of frames.
    pub(crate) fn len(&self) -> usize {
        self.left.len()
    }
}

/// Plays the whole score. The level is whatever the parts add up to; mastering sets it.
pub(crate) fn render(score: &Score) -> Stereo {
    let mut desk = Desk::new(score);
    let frames = score.frames();
    let mut out = Stereo::silence(frames);
    for start in (0..frames).step_by(BLOCK) {
        let end = (start + BLOCK).min(frames);
        desk.block(start, &mut out.left[start..end], &mut out.right[start..end]);
    }
    out
}

/// Two sides of one block.
#[derive(Clone)]
struct Pair {
    left: [f32; BLOCK],
    right: [f32; BLOCK],
}

impl Pair {
    const SILENCE: Self = Self { left: [0.0; BLOCK], right: [0.0; BLOCK] };

    /// Adds another pair at a gain.
    fn add(&mut self, other: &Self, gain: f32) {
        if gain == 0.0 {
            return;
        }
        self.left.iter_mut().zip(&other.left).for_each(|(a, b)| *a += b * gain);
        self.right.iter_mut().zip(&other.right).for_each(|(a, b)| *a += b * gain);
    }
}

struct Desk {
    strips: Vec<Strip>,
    echo: Echo,
    room: Room,
    blockers: [DcBlocker; 2],
}

impl Desk {
    fn new(score: &Score) -> Self {
        let strips = score.parts.iter().enumerate();
        Self {
            strips: strips.map(|(i, part)| Strip::new(score, part, score.seed + 1000 * i as u64)).collect(),
            echo: Echo::new(score.seconds(score.echo.0) as f32, score.echo.1),
            room: Room::new(score.room),
            blockers: Default::default(),
        }
    }

    fn block(&mut self, start: usize, left: &mut [f32], right: &mut [f32]) {
        let frames = left.len();
        let (mut dry, mut to_room, mut to_echo) = (Pair::SILENCE, Pair::SILENCE, Pair::SILENCE);
        for strip in &mut self.strips {
            if strip.block(start, frames) {
                dry.add(&strip.sound, strip.gain);
                to_room.add(&strip.sound, strip.gain * strip.part.room);
                to_echo.add(&strip.sound, strip.gain * strip.part.echo);
            }
        }
        for i in 0..frames {
            let [l, r] = self.echo.process(0.5 * (to_echo.left[i] + to_echo.right[i]));
            dry.left[i] += l;
            dry.right[i] += r;
            to_room.left[i] += 0.3 * l;
            to_room.right[i] += 0.3 * r;
        }
        self.room.process(&mut to_room.left, &mut to_room.right);
        dry.add(&to_room, 1.0);
        for i in 0..frames {
            left[i] = self.blockers[0].process(dry.left[i]);
            right[i] = self.blockers[1].process(dry.right[i]);
        }
    }
}

/// One note, ready to be started.
struct Cue {
    frame: usize,
    tone: Tone,
}

/// One part on the desk.
struct Strip {
    part: Part,
    cues: Vec<Cue>,
    next: usize,
    voices: Vec<Box<dyn Voice>>,
    random: Random,
    brightness: Vec<(usize, f32)>,
    filters: [Svf; 2],
    chorus: Option<Chorus>,
    /// Blocks still to be worked on after the last voice has ended: filter and chorus ring on.
    ringing: usize,
    sound: Pair,
    gain: f32,
}

impl Strip {
    fn new(score: &Score, part: &Part, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let cues = cues(score, part, &mut random);
        Self {
            cues,
            next: 0,
            voices: Vec::new(),
            random,
            brightness: part.brightness.iter().map(|(beat, hertz)| (score.frame(*beat), *hertz)).collect(),
            filters: [Svf::new(1000.0, 0.75), Svf::new(1000.0, 0.75)],
            chorus: part.chorus.then(Chorus::default),
            ringing: 0,
            sound: Pair::SILENCE,
            gain: gain(part.level),
            part: part.clone(),
        }
    }

    /// Works out the part's next block in `sound`; false while it is silent.
    fn block(&mut self, start: usize, frames: usize) -> bool {
        let due = self.cues[self.next..].iter().take_while(|cue| cue.frame < start + frames).count();
        if due == 0 && self.voices.is_empty() && self.ringing == 0 {
            return false;
        }
        self.sound = Pair::SILENCE;
        let Pair { left, right } = &mut self.sound;
        self.voices.retain_mut(|voice| voice.add_to(&mut left[..frames], &mut right[..frames]));
        for cue in &self.cues[self.next..self.next + due] {
            let mut voice = self.part.instrument.start(&cue.tone, &mut self.random);
            let at = cue.frame.saturating_sub(start);
            if voice.add_to(&mut left[at..frames], &mut right[at..frames]) {
                self.voices.push(voice);
            }
        }
        self.next += due;
        self.ringing = if self.voices.is_empty() { self.ringing.saturating_sub(1) } else { 20 };
        self.insert_effects(start, frames);
        true
    }

    fn insert_effects(&mut self, start: usize, frames: usize) {
        let Pair { left, right } = &mut self.sound;
        let (left, right) = (&mut left[..frames], &mut right[..frames]);
        if let Some(cutoff) = on_the_line(&self.brightness, start) {
            for (filter, side) in self.filters.iter_mut().zip([&mut *left, &mut *right]) {
                filter.tune(cutoff, 0.75);
                side.iter_mut().for_each(|x| *x = filter.low(*x));
            }
        }
        if let Some(chorus) = &mut self.chorus {
            chorus.process(left, right);
        }
    }
}

/// The notes of a part in the order of their start, with the small irregularities of playing by hand.
fn cues(score: &Score, part: &Part, random: &mut Random) -> Vec<Cue> {
    let mut cues: Vec<Cue> = part
        .notes
        .iter()
        .map(|note| {
            let stray = f64::from(random.signed() * part.looseness * super::dsp::SAMPLE_RATE);
            let frame = (score.frame(note.beat) as f64 + stray).max(0.0) as usize;
            let pan = part.pan + part.spread * (note.pitch as f32 - 64.0) / 18.0;
            let velocity = (note.velocity * (1.0 + 0.06 * random.signed())).clamp(0.02, 1.0);
            let seconds = score.seconds(note.beats) as f32;
            Cue { frame, tone: Tone { hertz: hertz(note.pitch as f32), velocity, seconds, pan } }
        })
        .collect();
    cues.sort_by_key(|cue| cue.frame);
    cues
}

/// The value at a frame of a line through points, straight in octaves.
fn on_the_line(points: &[(usize, f32)], frame: usize) -> Option<f32> {
    let after = points.partition_point(|(at, _)| *at <= frame);
    match (after.checked_sub(1).and_then(|i| points.get(i)), points.get(after)) {
        (Some((from, low)), Some((to, high))) => {
            let part = (frame - from) as f32 / (to - from) as f32;
            Some(low * (high / low).powf(part))
        }
        (Some((_, value)), None) | (None, Some((_, value))) => Some(*value),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_straight_in_octaves() {
        let points = [(100, 250.0), (300, 1000.0)];
        assert_eq!(on_the_line(&points, 0), Some(250.0));
        assert!(on_the_line(&points, 200).is_some_and(|hz| (hz - 500.0).abs() < 0.1));
        assert_eq!(on_the_line(&points, 999), Some(1000.0));
        assert_eq!(on_the_line(&[], 5), None);
    }
}
