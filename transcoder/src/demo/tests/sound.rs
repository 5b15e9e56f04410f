use std::sync::OnceLock;

use super::{energy, peak, rms};
use crate::demo::album::{Movement, PIECES, perform};
use crate::demo::arrange::note;
use crate::demo::dsp::{gain, hertz};
use crate::demo::instruments::Instrument;
use crate::demo::loudness::integrated;
use crate::demo::master::CEILING;
use crate::demo::mix::{Stereo, render};
use crate::demo::score::{Part, Score};

/// Every piece of the album as it is written to disk, rendered once for all tests.
fn album() -> &'static [Stereo] {
    static ALBUM: OnceLock<Vec<Stereo>> = OnceLock::new();
    ALBUM.get_or_init(|| {
        let movements = PIECES.iter().filter(|piece| piece.part == 0).map(|piece| piece.movement);
        movements.flat_map(|movement| perform(&movement.score())).map(|words| stereo(&words)).collect()
    })
}

fn stereo(words: &[i16]) -> Stereo {
    let side = |at: usize| words.iter().skip(at).step_by(2).map(|w| f32::from(*w) / 32_768.0).collect();
    Stereo { left: side(0), right: side(1) }
}

fn sides() -> impl Iterator<Item = (&'static str, &'static [f32])> {
    let both = |(piece, sound): (&'static crate::demo::album::Piece, &'static Stereo)| {
        [(piece.title, &sound.left[..]), (piece.title, &sound.right[..])]
    };
    PIECES.iter().zip(album()).flat_map(both)
}

#[test]
fn pieces_last_between_one_and_two_minutes() {
    for (piece, sound) in PIECES.iter().zip(album()) {
        let seconds = sound.len() as f32 / 44_100.0;
        assert!((60.0..120.0).contains(&seconds), "{}: {seconds} s", piece.title);
    }
}

#[test]
fn nothing_clips_and_nothing_leans_to_one_side() {
    for (title, side) in sides() {
        assert!(peak(side) <= gain(CEILING) + 2.0 / 32_768.0, "{title}: peak {}", peak(side));
        let offset = side.iter().map(|x| f64::from(*x)).sum::<f64>() / side.len() as f64;
        assert!(offset.abs() < 1e-4, "{title}: offset {offset}");
    }
}

#[test]
fn the_desk_never_leaves_the_numbers() {
    for piece in &PIECES {
        let sound = render(&piece.movement.score().shortened(24.0));
        assert!(
            sound.left.iter().chain(&sound.right).all(|x| x.is_finite() && x.abs() < 4.0),
            "{}",
            piece.title
        );
    }
}

#[test]
fn loudness_is_what_the_score_asks_for() {
    for (piece, sound) in PIECES.iter().zip(album()) {
        let (is, wanted) = (integrated(sound), piece.movement.score().loudness);
        // Half a movement may be softer or louder than the whole.
        let tolerance = if piece.movement == Movement::OpenWater { 5.0 } else { 1.0 };
        assert!((is - wanted).abs() < tolerance, "{}: {is} LUFS instead of {wanted}", piece.title);
    }
    for (title, side) in sides() {
        assert!((-30.0..-13.0).contains(&rms(side)), "{title}: {} dB", rms(side));
    }
}

#[test]
fn there_is_always_something_to_hear() {
    for (title, side) in sides() {
        let body = &side[2 * 44_100..side.len() - 7 * 44_100];
        for (second, chunk) in body.chunks_exact(44_100).enumerate() {
            assert!(rms(chunk) > -50.0, "{title}: {} dB at {} s", rms(chunk), second + 2);
        }
    }
}

#[test]
fn a_movement_begins_and_ends_in_silence() {
    for (index, (piece, sound)) in PIECES.iter().zip(album()).enumerate() {
        let last = PIECES.get(index + 1).is_none_or(|next| next.part == 0);
        if piece.part == 0 {
            assert!(peak(&sound.left[..20]) < 0.002, "{} starts with a click", piece.title);
        }
        if last {
            assert!(peak(&sound.left[sound.len() - 200..]) < 0.002, "{} breaks off", piece.title);
        }
    }
}

/// Across the cut the wave goes on: no step larger than those around it, and no dip in level.
#[test]
fn undertow_flows_into_open_water() {
    let (before, after) = (&album()[3], &album()[4]);
    for (a, b) in [(&before.left, &after.left), (&before.right, &after.right)] {
        let end = &a[a.len() - 4410..];
        let start = &b[..4410];
        let steps = end.windows(2).chain(start.windows(2)).map(|w| (w[1] - w[0]).abs());
        let largest = steps.fold(0.0, f32::max);
        assert!((start[0] - end[4409]).abs() <= largest, "a click at the cut");
        assert!(rms(end) > -32.0 && rms(start) > -32.0, "{} dB to {} dB", rms(end), rms(start));
    }
}

#[test]
fn the_same_score_always_gives_the_same_samples() {
    for piece in &PIECES {
        let score = piece.movement.score().shortened(12.0);
        assert!(perform(&score) == perform(&score), "{} differs", piece.title);
    }
    assert!(
        perform(&Movement::FirstLight.score().shortened(8.0))
            != perform(&Movement::Lanterns.score().shortened(8.0))
    );
}

/// A score of one chord, without echo and all but without room.
fn chord(instrument: Instrument, pitches: &[i32]) -> Score {
    let notes = pitches.iter().map(|pitch| note(0.0, 4.0, *pitch, 0.6));
    let part = Part::new(instrument, 0.0).play(notes).send(0.02, 0.0).tight();
    Score { parts: vec![part], ..Movement::FirstLight.score() }.shortened(4.0)
}

/// The strongest pitches of a chord are the ones that were written.
#[test]
fn a_chord_contains_its_tones() {
    let written = [50, 57, 66, 73];
    for instrument in [Instrument::Pad, Instrument::FeltPiano, Instrument::ElectricPiano, Instrument::Harp] {
        let sound = render(&chord(instrument, &written));
        let heard = &sound.left[30_000..90_000];
        let level = |pitch: i32| energy(heard, hertz(pitch as f32));
        let weakest = written.iter().map(|p| level(*p)).fold(f64::INFINITY, f64::min);
        for pitch in (50..74).filter(|p| !written.contains(p) && !written.contains(&(p - 12))) {
            let wrong = 10.0 * (level(pitch) / weakest).log10();
            assert!(wrong < -9.0, "{instrument:?}: pitch {pitch} is at {wrong:.1} dB");
        }
    }
}

/// First Light opens on D major: its tones hold most of the energy between 100 Hz and 1 kHz.
#[test]
fn first_light_opens_in_d() {
    let heard = &album()[0].left[44_100..44_100 * 7 / 2];
    let class = |class: i32| {
        (36..84).filter(|p| p % 12 == class).map(|p| energy(heard, hertz(p as f32))).sum::<f64>()
    };
    let all: Vec<f64> = (0..12).map(class).collect();
    let inside: f64 = [2, 6, 9, 1, 4].iter().map(|c| all[*c as usize]).sum();
    assert!(inside > 0.85 * all.iter().sum::<f64>(), "{all:?}");
}
