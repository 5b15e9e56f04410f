//! Finding songs of the catalog that a file names.

use std::collections::{HashMap, HashSet};

use segue_manifests::AssetId;
use sqlx::{AnyConnection, AssertSqlSafe};

use super::entries::durations;
use super::wanted::Wanted;
use crate::catalog::{ArtistId, SongId, fixed, fold};
use crate::database::{DatabaseError, tuples};

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
        let key = |artist: &str, title: &str| (ArtistId::of(&fold(artist)), fold(title));
        let keys = wanted.names.iter().map(|it| key(&it.artist, &it.title)).collect();
        Self { wanted, keys }
    }
}

/// Finds each: by its identifier, else by artist and title, and by its length among several.
pub(super) async fn find(
    db: &mut AnyConnection,
    sought: &[Sought],
) -> Result<Vec<Result<SongId, Missing>>, DatabaseError> {
    let ids: Vec<SongId> = sought.iter().filter_map(|it| it.wanted.id).collect();
    let known = durations(db, &ids).await?;
    let by_id = |it: &Sought| it.wanted.id.filter(|id| known.contains_key(id));
    // Between the two: the recording's code (ISRC), once the catalog has it.
    let rest = sought.iter().filter(|it| by_id(it).is_none());
    let keys: HashSet<&Key> = rest.flat_map(|it| &it.keys).collect();
    let named = named(db, &keys.into_iter().collect::<Vec<_>>()).await?;
    Ok(sought.iter().map(|it| by_id(it).map_or_else(|| choose(it, &named), Ok)).collect())
}

/// Songs by artist and title, with their lengths.
async fn named(
    db: &mut AnyConnection,
    keys: &[&Key],
) -> Result<HashMap<Key, Vec<(SongId, u64)>>, DatabaseError> {
    type Row = (Vec<u8>, String, Vec<u8>, i64);
    let mut found: HashMap<Key, Vec<(SongId, u64)>> = HashMap::new();
    for keys in keys.chunks(NAMES) {
        let sql = names_sql(keys.len());
        let mut query = sqlx::query_as::<_, Row>(AssertSqlSafe(sql)).persistent(false);
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
         SELECT s.artist_id, s.title_folded, s.id, s.duration_ms
         FROM v JOIN songs s ON s.artist_id = v.artist AND s.title_folded = v.title LIMIT {FOUND}",
        tuples(count, 2)
    )
}

fn choose(sought: &Sought, named: &HashMap<Key, Vec<(SongId, u64)>>) -> Result<SongId, Missing> {
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
