//! What curators may set.

use http::StatusCode;
use serde::{Deserialize, Deserializer};

use super::albums::AlbumRequest;
use super::songs::SongRequest;
use crate::accounts::Identity;
use crate::catalog::curate::{By, CurateError, NewAlbum};
use crate::catalog::{
    AlbumChange, AlbumId, GroupId, MAX_NAME, Member, Placement, SongChange, is_date, is_name, isrc,
};
use crate::clock;
use crate::http::{Problem, needed};

/// Highest number of a track or disc.
const MAX_NUMBER: u32 = 9999;

/// A member that is there, perhaps null; one that is left out is the default.
pub(super) fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Member<T>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// That curator, now.
pub(super) fn by(who: Identity) -> By {
    By { who, now: clock::now_ms() }
}

/// Checks what is to be set for a song.
pub(super) fn song_change(it: SongRequest) -> Result<SongChange, Problem> {
    Ok(SongChange {
        title: each(it.title, |text| name(text, "title"))?,
        artist: each(it.artist, |text| name(text, "artist"))?,
        album: each(it.album_id, |text| match &*text {
            "" => Ok(Placement::Single),
            id => id.parse::<AlbumId>().map(Placement::On).map_err(|_| nothing("album_id")),
        })?,
        track_number: each(it.track_number, |n| number(n, "track_number"))?,
        disc_number: each(it.disc_number, |n| number(n, "disc_number"))?,
        isrc: each(it.isrc, |text| {
            let wrong = "isrc: two letters, three letters or digits, seven digits, as USRC17607839.";
            isrc(&text).ok_or_else(|| Problem::invalid(wrong))
        })?,
    })
}

/// Checks what is to be set for an album.
pub(super) fn album_change(it: AlbumRequest) -> Result<AlbumChange, Problem> {
    Ok(AlbumChange {
        title: each(it.title, |text| name(text, "title"))?,
        artist: each(it.artist, |text| name(text, "artist"))?,
        date: each(it.date, date)?,
        release_group: each(it.release_group_id, group)?,
    })
}

/// Checks an album that is to be made.
pub(super) fn new_album(it: AlbumRequest) -> Result<NewAlbum, Problem> {
    let it = album_change(it)?;
    Ok(NewAlbum {
        title: needed(it.title.flatten(), "title")?,
        artist: needed(it.artist.flatten(), "artist")?,
        date: it.date.flatten().unwrap_or_default(),
        release_group: it.release_group.flatten(),
    })
}

fn each<T, U>(member: Member<T>, check: impl FnOnce(T) -> Result<U, Problem>) -> Result<Member<U>, Problem> {
    member.map(|value| value.map(check).transpose()).transpose()
}

fn name(text: String, member: &str) -> Result<String, Problem> {
    if is_name(&text) {
        return Ok(text);
    }
    let rule = format!(
        "1 to {MAX_NAME} characters on one line, no spaces around them, a letter or digit among them"
    );
    Err(Problem::invalid(format!("{member}: {rule}.")))
}

fn number(n: u32, member: &str) -> Result<u32, Problem> {
    if (1..=MAX_NUMBER).contains(&n) {
        Ok(n)
    } else {
        Err(Problem::invalid(format!("{member}: 1 to {MAX_NUMBER}.")))
    }
}

fn date(text: String) -> Result<String, Problem> {
    if is_date(&text) { Ok(text) } else { Err(Problem::invalid("date: YYYY, YYYY-MM or YYYY-MM-DD.")) }
}

fn group(text: String) -> Result<GroupId, Problem> {
    text.parse().map_err(|_| nothing("release_group_id"))
}

fn nothing(member: &str) -> Problem {
    Problem::invalid(format!("{member}: there is nothing of this identifier."))
}

impl From<CurateError> for Problem {
    fn from(error: CurateError) -> Self {
        match error {
            CurateError::Unknown(what) => Self::not_found(format!("There is no {what} of this identifier.")),
            CurateError::Nothing(member) => nothing(member),
            CurateError::Stale => Self::stale(),
            CurateError::NoTags => Self::new(
                StatusCode::CONFLICT,
                "no-tags",
                "No tags to go back to",
                "No song of this album has tags that name it. Set another value instead of null.",
            ),
            CurateError::Moved => {
                Self::busy("moved", "The song was published anew at this moment. Try again.")
            }
            CurateError::Database(error) => error.into(),
        }
    }
}
