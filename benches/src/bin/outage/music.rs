//! Music to publish: chords and noise that no two tracks share, long enough to be played for a while.

use std::io::{self, Write as _};
use std::path::Path;

use fastrand::Rng;

const RATE: u32 = 44_100;

/// Writes that many WAV files of that length into a folder.
pub(crate) fn compose(folder: &Path, tracks: u64, seconds: u32) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    (0..tracks).try_for_each(|number| {
        let mut file = io::BufWriter::new(std::fs::File::create(folder.join(format!("{number:02}.wav")))?);
        file.write_all(&head(seconds * RATE))?;
        let mut rng = Rng::with_seed(number);
        let tones: Vec<f32> = (0..4).map(|_| 110.0 * 2f32.powf(rng.f32() * 3.0)).collect();
        for frame in 0..seconds * RATE {
            let time = frame as f32 / RATE as f32;
            let chord: f32 = tones.iter().map(|tone| (time * tone * std::f32::consts::TAU).sin()).sum();
            // Noise keeps the encoder from saving bits.
            let sample = (chord * 2_500.0 + (rng.f32() - 0.5) * 6_000.0) as i16;
            file.write_all(&sample.to_le_bytes())?;
            file.write_all(&(sample / 2).to_le_bytes())?;
        }
        file.flush()
    })
}

/// The head of a stereo WAV file of that many frames of 16 bits.
fn head(frames: u32) -> Vec<u8> {
    let bytes = frames * 4;
    let mut head = b"RIFF".to_vec();
    head.extend((36 + bytes).to_le_bytes());
    head.extend(b"WAVEfmt \x10\0\0\0\x01\0\x02\0");
    head.extend(RATE.to_le_bytes());
    head.extend((RATE * 4).to_le_bytes());
    head.extend(b"\x04\0\x10\0data");
    head.extend(bytes.to_le_bytes());
    head
}
