//! The album: its movements, and the pieces they are cut into.

use super::master::{master, quantise};
use super::mix::render;
use super::pieces;
use super::score::Score;

/// The album's title.
pub(super) const ALBUM: &str = "First Light";
/// Who plays. The album has no other author than the program.
pub(super) const ARTIST: &str = "Segue";
/// The year in its tags.
pub(super) const DATE: &str = "2026";

/// What the tags of one piece say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    pub(super) title: &'static str,
    pub(super) genre: &'static str,
    /// Initial key, as ID3 writes it.
    pub(super) tonality: &'static str,
    pub(super) movement: Movement,
    /// Which piece of its movement it is.
    pub(super) part: usize,
}

/// What is rendered in one go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Movement {
    FirstLight,
    PaperBoats,
    Tidewater,
    OpenWater,
    Lanterns,
}

const fn piece(
    title: &'static str,
    genre: &'static str,
    tonality: &'static str,
    movement: Movement,
    part: usize,
) -> Piece {
    Piece { title, genre, tonality, movement, part }
}

/// The pieces in the order of the album.
pub(super) const PIECES: [Piece; 6] = [
    piece("First Light", "Ambient", "D", Movement::FirstLight, 0),
    piece("Paper Boats", "Folk", "G", Movement::PaperBoats, 0),
    piece("Tidewater", "Downtempo", "Eb", Movement::Tidewater, 0),
    piece("Undertow", "Electronic", "Am", Movement::OpenWater, 0),
    piece("Open Water", "Electronic", "C", Movement::OpenWater, 1),
    piece("Lanterns", "Classical", "F", Movement::Lanterns, 0),
];

impl Movement {
    /// What is played.
    pub(super) fn score(self) -> Score {
        match self {
            Self::FirstLight => pieces::first_light(),
            Self::PaperBoats => pieces::paper_boats(),
            Self::Tidewater => pieces::tidewater(),
            Self::OpenWater => pieces::open_water(),
            Self::Lanterns => pieces::lanterns(),
        }
    }
}

/// Renders a score and cuts it: interleaved 16-bit stereo for each of its pieces.
pub(super) fn perform(score: &Score) -> Vec<Vec<i16>> {
    let mut sound = render(score);
    master(&mut sound, score.loudness, score.fade);
    let words = quantise(&sound, score.seed);
    score.cuts().windows(2).map(|cut| words[2 * cut[0]..2 * cut[1]].to_vec()).collect()
}
