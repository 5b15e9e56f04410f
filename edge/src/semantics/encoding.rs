//! `Accept-Encoding` (RFC 9110 12.5.3) and the one coding that is offered: gzip.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};
use http::HeaderMap;
use http::header::ACCEPT_ENCODING;

/// Codings that a request is told on with, in the order of the bits of [`OFFERS`]' places.
const CODINGS: [&str; 3] = ["br", "gzip", "zstd"];
/// What upstreams are offered, by which of [`CODINGS`] a client takes.
const OFFERS: [&str; 8] =
    ["identity", "br", "gzip", "br, gzip", "zstd", "br, zstd", "gzip, zstd", "br, gzip, zstd"];

/// The one form of all `Accept-Encoding` fields that take the same of the codings in use: a cache that told on each
/// browser's own wording would keep as many copies.
pub fn offer(request: &HeaderMap) -> &'static str {
    let mut place = 0;
    for field in request.get_all(ACCEPT_ENCODING).into_iter().filter_map(|value| value.to_str().ok()) {
        for (coding, wanted) in field.split(',').map(weighted) {
            let bit = CODINGS.iter().position(|known| coding.eq_ignore_ascii_case(known));
            place |= bit.filter(|_| wanted).map_or(0, |bit| 1 << bit);
        }
    }
    OFFERS[place]
}

/// Whether an `Accept-Encoding` field takes gzip.
pub fn accepts_gzip(field: &str) -> bool {
    let mut any = false;
    for item in field.split(',') {
        let (coding, weight) = weighted(item);
        if coding.eq_ignore_ascii_case("gzip") || coding.eq_ignore_ascii_case("x-gzip") {
            return weight;
        }
        any |= coding == "*" && weight;
    }
    any
}

/// A coding and whether its weight is above zero.
fn weighted(item: &str) -> (&str, bool) {
    let mut parts = item.split(';');
    let coding = parts.next().unwrap_or_default().trim();
    let refused = parts.filter_map(|part| part.trim().split_once('=')).any(|(name, value)| {
        name.trim().eq_ignore_ascii_case("q") && value.trim().parse::<f32>().is_ok_and(|q| q <= 0.0)
    });
    (coding, !refused)
}

/// Whether responses of this type are worth compressing: playlists and other text, never media.
pub fn is_compressible(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence.starts_with("text/")
        || essence.ends_with("+json")
        || essence.ends_with("+xml")
        || matches!(
            essence.as_str(),
            "application/vnd.apple.mpegurl"
                | "application/x-mpegurl"
                | "audio/mpegurl"
                | "application/vnd.apple.steering-list"
                | "application/json"
                | "application/javascript"
        )
}

/// The bytes in gzip form, or `None` where that saves nothing.
pub fn gzip(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4 + 64), Compression::new(6));
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok().filter(|packed| packed.len() < bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Read as _;

    #[test]
    fn negotiation() {
        for field in ["gzip", "br, GZIP;q=0.1", "*", "deflate, *;q=0.5", "x-gzip", "gzip; Q=1"] {
            assert!(accepts_gzip(field), "{field}");
        }
        for field in ["", "br", "gzip;q=0", "gzip;q=0.000, *", "*;q=0", "gzipped"] {
            assert!(!accepts_gzip(field), "{field}");
        }
    }

    #[test]
    fn one_offer_for_all_wordings() {
        let offered = |field: &str| offer(&HeaderMap::from_iter([(ACCEPT_ENCODING, field.parse().unwrap())]));
        assert_eq!(offered("gzip, deflate, br, zstd"), "br, gzip, zstd");
        assert_eq!(offered("zstd;q=0, GZIP;q=0.5,*"), "gzip");
        assert_eq!((offered("deflate"), offer(&HeaderMap::new())), ("identity", "identity"));
        for (place, codings) in OFFERS.iter().enumerate() {
            assert_eq!(offered(codings), OFFERS[place]);
        }
    }

    #[test]
    fn only_text_is_compressed() {
        assert!(is_compressible("application/vnd.apple.mpegurl"));
        assert!(is_compressible("Text/HTML; charset=utf-8") && is_compressible("application/problem+json"));
        assert!(!is_compressible("audio/mp4") && !is_compressible("image/webp") && !is_compressible(""));
    }

    #[test]
    fn what_does_not_shrink_is_left() {
        assert_eq!(gzip(b"x"), None);
        let text = "#EXTINF:4.00000,\n1.m4s\n".repeat(50);
        let packed = gzip(text.as_bytes()).unwrap();
        let mut back = String::new();
        flate2::read::GzDecoder::new(packed.as_slice()).read_to_string(&mut back).unwrap();
        assert_eq!(back, text);
    }

    proptest! {
        #[test]
        fn any_field_is_read(field in "\\PC{0,60}") {
            let _ = accepts_gzip(&field);
            let _ = is_compressible(&field);
        }
    }
}
