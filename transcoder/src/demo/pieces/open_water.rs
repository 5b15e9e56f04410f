//! Undertow and Open Water: one movement in two pieces. A minor gathers for 32 bars and breaks, without a
//! pause, into C major: the cut lies on the very frame of the arrival.

use crate::demo::arrange::{
    Harmony, Phrase, REST, Step, bass, broken, comping, doubled, groove, melody, note, sustained,
};
use crate::demo::effects::room::RoomSize;
use crate::demo::instruments::Instrument;
use crate::demo::score::{Note, Part, Score};
use crate::demo::theory::pitch_class::*;
use crate::demo::theory::{Chord, Scale, shape};

const BAR: f64 = 4.0;
/// Where Open Water begins: bar and beat.
const ARRIVAL: usize = 32;
const CUT: f64 = 128.0;
const END: f64 = 256.0;

const AM9: Chord = Chord::new(A, shape::MINOR9);
const F9: Chord = Chord::new(F, shape::MAJOR9);
const C_OVER_G: Chord = Chord::new(C, shape::ADD9).over(G);
const C_ADD9: Chord = Chord::new(C, shape::ADD9);
const C9: Chord = Chord::new(C, shape::MAJOR9);
const EM7: Chord = Chord::new(E, shape::MINOR7);
const DM9: Chord = Chord::new(D, shape::MINOR9);
const G_SUS: Chord = Chord::new(G, shape::SEVEN_SUS4);
const G7: Chord = Chord::new(G, shape::DOMINANT7);
const G_OVER_B: Chord = Chord::new(G, shape::MAJOR).over(B);
const AM7: Chord = Chord::new(A, shape::MINOR7);

/// Undertow: short calls that grow longer and climb.
#[rustfmt::skip] // one bar a line
const CALLS: Phrase = &[
    (1.5, 2), (0.5, 4), (2.0, 5),
    (4.0, REST),
    (1.5, 2), (0.5, 4), (2.0, 7),
    (2.0, 6), (2.0, 4),
    (1.5, 4), (0.5, 5), (2.0, 7),
    (4.0, REST),
    (1.5, 4), (0.5, 5), (2.0, 8),
    (2.0, 7), (2.0, 4),
];
#[rustfmt::skip] // one bar a line
const CLIMB: Phrase = &[
    (1.5, 5), (0.5, 7), (2.0, 9),
    (2.0, 8), (2.0, 7),
    (1.5, 4), (0.5, 5), (2.0, 7),
    (2.0, 5), (2.0, 4),
    (1.5, 3), (0.5, 5), (2.0, 7),
    (2.0, 8), (2.0, 5),
    (2.0, 4), (2.0, 5),
    (1.0, 7), (1.0, 8), (2.0, 8),
];

/// Open Water: what the calls were reaching for.
#[rustfmt::skip] // one bar a line
const SONG: Phrase = &[
    (3.0, 9), (1.0, 8),
    (2.0, 8), (1.0, 7), (1.0, 4),
    (3.0, 7), (1.0, 5),
    (2.0, 4), (1.0, 5), (1.0, 7),
    (3.0, 9), (1.0, 11),
    (2.0, 11), (1.0, 9), (1.0, 8),
    (3.0, 7), (1.0, 8),
    (4.0, 8),
    (3.0, 9), (1.0, 8),
    (2.0, 8), (1.0, 7), (1.0, 8),
    (3.0, 9), (1.0, 7),
    (2.0, 5), (1.0, 4), (1.0, 5),
    (2.0, 7), (1.0, 8), (1.0, 9),
    (2.0, 8), (1.0, 7), (1.0, 5),
    (4.0, 7),
    (4.0, REST),
];
#[rustfmt::skip] // one bar a line
const EBB: Phrase = &[
    (1.5, 2), (0.5, 4), (2.0, 7),
    (4.0, 4),
    (1.5, 2), (0.5, 4), (2.0, 5),
    (4.0, 4),
    (2.0, 3), (2.0, 2),
    (4.0, 1),
    (4.0, 0),
    (4.0, REST),
];

fn harmony() -> Harmony {
    let two = |chord: &'static Chord| [std::slice::from_ref(chord); 2];
    let undertow = [
        two(&AM9),
        two(&F9),
        two(&C_OVER_G),
        two(&EM7), // alone
        two(&AM9),
        two(&F9),
        two(&C_OVER_G),
        two(&EM7), // calls
        two(&AM9),
        two(&F9),
        two(&C_OVER_G),
        two(&EM7),
        two(&F9),
        two(&C_OVER_G),
        two(&DM9),
        two(&G_SUS), // climbs
    ];
    let round = [two(&C_ADD9), two(&G_OVER_B), two(&AM7), two(&F9)];
    let last = [two(&C9), two(&F9), [&[DM9], &[G_SUS, G7]], two(&C_ADD9)];
    let bars = [&undertow[..], &round, &round, &round, &last].concat().concat();
    Harmony::bars(BAR, &bars)
}

/// Level of the arpeggio: grows all through Undertow, stays, and ebbs away.
fn tide(beat: f64) -> f32 {
    let points = [(0.0, 0.28), (64.0, 0.45), (126.0, 0.85), (128.0, 0.62), (220.0, 0.6), (256.0, 0.15)];
    let after = points.partition_point(|(at, _)| *at <= beat).clamp(1, points.len() - 1);
    let ((a, low), (b, high)) = (points[after - 1], points[after]);
    (low + (high - low) * ((beat - a) / (b - a)).clamp(0.0, 1.0)) as f32
}

/// A roll of soft brush strokes into the arrival.
fn roll() -> Vec<Note> {
    (0..32)
        .map(|i| note(CUT - 8.0 + f64::from(i) * 0.25, 0.1, 60, 0.08 + 0.4 * (i as f32 / 32.0).powi(2)))
        .collect()
}

fn rhythm(harmony: &Harmony) -> Vec<Part> {
    let pulse: Vec<(f64, f64, Step, f32)> =
        (0..8).map(|i| (f64::from(i) * 0.5, 0.42, Step::Root, if i % 4 == 0 { 0.7 } else { 0.45 })).collect();
    let walk = [
        (0.0, 1.4, Step::Root, 0.8),
        (1.5, 0.9, Step::Root, 0.6),
        (2.5, 0.9, Step::Fifth, 0.6),
        (3.5, 0.45, Step::Octave, 0.5),
    ];
    let hats: Vec<(f64, f32)> =
        (0..8).map(|i| (f64::from(i) * 0.5, if i % 2 == 0 { 0.22 } else { 0.42 })).collect();
    let four = [(0.0, 0.75), (1.0, 0.65), (2.0, 0.7), (3.0, 0.65)];
    vec![
        Part::new(Instrument::Bass, -2.0)
            .play(bass(harmony, 8..ARRIVAL, BAR, 33, &pulse))
            .play(bass(harmony, ARRIVAL..58, BAR, 33, &walk))
            .play(bass(harmony, 58..64, BAR, 33, &[(0.0, 3.9, Step::Root, 0.6)]))
            .send(0.02, 0.0),
        Part::new(Instrument::Kick, -4.0)
            .play(groove(16..30, BAR, &four))
            .play(groove(ARRIVAL..56, BAR, &[(0.0, 0.85), (1.5, 0.5), (2.0, 0.75), (3.5, 0.35)]))
            .tight()
            .send(0.04, 0.0),
        Part::new(Instrument::Brush, -5.0)
            .play(groove(24..30, BAR, &[(1.0, 0.4), (3.0, 0.45)]))
            .play(groove(ARRIVAL..56, BAR, &[(1.0, 0.6), (3.0, 0.65)]))
            .play(roll())
            .send(0.22, 0.0),
        Part::new(Instrument::Hat, -4.0).play(groove(20..56, BAR, &hats)).pan(0.25).send(0.06, 0.0),
        Part::new(Instrument::Shaker, -5.0)
            .play(groove(
                ARRIVAL..60,
                BAR,
                &[
                    (0.0, 0.3),
                    (0.5, 0.2),
                    (1.0, 0.45),
                    (1.5, 0.22),
                    (2.0, 0.3),
                    (2.5, 0.2),
                    (3.0, 0.45),
                    (3.5, 0.3),
                ],
            ))
            .pan(-0.35)
            .send(0.12, 0.0),
    ]
}

fn voices(harmony: &Harmony) -> Vec<Part> {
    let calls = melody(harmony, Scale { tonic: 72 }, 32.0, &[CALLS], 0.5);
    let climb = melody(harmony, Scale { tonic: 60 }, 96.0, &[CLIMB], 0.6);
    let song = melody(harmony, Scale { tonic: 60 }, CUT, &[SONG], 0.68);
    let ebb = melody(harmony, Scale { tonic: 72 }, 224.0, &[EBB], 0.5);
    vec![
        Part::new(Instrument::Vibraphone, -4.0).play(calls).play(ebb).pan(0.2).send(0.32, 0.35),
        Part::new(Instrument::Flute, -5.0).play(climb).play(song.clone()).send(0.34, 0.22),
        Part::new(Instrument::MusicBox, -8.0).play(doubled(&song, 24, 0.7)).pan(-0.25).send(0.5, 0.35),
    ]
}

pub(crate) fn open_water() -> Score {
    let harmony = harmony();
    let order = [0, 3, 5, 2, 4, 6, 3, 5];
    let mut parts = vec![
        Part::new(Instrument::Glow, -5.0)
            .play(broken(&harmony, 0.0, 252.0, 45, &order, (0.5, 0.45), tide))
            .spread(0.5)
            .tight()
            .send(0.22, 0.35),
        Part::new(Instrument::Pad, -7.0)
            .play(sustained(&harmony, 0.0, END, (52, 79), |beat| if beat < CUT { 0.5 } else { 0.62 }))
            .brightness(&[
                (0.0, 320.0),
                (64.0, 700.0),
                (120.0, 2400.0),
                (128.0, 3000.0),
                (224.0, 1800.0),
                (END, 500.0),
            ])
            .send(0.4, 0.0)
            .chorus(),
        Part::new(Instrument::ElectricPiano, -6.0)
            .play(comping(&harmony, ARRIVAL..56, BAR, (55, 77), &[(0.0, 1.9, 0.5), (2.5, 1.2, 0.4)], 0.01))
            .play(comping(&harmony, 56..64, BAR, (55, 77), &[(0.0, 3.8, 0.42)], 0.06))
            .spread(0.3)
            .send(0.25, 0.1)
            .chorus(),
    ];
    parts.extend(rhythm(&harmony));
    parts.extend(voices(&harmony));
    Score {
        beats_per_minute: 108.0,
        swing: 0.0,
        seed: 0x0cea,
        parts,
        room: RoomSize { decay: 2.6, damping: 0.35 },
        echo: (0.75, 0.42),
        loudness: -14.5,
        fade: (1.5, 4.0),
        pieces: vec![CUT, END - CUT],
        tail: 5.0,
    }
}
