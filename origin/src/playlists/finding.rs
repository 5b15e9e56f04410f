//! Finding songs of the catalog that a file names.

use std::collections::{HashMap, HashSet};

use segue_manifests::AssetId;
use sqlx::AnyConnection;

use super::entries::durations;
use super::wanted::Wanted;
use crate::catalog::{ArtistId, SongId, first_artist, fixed, fold};
use crate::database::{DatabaseError, bound, list, tuples};

/// Names that are looked up with one statement.
const NAMES: usize = 500;
/// Songs that one statement finds at most.
const FOUND: usize = 10_000;
/// Recordings of the same song differ by more, milliseconds.
const SAME_LENGTH_MS: u64 = 3000;

/// Why a song was not found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    Unnamed,
    Absent,
    Ambiguous,
}

impl Missing {
    /// What to tell.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Unnamed => "Neither an identifier nor artist and title can be read here.",
            Self::Absent => "The catalog has no such song.",
            Self::Ambiguous => "The catalog has several songs of this name, none of them of this length.",
        }
    }
}

/// Artist and title as the catalog's index has them.
type Key = (ArtistId, String);

/// A wanted song with its names as keys.
pub(super) struct Sought {
    pub(super) wanted: Wanted,
    keys: Vec<Key>,
}

impl Sought {
    /// Folds the names; that takes a while for thousands.
    pub(super) fn new(wanted: Wanted) -> Self {
        let keys = wanted.names.iter().flat_map(|it| keys(&it.artist, &it.title)).collect();
        Self { wanted, keys }
    }
}

/// The whole line of artists, else the first of them: that several are named can only be guessed here, and the title
/// must fit too.
fn keys(artists: &str, title: &str) -> Vec<Key> {
    let title = fold(title);
    let first = artists.split(['&', ',', ';', '/']).next().unwrap_or(artists);
    let mut found: Vec<Key> = Vec::new();
    for artist in [Some(ArtistId::of(&fold(artists))), first_artist(artists), first_artist(first)] {
        let Some(key) = artist.map(|artist| (artist, title.clone())) else { continue };
        if !found.contains(&key) {
            found.push(key);
        }
    }
    found
}

/// Songs with their lengths, milliseconds.
type Songs = Vec<(SongId, u64)>;

/// Finds each: by its identifier, else by the recording's code, else by artist and title; and by its length among
/// several.
pub(super) async fn find(
    db: &mut AnyConnection,
    sought: &[Sought],
) -> Result<Vec<Result<SongId, Missing>>, DatabaseError> {
    let ids: Vec<SongId> = sought.iter().filter_map(|it| it.wanted.id).collect();
    let known = durations(db, &ids).await?;
    let by_id = |it: &Sought| it.wanted.id.filter(|id| known.contains_key(id));
    let rest = sought.iter().filter(|it| by_id(it).is_none());
    let codes: HashSet<&str> = rest.filter_map(|it| it.wanted.isrc.as_deref()).collect();
    let recorded = recorded(db, &codes.into_iter().collect::<Vec<_>>()).await?;
    let by_code = |it: &Sought| one_of(recorded.get(it.wanted.isrc.as_deref()?)?, it.wanted.duration_ms);
    let known: Vec<Option<SongId>> = sought.iter().map(|it| by_id(it).or_else(|| by_code(it))).collect();
    let rest = sought.iter().zip(&known).filter(|(_, known)| known.is_none());
    let keys: HashSet<&Key> = rest.flat_map(|(it, _)| &it.keys).collect();
    let named = named(db, &keys.into_iter().collect::<Vec<_>>()).await?;
    Ok(sought.iter().zip(known).map(|(it, known)| known.map_or_else(|| choose(it, &named), Ok)).collect())
}

/// Songs by the recording's code.
async fn recorded(db: &mut AnyConnection, codes: &[&str]) -> Result<HashMap<String, Songs>, DatabaseError> {
    let mut found: HashMap<String, Songs> = HashMap::new();
    for codes in codes.chunks(NAMES) {
        let sql = format!(
            "SELECT isrc, id, duration_ms FROM songs
             WHERE isrc IN ({}) AND taken_down_at IS NULL LIMIT {FOUND}",
            list(1, codes.len())
        );
        let mut query = sqlx::query_as::<_, (String, Vec<u8>, i64)>(bound(db, sql)).persistent(false);
        for code in codes {
            query = query.bind(*code);
        }
        for (code, id, duration_ms) in query.fetch_all(&mut *db).await? {
            found.entry(code).or_default().push((AssetId(fixed(&id, "id")?), duration_ms as u64));
        }
    }
    Ok(found)
}

/// Songs by artist and title, with their lengths.
async fn named(db: &mut AnyConnection, keys: &[&Key]) -> Result<HashMap<Key, Songs>, DatabaseError> {
    type Row = (Vec<u8>, String, Vec<u8>, i64);
    let mut found: HashMap<Key, Songs> = HashMap::new();
    for keys in keys.chunks(NAMES) {
        let sql = names_sql(keys.len());
        let mut query = sqlx::query_as::<_, Row>(bound(db, sql)).persistent(false);
        for (artist, title) in keys {
            query = query.bind(artist.bytes()).bind(title.as_str());
        }
        for (artist, title, id, duration_ms) in query.fetch_all(&mut *db).await? {
            let key = (ArtistId::from(fixed::<16>(&artist, "artist_id")?), title);
            let song = (AssetId(fixed(&id, "id")?), duration_ms as u64);
            found.entry(key).or_default().push(song);
        }
    }
    Ok(found)
}

/// A query for songs of that many artists and titles.
pub(super) fn names_sql(count: usize) -> String {
    format!(
        "WITH v (artist, title) AS (VALUES {})
         SELECT l.artist_id, l.title_folded, s.id, s.duration_ms
         FROM v JOIN artist_songs l ON l.artist_id = v.artist AND l.title_folded = v.title
         JOIN songs s ON s.id = l.song_id LIMIT {FOUND}",
        tuples(count, 2)
    )
}

fn choose(sought: &Sought, named: &HashMap<Key, Songs>) -> Result<SongId, Missing> {
    let mut missing = match sought.keys.is_empty() && sought.wanted.id.is_none() {
        true => Missing::Unnamed,
        false => Missing::Absent,
    };
    for songs in sought.keys.iter().filter_map(|key| named.get(key)) {
        match one_of(songs, sought.wanted.duration_ms) {
            Some(song) => return Ok(song),
            None => missing = Missing::Ambiguous,
        }
    }
    Err(missing)
}

/// The one, or the one among several whose length is nearest; without a length the first by identifier.
fn one_of(songs: &[(SongId, u64)], duration_ms: Option<u64>) -> Option<SongId> {
    if let [(song, _)] = songs {
        return Some(*song);
    }
    let Some(wanted) = duration_ms else { return songs.iter().map(|it| it.0).min_by_key(|id| id.0) };
    let near = songs.iter().filter(|it| it.1.abs_diff(wanted) <= SAME_LENGTH_MS);
    near.min_by_key(|it| (it.1.abs_diff(wanted), it.0.0)).map(|it| it.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_artists_are_found_by_the_first() {
        let ids = |line: &str| keys(line, "t").into_iter().map(|it| it.0).collect::<Vec<_>>();
        let of = |name: &str| ArtistId::of(name);
        assert_eq!(ids("Ann"), [of("ann")]);
        assert_eq!(ids("Ann feat. Ben"), [of("ann feat. ben"), of("ann")]);
        assert_eq!(ids("Ann & Ben"), [of("ann & ben"), of("ann")]);
    }

    #[test]
    fn length_tells_several_apart() {
        let songs = [(AssetId([2; 16]), 100_000), (AssetId([1; 16]), 104_000)];
        for (duration, expected) in
            [(Some(101_000), Some(2)), (Some(103_000), Some(1)), (Some(200_000), None), (None, Some(1))]
        {
            assert_eq!(one_of(&songs, duration).map(|id| id.0[0]), expected, "{duration:?}");
        }
        assert_eq!(one_of(&songs[..1], Some(7)), Some(songs[0].0));
    }
}
