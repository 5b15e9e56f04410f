//! Media playlists (BIS 4.4.3, 4.4.4).

use std::fmt::Write as _;

use super::attributes::{Attributes, integer};
use super::{PlaylistError, error, lines};

/// Part of a resource (BIS 4.4.4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByteRange {
    /// Bytes.
    pub length: u64,
    /// First byte.
    pub offset: u64,
}

/// `EXT-X-MAP`: the init segment (BIS 4.4.4.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Map {
    /// Where it is, relative to the playlist.
    pub uri: String,
    /// Part of it, if not the whole.
    pub byte_range: Option<ByteRange>,
}

/// One media segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// `EXTINF` in microseconds.
    pub duration_us: u64,
    /// Where it is, relative to the playlist.
    pub uri: String,
    /// Part of it, if not the whole.
    pub byte_range: Option<ByteRange>,
}

/// A complete (`VOD`, ended) media playlist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaPlaylist {
    /// The init segment.
    pub map: Map,
    /// In order of presentation.
    pub segments: Vec<Segment>,
}

impl MediaPlaylist {
    /// `EXT-X-TARGETDURATION`: the longest segment, rounded to the nearest second, at least 1 (BIS 4.4.3.1).
    pub fn target_duration(&self) -> u64 {
        let longest = self.segments.iter().map(|s| s.duration_us).max().unwrap_or(0);
        ((longest + 500_000) / 1_000_000).max(1)
    }

    /// Presented duration, microseconds.
    pub fn duration_us(&self) -> u64 {
        self.segments.iter().map(|s| s.duration_us).sum()
    }

    /// Writes the playlist. Its version is 6, the lowest that has `EXT-X-MAP` (BIS 8).
    pub fn to_text(&self) -> String {
        let mut out = String::with_capacity(128 + self.segments.len() * 40);
        out.push_str("#EXTM3U\n#EXT-X-VERSION:6\n");
        let _ = writeln!(out, "#EXT-X-TARGETDURATION:{}", self.target_duration());
        out.push_str("#EXT-X-PLAYLIST-TYPE:VOD\n");
        let _ = write!(out, "#EXT-X-MAP:URI=\"{}\"", self.map.uri);
        if let Some(range) = self.map.byte_range {
            let _ = write!(out, ",BYTERANGE=\"{}@{}\"", range.length, range.offset);
        }
        out.push('\n');
        for segment in &self.segments {
            let (seconds, micros) = (segment.duration_us / 1_000_000, segment.duration_us % 1_000_000);
            let _ = writeln!(out, "#EXTINF:{seconds}.{micros:06},");
            if let Some(range) = segment.byte_range {
                let _ = writeln!(out, "#EXT-X-BYTERANGE:{}@{}", range.length, range.offset);
            }
            let _ = writeln!(out, "{}", segment.uri);
        }
        out.push_str("#EXT-X-ENDLIST\n");
        out
    }

    /// Reads a complete on-demand playlist with one `EXT-X-MAP`; tags that are not known are passed over
    /// (BIS 6.3.1).
    ///
    /// # Errors
    /// The line and what is wrong there.
    pub fn parse(text: &str) -> Result<Self, PlaylistError> {
        let mut reader = Reader::default();
        for (number, line) in lines(text)? {
            reader.line(number, line)?;
        }
        reader.finish()
    }
}

#[derive(Default)]
struct Reader {
    map: Option<Map>,
    segments: Vec<Segment>,
    target_duration: Option<u64>,
    duration_us: Option<u64>,
    byte_range: Option<ByteRange>,
    last_range: Option<(String, u64)>,
    ended: bool,
}

impl Reader {
    fn line(&mut self, number: usize, line: &str) -> Result<(), PlaylistError> {
        let Some(tag) = line.strip_prefix("#EXT") else {
            return if line.starts_with('#') { Ok(()) } else { self.uri(number, line) };
        };
        let (name, value) = tag.split_once(':').unwrap_or((tag, ""));
        match name {
            "-X-TARGETDURATION" => self.target_duration = Some(integer(number, value)?),
            "-X-MAP" if self.map.is_some() => return Err(error(number, "a second EXT-X-MAP")),
            "-X-MAP" => self.map = Some(read_map(number, value)?),
            "INF" => self.duration_us = Some(read_duration(number, value)?),
            "-X-BYTERANGE" => self.byte_range = Some(self.read_range(number, value)?),
            "-X-ENDLIST" => self.ended = true,
            "-X-STREAM-INF" => return Err(error(number, "this is a multivariant playlist")),
            _ => {}
        }
        Ok(())
    }

    fn uri(&mut self, number: usize, uri: &str) -> Result<(), PlaylistError> {
        let duration_us = self.duration_us.take().ok_or(error(number, "a segment without EXTINF"))?;
        let byte_range = self.byte_range.take();
        self.last_range = byte_range.map(|range| (uri.to_owned(), range.offset.saturating_add(range.length)));
        self.segments.push(Segment { duration_us, uri: uri.to_owned(), byte_range });
        Ok(())
    }

    /// `<n>[@<o>]`: without an offset the range follows the one before (BIS 4.4.4.2).
    fn read_range(&self, number: usize, value: &str) -> Result<ByteRange, PlaylistError> {
        if value.contains('@') {
            return explicit_range(number, value);
        }
        let follows = self.last_range.as_ref().ok_or(error(number, "a byte range follows none"))?;
        Ok(ByteRange { length: integer(number, value)?, offset: follows.1 })
    }

    fn finish(self) -> Result<MediaPlaylist, PlaylistError> {
        if !self.ended {
            return Err(error(0, "no EXT-X-ENDLIST"));
        }
        let map = self.map.ok_or(error(0, "no EXT-X-MAP"))?;
        let target = self.target_duration.ok_or(error(0, "no EXT-X-TARGETDURATION"))?;
        let playlist = MediaPlaylist { map, segments: self.segments };
        if playlist.target_duration() > target.max(1) {
            return Err(error(0, "a segment is longer than the target duration"));
        }
        Ok(playlist)
    }
}

fn explicit_range(number: usize, value: &str) -> Result<ByteRange, PlaylistError> {
    let (length, offset) = value.split_once('@').ok_or(error(number, "a byte range without offset"))?;
    Ok(ByteRange { length: integer(number, length)?, offset: integer(number, offset)? })
}

fn read_map(number: usize, value: &str) -> Result<Map, PlaylistError> {
    let attributes = Attributes::read(number, value)?;
    let uri = attributes.quoted("URI")?.ok_or(error(number, "EXT-X-MAP without URI"))?;
    let byte_range =
        attributes.quoted("BYTERANGE")?.map(|range| explicit_range(number, &range)).transpose()?;
    Ok(Map { uri, byte_range })
}

/// `<seconds>[.<fraction>],[<title>]` in microseconds; further digits are cut.
fn read_duration(number: usize, value: &str) -> Result<u64, PlaylistError> {
    let text = value.split(',').next().unwrap_or_default();
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return Err(error(number, "EXTINF is not a decimal number"));
    }
    let micros = integer(number, &format!("{:0<6.6}", fraction))?;
    let whole = integer(number, seconds)?.checked_mul(1_000_000);
    whole
        .and_then(|whole| whole.checked_add(micros))
        .filter(|us| *us < 1 << 53)
        .ok_or(error(number, "EXTINF is too long"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn range() -> impl Strategy<Value = Option<ByteRange>> {
        proptest::option::of(
            (0u64..1 << 40, 0u64..1 << 40).prop_map(|(length, offset)| ByteRange { length, offset }),
        )
    }

    fn playlist() -> impl Strategy<Value = MediaPlaylist> {
        let uri = "[a-z0-9/._~-]{1,20}";
        let segment = (0u64..10_000_000, uri, range()).prop_map(|(duration_us, uri, byte_range)| Segment {
            duration_us,
            uri,
            byte_range,
        });
        (uri, range(), proptest::collection::vec(segment, 0..20))
            .prop_map(|(uri, byte_range, segments)| MediaPlaylist { map: Map { uri, byte_range }, segments })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(playlist in playlist()) {
            prop_assert_eq!(MediaPlaylist::parse(&playlist.to_text()), Ok(playlist));
        }

        #[test]
        fn noise_never_panics(text in "(#EXTM3U\n)?(#EXT-X-MAP:URI=\"a\"\n|#EXTINF:|[0-9.,@=\":#A-Z\n-]){0,40}") {
            let _ = MediaPlaylist::parse(&text);
        }
    }

    #[test]
    fn faults_name_their_line() {
        let head = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MAP:URI=\"i\"\n";
        let table = [
            ("", 1),
            ("#EXT-X-MAP:URI=\"i\"", 1),
            (&*format!("{head}a\n"), 4),
            (&*format!("{head}#EXTINF:x,\na\n"), 4),
            (&*format!("{head}#EXTINF:-1,\na\n"), 4),
            (&*format!("{head}#EXTINF:99999999999999999999,\na\n"), 4),
            (&*format!("{head}#EXTINF:1,\n#EXT-X-BYTERANGE:5\na\n"), 5),
            (&*format!("{head}#EXT-X-MAP:URI=\"j\"\n"), 4),
            (&*format!("{head}#EXT-X-STREAM-INF:BANDWIDTH=1\na\n"), 4),
            (&*format!("{head}#EXTINF:1,\na\n"), 0),
            (&*format!("{head}#EXTINF:9,\na\n#EXT-X-ENDLIST\n"), 0),
        ];
        for (text, line) in table {
            assert_eq!(MediaPlaylist::parse(text).map_err(|e| e.line), Err(line), "{text}");
        }
    }

    #[test]
    fn ranges_without_offset_follow() {
        let text = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MAP:URI=\"p\",BYTERANGE=\"10@0\"\n#EXTINF:1,\n#EXT-X-BYTERANGE:5@10\np\n#EXTINF:1,t\n#EXT-X-BYTERANGE:7\np\n#EXT-X-ENDLIST";
        let read = MediaPlaylist::parse(text).unwrap();
        assert_eq!(read.segments[1].byte_range, Some(ByteRange { length: 7, offset: 15 }));
    }
}
