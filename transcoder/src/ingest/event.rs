//! What an ingest tells while it runs, and at the end.

use std::path::{Path, PathBuf};

use segue_manifests::{AssetId, Rev};
use serde::{Serialize, Serializer};

/// Something that happened. Every file counted by [`Event::Found`] ends in exactly one of the other events but
/// [`Event::Started`].
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The folders were walked. Comes first, once.
    Found {
        /// Files and unreadable folders that will be reported on.
        files: usize,
    },
    /// Decoding and encoding begins.
    Started {
        /// The file.
        #[serde(serialize_with = "lossy")]
        path: PathBuf,
    },
    /// The track is in the store and can be played.
    Published {
        /// The file.
        #[serde(serialize_with = "lossy")]
        path: PathBuf,
        /// The audio.
        asset: AssetId,
        /// The packaging.
        rev: Rev,
        /// Title as tagged, or the file's stem.
        title: String,
        /// Seconds of music.
        audio_seconds: f64,
        /// Seconds of processor time spent.
        cpu_seconds: f64,
    },
    /// The store already has the track with these tags and settings.
    Unchanged {
        /// The file.
        #[serde(serialize_with = "lossy")]
        path: PathBuf,
        /// The audio.
        asset: AssetId,
        /// The packaging.
        rev: Rev,
    },
    /// The file holds the same audio as one before it, and was left out.
    Duplicate {
        /// The file.
        #[serde(serialize_with = "lossy")]
        path: PathBuf,
        /// The file that stands for both.
        #[serde(serialize_with = "lossy")]
        of: PathBuf,
        /// The audio of both.
        asset: AssetId,
    },
    /// The file could not be published; nothing of it is visible.
    Failed {
        /// The file or folder.
        #[serde(serialize_with = "lossy")]
        path: PathBuf,
        /// Where in the work, or in the file: `flac (frame 1201)`.
        place: String,
        /// What is wrong.
        reason: String,
        /// What helps, if anything.
        remedy: Option<String>,
    },
    /// The file was not looked at, or given up, because the ingest stops.
    Skipped {
        /// The file.
        #[serde(serialize_with = "lossy")]
        path: PathBuf,
        /// Why the ingest stops.
        reason: String,
    },
}

/// A file or folder that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// The file or folder.
    #[serde(serialize_with = "lossy")]
    pub path: PathBuf,
    /// Where in the work, or in the file.
    pub place: String,
    /// What is wrong.
    pub reason: String,
    /// What helps, if anything.
    pub remedy: Option<String>,
}

impl From<Failure> for Event {
    fn from(failure: Failure) -> Self {
        let Failure { path, place, reason, remedy } = failure;
        Self::Failed { path, place, reason, remedy }
    }
}

/// What an ingest did.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Summary {
    /// Files found, and unreadable folders.
    pub found: usize,
    /// Tracks put into the store.
    pub published: usize,
    /// Tracks that were there already.
    pub unchanged: usize,
    /// Files with the audio of another.
    pub duplicates: usize,
    /// Files left out because the ingest stopped.
    pub skipped: usize,
    /// Files and folders that failed, in the order in which they did.
    pub failed: Vec<Failure>,
    /// Seconds of music published.
    pub audio_seconds: f64,
    /// Seconds from start to end.
    pub wall_seconds: f64,
    /// Seconds of processor time of reading, decoding and encoding.
    pub cpu_seconds: f64,
    /// Why the ingest ended before all files were done, if it did.
    pub stopped: Option<String>,
}

impl Summary {
    /// Counts an event in.
    pub(super) fn add(&mut self, event: &Event) {
        match event {
            Event::Found { files } => self.found = *files,
            Event::Started { .. } => {}
            Event::Published { audio_seconds, .. } => {
                self.published += 1;
                self.audio_seconds += audio_seconds;
            }
            Event::Unchanged { .. } => self.unchanged += 1,
            Event::Duplicate { .. } => self.duplicates += 1,
            Event::Skipped { .. } => self.skipped += 1,
            Event::Failed { path, place, reason, remedy } => self.failed.push(Failure {
                path: path.clone(),
                place: place.clone(),
                reason: reason.clone(),
                remedy: remedy.clone(),
            }),
        }
    }
}

/// Paths need not be Unicode; JSON must be.
fn lossy<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_json_lines() {
        let event = Event::Unchanged { path: "a/b.flac".into(), asset: AssetId([0; 16]), rev: Rev([1; 6]) };
        assert_eq!(
            serde_json::to_string(&event).unwrap(),
            "{\"event\":\"unchanged\",\"path\":\"a/b.flac\",\"asset\":\"00000000000000000000000000000000\",\"rev\":\"010101010101\"}"
        );
    }

    #[cfg(unix)]
    #[test]
    fn paths_need_not_be_unicode() {
        use std::os::unix::ffi::OsStrExt;
        let path = PathBuf::from(std::ffi::OsStr::from_bytes(b"a\xffb"));
        let text = serde_json::to_string(&Event::Started { path }).unwrap();
        assert_eq!(text, "{\"event\":\"started\",\"path\":\"a\u{fffd}b\"}");
    }
}
