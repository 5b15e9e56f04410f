//! The demo album: pieces composed and synthesised when run.
//!
//! A machine without music gets six pieces of instrumental music to play, with tags and a cover. Nothing is
//! downloaded and nothing is stored in the program but the score: notes are written in `pieces`, played by
//! `instruments` made of `dsp`, mixed through `effects` by `mix`, and finished by `master`. The same program
//! always writes the same bytes.

mod album;
mod arrange;
mod cover;
mod dsp;
mod effects;
mod files;
mod instruments;
mod loudness;
mod master;
mod mix;
mod pieces;
mod random;
mod score;
mod tags;
mod theory;
mod wav;

#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use album::{Movement, PIECES};

/// Why the demo album could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DemoError {
    /// The album has no such piece.
    #[error("demo: there is no piece {index}; the album has {} of them, counted from 0", PIECES.len())]
    NoSuchPiece {
        /// What was asked for.
        index: usize,
    },
    /// The folder could not be made or read.
    #[error("demo (folder {}): {source}; choose a folder that can be written to", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file could not be written.
    #[error("demo (file {}): {source}; the album needs 90 MB in a folder that can be written to", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The cover could not be encoded.
    #[error("demo (cover): {0}")]
    Cover(#[from] image::ImageError),
}

/// Number of pieces on the album.
pub fn pieces() -> usize {
    PIECES.len()
}

/// Composes one piece (counted from 0) into `dir`, which is made if need be, and returns its path.
///
/// The file is a stereo WAV (44.1 kHz, 16 bit, 70 to 86 s) with ID3v2.4 tags and cover; it appears whole or not at
/// all. A complete file is left alone, so asking again costs nothing. Two pieces that flow into one another
/// are rendered, and appear, together. Takes about half a second of processor time per piece in release
/// builds: call it from a thread that may block.
///
/// # Errors
/// [`DemoError`] when there is no such piece, or when the folder cannot be written to.
pub fn compose_piece(dir: &Path, index: usize) -> Result<PathBuf, DemoError> {
    let piece = PIECES.get(index).ok_or(DemoError::NoSuchPiece { index })?;
    files::prepare(dir)?;
    files::publish(dir, &pieces_of(piece.movement))?;
    Ok(files::path(dir, index))
}

/// Composes the whole album into `dir`, several movements at a time, and returns the paths in album order.
///
/// Complete files are left alone: on the second call nothing is composed. See [`compose_piece`].
///
/// # Errors
/// [`DemoError`] when the folder cannot be written to; pieces that were finished before stay.
pub fn compose(dir: &Path) -> Result<Vec<PathBuf>, DemoError> {
    files::prepare(dir)?;
    let mut movements: Vec<Movement> = PIECES.iter().map(|piece| piece.movement).collect();
    movements.dedup();
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(movements.len());
    let next = AtomicUsize::new(0);
    let work = || -> Result<(), DemoError> {
        while let Some(movement) = movements.get(next.fetch_add(1, Ordering::Relaxed)) {
            files::publish(dir, &pieces_of(*movement))?;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| match worker.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    })?;
    Ok((0..PIECES.len()).map(|index| files::path(dir, index)).collect())
}

/// Which pieces of the album a movement is cut into.
fn pieces_of(movement: Movement) -> Vec<usize> {
    (0..PIECES.len()).filter(|index| PIECES[*index].movement == movement).collect()
}
