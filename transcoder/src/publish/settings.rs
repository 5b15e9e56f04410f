//! What decides how a track is packed, and the revision that follows from it.

use segue_manifests::{Ladder, Rev, Sha256, Tags};

use crate::encode::ENCODER;

/// Raise it when the same input gives other bytes, so that releases get a revision of their own.
const PACKAGER: u32 = 1;

/// Ladder, encoder and packager of an ingest.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    ladder: Ladder,
    text: String,
}

impl Settings {
    /// Takes the ladder in ascending order of bit rate, each rendition once.
    pub(crate) fn new(ladder: &Ladder) -> Self {
        let mut ladder = ladder.clone();
        ladder.rungs.sort_by_key(|rung| rung.bit_rate);
        ladder.rungs.dedup_by_key(|rung| rung.name());
        let text = to_json(&(PACKAGER, ENCODER, &ladder));
        Self { ladder, text }
    }

    /// Lowest bit rate first.
    pub(crate) fn ladder(&self) -> &Ladder {
        &self.ladder
    }

    /// Encoder and packager, for people.
    pub(crate) fn describe(&self) -> String {
        format!("{ENCODER}, packager {PACKAGER}")
    }

    /// Changes whenever any setting does.
    pub(crate) fn fingerprint(&self) -> String {
        hex::encode(&Sha256::of(self.text.as_bytes()).0[..8])
    }

    /// The revision of a track with these tags and this cover.
    pub(crate) fn revision(&self, tags: &Tags, cover: Option<Sha256>) -> Rev {
        let digest = Sha256::of(to_json(&(&self.text, tags, cover)).as_bytes());
        let mut rev = [0; 6];
        rev.copy_from_slice(&digest.0[..6]);
        Rev(rev)
    }
}

fn to_json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("settings and tags have only string keys")
}

#[cfg(test)]
mod tests {
    use segue_manifests::Rung;

    use super::*;

    fn tags(title: &str) -> Tags {
        Tags { title: title.to_owned(), ..Tags::default() }
    }

    #[test]
    fn everything_that_changes_the_release_changes_the_revision() {
        let default = Settings::new(&Ladder::default());
        let mut ladder = Ladder::default();
        ladder.rungs.pop();
        let other = Settings::new(&ladder);
        let revisions = [
            default.revision(&tags("a"), None),
            default.revision(&tags("b"), None),
            default.revision(&tags("a"), Some(Sha256::of(b"cover"))),
            other.revision(&tags("a"), None),
        ];
        for (index, one) in revisions.iter().enumerate() {
            assert!(revisions[index + 1..].iter().all(|another| another != one));
        }
        assert_eq!(revisions[0], Settings::new(&Ladder::default()).revision(&tags("a"), None));
        assert_ne!(default.fingerprint(), other.fingerprint());
    }

    #[test]
    fn order_and_repetition_of_rungs_do_not_matter() {
        let rung = |bit_rate| Rung { bit_rate, bandwidth_hz: 18_000 };
        let one = Settings::new(&Ladder { rungs: vec![rung(128_000), rung(256_000)] });
        let other = Settings::new(&Ladder { rungs: vec![rung(256_000), rung(128_000), rung(256_000)] });
        assert_eq!(one.fingerprint(), other.fingerprint());
        assert_eq!(one.ladder(), other.ladder());
    }
}
