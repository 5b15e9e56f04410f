//! Tidewater: E flat major, unhurried and swung. Electric piano, vibraphone, brushes.

use crate::demo::arrange::{Harmony, Phrase, REST, Step, bass, comping, groove, melody, sustained};
use crate::demo::effects::room::RoomSize;
use crate::demo::instruments::Instrument;
use crate::demo::score::{Part, Score};
use crate::demo::theory::pitch_class::*;
use crate::demo::theory::{Chord, Scale, shape};

const BAR: f64 = 4.0;
const AB9: Chord = Chord::new(A_FLAT, shape::MAJOR9);
const GM7: Chord = Chord::new(G, shape::MINOR7);
const FM9: Chord = Chord::new(F, shape::MINOR9);
const BB_SUS: Chord = Chord::new(B_FLAT, shape::NINE_SUS4);
const EB9: Chord = Chord::new(E_FLAT, shape::MAJOR9);
const EB_OVER_G: Chord = Chord::new(E_FLAT, shape::ADD9).over(G);
const CM9: Chord = Chord::new(C, shape::MINOR9);
const EB6: Chord = Chord::new(E_FLAT, shape::SIX);

#[rustfmt::skip] // one bar a line
const TUNE: Phrase = &[
    (1.5, 4), (0.5, 5), (1.0, 7), (1.0, 5),
    (1.5, 4), (0.5, 2), (2.0, 1),
    (1.0, 2), (0.5, 3), (0.5, 2), (2.0, 0),
    (1.5, 1), (0.5, 0), (1.0, -2), (1.0, REST),
    (1.5, 4), (0.5, 5), (1.0, 7), (1.0, 8),
    (1.5, 9), (0.5, 8), (2.0, 7),
    (1.0, 5), (0.5, 7), (0.5, 5), (2.0, 3),
    (3.0, 4), (1.0, REST),
];

#[rustfmt::skip] // one bar a line
const TURN: Phrase = &[
    (0.5, REST), (0.5, 7), (0.5, 8), (0.5, 9), (1.0, 8), (1.0, 7),
    (1.5, 8), (0.5, 6), (2.0, 4),
    (0.5, REST), (0.5, 4), (0.5, 5), (0.5, 7), (1.0, 5), (1.0, 4),
    (1.5, 4), (0.5, 2), (2.0, 1),
    (0.5, REST), (0.5, 2), (0.5, 3), (0.5, 5), (1.0, 7), (1.0, 5),
    (1.5, 6), (0.5, 5), (2.0, 4),
    (1.0, 5), (0.5, 4), (0.5, 2), (2.0, 0),
    (3.0, 1), (1.0, REST),
];

#[rustfmt::skip] // one bar a line
const CLOSE: Phrase = &[
    (1.5, 4), (0.5, 5), (1.0, 7), (1.0, 5),
    (1.5, 4), (0.5, 2), (2.0, 1),
    (1.0, 2), (1.0, 1), (2.0, 1),
    (4.0, 0),
];

fn harmony() -> Harmony {
    let round: [&[Chord]; 8] = [&[AB9], &[GM7], &[FM9], &[BB_SUS], &[EB9], &[CM9], &[FM9], &[BB_SUS]];
    let turn: [&[Chord]; 8] = [&[CM9], &[GM7], &[AB9], &[EB_OVER_G], &[FM9], &[GM7], &[AB9], &[BB_SUS]];
    let close: [&[Chord]; 4] = [&[AB9], &[GM7], &[FM9, BB_SUS], &[EB6]];
    Harmony::bars(BAR, &[&round[..4], &round, &turn, &close].concat())
}

/// The electric piano leans on the beat and answers itself after it.
const COMPING: [(f64, f64, f32); 3] = [(0.0, 1.4, 0.6), (1.75, 1.0, 0.42), (3.25, 0.6, 0.36)];

pub(crate) fn tidewater() -> Score {
    let harmony = harmony();
    let (high, low) = (Scale { tonic: 75 }, Scale { tonic: 63 });
    let line = [
        (0.0, 1.6, Step::Root, 0.8),
        (1.75, 0.7, Step::Fifth, 0.55),
        (2.5, 0.9, Step::Octave, 0.5),
        (3.5, 0.45, Step::Approach, 0.55),
    ];
    let hats: Vec<(f64, f32)> = (0..16).map(|i| (i as f64 * 0.25, [0.45, 0.14, 0.3, 0.2][i % 4])).collect();
    Score {
        beats_per_minute: 76.0,
        swing: 0.12,
        seed: 0x71de,
        parts: vec![
            Part::new(Instrument::ElectricPiano, -1.0)
                .play(comping(&harmony, 0..23, BAR, (53, 75), &COMPING, 0.02))
                .play(comping(&harmony, 23..24, BAR, (53, 75), &[(0.0, 5.0, 0.5)], 0.12))
                .spread(0.35)
                .send(0.22, 0.06)
                .chorus(),
            Part::new(Instrument::Vibraphone, -2.0)
                .play(melody(&harmony, high, 16.0, &[TUNE], 0.6))
                .play(melody(&harmony, high, 80.0, &[CLOSE], 0.55))
                .pan(0.18)
                .send(0.3, 0.2),
            Part::new(Instrument::Flute, -5.0)
                .play(melody(&harmony, low, 48.0, &[TURN], 0.6))
                .pan(-0.12)
                .send(0.32, 0.18),
            Part::new(Instrument::Pad, -13.0)
                .play(sustained(&harmony, 32.0, 96.0, (58, 80), |_| 0.5))
                .brightness(&[(32.0, 500.0), (64.0, 1600.0), (96.0, 600.0)])
                .send(0.4, 0.0)
                .chorus(),
            Part::new(Instrument::Bass, 0.0)
                .play(bass(&harmony, 4..23, BAR, 31, &line))
                .play(bass(&harmony, 23..24, BAR, 31, &[(0.0, 4.0, Step::Root, 0.7)]))
                .send(0.02, 0.0),
            Part::new(Instrument::Kick, -4.0)
                .play(groove(4..22, BAR, &[(0.0, 0.8), (1.75, 0.45), (2.5, 0.6)]))
                .send(0.03, 0.0),
            Part::new(Instrument::Brush, -4.5)
                .play(groove(4..22, BAR, &[(1.0, 0.6), (3.0, 0.66), (3.75, 0.2)]))
                .pan(-0.1)
                .send(0.18, 0.0),
            Part::new(Instrument::Rim, -2.0)
                .play(groove(12..20, BAR, &[(1.0, 0.6), (3.0, 0.7)]))
                .pan(0.1)
                .send(0.18, 0.0),
            Part::new(Instrument::Hat, -2.0).play(groove(6..22, BAR, &hats)).pan(0.28).send(0.06, 0.0),
        ],
        room: RoomSize { decay: 1.9, damping: 0.45 },
        echo: (0.75, 0.35),
        loudness: -15.0,
        fade: (0.01, 3.0),
        pieces: vec![96.0],
        tail: 5.0,
    }
}
