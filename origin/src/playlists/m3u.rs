//! Extended M3U, as players write and read it.
//!
//! There is no standard: lines of addresses, `#EXTINF:<seconds>,<artist> - <title>` before each, `#PLAYLIST:<name>`.
//! What other programs add is passed over.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::model::Entry;
use super::wanted::{Named, Wanted, WantedList};
use crate::catalog::isrc;

/// Ways to take one line apart, at most.
const MAX_NAMES: usize = 6;
/// Longer names are none of the catalog's, bytes.
const MAX_NAME: usize = 2000;
/// Longest duration that is believed, seconds.
const MAX_SECONDS: f64 = 1e6;
/// Holds the identifier of the song whose address follows.
const ID: &str = "#SEGUE-ID:";
/// Holds its recording's code.
const CODE: &str = "#SEGUE-ISRC:";

/// A playlist for other players, and for [`read`].
pub(super) fn write(name: &str, entries: &[Entry]) -> String {
    let mut out = format!("#EXTM3U\n#PLAYLIST:{name}\n");
    for entry in entries {
        let song = &entry.song;
        let seconds = (song.duration_ms + 500) / 1000;
        let (artist, title, id) = (&song.artist_credit, &song.title, song.id);
        let code = song.isrc.as_ref().map(|code| format!("{CODE}{code}\n")).unwrap_or_default();
        writeln!(out, "#EXTINF:{seconds},{artist} - {title}\n{ID}{id}\n{code}/stream/{id}")
            .expect("memory takes it");
    }
    out
}

/// Text of any encoding that these files come in: UTF-8, UTF-16 with its mark, else Latin-1.
pub(super) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    let wide = |rest: &[u8], unit: fn([u8; 2]) -> u16| {
        let units = rest.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
        char::decode_utf16(units).map(|it| it.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => Cow::Owned(wide(rest, u16::from_le_bytes)),
        [0xfe, 0xff, rest @ ..] => Cow::Owned(wide(rest, u16::from_be_bytes)),
        _ => {
            let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
            let latin = |_| Cow::Owned(bytes.iter().copied().map(char::from).collect());
            std::str::from_utf8(bytes).map_or_else(latin, Cow::Borrowed)
        }
    }
}

/// What was said of the song whose address is still to come.
#[derive(Default)]
struct Said<'a> {
    seconds: Option<f64>,
    title: &'a str,
    artist: &'a str,
    id: &'a str,
    isrc: &'a str,
}

/// Reads at most `most` songs; `None` when there are more.
pub(super) fn read(text: &str, most: usize) -> Option<WantedList> {
    let mut list = WantedList::default();
    let mut said = Said::default();
    for (line, place) in lines(text).zip(1..) {
        if line.is_empty() {
            continue;
        }
        if !line.starts_with('#') {
            if list.songs.len() == most {
                return None;
            }
            list.songs.push(wanted(place, line, &std::mem::take(&mut said)));
        } else if line.starts_with("#EXTM3U") {
            list.recognised = true;
        } else if let Some(name) = line.strip_prefix("#PLAYLIST:") {
            list.name = Some(name.trim().to_owned());
        } else if let Some(info) = line.strip_prefix("#EXTINF:") {
            (said.seconds, said.title) = info_of(info);
        } else if let Some(artist) = line.strip_prefix("#EXTART:") {
            said.artist = artist.trim();
        } else if let Some(id) = line.strip_prefix(ID) {
            said.id = id.trim();
        } else if let Some(code) = line.strip_prefix(CODE) {
            said.isrc = code;
        }
    }
    Some(list)
}

/// Lines by any of the three ways to end them, without outer spaces.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r')).map(str::trim)
}

/// `<seconds> <attributes>,<title>`; attributes may hold commas in quotes.
fn info_of(info: &str) -> (Option<f64>, &str) {
    let mut quoted = false;
    let comma = info.find(|c| {
        quoted ^= c == '"';
        c == ',' && !quoted
    });
    let (head, title) =
        comma.or_else(|| info.find(',')).map_or((info, ""), |at| (&info[..at], &info[at + 1..]));
    let seconds = head.split_whitespace().next().and_then(|word| word.parse().ok());
    (seconds.filter(|it| (0.5..MAX_SECONDS).contains(it)), title.trim())
}

fn wanted(place: usize, address: &str, said: &Said) -> Wanted {
    let id = said.id.parse().ok().or_else(|| id_in(address));
    Wanted {
        place,
        text: if said.title.is_empty() { address } else { said.title }.to_owned(),
        id,
        isrc: isrc(said.isrc),
        names: names(address, said),
        duration_ms: said.seconds.map(|seconds| (seconds * 1000.0) as u64),
    }
}

/// The identifier in an address of this server: `.../stream/<id>` or `.../songs/<id>`.
fn id_in(address: &str) -> Option<segue_manifests::AssetId> {
    let path = address.split(['?', '#']).next()?;
    let (rest, last) = path.rsplit_once('/')?;
    let kind = rest.rsplit('/').next()?;
    ["stream", "songs"].contains(&kind).then(|| last.parse().ok())?
}

/// What artist and title may be, the most likely first.
fn names(address: &str, said: &Said) -> Vec<Named> {
    let mut names = Vec::new();
    let mut add = |artist: &str, title: &str| {
        let (artist, title) = (artist.trim(), title.trim());
        let sane = |name: &str| (1..=MAX_NAME).contains(&name.len());
        if sane(artist)
            && sane(title)
            && names.len() < MAX_NAMES
            && !names.iter().any(|it: &Named| it.artist == artist && it.title == title)
        {
            names.push(Named { artist: artist.to_owned(), title: title.to_owned() });
        }
    };
    add(said.artist, said.title);
    splits(said.title).for_each(|(artist, title)| add(artist, title));
    let mut folders = address.rsplit(['/', '\\']);
    let file = folders.next().unwrap_or_default();
    let file = without_number(file.rsplit_once('.').map_or(file, |(stem, _)| stem));
    splits(file).for_each(|(artist, title)| add(artist, title));
    // Artist/Album/01 Title.mp3
    let (album, artist) = (folders.next().unwrap_or_default(), folders.next().unwrap_or_default());
    let title = if said.title.is_empty() { file } else { said.title };
    add(artist, title);
    add(album, title);
    names
}

/// The first places where artist and title may part: names hold dashes too.
fn splits(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let dashes = [" - ", " \u{2013} ", " \u{2014} "];
    let parts = dashes.into_iter().flat_map(|dash| text.match_indices(dash));
    parts.take(MAX_NAMES).map(|(at, dash)| (&text[..at], &text[at + dash.len()..]))
}

/// `Title` of `01 Title`, `01. Title`, `01 - Title`.
fn without_number(file: &str) -> &str {
    let rest = file.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = file.len() - rest.len();
    let title = rest.trim_start_matches([' ', '.', '-', '_']);
    if (1..=3).contains(&digits) && title.len() < rest.len() && !title.is_empty() { title } else { file }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn one(text: &str) -> Wanted {
        let mut list = read(text, 10).unwrap();
        assert_eq!(list.songs.len(), 1, "{list:?}");
        list.songs.remove(0)
    }

    fn first(text: &str) -> (String, String) {
        let Named { artist, title } = one(text).names.remove(0);
        (artist, title)
    }

    #[test]
    fn a_list_as_players_write_it() {
        let text = "\u{feff}#EXTM3U\r\n#PLAYLIST: Mix \r\n\r\n#EXTINF:123,Ann - One\r\n#EXTVLCOPT:x\r\nmusic/one.mp3\r\n\
                    # a comment\r\ntwo.mp3\r\n";
        let list = read(&decode(text.as_bytes()), 10).unwrap();
        assert_eq!((list.name.as_deref(), list.recognised, list.songs.len()), (Some("Mix"), true, 2));
        let song = &list.songs[0];
        assert_eq!((song.place, &*song.text, song.duration_ms), (6, "Ann - One", Some(123_000)));
        assert_eq!(
            (list.songs[1].place, &*list.songs[1].text, list.songs[1].duration_ms),
            (8, "two.mp3", None)
        );
        assert!(read(text, 1).is_none(), "too many");
    }

    #[test]
    fn names_are_found_where_they_stand() {
        let ann = || ("Ann".to_owned(), "One".to_owned());
        for text in [
            "#EXTINF:1,Ann - One\nx.mp3",
            "#EXTINF:-1 tvg-name=\"a, b\" group=\"c\",Ann \u{2013} One\nx.mp3",
            "#EXTART:Ann\r#EXTINF:1,One\rx.mp3",
            "Ann - One.mp3",
            "C:\\music\\Ann\\First\\01 One.flac",
            "file:///music/12 - Ann - One.ogg",
        ] {
            assert_eq!(first(text), ann(), "{text}");
        }
        let names = one("#EXTINF:1,A - B - C\nx.mp3").names;
        assert!(names.contains(&Named { artist: "A - B".into(), title: "C".into() }), "{names:?}");
        assert!(one("99.mp3").names.is_empty());
    }

    #[test]
    fn identifiers_are_found_where_they_stand() {
        let id = "0123456789abcdef0123456789abcdef";
        for text in [
            format!("#SEGUE-ID:{id}\nwhatever"),
            format!("/stream/{id}"),
            format!("https://music.example/stream/{id}?token=1"),
            format!("../songs/{id}"),
        ] {
            assert_eq!(one(&text).id.map(|it| it.to_string()).as_deref(), Some(id), "{text}");
        }
        for text in [format!("/other/{id}"), format!("/stream/{id}0"), id.to_owned()] {
            assert_eq!(one(&text).id, None, "{text}");
        }
    }

    #[test]
    fn codes_of_recordings_are_read() {
        assert_eq!(one("#SEGUE-ISRC: us-rc1-76-07839\nx.mp3").isrc.as_deref(), Some("USRC17607839"));
        assert_eq!(one("#SEGUE-ISRC:none\nx.mp3").isrc, None);
    }

    #[test]
    fn encodings_are_guessed() {
        assert_eq!(decode(b"\xef\xbb\xbfcaf\xc3\xa9"), "café");
        assert_eq!(decode(b"caf\xe9"), "café");
        assert_eq!(decode(b"\xff\xfec\0\xe9\0"), "cé");
        assert_eq!(decode(b"\xfe\xff\0c\0\xe9\0"), "cé");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let text = decode(&bytes);
            let list = read(&text, 1000).unwrap();
            prop_assert!(list.songs.iter().all(|it| it.names.len() <= MAX_NAMES && !it.text.is_empty()));
        }

        #[test]
        fn any_lines_are_read(lines in proptest::collection::vec(
            "(#EXTINF:|#EXTART:|#SEGUE-ID:|#SEGUE-ISRC:|#PLAYLIST:|#EXTM3U|)[-0-9., \"ab\u{e9}\u{2013}/\\\\]{0,24}", 0..20)) {
            let list = read(&lines.join("\n"), 1000).unwrap();
            let addresses = lines.iter().filter(|line| !line.trim().is_empty() && !line.trim().starts_with('#'));
            prop_assert_eq!(list.songs.len(), addresses.count());
        }
    }
}
