//! What players tell with their requests: CMCD, versions 1 and 2 (CTA-5004, CTA-5004-B).
//!
//! It comes as the query's `CMCD` or in four fields; either way it is a list of keys with values, of which those that an
//! edge can use are read. Nothing in it makes a request fail: what cannot be read is passed over.

use std::borrow::Cow;

/// Longest text that is looked at, bytes.
pub const MAX_TEXT: usize = 4 << 10;
/// Most keys of one text.
const MAX_KEYS: usize = 64;
/// Most objects that a request may announce.
pub const MAX_NEXT: usize = 2;

/// What was told.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cmcd {
    /// `nor`: URLs of the objects that will be asked for next, relative to this one, percent-decoded.
    pub next: Vec<String>,
    /// `bl`: buffered media, milliseconds.
    pub buffer_ms: Option<u32>,
    /// `br`: bit rate of the object, kbit/s.
    pub bitrate_kbps: Option<u32>,
    /// `mtp`: throughput that the player measured, kbit/s.
    pub throughput_kbps: Option<u32>,
    /// `msd`: from the wish to play to the first sound, milliseconds; told once in a session.
    pub start_ms: Option<u32>,
    /// `bs`: the buffer ran dry since the request before.
    pub starved: bool,
    /// `su`: the object is needed to start, to seek, or after the buffer ran dry.
    pub urgent: bool,
}

/// The `CMCD` parameter of a query, percent-decoded.
pub fn of_query(query: &str) -> Option<Cow<'_, str>> {
    let raw = query.split('&').find_map(|pair| pair.strip_prefix("CMCD="))?;
    if raw.len() > MAX_TEXT {
        return None;
    }
    decode(raw)
}

impl Cmcd {
    /// Reads one text more: the query's, or one of the fields.
    pub fn read(&mut self, text: &str) {
        let text = text.get(..MAX_TEXT.min(text.len())).unwrap_or_default();
        for item in split(text, ',').take(MAX_KEYS) {
            match item.split_once('=') {
                Some((name, value)) => self.set(name.trim(), value.trim()),
                None => self.set(item.trim(), "?1"),
            }
        }
    }

    fn set(&mut self, name: &str, value: &str) {
        match name {
            "nor" => self.announce(value),
            "bl" => self.buffer_ms = number(value),
            "br" => self.bitrate_kbps = number(value),
            "mtp" => self.throughput_kbps = number(value),
            "msd" => self.start_ms = number(value),
            "bs" => self.starved = value == "?1",
            "su" => self.urgent = value == "?1",
            _ => {}
        }
    }

    /// A text in version 1, a list of texts in version 2.
    fn announce(&mut self, value: &str) {
        for item in members(value) {
            let text = split(item, ';').next().map(str::trim);
            let text = text.and_then(|text| text.strip_prefix('"')?.strip_suffix('"'));
            let Some(url) = text.and_then(|text| {
                decode(&text.replace("\\\"", "\"").replace("\\\\", "\\")).map(Cow::into_owned)
            }) else {
                continue;
            };
            if self.next.len() < MAX_NEXT && !url.is_empty() {
                self.next.push(url);
            }
        }
    }
}

/// A whole number; of a list by object type, that of the audio, or the first (CTA-5004-B).
fn number(value: &str) -> Option<u32> {
    let mut all = members(value);
    let is_audio = |item: &&str| split(item, ';').skip(1).any(|kind| kind.trim() == "a");
    let item = all.clone().find(is_audio).or_else(|| all.next())?;
    split(item, ';').next()?.trim().parse().ok()
}

/// The members of an inner list (RFC 8941 3.1.1), or the value itself.
fn members(value: &str) -> impl Iterator<Item = &str> + Clone {
    let list = split(value, ';').next().map(str::trim);
    let inside = list.and_then(|list| list.strip_prefix('(')?.strip_suffix(')'));
    let separator = if inside.is_some() { ' ' } else { '\0' };
    split(inside.unwrap_or(value), separator).filter(|item| !item.is_empty())
}

/// Splits where the separator stands outside of quotes and brackets.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> + Clone {
    let (mut quoted, mut escaped, mut depth) = (false, false, 0u32);
    text.split(move |letter: char| {
        if escaped {
            escaped = false;
            return false;
        }
        match letter {
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.saturating_sub(1),
            _ => return letter == separator && !quoted && depth == 0,
        }
        false
    })
}

/// Undoes percent-encoding; `None` where it is broken or gives no text.
fn decode(raw: &str) -> Option<Cow<'_, str>> {
    if !raw.contains('%') {
        return Some(Cow::Borrowed(raw));
    }
    let mut bytes = Vec::with_capacity(raw.len());
    let mut parts = raw.split('%');
    bytes.extend_from_slice(parts.next()?.as_bytes());
    for part in parts {
        let mut byte = [0];
        hex::decode_to_slice(part.get(..2)?, &mut byte).ok()?;
        bytes.push(byte[0]);
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Cmcd {
        let mut cmcd = Cmcd::default();
        cmcd.read(text);
        cmcd
    }

    #[test]
    fn version_1_of_a_query() {
        let query = "x=1&CMCD=bl%3D21300%2Cbr%3D320%2Cbs%2Cmtp%3D25400%2Cnor%3D%22..%252Faac-128%252F3.m4s%22%2Csid%3D%22a%2Cb%22%2Csu&y";
        let told = read(&of_query(query).unwrap());
        let expected = Cmcd {
            next: vec!["../aac-128/3.m4s".into()],
            buffer_ms: Some(21_300),
            bitrate_kbps: Some(320),
            throughput_kbps: Some(25_400),
            start_ms: None,
            starved: true,
            urgent: true,
        };
        assert_eq!(told, expected);
    }

    #[test]
    fn version_2_has_lists() {
        let told = read(
            "bl=(2000;v 1500;a),br=(5000;v 128;a),mtp=(900),msd=180,nor=(\"3.m4s\";r=\"0-9\" \"4.m4s\" \"5.m4s\"),v=2",
        );
        assert_eq!(
            (told.buffer_ms, told.bitrate_kbps, told.throughput_kbps),
            (Some(1500), Some(128), Some(900))
        );
        assert_eq!((told.start_ms, told.next), (Some(180), vec!["3.m4s".to_owned(), "4.m4s".into()]));
        assert_eq!(read("nor=(\"a)b\" \"c;d\");x=1").next, ["a)b", "c;d"]);
    }

    #[test]
    fn what_cannot_be_read_is_passed_over() {
        assert_eq!(read("bl=,br=x,mtp=-1,msd=1.5,nor=3.m4s,bs=?0,=,,\"),(;"), Cmcd::default());
        assert_eq!(read("br=99999999999,bl=7").buffer_ms, Some(7));
        assert!(of_query("CMCD=%zz").is_none() && of_query("CMCD=%").is_none() && of_query("a=b").is_none());
        assert!(of_query(&format!("CMCD={}", "a".repeat(MAX_TEXT + 1))).is_none());
        assert_eq!(read(&"bs,".repeat(5000)), Cmcd { starved: true, ..Cmcd::default() });
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "\\PC{0,200}") {
            let told = read(&text);
            prop_assert!(told.next.len() <= MAX_NEXT);
            of_query(&text);
            of_query(&format!("CMCD={text}"));
        }
    }
}
