//! Playlists from other programs and to them.

use serde::Serialize;

use super::entries::{By, drafts, duration, place};
use super::finding::{Sought, find};
use super::model::Entry;
use super::standing::touch;
use super::wanted::{WantedList, read_json};
use super::{MAX_ENTRIES, Playlist, PlaylistError, PlaylistId, Playlists, Words, m3u, write};
use crate::accounts::{Invalid, UserId};
use crate::catalog::{SongId, Time, Window};

/// Longest text that is told again of a song that was not found, characters.
const MAX_TEXT: usize = 200;
/// Longest name that is taken over from a file, characters.
const MAX_NAME: usize = 100;
const NAMELESS: &str = "Imported playlist";

/// A kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    M3u,
}

/// A song of the file that is not in the playlist.
#[derive(Debug, Serialize)]
pub(crate) struct Unmatched {
    /// Line, or place in the list; from 1.
    place: usize,
    text: String,
    reason: &'static str,
}

/// What became of a file.
#[derive(Debug, Serialize)]
pub(crate) struct Imported {
    pub(crate) playlist: Playlist,
    matched: usize,
    unmatched: Vec<Unmatched>,
}

#[derive(Serialize)]
struct Export<'a> {
    format: &'static str,
    version: u32,
    name: &'a str,
    description: &'a str,
    songs: Vec<ExportSong<'a>>,
}

#[derive(Serialize)]
struct ExportSong<'a> {
    id: SongId,
    isrc: Option<&'a str>,
    title: &'a str,
    artist: &'a str,
    album: Option<&'a str>,
    duration_ms: u64,
    added_at: Time,
}

impl Playlists {
    /// The whole playlist as a file, and its name.
    pub(crate) async fn export(
        &self,
        id: PlaylistId,
        format: Format,
        caller: Option<UserId>,
    ) -> Result<(String, String), PlaylistError> {
        let playlist = self.one(id, caller).await?;
        let window = Window { limit: MAX_ENTRIES as u32, ..Window::default() };
        let entries = self.entries(id, &window, caller).await?.items;
        let text = match format {
            Format::Json => to_json(&playlist, &entries),
            Format::M3u => m3u::write(&playlist.name, &entries),
        };
        Ok((playlist.name, text))
    }

    /// Makes a playlist of a file. `words` go before what the file says; songs that are not found are left out and
    /// told.
    pub(crate) async fn import(
        &self,
        file: &[u8],
        format: Format,
        words: Words,
        by: By,
    ) -> Result<Imported, PlaylistError> {
        let list = read(file, format)?;
        let words = words_of(words, &list).checked()?;
        // Folding thousands of names is work for no thread that answers others.
        let sought = move || list.songs.into_iter().map(Sought::new).collect::<Vec<_>>();
        let sought = tokio::task::spawn_blocking(sought).await.map_err(|_| sqlx::Error::WorkerCrashed)?;
        let mut db = self.database.fresh().acquire().await?;
        let found = find(&mut db, &sought).await?;
        drop(db);
        let songs: Vec<SongId> = found.iter().filter_map(|it| it.ok()).collect();
        let id = self.make(&words, &songs, by).await?;
        let unmatched = sought.iter().zip(&found).filter_map(|(it, found)| {
            let text = it.wanted.text.chars().take(MAX_TEXT).collect();
            found.err().map(|missing| Unmatched { place: it.wanted.place, text, reason: missing.reason() })
        });
        let unmatched = unmatched.collect();
        Ok(Imported { playlist: self.one(id, Some(by.user)).await?, matched: songs.len(), unmatched })
    }

    async fn make(&self, words: &Words, songs: &[SongId], by: By) -> Result<PlaylistId, PlaylistError> {
        let mut tx = self.database.begin_write().await?;
        let id = write::put(&mut tx, by.user, words, by.now).await?;
        let drafts = drafts(&mut tx, songs, by).await?;
        place(&mut tx, id, &drafts, None).await?;
        touch(&mut tx, id, drafts.len() as i64, duration(&drafts), by.now).await?;
        tx.commit().await?;
        Ok(id)
    }
}

fn read(file: &[u8], format: Format) -> Result<WantedList, PlaylistError> {
    let too_many = Invalid { member: "songs", reason: "at most 10,000 in one playlist" };
    let list = match format {
        Format::Json => read_json(file)
            .map_err(|error| PlaylistError::Unreadable { line: error.line(), column: error.column() })?,
        Format::M3u => m3u::read(&m3u::decode(file), MAX_ENTRIES).ok_or_else(|| too_many.clone())?,
    };
    if list.songs.len() > MAX_ENTRIES {
        return Err(too_many.into());
    }
    if list.songs.is_empty() && !list.recognised {
        return Err(Invalid { member: "body", reason: "the file names no songs" }.into());
    }
    Ok(list)
}

/// A name that the file gives is cut and cleaned rather than refused; one that is asked for is not.
fn words_of(words: Words, list: &WantedList) -> Words {
    let tidy = |text: &str, most: usize| -> String {
        text.chars().filter(|c| !c.is_control() || *c == '\n').take(most).collect()
    };
    let name = list.name.as_deref().map(|name| tidy(&name.replace('\n', " "), MAX_NAME));
    let usable = |name: &String| Words { name: Some(name.clone()), ..Words::default() }.checked().is_ok();
    Words {
        name: words.name.or_else(|| Some(name.filter(usable).unwrap_or_else(|| NAMELESS.to_owned()))),
        description: list.description.as_deref().map(|text| tidy(text, 2000)),
        visibility: words.visibility,
    }
}

fn to_json(playlist: &Playlist, entries: &[Entry]) -> String {
    fn song(Entry { song, added_at, .. }: &Entry) -> ExportSong<'_> {
        ExportSong {
            id: song.id,
            title: &song.title,
            isrc: song.isrc.as_deref(),
            artist: &song.artist_credit,
            album: song.album.as_ref().map(|album| album.title.as_str()),
            duration_ms: song.duration_ms,
            added_at: *added_at,
        }
    }
    let export = Export {
        format: "segue-playlist",
        version: 1,
        name: &playlist.name,
        description: &playlist.description,
        songs: entries.iter().map(song).collect(),
    };
    serde_json::to_string(&export).expect("exports have only string keys")
}
