//! Arranging: from harmony, phrases and patterns to the notes of a part.

use super::score::Note;
use super::theory::{Chord, Scale, lead};

/// A rest in a [`Phrase`].
pub(crate) const REST: i32 = i32::MIN;

/// A melody: length in beats and degree of the scale (0 = tonic), or [`REST`].
pub(crate) type Phrase = &'static [(f64, i32)];

/// Chords in time.
#[derive(Debug, Clone)]
pub(crate) struct Harmony {
    changes: Vec<(f64, f64, Chord)>,
}

impl Harmony {
    /// One entry per bar of `beats`; several chords share their bar evenly.
    pub(crate) fn bars(beats: f64, bars: &[&[Chord]]) -> Self {
        let mut changes = Vec::new();
        for (bar, chords) in bars.iter().enumerate() {
            let each = beats / chords.len() as f64;
            let start = bar as f64 * beats;
            changes
                .extend(chords.iter().enumerate().map(|(i, chord)| (start + i as f64 * each, each, *chord)));
        }
        Self { changes }
    }

    /// The chord that sounds at a beat.
    pub(crate) fn at(&self, beat: f64) -> &Chord {
        let after = self.changes.partition_point(|(start, _, _)| *start <= beat + 1e-6);
        &self.changes[after.saturating_sub(1)].2
    }

    /// Start, length and chord of every change within `from..to` beats.
    fn between(&self, from: f64, to: f64) -> impl Iterator<Item = (f64, f64, &Chord)> {
        let inside = move |(start, _, _): &&(f64, f64, Chord)| *start >= from && *start < to;
        self.changes.iter().filter(inside).map(|(start, beats, chord)| (*start, *beats, chord))
    }
}

/// Sustained chords in close voice leading within `range`; tones that two chords share are held, not struck again.
pub(crate) fn sustained(
    harmony: &Harmony,
    from: f64,
    to: f64,
    range: (i32, i32),
    velocity: impl Fn(f64) -> f32,
) -> Vec<Note> {
    let mut notes: Vec<Note> = Vec::new();
    let mut voices = Vec::new();
    for (beat, beats, chord) in harmony.between(from, to) {
        voices = lead(chord, &voices, range.0, range.1);
        for pitch in &voices {
            let held =
                notes.iter_mut().rev().find(|n| n.pitch == *pitch && (n.beat + n.beats - beat).abs() < 1e-6);
            match held {
                Some(note) => note.beats += beats,
                None => notes.push(Note { beat, beats, pitch: *pitch, velocity: velocity(beat) }),
            }
        }
    }
    notes
}

/// A pattern of struck chords: for every bar, (beat, length, velocity) from the bottom voice up, each voice
/// `roll` beats after the one below it.
pub(crate) fn comping(
    harmony: &Harmony,
    bars: std::ops::Range<usize>,
    bar: f64,
    range: (i32, i32),
    pattern: &[(f64, f64, f32)],
    roll: f64,
) -> Vec<Note> {
    let mut notes = Vec::new();
    let mut voices = Vec::new();
    for start in bars.map(|n| n as f64 * bar) {
        for (at, beats, velocity) in pattern {
            let beat = start + at;
            voices = lead(harmony.at(beat), &voices, range.0, range.1);
            notes.extend(voices.iter().enumerate().map(|(i, pitch)| Note {
                beat: beat + i as f64 * roll,
                beats: *beats,
                pitch: *pitch,
                velocity: velocity * (0.85 + 0.05 * i as f32),
            }));
        }
    }
    notes
}

/// A broken chord: `order` picks tones of the chord spread upwards from `lowest` (0 is the bass), one every
/// `step` beats; each rings for `ring` beats.
pub(crate) fn broken(
    harmony: &Harmony,
    from: f64,
    to: f64,
    lowest: i32,
    order: &[usize],
    (step, ring): (f64, f64),
    velocity: impl Fn(f64) -> f32,
) -> Vec<Note> {
    let count = ((to - from) / step).round() as usize;
    let tones = order.iter().max().map_or(1, |most| most + 1);
    (0..count)
        .map(|i| {
            let beat = from + i as f64 * step;
            let chord = harmony.at(beat).spread(lowest, tones);
            let accent = if i % order.len() == 0 { 1.0 } else { 0.82 };
            Note {
                beat,
                beats: ring,
                pitch: chord[order[i % order.len()]],
                velocity: velocity(beat) * accent,
            }
        })
        .collect()
}

/// What the bass does at one place of a bar.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step {
    /// The bass of the chord.
    Root,
    /// The fifth above it.
    Fifth,
    /// The octave above it.
    Octave,
    /// A tone below the next bar's bass, leading into it.
    Approach,
}

/// A bass line: for every bar, (beat, length, step, velocity), at or above `lowest`.
pub(crate) fn bass(
    harmony: &Harmony,
    bars: std::ops::Range<usize>,
    bar: f64,
    lowest: i32,
    pattern: &[(f64, f64, Step, f32)],
) -> Vec<Note> {
    let mut notes = Vec::new();
    for start in bars.map(|n| n as f64 * bar) {
        notes.extend(pattern.iter().map(|(at, beats, step, velocity)| {
            let root = harmony.at(start + at).bass_from(lowest);
            let pitch = match step {
                Step::Root => root,
                Step::Fifth => fifth(harmony.at(start + at), root),
                Step::Octave => root + 12,
                Step::Approach => approach(root, harmony.at(start + bar).bass_from(lowest)),
            };
            Note { beat: start + at, beats: *beats, pitch, velocity: *velocity }
        }));
    }
    notes
}

/// The fifth of the chord above its bass, or the octave where the chord has none.
fn fifth(chord: &Chord, bass: i32) -> i32 {
    if chord.contains(bass + 7) { bass + 7 } else { bass + 12 }
}

/// The pitch that leads from one bass to the next: from below when it rises or stays, else from above.
fn approach(now: i32, next: i32) -> i32 {
    if next >= now { next - 2 } else { next + 2 }
}

/// A melody over the harmony. Phrases follow one another from `beat`; longer notes that would rub against the
/// chord give way by one degree; higher notes and strong beats are played a little louder.
pub(crate) fn melody(
    harmony: &Harmony,
    scale: Scale,
    mut beat: f64,
    phrases: &[Phrase],
    velocity: f32,
) -> Vec<Note> {
    let mut notes = Vec::new();
    for (beats, degree) in phrases.iter().copied().flatten().copied() {
        if degree != REST {
            let pitch = fit(harmony.at(beat), scale, degree, beats);
            let height = (pitch - scale.tonic) as f32 / 12.0;
            let strong = if beat.fract() < 1e-6 { 1.0 } else { 0.9 };
            let velocity = (velocity * strong * (0.92 + 0.12 * height)).clamp(0.05, 1.0);
            notes.push(Note { beat, beats: beats * 0.98, pitch, velocity });
        }
        beat += beats;
    }
    notes
}

fn fit(chord: &Chord, scale: Scale, degree: i32, beats: f64) -> i32 {
    let pitch = scale.pitch(degree);
    if beats >= 1.0 && chord.rubs(pitch) { scale.pitch(degree - 1) } else { pitch }
}

/// The same notes in another octave (or any other number of semitones) and at another velocity.
pub(crate) fn doubled(notes: &[Note], semitones: i32, velocity: f32) -> Vec<Note> {
    let double = |n: &Note| Note { pitch: n.pitch + semitones, velocity: n.velocity * velocity, ..*n };
    notes.iter().map(double).collect()
}

/// A drum pattern: for every bar, (beat, velocity).
pub(crate) fn groove(bars: std::ops::Range<usize>, bar: f64, pattern: &[(f64, f32)]) -> Vec<Note> {
    let at = |start: f64| {
        pattern.iter().map(move |(beat, velocity)| Note {
            beat: start + beat,
            beats: 0.1,
            pitch: 60,
            velocity: *velocity,
        })
    };
    bars.flat_map(|n| at(n as f64 * bar)).collect()
}

/// A note on its own.
pub(crate) fn note(beat: f64, beats: f64, pitch: i32, velocity: f32) -> Note {
    Note { beat, beats, pitch, velocity }
}

#[cfg(test)]
mod tests {
    use super::super::theory::{pitch_class::*, shape};
    use super::*;

    fn harmony() -> Harmony {
        let (c, f) = (Chord::new(C, shape::MAJOR), Chord::new(F, shape::MAJOR));
        Harmony::bars(4.0, &[&[c], &[c, f], &[c]])
    }

    #[test]
    fn chords_share_their_bar() {
        assert_eq!(harmony().at(3.9).root, C);
        assert_eq!(harmony().at(6.0).root, F);
        assert_eq!(harmony().at(99.0).root, C);
    }

    #[test]
    fn common_tones_are_held() {
        let notes = sustained(&harmony(), 0.0, 12.0, (55, 74), |_| 0.5);
        let held = notes.iter().filter(|n| n.pitch % 12 == C).collect::<Vec<_>>();
        assert_eq!(held.len(), 1, "c lies in every chord: {notes:?}");
        assert!((held[0].beats - 12.0).abs() < 1e-9);
    }

    #[test]
    fn long_notes_that_rub_give_way() {
        let notes = melody(&harmony(), Scale { tonic: 72 }, 0.0, &[&[(1.0, 3), (0.5, 3), (0.5, REST)]], 0.5);
        assert_eq!(notes.iter().map(|n| n.pitch).collect::<Vec<_>>(), [76, 77]);
    }

    #[test]
    fn broken_chords_and_bass_lines_keep_to_the_chord() {
        let notes = broken(&harmony(), 0.0, 4.0, 48, &[0, 2, 1, 3], (0.5, 1.0), |_| 0.5);
        assert_eq!(notes.iter().map(|n| n.pitch).take(4).collect::<Vec<_>>(), [48, 55, 52, 60]);
        let line =
            bass(&harmony(), 0..1, 4.0, 36, &[(0.0, 1.0, Step::Root, 0.8), (2.0, 1.0, Step::Fifth, 0.6)]);
        assert_eq!(line.iter().map(|n| n.pitch).collect::<Vec<_>>(), [36, 43]);
    }
}
