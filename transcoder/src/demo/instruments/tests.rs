use super::*;
use crate::demo::dsp::{SAMPLE_RATE, hertz};
use crate::demo::tests::{energy, peak, rms};

const TUNED: [Instrument; 11] = [
    Instrument::Pad,
    Instrument::Glow,
    Instrument::ElectricPiano,
    Instrument::Guitar,
    Instrument::Harp,
    Instrument::FeltPiano,
    Instrument::Vibraphone,
    Instrument::Kalimba,
    Instrument::MusicBox,
    Instrument::Bass,
    Instrument::Flute,
];
const DRUMS: [Instrument; 5] =
    [Instrument::Kick, Instrument::Rim, Instrument::Brush, Instrument::Hat, Instrument::Shaker];

/// One note from its start until its voice ends, both sides added.
fn play(instrument: Instrument, pitch: f32, velocity: f32, seconds: f32) -> Vec<f32> {
    let tone = Tone { hertz: hertz(pitch), velocity, seconds, pan: 0.0 };
    let mut voice = instrument.start(&tone, &mut Random::new(5));
    let mut sound = Vec::new();
    loop {
        let (mut left, mut right) = ([0.0; BLOCK], [0.0; BLOCK]);
        let alive = voice.add_to(&mut left, &mut right);
        sound.extend(left.iter().zip(right).map(|(l, r)| 0.5 * (l + r)));
        assert!(sound.len() < 20 * SAMPLE_RATE as usize, "{instrument:?} never ends");
        if !alive {
            return sound;
        }
    }
}

/// The pitch that resonates most within half a semitone around the written one, in cents from it.
fn cents_off(sound: &[f32], pitch: f32) -> i32 {
    let level = |cents: &i32| energy(sound, hertz(pitch + *cents as f32 / 100.0));
    (-50..=50).max_by(|a, b| level(a).total_cmp(&level(b))).unwrap()
}

#[test]
fn everything_is_in_tune() {
    for instrument in TUNED {
        let pitches: &[f32] =
            if instrument == Instrument::Bass { &[36.0, 45.0] } else { &[55.0, 64.0, 76.0] };
        for pitch in pitches {
            let sound = play(instrument, *pitch, 0.6, 1.5);
            let off = cents_off(&sound[4000..60_000], *pitch);
            assert!(off.abs() <= 8, "{instrument:?} at {pitch} is {off} cents off");
        }
    }
}

#[test]
fn notes_begin_and_end_without_a_click() {
    for instrument in TUNED.into_iter().chain(DRUMS) {
        let sound = play(instrument, 60.0, 0.8, 0.7);
        let loudest = peak(&sound);
        assert!((0.03..0.8).contains(&loudest), "{instrument:?}: peak {loudest}");
        assert!(sound[0].abs() < 0.1 * loudest, "{instrument:?} starts at {}", sound[0]);
        let end = peak(&sound[sound.len() - 10..]);
        assert!(end < 0.002 * loudest.max(0.1), "{instrument:?} ends at {end}");
        assert!(sound.iter().all(|x| x.is_finite()));
    }
}

#[test]
fn a_harder_blow_is_louder() {
    for instrument in TUNED.into_iter().chain(DRUMS) {
        let (soft, hard) = (play(instrument, 60.0, 0.3, 0.7), play(instrument, 60.0, 0.9, 0.7));
        let n = soft.len().min(hard.len()).min(20_000);
        assert!(rms(&hard[..n]) > rms(&soft[..n]) + 2.0, "{instrument:?}");
    }
}

#[test]
fn a_note_may_begin_anywhere_in_a_block() {
    let tone = Tone { hertz: 440.0, velocity: 0.5, seconds: 0.2, pan: 0.5 };
    let mut whole = Instrument::FeltPiano.start(&tone, &mut Random::new(1));
    let mut split = Instrument::FeltPiano.start(&tone, &mut Random::new(1));
    let silence = [[0.0; BLOCK]; 2];
    let (mut a, mut b) = (silence, silence);
    for _ in 0..3 {
        (a, b) = (silence, silence);
        let [left, right] = &mut a;
        whole.add_to(left, right);
        let [left, right] = &mut b;
        split.add_to(&mut left[..50], &mut right[..50]);
        split.add_to(&mut left[50..], &mut right[50..]);
    }
    // Only the corners of the envelope may lie elsewhere; after the attack there are none.
    assert!(a[0].iter().zip(&b[0]).all(|(x, y)| (x - y).abs() < 1e-3));
    assert!(rms(&a[1]) > rms(&a[0]), "it was panned to the right");
}
