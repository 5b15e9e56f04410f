//! Paper Boats: G major, light and quick. A picked guitar, a thumb piano that plays with five notes, a flute.

use crate::demo::arrange::{Harmony, Phrase, REST, Step, bass, broken, doubled, groove, melody, sustained};
use crate::demo::effects::room::RoomSize;
use crate::demo::instruments::Instrument;
use crate::demo::score::{Part, Score};
use crate::demo::theory::pitch_class::*;
use crate::demo::theory::{Chord, Scale, shape};

const BAR: f64 = 4.0;
const G_MAJOR: Chord = Chord::new(G, shape::MAJOR);
const G_ADD9: Chord = Chord::new(G, shape::ADD9);
const G_OVER_B: Chord = Chord::new(G, shape::MAJOR).over(B);
const D_MAJOR: Chord = Chord::new(D, shape::MAJOR);
const D_OVER_F: Chord = Chord::new(D, shape::MAJOR).over(F_SHARP);
const D_SUS: Chord = Chord::new(D, shape::SEVEN_SUS4);
const EM7: Chord = Chord::new(E, shape::MINOR7);
const C_ADD9: Chord = Chord::new(C, shape::ADD9);
const C7: Chord = Chord::new(C, shape::MAJOR7);
const AM7: Chord = Chord::new(A, shape::MINOR7);

#[rustfmt::skip] // one bar a line
const TUNE: Phrase = &[
    (0.5, 4), (0.5, 5), (1.0, 7), (1.0, 5), (1.0, 4),
    (1.5, 4), (0.5, 2), (2.0, 1),
    (0.5, 2), (0.5, 4), (1.0, 5), (1.0, 4), (1.0, 2),
    (1.5, 1), (0.5, 0), (2.0, 0),
    (0.5, 4), (0.5, 5), (1.0, 7), (1.0, 8), (1.0, 9),
    (1.5, 8), (0.5, 7), (2.0, 5),
    (1.0, 4), (1.0, 3), (1.0, 1), (1.0, 0),
    (3.0, 1), (1.0, REST),
];

/// The same tune, rippled.
#[rustfmt::skip] // one bar a line
const RIPPLE: Phrase = &[
    (0.5, 4), (0.5, 5), (0.5, 7), (0.5, 9), (0.5, 7), (0.5, 5), (1.0, 4),
    (0.5, 4), (0.5, 5), (0.5, 4), (0.5, 2), (2.0, 1),
    (0.5, 2), (0.5, 4), (0.5, 5), (0.5, 7), (0.5, 5), (0.5, 4), (1.0, 2),
    (1.0, 4), (0.5, 2), (0.5, 1), (2.0, 0),
    (0.5, 4), (0.5, 5), (0.5, 7), (0.5, 8), (1.0, 9), (1.0, 11),
    (1.5, 9), (0.5, 8), (1.0, 7), (1.0, 5),
    (0.5, 8), (0.5, 7), (0.5, 5), (0.5, 4), (1.0, 3), (1.0, 4),
    (3.0, 1), (1.0, REST),
];

#[rustfmt::skip] // one bar a line
const AIR: Phrase = &[
    (2.0, 2), (1.0, 1), (1.0, 0),
    (3.0, -2), (1.0, -3),
    (2.0, -3), (1.0, -2), (1.0, 0),
    (3.0, 1), (1.0, REST),
    (2.0, 2), (1.0, 3), (1.0, 2),
    (2.0, 1), (1.0, 0), (1.0, -2),
    (2.0, 0), (2.0, 1),
    (3.0, -1), (1.0, REST),
];

#[rustfmt::skip] // one bar a line
const HOME: Phrase = &[
    (0.5, 4), (0.5, 5), (1.0, 7), (1.0, 5), (1.0, 4),
    (1.5, 4), (0.5, 2), (2.0, 1),
    (1.0, 2), (1.0, 1), (1.0, 1), (1.0, -1),
    (4.0, 0),
];

const VERSE: [&[Chord]; 8] =
    [&[G_MAJOR], &[D_OVER_F], &[EM7], &[C_ADD9], &[G_OVER_B], &[AM7], &[D_SUS], &[D_MAJOR]];
const MIDDLE: [&[Chord]; 8] = [&[EM7], &[C7], &[G_ADD9], &[D_OVER_F], &[EM7], &[AM7], &[D_SUS], &[D_MAJOR]];

fn harmony() -> Harmony {
    let start: [&[Chord]; 4] = [&[G_MAJOR], &[C_ADD9], &[G_MAJOR], &[D_SUS]];
    let end: [&[Chord]; 4] = [&[C_ADD9], &[G_OVER_B], &[AM7, D_MAJOR], &[G_ADD9]];
    Harmony::bars(BAR, &[&start[..], &VERSE, &VERSE, &MIDDLE, &end].concat())
}

pub(crate) fn paper_boats() -> Score {
    let harmony = harmony();
    let scale = Scale { tonic: 67 };
    let guitar = broken(&harmony, 0.0, 124.0, 43, &[0, 4, 3, 5, 2, 4, 3, 4], (0.5, 1.6), |_| 0.62);
    let close = broken(&harmony, 124.0, 127.0, 43, &[0, 1, 2, 3, 4, 5], (0.25, 5.0), |_| 0.55);
    let air = melody(&harmony, Scale { tonic: 79 }, 80.0, &[AIR], 0.55);
    let line = [(0.0, 1.4, Step::Root, 0.75), (1.5, 0.5, Step::Root, 0.5), (2.0, 1.3, Step::Fifth, 0.65)];
    let shaker: Vec<(f64, f32)> = (0..8).map(|i| (i as f64 * 0.5, [0.5, 0.22, 0.36, 0.24][i % 4])).collect();
    Score {
        beats_per_minute: 100.0,
        swing: 0.0,
        seed: 0xb0a7,
        parts: vec![
            Part::new(Instrument::Guitar, -3.0)
                .play(guitar)
                .play(close.into_iter().take(6))
                .pan(-0.22)
                .spread(0.25)
                .send(0.16, 0.0),
            Part::new(Instrument::Kalimba, -1.0)
                .play(melody(&harmony, scale, 16.0, &[TUNE, RIPPLE], 0.66))
                .play(melody(&harmony, scale, 112.0, &[HOME], 0.6))
                .pan(0.22)
                .send(0.24, 0.2),
            Part::new(Instrument::MusicBox, -9.0)
                .play(doubled(&melody(&harmony, scale, 48.0, &[RIPPLE], 0.5), 12, 0.8))
                .pan(0.5)
                .send(0.4, 0.25),
            Part::new(Instrument::Flute, -4.0).play(air).pan(0.1).send(0.3, 0.14),
            Part::new(Instrument::Pad, -12.0)
                .play(sustained(&harmony, 48.0, 128.0, (55, 78), |_| 0.5))
                .brightness(&[(48.0, 700.0), (80.0, 1900.0), (128.0, 800.0)])
                .send(0.35, 0.0)
                .chorus(),
            Part::new(Instrument::Bass, -2.0).play(bass(&harmony, 12..31, BAR, 36, &line)).send(0.03, 0.0),
            Part::new(Instrument::Shaker, -3.0).play(groove(12..28, BAR, &shaker)).pan(0.3).send(0.12, 0.0),
            Part::new(Instrument::Kick, -6.0)
                .play(groove(12..28, BAR, &[(0.0, 0.7), (2.0, 0.55)]))
                .send(0.03, 0.0),
            Part::new(Instrument::Rim, -1.0)
                .play(groove(20..28, BAR, &[(1.0, 0.5), (3.0, 0.6)]))
                .pan(-0.15)
                .send(0.2, 0.0),
        ],
        room: RoomSize { decay: 1.7, damping: 0.4 },
        echo: (0.75, 0.32),
        loudness: -15.5,
        fade: (0.01, 2.5),
        pieces: vec![128.0],
        tail: 4.0,
    }
}
