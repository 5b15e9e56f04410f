//! The score: what is played, when, by which instrument, and how it is mixed. Times are in beats.

use super::dsp::SAMPLE_RATE;
use super::effects::room::RoomSize;
use super::instruments::Instrument;

/// One written note.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Note {
    /// When it begins, in beats from the start of the movement.
    pub(crate) beat: f64,
    /// How long it is held, in beats.
    pub(crate) beats: f64,
    /// MIDI pitch.
    pub(crate) pitch: i32,
    /// How hard it is struck, 0..1.
    pub(crate) velocity: f32,
}

/// Everything one instrument plays, and its place in the mix.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) instrument: Instrument,
    pub(crate) notes: Vec<Note>,
    /// Level in decibels.
    pub(crate) level: f32,
    /// Place between the loudspeakers, -1..1.
    pub(crate) pan: f32,
    /// How far low notes go left and high notes right (0 = not at all, 1 = an octave and a half reaches the side).
    pub(crate) spread: f32,
    /// Share sent to the room and to the echo, 0..1.
    pub(crate) room: f32,
    pub(crate) echo: f32,
    /// Whether the part goes through a chorus.
    pub(crate) chorus: bool,
    /// Low-pass over the whole part: beats and hertz, straight lines (in octaves) between them.
    pub(crate) brightness: Vec<(f64, f32)>,
    /// How far notes stray from the beat, in seconds.
    pub(crate) looseness: f32,
}

impl Part {
    /// A part at this level (decibels), in the middle, a little loose, with some room.
    pub(crate) fn new(instrument: Instrument, level: f32) -> Self {
        Self {
            instrument,
            notes: Vec::new(),
            level,
            pan: 0.0,
            spread: 0.0,
            room: 0.2,
            echo: 0.0,
            chorus: false,
            brightness: Vec::new(),
            looseness: 0.006,
        }
    }

    /// Adds notes.
    pub(crate) fn play(mut self, notes: impl IntoIterator<Item = Note>) -> Self {
        self.notes.extend(notes);
        self
    }

    /// Places the part between the loudspeakers.
    pub(crate) fn pan(mut self, pan: f32) -> Self {
        self.pan = pan;
        self
    }

    /// Spreads the part by pitch.
    pub(crate) fn spread(mut self, spread: f32) -> Self {
        self.spread = spread;
        self
    }

    /// Sends the part to the room and to the echo.
    pub(crate) fn send(mut self, room: f32, echo: f32) -> Self {
        (self.room, self.echo) = (room, echo);
        self
    }

    /// Puts the part through a chorus.
    pub(crate) fn chorus(mut self) -> Self {
        self.chorus = true;
        self
    }

    /// Moves a low-pass over the part.
    pub(crate) fn brightness(mut self, points: &[(f64, f32)]) -> Self {
        self.brightness = points.to_vec();
        self
    }

    /// Lets the part play exactly on the beat.
    pub(crate) fn tight(mut self) -> Self {
        self.looseness = 0.0;
        self
    }
}

/// A stretch of music that is rendered in one go and cut into one or more pieces.
#[derive(Debug, Clone)]
pub(crate) struct Score {
    pub(crate) beats_per_minute: f64,
    /// Share of a beat at which the second half of each half beat comes late (0 = straight).
    pub(crate) swing: f64,
    pub(crate) seed: u64,
    pub(crate) parts: Vec<Part>,
    pub(crate) room: RoomSize,
    /// Beats between echoes, and how loud each is to the one before.
    pub(crate) echo: (f64, f32),
    /// Integrated loudness to aim at, in LUFS.
    pub(crate) loudness: f32,
    /// Seconds of fade at the start and at the end.
    pub(crate) fade: (f32, f32),
    /// Length in beats of each piece; the last one rings on for `tail` seconds.
    pub(crate) pieces: Vec<f64>,
    pub(crate) tail: f64,
}

impl Score {
    /// The frame at which a beat falls, swing included.
    pub(crate) fn frame(&self, beat: f64) -> usize {
        let half = (beat * 2.0).fract();
        let late = if (half - 0.5).abs() < 0.01 { self.swing / 2.0 } else { 0.0 };
        (self.seconds(beat + late) * f64::from(SAMPLE_RATE)).round() as usize
    }

    /// Seconds from the start to a beat.
    pub(crate) fn seconds(&self, beat: f64) -> f64 {
        beat * 60.0 / self.beats_per_minute
    }

    /// Where each piece begins, and at last where the movement ends, in frames.
    pub(crate) fn cuts(&self) -> Vec<usize> {
        let mut beat = 0.0;
        let mut cuts = vec![0];
        for (i, beats) in self.pieces.iter().enumerate() {
            beat += beats;
            let tail = if i + 1 == self.pieces.len() { self.tail } else { 0.0 };
            cuts.push(((self.seconds(beat) + tail) * f64::from(SAMPLE_RATE)).round() as usize);
        }
        cuts
    }

    /// Length of the movement in frames.
    pub(crate) fn frames(&self) -> usize {
        self.cuts().last().copied().unwrap_or(0)
    }

    /// The first `beats` beats only, as one piece: for tests.
    #[cfg(test)]
    pub(crate) fn shortened(mut self, beats: f64) -> Self {
        self.parts.iter_mut().for_each(|part| part.notes.retain(|note| note.beat < beats));
        self.pieces = vec![beats];
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score() -> Score {
        Score {
            beats_per_minute: 120.0,
            swing: 0.1,
            seed: 1,
            parts: Vec::new(),
            room: RoomSize { decay: 1.0, damping: 0.2 },
            echo: (0.5, 0.3),
            loudness: -16.0,
            fade: (0.0, 0.0),
            pieces: vec![8.0, 4.0],
            tail: 1.0,
        }
    }

    #[test]
    fn pieces_are_cut_where_one_ends_and_the_next_begins() {
        assert_eq!(score().cuts(), [0, 4 * 44_100, 7 * 44_100]);
        assert_eq!(score().frames(), 7 * 44_100);
    }

    #[test]
    fn only_the_offbeat_sixteenths_swing() {
        let score = score();
        assert_eq!(score.frame(1.0), 22_050);
        assert_eq!(score.frame(1.5), 33_075);
        assert_eq!(score.frame(1.25), 27_563 + 1102);
    }
}
