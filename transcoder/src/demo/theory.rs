//! Scales, chords and voice leading. Pitches are MIDI numbers (60 = middle C), pitch classes 0..12 (0 = C).

/// Pitch classes by name.
pub(crate) mod pitch_class {
    pub(crate) const C: i32 = 0;
    pub(crate) const C_SHARP: i32 = 1;
    pub(crate) const D: i32 = 2;
    pub(crate) const E_FLAT: i32 = 3;
    pub(crate) const E: i32 = 4;
    pub(crate) const F: i32 = 5;
    pub(crate) const F_SHARP: i32 = 6;
    pub(crate) const G: i32 = 7;
    pub(crate) const A_FLAT: i32 = 8;
    pub(crate) const A: i32 = 9;
    pub(crate) const B_FLAT: i32 = 10;
    pub(crate) const B: i32 = 11;
}

/// Chord shapes: semitones above the root, from the bottom.
pub(crate) mod shape {
    pub(crate) const MAJOR: &[i32] = &[0, 4, 7];
    pub(crate) const SUS4: &[i32] = &[0, 5, 7];
    pub(crate) const ADD9: &[i32] = &[0, 4, 7, 14];
    pub(crate) const SIX: &[i32] = &[0, 4, 7, 9];
    pub(crate) const MAJOR7: &[i32] = &[0, 4, 7, 11];
    pub(crate) const MINOR7: &[i32] = &[0, 3, 7, 10];
    pub(crate) const DOMINANT7: &[i32] = &[0, 4, 7, 10];
    pub(crate) const SEVEN_SUS4: &[i32] = &[0, 5, 7, 10];
    pub(crate) const MAJOR9: &[i32] = &[0, 4, 7, 11, 14];
    pub(crate) const MINOR9: &[i32] = &[0, 3, 7, 10, 14];
    pub(crate) const NINE_SUS4: &[i32] = &[0, 5, 7, 10, 14];
}

/// A major scale; its modes are had by starting elsewhere.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    /// The pitch of degree 0.
    pub(crate) tonic: i32,
}

impl Scale {
    const STEPS: [i32; 7] = [0, 2, 4, 5, 7, 9, 11];

    /// The pitch of a degree: 0 is the tonic, 7 the octave above, -1 the seventh below.
    pub(crate) fn pitch(self, degree: i32) -> i32 {
        self.tonic + 12 * degree.div_euclid(7) + Self::STEPS[degree.rem_euclid(7) as usize]
    }
}

/// A chord: its root, what lies in the bass, and its shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chord {
    pub(crate) root: i32,
    pub(crate) bass: i32,
    pub(crate) shape: &'static [i32],
}

impl Chord {
    /// The chord of this shape on this pitch class, root in the bass.
    pub(crate) const fn new(root: i32, shape: &'static [i32]) -> Self {
        Self { root, bass: root, shape }
    }

    /// The same chord over another bass.
    pub(crate) const fn over(self, bass: i32) -> Self {
        Self { root: self.root, bass, shape: self.shape }
    }

    /// Pitch classes of the chord.
    pub(crate) fn classes(&self) -> impl Iterator<Item = i32> + '_ {
        self.shape.iter().map(|step| (self.root + step) % 12)
    }

    /// Whether a pitch is one of the chord.
    pub(crate) fn contains(&self, pitch: i32) -> bool {
        self.classes().any(|class| class == pitch.rem_euclid(12))
    }

    /// Whether a pitch rubs against the chord: a semitone above one of its tones, and not a tone itself.
    pub(crate) fn rubs(&self, pitch: i32) -> bool {
        !self.contains(pitch) && self.contains(pitch - 1)
    }

    /// The bass pitch at or above `lowest`.
    pub(crate) fn bass_from(&self, lowest: i32) -> i32 {
        lowest + (self.bass - lowest).rem_euclid(12)
    }

    /// The tones from the bottom up, starting at or above `lowest` with the bass, as wide as `count` asks.
    pub(crate) fn spread(&self, lowest: i32, count: usize) -> Vec<i32> {
        let bass = self.bass_from(lowest);
        let above = (bass + 3..).filter(|pitch| self.contains(*pitch));
        std::iter::once(bass).chain(above).take(count).collect()
    }
}

/// Four voices (three for triads) of `chord` within `low..=high` that lie nearest to those before.
/// Wide positions (a tenth and more) are preferred; in chords of five tones the root is left to the bass.
pub(crate) fn lead(chord: &Chord, before: &[i32], low: i32, high: i32) -> Vec<i32> {
    let mut classes: Vec<i32> = chord.classes().collect();
    if classes.len() > 4 {
        classes.remove(0);
    }
    let centre = (low + high) as f32 / 2.0;
    let mut best = (f32::INFINITY, Vec::new());
    for voicing in voicings(&classes, low, high) {
        let motion = motion(before, &voicing);
        let mean = voicing.iter().sum::<i32>() as f32 / voicing.len() as f32;
        let rub = voicing.windows(2).filter(|w| w[1] - w[0] == 1).count() as f32;
        let width = (voicing[voicing.len() - 1] - voicing[0]) as f32;
        let cost = motion + 0.4 * (mean - centre).abs() + 2.5 * rub + 0.4 * (15.0 - width).max(0.0);
        if cost < best.0 {
            best = (cost, voicing);
        }
    }
    best.1
}

/// Every close position of the classes in the range, and the same with the second voice from the top an octave lower.
fn voicings(classes: &[i32], low: i32, high: i32) -> Vec<Vec<i32>> {
    let mut all = Vec::new();
    for lowest in low..=high {
        if !classes.contains(&lowest.rem_euclid(12)) {
            continue;
        }
        let mut close: Vec<i32> =
            classes.iter().map(|class| lowest + (class - lowest).rem_euclid(12)).collect();
        close.sort_unstable();
        let mut open = close.clone();
        let second = open.len() - 2;
        open[second] -= 12;
        open.sort_unstable();
        for voicing in [close, open] {
            if voicing[0] >= low && voicing[voicing.len() - 1] <= high {
                all.push(voicing);
            }
        }
    }
    all
}

/// How far the voices move in all; without voices before, not at all.
fn motion(before: &[i32], after: &[i32]) -> f32 {
    let nearest = |pitch: &i32| before.iter().map(|b| (b - pitch).abs()).min().unwrap_or(0);
    after.iter().map(nearest).sum::<i32>() as f32
}

#[cfg(test)]
mod tests {
    use super::pitch_class::*;
    use super::*;

    #[test]
    fn degrees_run_through_octaves() {
        let scale = Scale { tonic: 60 };
        assert_eq!([-1, 0, 2, 7, 9].map(|d| scale.pitch(d)), [59, 60, 64, 72, 76]);
    }

    #[test]
    fn a_chord_knows_its_tones() {
        let chord = Chord::new(D, shape::MAJOR9);
        assert_eq!(chord.classes().collect::<Vec<_>>(), [D, F_SHARP, A, C_SHARP, E]);
        assert!(chord.rubs(67), "g rubs against f sharp");
        assert!(!chord.rubs(71));
        assert_eq!(Chord::new(A, shape::MAJOR).over(C_SHARP).bass_from(36), 37);
        assert_eq!(Chord::new(C, shape::MAJOR).spread(48, 4), [48, 52, 55, 60]);
    }

    #[test]
    fn voices_move_little_and_stay_in_range() {
        let chords = [
            Chord::new(A_FLAT, shape::MAJOR9),
            Chord::new(G, shape::MINOR7),
            Chord::new(F, shape::MINOR9),
            Chord::new(B_FLAT, shape::NINE_SUS4),
        ];
        let mut before = lead(&chords[3], &[], 53, 76);
        for chord in &chords {
            let now = lead(chord, &before, 53, 76);
            assert_eq!(now.len(), 4);
            assert!(now.iter().all(|p| (53..=76).contains(p) && chord.contains(*p)));
            assert!(motion(&before, &now) <= 10.0, "{before:?} to {now:?}");
            before = now;
        }
    }
}
