//! `Repr-Digest` (RFC 9530): a structured dictionary (RFC 8941) of byte sequences.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The SHA-256 that a `Repr-Digest` field promises; `None` when it names none that can be read, in which case
/// there is nothing to check (RFC 9530 3).
pub fn sha256<'a>(lines: impl IntoIterator<Item = &'a str>) -> Option<[u8; 32]> {
    let members = lines.into_iter().flat_map(|line| line.split(','));
    // Of several members of one name the last counts (RFC 8941 3.2).
    members.filter_map(member).last().flatten()
}

/// `Some(None)` for a `sha-256` member that cannot be read.
fn member(text: &str) -> Option<Option<[u8; 32]>> {
    let (name, value) = text.split_once('=')?;
    if name.trim() != "sha-256" {
        return None;
    }
    let value = value.split(';').next().unwrap_or(value).trim();
    let inner = value.strip_prefix(':').and_then(|rest| rest.strip_suffix(':'));
    Some(inner.and_then(|inner| STANDARD.decode(inner).ok()).and_then(|bytes| bytes.try_into().ok()))
}

/// Writes the field for a digest.
pub fn field(digest: &[u8; 32]) -> String {
    format!("sha-256=:{}:", STANDARD.encode(digest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn odd_fields_promise_nothing() {
        for text in
            ["", "sha-256", "sha-256=", "sha-256=::", "sha-256=:AAA:", "sha-512=:AAAA:", "SHA-256=:AA:"]
        {
            assert_eq!(sha256([text]), None, "{text}");
        }
    }

    #[test]
    fn found_among_others() {
        let line = format!("sha-512=:AAAA:, {};x=1 ,md5=:AA==:", field(&[7; 32]));
        assert_eq!(sha256([line.as_str()]), Some([7; 32]));
        assert_eq!(sha256([field(&[7; 32]).as_str(), field(&[8; 32]).as_str()]), Some([8; 32]));
    }

    proptest! {
        #[test]
        fn written_then_read(digest in any::<[u8; 32]>()) {
            prop_assert_eq!(sha256([field(&digest).as_str()]), Some(digest));
        }

        #[test]
        fn any_line_is_read(line in "(sha-256=)?\\PC{0,60}") {
            let _ = sha256([line.as_str()]);
        }
    }
}
