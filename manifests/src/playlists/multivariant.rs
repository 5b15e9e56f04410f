//! Multivariant playlists (BIS 4.4.6).

use std::fmt::Write as _;

use super::attributes::Attributes;
use super::{PlaylistError, error, lines};

/// `EXT-X-STREAM-INF`: one rendition to choose (BIS 4.4.6.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// Peak bit rate over runs of 0.5 to 1.5 target durations, bit/s, container included.
    pub bandwidth: u64,
    /// Bit rate of the whole, bit/s, container included.
    pub average_bandwidth: u64,
    /// RFC 6381 codec string.
    pub codecs: String,
    /// `STABLE-VARIANT-ID`: the rendition's name.
    pub stable_variant_id: String,
    /// The media playlist, relative to this one.
    pub uri: String,
}

/// All renditions of an asset, in the order players see them: the first is where they start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MultivariantPlaylist {
    /// Lowest first.
    pub variants: Vec<Variant>,
}

impl MultivariantPlaylist {
    /// Writes the playlist. No tag in it needs more than version 1, so it states none (BIS 6.2.1).
    pub fn to_text(&self) -> String {
        let mut out = String::from("#EXTM3U\n#EXT-X-INDEPENDENT-SEGMENTS\n");
        for variant in &self.variants {
            let _ = writeln!(
                out,
                "#EXT-X-STREAM-INF:BANDWIDTH={},AVERAGE-BANDWIDTH={},CODECS=\"{}\",STABLE-VARIANT-ID=\"{}\"\n{}",
                variant.bandwidth,
                variant.average_bandwidth,
                variant.codecs,
                variant.stable_variant_id,
                variant.uri
            );
        }
        out
    }

    /// Reads a multivariant playlist; tags that are not known are passed over (BIS 6.3.1).
    ///
    /// # Errors
    /// The line and what is wrong there.
    pub fn parse(text: &str) -> Result<Self, PlaylistError> {
        let mut variants = Vec::new();
        let mut open: Option<Variant> = None;
        for (number, line) in lines(text)? {
            if let Some(attributes) = line.strip_prefix("#EXT-X-STREAM-INF:") {
                if open.replace(read_variant(number, attributes)?).is_some() {
                    return Err(error(number, "a variant without URI"));
                }
            } else if line.starts_with("#EXTINF") {
                return Err(error(number, "this is a media playlist"));
            } else if !line.starts_with('#') {
                let mut variant = open.take().ok_or(error(number, "a URI without EXT-X-STREAM-INF"))?;
                line.clone_into(&mut variant.uri);
                variants.push(variant);
            }
        }
        match open {
            Some(_) => Err(error(0, "the last variant has no URI")),
            None => Ok(Self { variants }),
        }
    }
}

fn read_variant(line: usize, text: &str) -> Result<Variant, PlaylistError> {
    let attributes = Attributes::read(line, text)?;
    let bandwidth = attributes.integer("BANDWIDTH")?.ok_or(error(line, "no BANDWIDTH"))?;
    Ok(Variant {
        bandwidth,
        average_bandwidth: attributes.integer("AVERAGE-BANDWIDTH")?.unwrap_or(bandwidth),
        codecs: attributes.quoted("CODECS")?.unwrap_or_default(),
        stable_variant_id: attributes.quoted("STABLE-VARIANT-ID")?.unwrap_or_default(),
        uri: String::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_reads_back(
            rows in proptest::collection::vec((any::<u64>(), any::<u64>(), "[a-zA-Z0-9.,]{0,20}", "[a-z0-9-]{0,12}", "[a-z0-9/._-]{1,20}"), 0..6),
        ) {
            let variants = rows.into_iter().map(|(bandwidth, average_bandwidth, codecs, stable_variant_id, uri)| {
                Variant { bandwidth, average_bandwidth, codecs, stable_variant_id, uri }
            });
            let playlist = MultivariantPlaylist { variants: variants.collect() };
            prop_assert_eq!(MultivariantPlaylist::parse(&playlist.to_text()), Ok(playlist));
        }

        #[test]
        fn noise_never_panics(text in "(#EXTM3U\n)?(#EXT-X-STREAM-INF:|BANDWIDTH=|[0-9.,=\":#A-Z\n-]){0,40}") {
            let _ = MultivariantPlaylist::parse(&text);
        }
    }

    #[test]
    fn faults_name_their_line() {
        let table = [
            ("x", 1),
            ("#EXTM3U\nuri", 2),
            ("#EXTM3U\n#EXT-X-STREAM-INF:AVERAGE-BANDWIDTH=1\nu", 2),
            ("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,BANDWIDTH=2\nu", 2),
            ("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,\nu", 2),
            ("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=+1\nu", 2),
            ("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS=\"a\nu", 2),
            ("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS=\"a\"b\nu", 2),
            ("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n#EXT-X-STREAM-INF:BANDWIDTH=1\nu", 3),
            ("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n", 0),
        ];
        for (text, line) in table {
            assert_eq!(MultivariantPlaylist::parse(text).map_err(|e| e.line), Err(line), "{text}");
        }
    }
}
