//! First Light: D major, slow. Strings rise out of nothing, a harp joins, then a piano sings.

use crate::demo::arrange::{Harmony, Phrase, REST, broken, melody, note, sustained};
use crate::demo::effects::room::RoomSize;
use crate::demo::instruments::Instrument;
use crate::demo::score::{Note, Part, Score};
use crate::demo::theory::pitch_class::*;
use crate::demo::theory::{Chord, Scale, shape};

const BAR: f64 = 4.0;
const D9: Chord = Chord::new(D, shape::MAJOR9);
const G9: Chord = Chord::new(G, shape::MAJOR9);
const A_OVER_C: Chord = Chord::new(A, shape::MAJOR).over(C_SHARP);
const BM9: Chord = Chord::new(B, shape::MINOR7);
const EM9: Chord = Chord::new(E, shape::MINOR9);
const FM7: Chord = Chord::new(F_SHARP, shape::MINOR7);
const A_SUS: Chord = Chord::new(A, shape::SUS4);
const A_MAJOR: Chord = Chord::new(A, shape::MAJOR);
const D_ADD9: Chord = Chord::new(D, shape::ADD9);

/// The song: a leap of a fifth that falls back by steps, asked and answered.
#[rustfmt::skip] // one bar a line
const SONG: Phrase = &[
    (1.0, 0), (1.5, 4), (0.5, 3), (1.0, 2),
    (1.5, 1), (0.5, 2), (2.0, 1),
    (1.0, -2), (1.5, 2), (0.5, 1), (1.0, 0),
    (1.5, 0), (0.5, -1), (2.0, -2),
    (1.0, 1), (1.5, 5), (0.5, 4), (1.0, 3),
    (1.5, 2), (0.5, 3), (2.0, 4),
    (1.0, 5), (1.0, 4), (1.0, 3), (1.0, 2),
    (3.0, 1), (1.0, REST),
];

/// The answer, an octave up at first, coming home.
#[rustfmt::skip] // one bar a line
const ANSWER: Phrase = &[
    (1.5, 7), (0.5, 6), (1.0, 5), (1.0, 4),
    (2.0, 5), (1.0, 4), (1.0, 2),
    (1.0, 4), (1.5, 7), (0.5, 6), (1.0, 4),
    (2.0, 7), (2.0, 6),
    (1.0, 1), (1.5, 5), (0.5, 4), (1.0, 3),
    (1.5, 2), (0.5, 1), (2.0, 0),
    (1.0, -2), (1.5, 2), (0.5, 1), (1.0, 0),
    (4.0, 0),
];

fn harmony() -> Harmony {
    Harmony::bars(
        BAR,
        &[
            &[D9],
            &[G9],
            &[D9],
            &[G9],
            &[D9],
            &[A_OVER_C],
            &[BM9],
            &[G9],
            &[EM9],
            &[FM7],
            &[G9],
            &[A_SUS],
            &[BM9],
            &[G9],
            &[D9],
            &[A_SUS, A_MAJOR],
            &[EM9],
            &[BM9],
            &[G9],
            &[D_ADD9],
        ],
    )
}

/// Swells towards the answer and comes down again.
fn swell(beat: f64) -> f32 {
    let arch = (std::f64::consts::PI * (beat / 80.0)).sin() as f32;
    0.45 + 0.3 * arch
}

/// Bells far off, where the song breathes.
fn bells() -> Vec<Note> {
    let places =
        [(8.0, 86), (14.5, 81), (30.0, 78), (46.5, 88), (62.0, 81), (70.0, 83), (77.0, 86), (78.0, 90)];
    places.into_iter().map(|(beat, pitch)| note(beat, 4.0, pitch, 0.35)).collect()
}

fn low_strings(harmony: &Harmony) -> Vec<Note> {
    (4..20)
        .map(|bar| {
            let beat = f64::from(bar) * BAR;
            note(beat, BAR, harmony.at(beat).bass_from(33), 0.6)
        })
        .collect()
}

pub(crate) fn first_light() -> Score {
    let harmony = harmony();
    let song = melody(&harmony, Scale { tonic: 74 }, 16.0, &[SONG, ANSWER], 0.62);
    let strings = Part::new(Instrument::Pad, -8.5)
        .play(sustained(&harmony, 0.0, 80.0, (52, 76), swell))
        .brightness(&[(0.0, 350.0), (16.0, 1100.0), (48.0, 2300.0), (64.0, 1800.0), (80.0, 600.0)])
        .send(0.45, 0.0)
        .chorus();
    let harp = Part::new(Instrument::Harp, -9.0)
        .play(broken(&harmony, 8.0, 76.0, 50, &[0, 2, 4, 5, 3, 4, 2, 1], (0.5, 2.5), |beat| {
            0.75 * swell(beat)
        }))
        .spread(0.7)
        .send(0.4, 0.22);
    Score {
        beats_per_minute: 66.0,
        swing: 0.0,
        seed: 0x5e60e,
        parts: vec![
            strings,
            harp,
            Part::new(Instrument::FeltPiano, 1.0).play(song).pan(-0.08).send(0.36, 0.12),
            Part::new(Instrument::Bass, -5.0).play(low_strings(&harmony)).send(0.1, 0.0),
            Part::new(Instrument::MusicBox, -10.0).play(bells()).pan(0.4).send(0.7, 0.6),
        ],
        room: RoomSize { decay: 3.6, damping: 0.35 },
        echo: (1.5, 0.4),
        loudness: -17.0,
        fade: (2.5, 4.0),
        pieces: vec![80.0],
        tail: 6.0,
    }
}
