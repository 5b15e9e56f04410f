//! The album on disk. A file appears under its name only when it is whole.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use super::album::{PIECES, perform};
use super::{DemoError, cover, tags, wav};

/// Ending of files that are still being written: no ingest takes them for music.
const PARTIAL: &str = "part";

/// Where a piece lies.
pub(super) fn path(dir: &Path, index: usize) -> PathBuf {
    dir.join(format!("{:02} {}.wav", index + 1, PIECES[index].title))
}

/// Makes the folder and clears away what an interrupted run left behind.
pub(super) fn prepare(dir: &Path) -> Result<(), DemoError> {
    let failed = |source| DemoError::Folder { path: dir.to_owned(), source };
    fs::create_dir_all(dir).map_err(failed)?;
    let ours = format!(".{}.{PARTIAL}", std::process::id());
    for entry in fs::read_dir(dir).map_err(failed)?.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(".segue-demo-") && name.ends_with(PARTIAL) && !name.ends_with(&ours) {
            // A leftover that cannot be removed is only a waste of space.
            let _ = fs::remove_file(entry.path());
        }
    }
    Ok(())
}

/// Makes sure that the pieces, all of one movement, are there; renders only when one is missing.
pub(super) fn publish(dir: &Path, pieces: &[usize]) -> Result<(), DemoError> {
    let Some(first) = pieces.first() else { return Ok(()) };
    let score = PIECES[*first].movement.score();
    let cuts = score.cuts();
    let frames = |index: usize| {
        let part = PIECES[index].part;
        (cuts[part + 1] - cuts[part]) as u64
    };
    let missing: Vec<usize> =
        pieces.iter().copied().filter(|i| !is_there(&path(dir, *i), frames(*i))).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let sounds = perform(&score);
    for index in missing {
        let tag = tags::id3(index, cover()?);
        let target = path(dir, index);
        write_whole(dir, &target, &sounds[PIECES[index].part], &tag)
            .map_err(|source| DemoError::Write { path: target, source })?;
    }
    Ok(())
}

fn is_there(path: &Path, frames: u64) -> bool {
    let Ok(mut file) = File::open(path) else { return false };
    file.metadata().is_ok_and(|meta| wav::is_complete(&mut file, meta.len(), frames))
}

/// Writes beside the target, then renames: whoever looks sees the whole file or none.
fn write_whole(dir: &Path, target: &Path, samples: &[i16], tag: &[u8]) -> io::Result<()> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let partial = dir.join(format!(".segue-demo-{number}.{}.{PARTIAL}", std::process::id()));
    let written = write_file(&partial, samples, tag).and_then(|()| fs::rename(&partial, target));
    if written.is_err() {
        let _ = fs::remove_file(&partial);
    }
    written
}

fn write_file(path: &Path, samples: &[i16], tag: &[u8]) -> io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    wav::write(&mut out, samples, tag)?;
    out.flush()
}

/// The cover, drawn once per process.
fn cover() -> Result<&'static [u8], DemoError> {
    static COVER: OnceLock<Vec<u8>> = OnceLock::new();
    match COVER.get() {
        Some(bytes) => Ok(bytes),
        None => {
            let bytes = cover::jpeg()?;
            Ok(COVER.get_or_init(|| bytes))
        }
    }
}
