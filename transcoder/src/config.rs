//! Settings of the transcoder.

use std::path::PathBuf;

use segue_manifests::Ladder;
use serde::{Deserialize, Serialize};

/// How to transcode. The defaults work everywhere.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Tracks packed at the same time; 0 is one for each core.
    pub jobs: usize,
    /// Folder for temporary files: a few times the size of the tracks under way. Empty is the system's.
    pub scratch: String,
    /// Renditions to make; set in code only.
    #[serde(skip)]
    pub ladder: Ladder,
}

impl Config {
    /// Tracks packed at the same time, at least 1.
    pub(crate) fn parallel_jobs(&self) -> usize {
        match self.jobs {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            jobs => jobs,
        }
    }

    /// Where temporary files go.
    pub(crate) fn scratch_parent(&self) -> PathBuf {
        if self.scratch.is_empty() { std::env::temp_dir() } else { PathBuf::from(&self.scratch) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_set_is_the_default() {
        assert_eq!(serde_json::from_str::<Config>("{}").unwrap(), Config::default());
        assert!(serde_json::from_str::<Config>("{\"job\":1}").is_err());
        assert!(Config::default().parallel_jobs() >= 1);
        assert_eq!(Config { jobs: 3, ..Config::default() }.parallel_jobs(), 3);
    }
}
