//! Identifiers that others give: MusicBrainz (UUID) and recordings (ISRC).

use serde::{Serialize, Serializer};

/// A MusicBrainz identifier; the database keeps its 16 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mbid(pub(super) [u8; 16]);

impl Serialize for Mbid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let hex = hex::encode(self.0);
        let part = |from: usize, to: usize| &hex[from..to];
        serializer.collect_str(&format_args!(
            "{}-{}-{}-{}-{}",
            part(0, 8),
            part(8, 12),
            part(12, 16),
            part(16, 20),
            part(20, 32)
        ))
    }
}

/// Reads a UUID as it is usually written.
pub(super) fn mbid(text: &str) -> Option<Mbid> {
    let dashes = text.bytes().enumerate().all(|(at, b)| (b == b'-') == [8, 13, 18, 23].contains(&at));
    if text.len() != 36 || !dashes {
        return None;
    }
    let mut id = [0; 16];
    hex::decode_to_slice(text.replace('-', ""), &mut id).ok()?;
    Some(Mbid(id))
}

/// A recording's code (ISO 3901) in its plain form: two letters, three letters or digits, seven digits.
pub(crate) fn isrc(text: &str) -> Option<String> {
    let code: String = text.chars().filter(|c| !matches!(c, '-' | ' ')).take(17).collect();
    let code = code.to_ascii_uppercase();
    let code = code.strip_prefix("ISRC").filter(|rest| rest.len() == 12).unwrap_or(&code);
    let shaped = code.bytes().enumerate().all(|(at, b)| match at {
        0 | 1 => b.is_ascii_uppercase(),
        2..=4 => b.is_ascii_uppercase() || b.is_ascii_digit(),
        _ => b.is_ascii_digit(),
    });
    (shaped && code.len() == 12).then(|| code.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_checked() {
        let text = "f27ec8db-af05-4f36-916e-3d57f91ecf5e";
        assert_eq!(serde_json::to_value(mbid(text).unwrap()).unwrap(), text);
        assert_eq!(mbid(&text.to_uppercase()), mbid(text));
        for bad in
            ["", "f27ec8dbaf054f36916e3d57f91ecf5e0000", &text[1..], "ä27ec8db-af05-4f36-916e-3d57f91ecf5e"]
        {
            assert_eq!(mbid(bad), None, "{bad}");
        }
    }

    #[test]
    fn recordings_have_one_spelling() {
        for text in ["us-rc1-76-07839", "ISRC USRC17607839", "USRC17607839"] {
            assert_eq!(isrc(text).as_deref(), Some("USRC17607839"));
        }
        for bad in ["", "US-RC1-76", "USRC1760783X", "ÄSRC17607839", "USRC176078390"] {
            assert_eq!(isrc(bad), None, "{bad}");
        }
    }
}
