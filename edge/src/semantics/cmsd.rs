//! What the edge tells players about an object, `CMSD-Static`, and about itself, `CMSD-Dynamic` (CTA-5006).

use std::fmt::Write as _;

use segue_manifests::MediaPath;

/// The field's value for one of Segue's objects. `duration_ms`, `next`: a segment's duration and the URL of the one behind
/// it, relative to it, where they are known.
pub fn static_of(media: &MediaPath, duration_ms: Option<u64>, next: Option<&str>) -> String {
    let kind = match media {
        MediaPath::Multivariant { .. } | MediaPath::Media { .. } => "m",
        MediaPath::Segment { .. } => "a",
        MediaPath::Init { .. } => "i",
    };
    let mut text = format!("ot={kind}");
    // Writing to memory does not fail.
    if let Some(rendition) = media.rendition().filter(|_| matches!(media, MediaPath::Segment { .. })) {
        let _ = write!(text, ",br={}", rendition.kbps());
    }
    if let Some(duration_ms) = duration_ms {
        let _ = write!(text, ",d={duration_ms}");
    }
    if let Some(next) = next {
        let _ = write!(text, ",nor=\"{next}\"");
    }
    text
}

/// What the edge of that name tells about itself, if there is anything to tell. `duress`: it may soon refuse requests, so
/// that a player does well to have another edge in mind.
///
/// Estimated throughput (`etp`) and round-trip time (`rtt`) are the kernel's to know, which no safe interface tells.
pub fn dynamic_of(name: &str, duress: bool) -> Option<String> {
    duress.then(|| format!("\"{name}\";du"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields() {
        let base = "/v1/a/00112233445566778899aabbccddeeff/0a1b2c3d4e5f";
        let text = |tail: &str, d, next| {
            let path = format!("{base}/{tail}");
            static_of(&MediaPath::parse(&path).unwrap(), d, next)
        };
        assert_eq!(text("aac-256/3.m4s", Some(3994), Some("4.m4s")), "ot=a,br=256,d=3994,nor=\"4.m4s\"");
        assert_eq!(text("aac-256/media.m3u8", None, None), "ot=m");
        assert_eq!(text("mv.m3u8", None, None), "ot=m");
    }

    #[test]
    fn duress() {
        assert_eq!(dynamic_of("edge-1", true).as_deref(), Some("\"edge-1\";du"));
        assert_eq!(dynamic_of("edge-1", false), None);
    }
}
