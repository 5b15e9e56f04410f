//! The whole configuration: one section for each part, each defined beside what it configures.

mod edge;

use serde::{Deserialize, Serialize};

pub(crate) use edge::Edge;

/// The sample configuration: every setting with its default and a comment. A test holds it against the code, and
/// `--help` quotes its comments.
pub(crate) const SAMPLE: &str = include_str!("../segue.toml");

/// Everything that can be set.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) log: Log,
    pub(crate) up: Up,
    pub(crate) transcoder: segue_transcoder::Config,
    pub(crate) origin: segue_origin::Config,
    pub(crate) edge: Edge,
}

/// `[log]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Log {
    pub(crate) filter: String,
    pub(crate) json: bool,
}

impl Default for Log {
    fn default() -> Self {
        Self { filter: "info".into(), json: false }
    }
}

/// `[up]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Up {
    pub(crate) listen: String,
    pub(crate) data: String,
    pub(crate) music: Vec<String>,
    pub(crate) demo: bool,
    pub(crate) watch: bool,
}

impl Default for Up {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".into(),
            data: "segue-data".into(),
            music: Vec::new(),
            demo: false,
            watch: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_equals_the_defaults() {
        let sample: toml::Value = toml::from_str(SAMPLE).unwrap();
        let defaults = toml::Value::try_from(Config::default()).unwrap();
        assert_eq!(sample, defaults, "segue.toml states every setting with its default");
        assert_eq!(toml::from_str::<Config>(SAMPLE).unwrap(), Config::default());
    }

    #[test]
    fn unknown_settings_are_refused() {
        assert!(toml::from_str::<Config>("[edge]\nspeed = 9").is_err());
        assert!(toml::from_str::<Config>("[egde]\n").is_err());
    }
}
