//! Lanterns: F major, a slow waltz. A piano by itself, later a music box and strings.

use crate::demo::arrange::{Harmony, Phrase, broken, doubled, melody, note, sustained};
use crate::demo::effects::room::RoomSize;
use crate::demo::instruments::Instrument;
use crate::demo::score::{Note, Part, Score};
use crate::demo::theory::pitch_class::*;
use crate::demo::theory::{Chord, Scale, shape};

const BAR: f64 = 3.0;
const BARS: usize = 36;
const F_MAJOR: Chord = Chord::new(F, shape::MAJOR);
const F_ADD9: Chord = Chord::new(F, shape::ADD9);
const F_OVER_A: Chord = Chord::new(F, shape::MAJOR).over(A);
const C_OVER_E: Chord = Chord::new(C, shape::MAJOR).over(E);
const DM7: Chord = Chord::new(D, shape::MINOR7);
const AM7: Chord = Chord::new(A, shape::MINOR7);
const BB7: Chord = Chord::new(B_FLAT, shape::MAJOR7);
const GM7: Chord = Chord::new(G, shape::MINOR7);
const C7: Chord = Chord::new(C, shape::DOMINANT7);
const C_SUS: Chord = Chord::new(C, shape::SEVEN_SUS4);

#[rustfmt::skip] // one bar a line
const WALTZ: Phrase = &[
    (2.0, 4), (1.0, 5),
    (2.0, 4), (1.0, 1),
    (1.0, 5), (1.0, 4), (1.0, 2),
    (3.0, 2),
    (2.0, 3), (1.0, 2),
    (2.0, 2), (1.0, 0),
    (1.0, 1), (1.0, 2), (1.0, 3),
    (3.0, 1),
];
#[rustfmt::skip] // one bar a line
const WALTZ_CLOSED: Phrase = &[
    (2.0, 4), (1.0, 5),
    (2.0, 4), (1.0, 6),
    (1.0, 7), (1.0, 5), (1.0, 4),
    (2.0, 2), (1.0, 4),
    (2.0, 3), (1.0, 5),
    (2.0, 4), (1.0, 2),
    (1.0, 3), (1.0, 1), (1.0, -1),
    (3.0, 0),
];
#[rustfmt::skip] // one bar a line
const MIDDLE: Phrase = &[
    (2.0, 7), (1.0, 5),
    (1.0, 6), (1.0, 4), (1.0, 2),
    (2.0, 5), (1.0, 3),
    (1.0, 4), (1.0, 2), (1.0, 0),
    (2.0, 3), (1.0, 5),
    (2.0, 4), (1.0, 6),
    (1.0, 7), (1.0, 5), (1.0, 3),
    (2.0, 3), (1.0, 1),
];

fn harmony() -> Harmony {
    let start: [&[Chord]; 4] = [&[F_ADD9], &[C_OVER_E], &[BB7], &[C_SUS]];
    let open: [&[Chord]; 8] = [&[F_MAJOR], &[C_OVER_E], &[DM7], &[AM7], &[BB7], &[F_OVER_A], &[GM7], &[C7]];
    let closed: [&[Chord]; 8] =
        [&[F_MAJOR], &[C_OVER_E], &[DM7], &[AM7], &[BB7], &[F_OVER_A], &[GM7, C7], &[F_ADD9]];
    let middle: [&[Chord]; 8] = [&[DM7], &[AM7], &[BB7], &[F_OVER_A], &[GM7], &[AM7], &[BB7], &[C_SUS]];
    Harmony::bars(BAR, &[&start[..], &open, &closed, &middle, &closed].concat())
}

/// The left hand: the bass on one, two tones of the chord on two and three.
fn left_hand(harmony: &Harmony) -> Vec<Note> {
    let mut notes = broken(harmony, 0.0, (BARS - 1) as f64 * BAR, 41, &[0, 3, 4], (1.0, 1.4), |_| 0.42);
    let last = (BARS - 1) as f64 * BAR;
    let tones = harmony.at(last).spread(41, 5);
    notes.extend(tones.iter().enumerate().map(|(i, pitch)| note(last + 0.12 * i as f64, 6.0, *pitch, 0.4)));
    notes
}

pub(crate) fn lanterns() -> Score {
    let harmony = harmony();
    let scale = Scale { tonic: 77 };
    let first = melody(&harmony, scale, 12.0, &[WALTZ, WALTZ_CLOSED], 0.56);
    let middle = melody(&harmony, scale, 60.0, &[MIDDLE], 0.6);
    let last = melody(&harmony, scale, 84.0, &[WALTZ_CLOSED], 0.52);
    let end = BARS as f64 * BAR;
    Score {
        beats_per_minute: 84.0,
        swing: 0.0,
        seed: 0x1a27,
        parts: vec![
            Part::new(Instrument::FeltPiano, -4.0)
                .play(left_hand(&harmony))
                .pan(-0.12)
                .spread(0.3)
                .send(0.28, 0.0),
            Part::new(Instrument::FeltPiano, 0.0)
                .play(first.clone())
                .play(middle.clone())
                .play(last.clone())
                .pan(0.08)
                .send(0.32, 0.06),
            Part::new(Instrument::MusicBox, -11.0)
                .play(doubled(&first[first.len() / 2..], 12, 0.6))
                .play(doubled(&last, 12, 0.7))
                .pan(0.35)
                .send(0.5, 0.3),
            Part::new(Instrument::Pad, -9.0)
                .play(sustained(&harmony, 36.0, end, (53, 77), |beat| if beat < 60.0 { 0.35 } else { 0.55 }))
                .brightness(&[(36.0, 400.0), (72.0, 1700.0), (84.0, 1400.0), (end, 450.0)])
                .send(0.45, 0.0)
                .chorus(),
            Part::new(Instrument::Flute, -9.0).play(doubled(&middle, -12, 0.85)).pan(-0.2).send(0.4, 0.1),
        ],
        room: RoomSize { decay: 2.8, damping: 0.4 },
        echo: (1.0, 0.3),
        loudness: -17.5,
        fade: (0.01, 4.0),
        pieces: vec![end],
        tail: 6.0,
    }
}
