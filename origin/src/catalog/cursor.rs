//! Opaque cursors: where the next page of a list begins.
//!
//! A cursor holds the sort values of the last item seen, so that rows coming and going elsewhere neither hide
//! nor repeat an item. Clients pass it back as it is.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use segue_manifests::AssetId;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::json::holds_nul;

/// Longest cursor that is looked at, bytes.
const MAX_CURSOR: usize = 8 * 1024;

/// A cursor that this list did not hand out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cursor: not one that this list handed out")]
pub(crate) struct BadCursor;

/// Place in a list that is sorted by folded name, then identifier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NamePlace(pub(crate) String, pub(crate) AssetId);

/// Place in an album: disc, number, folded title, identifier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AlbumPlace(pub(crate) i64, pub(crate) i64, pub(crate) String, pub(crate) AssetId);

/// A kind of place that a list can continue from.
pub(crate) trait Place: Serialize + DeserializeOwned {
    /// The place before every item.
    fn start() -> Self;
}

impl Place for NamePlace {
    fn start() -> Self {
        Self(String::new(), AssetId([0; 16]))
    }
}

impl Place for AlbumPlace {
    fn start() -> Self {
        Self(i64::MIN, i64::MIN, String::new(), AssetId([0; 16]))
    }
}

/// Writes a place in the list of that name.
pub(crate) fn write<P: Place>(list: &str, place: &P) -> String {
    let json = serde_json::to_vec(&(list, place)).expect("places are text and numbers");
    URL_SAFE_NO_PAD.encode(json)
}

/// Reads what [`write`] wrote for the same list; an absent cursor is the start.
pub(crate) fn read<P: Place>(list: &str, cursor: Option<&str>) -> Result<P, BadCursor> {
    let Some(cursor) = cursor else { return Ok(P::start()) };
    if cursor.len() > MAX_CURSOR {
        return Err(BadCursor);
    }
    let json = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| BadCursor)?;
    let value: Value = serde_json::from_slice(&json).map_err(|_| BadCursor)?;
    // No name holds U+0000, and PostgreSQL takes no text with it.
    if holds_nul(&value) {
        return Err(BadCursor);
    }
    let (name, place): (String, P) = serde_json::from_value(value).map_err(|_| BadCursor)?;
    if name == list { Ok(place) } else { Err(BadCursor) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_was_written_is_read(title in "[^\0]*", id in any::<[u8; 16]>(), disc in any::<i64>()) {
            let named = NamePlace(title.clone(), AssetId(id));
            let cursor = write("songs", &named);
            prop_assert!(cursor.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
            prop_assert_eq!(read("songs", Some(&cursor)), Ok(named));
            prop_assert_eq!(read::<NamePlace>("albums", Some(&cursor)), Err(BadCursor));
            let placed = AlbumPlace(disc, 3, title, AssetId(id));
            let cursor = write("album", &placed);
            prop_assert_eq!(read("album", Some(&cursor)), Ok(placed));
            prop_assert_eq!(read::<NamePlace>("album", Some(&cursor)), Err(BadCursor));
        }

        #[test]
        fn anything_else_is_refused(text in any::<String>()) {
            prop_assert_eq!(read::<NamePlace>("songs", Some(&text)), Err(BadCursor));
        }
    }

    #[test]
    fn names_without_text_are_refused() {
        let cursor = write("songs", &NamePlace("a\0".into(), AssetId([1; 16])));
        assert_eq!(read::<NamePlace>("songs", Some(&cursor)), Err(BadCursor));
        let spelled = NamePlace("a\\u0000".into(), AssetId([1; 16]));
        assert_eq!(read("songs", Some(&write("songs", &spelled))), Ok(spelled), "six characters, no U+0000");
    }

    #[test]
    fn no_cursor_is_the_start() {
        assert_eq!(read("songs", None), Ok(NamePlace::start()));
        assert_eq!(read::<NamePlace>("songs", Some("")), Err(BadCursor));
        assert_eq!(read::<NamePlace>("songs", Some(&"A".repeat(9000))), Err(BadCursor));
    }
}
