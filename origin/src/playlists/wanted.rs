//! Songs as a file of another program, or of this one, names them.

use serde::Deserialize;

use crate::catalog::{SongId, isrc};

/// An artist and a title as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) artist: String,
    pub(super) title: String,
}

/// A song that is looked for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wanted {
    /// Line of the file, or place in its list; from 1.
    pub(super) place: usize,
    /// As the file says it.
    pub(super) text: String,
    pub(super) id: Option<SongId>,
    /// The recording's code.
    pub(super) isrc: Option<String>,
    /// What artist and title may be, the most likely first.
    pub(super) names: Vec<Named>,
    pub(super) duration_ms: Option<u64>,
}

/// A playlist that was read.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct WantedList {
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) songs: Vec<Wanted>,
    /// Whether the file says of itself what it is.
    pub(super) recognised: bool,
}

/// What is read of an export of this program; later ones may say more.
#[derive(Debug, Deserialize)]
struct Exported {
    name: Option<String>,
    description: Option<String>,
    songs: Vec<ExportedSong>,
}

#[derive(Debug, Deserialize)]
struct ExportedSong {
    id: Option<String>,
    isrc: Option<String>,
    title: Option<String>,
    artist: Option<String>,
    duration_ms: Option<u64>,
}

/// Reads an export in JSON.
pub(super) fn read_json(body: &[u8]) -> Result<WantedList, serde_json::Error> {
    let read: Exported = serde_json::from_slice(body)?;
    let songs = read.songs.into_iter().zip(1..).map(|(song, place)| song.wanted(place)).collect();
    Ok(WantedList { name: read.name, description: read.description, songs, recognised: true })
}

impl ExportedSong {
    fn wanted(self, place: usize) -> Wanted {
        let id = self.id.as_deref().and_then(|id| id.parse().ok());
        let isrc = self.isrc.as_deref().and_then(isrc);
        let (artist, title) = (self.artist.unwrap_or_default(), self.title.unwrap_or_default());
        let text = match (artist.is_empty(), title.is_empty()) {
            (false, false) => format!("{artist} - {title}"),
            (true, true) => self.id.unwrap_or_default(),
            _ => format!("{artist}{title}"),
        };
        let whole = !artist.is_empty() && !title.is_empty();
        let names = whole.then_some(Named { artist, title }).into_iter().collect();
        Wanted { place, text, id, isrc, names, duration_ms: self.duration_ms }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exports_are_read_and_nothing_else() {
        let id = "0123456789abcdef0123456789abcdef";
        let body = format!(
            r#"{{"name": "Mix", "more": 1, "songs": [{{"id": "{id}"}}, {{"artist": "Ann", "title": "One"}}, {{}}]}}"#
        );
        let list = read_json(body.as_bytes()).unwrap();
        let texts: Vec<_> = list.songs.iter().map(|it| (it.place, &*it.text)).collect();
        assert_eq!(texts, [(1, id), (2, "Ann - One"), (3, "")]);
        assert!(list.songs[0].id.is_some() && list.songs[1].names.len() == 1);
        for bad in ["", "[]", "{}", r#"{"songs": 1}"#, r#"{"songs": [1]}"#] {
            assert!(read_json(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
