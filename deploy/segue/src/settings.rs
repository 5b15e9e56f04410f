//! Layers of configuration: defaults, then a file, then the environment, then flags.
//!
//! Flags and environment names are derived from the configuration itself, so that every setting has both:
//! `edge.cache_bytes` is `SEGUE_EDGE_CACHE_BYTES`, and `--cache-bytes` of `segue edge` or `--edge-cache-bytes`
//! elsewhere.

use anyhow::{Context as _, bail};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};
use toml::{Table, Value};

use crate::config::{Config, SAMPLE};

/// Environment names that are Segue's own without being settings.
const OTHER_NAMES: [&str; 2] = ["SEGUE_CONFIG", "SEGUE_BIN"];

/// One setting: section, name, its default and the comment that stands above it in the sample.
struct Setting {
    section: String,
    name: String,
    default: Value,
    help: String,
}

impl Setting {
    fn all() -> Vec<Self> {
        let defaults = Table::try_from(Config::default()).expect("the configuration is a table");
        let mut all = Vec::new();
        for (section, table) in &defaults {
            for (name, default) in table.as_table().into_iter().flatten() {
                let help = comment_of(section, name);
                all.push(Self {
                    section: section.clone(),
                    name: name.clone(),
                    default: default.clone(),
                    help,
                });
            }
        }
        all
    }

    fn id(&self) -> String {
        format!("{}.{}", self.section, self.name)
    }

    fn env(&self) -> String {
        format!("SEGUE_{}_{}", self.section, self.name).to_uppercase()
    }

    /// Folders may have commas in their names.
    fn holds_folders(&self) -> bool {
        self.id() == "up.music"
    }

    fn arg(&self, own_section: &str) -> Arg {
        let name = self.name.replace('_', "-");
        let own = self.section == own_section;
        let long = if own { name } else { format!("{}-{name}", self.section) };
        let arg = Arg::new(self.id()).long(long).env(self.env()).help(self.help.clone());
        let arg =
            if own { arg } else { arg.hide_short_help(true).help_heading(format!("[{}]", self.section)) };
        match &self.default {
            Value::Boolean(_) => arg
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value("true")
                .value_name("BOOL")
                .value_parser(["true", "false"]),
            Value::Array(_) => arg.action(ArgAction::Append).value_name("VALUE"),
            Value::Integer(_) => arg.value_name("NUMBER"),
            Value::Float(_) => arg.value_name("NUMBER"),
            _ => arg.value_name("TEXT"),
        }
        .hide_env_values(true)
    }

    /// The value given by flag or environment, if any.
    fn given(&self, matches: &ArgMatches) -> anyhow::Result<Option<Value>> {
        let id = self.id();
        let source = matches.value_source(&id);
        if !matches!(source, Some(ValueSource::CommandLine | ValueSource::EnvVariable)) {
            return Ok(None);
        }
        let texts: Vec<&String> = matches.get_many(&id).into_iter().flatten().collect();
        let from_env = source == Some(ValueSource::EnvVariable);
        self.value(&texts, from_env).map(Some).with_context(|| format!("setting {id} ({})", self.env()))
    }

    /// Several values in one text: commas part them; folders in the environment are parted as in `PATH`.
    fn parts(&self, text: &str, from_env: bool) -> Vec<String> {
        match (self.holds_folders(), from_env) {
            (true, false) => vec![text.to_owned()],
            (true, true) => std::env::split_paths(text).map(|it| it.to_string_lossy().into_owned()).collect(),
            _ => text.split(',').map(str::trim).filter(|it| !it.is_empty()).map(str::to_owned).collect(),
        }
    }

    fn value(&self, texts: &[&String], from_env: bool) -> anyhow::Result<Value> {
        if let Value::Array(_) = self.default {
            let parts = texts.iter().flat_map(|text| self.parts(text, from_env));
            return Ok(Value::Array(parts.map(Value::String).collect()));
        }
        let text = texts.last().map_or("", |text| text.as_str());
        Ok(match &self.default {
            Value::Boolean(_) => Value::Boolean(text.parse()?),
            Value::Integer(_) => Value::Integer(
                text.replace('_', "").parse().with_context(|| format!("'{text}' is not a whole number"))?,
            ),
            Value::Float(_) => {
                Value::Float(text.parse().with_context(|| format!("'{text}' is not a number"))?)
            }
            _ => Value::String(text.to_owned()),
        })
    }
}

/// Names in the environment that look like settings and are none: a misspelt one would be lost without a word.
pub(crate) fn unknown_names(names: impl Iterator<Item = String>) -> Vec<String> {
    let known: Vec<String> = Setting::all().iter().map(Setting::env).collect();
    let sections: Vec<String> =
        Setting::all().iter().map(|it| format!("SEGUE_{}_", it.section.to_uppercase())).collect();
    let looks_like_one = |name: &String| sections.iter().any(|section| name.starts_with(section.as_str()));
    let mut unknown: Vec<String> = names
        .filter(|name| looks_like_one(name) && !known.contains(name) && !OTHER_NAMES.contains(&name.as_str()))
        .collect();
    unknown.sort();
    unknown
}

/// The comment lines right above `name = ` in `[section]` of the sample.
fn comment_of(section: &str, name: &str) -> String {
    let body = SAMPLE.split_once(&format!("[{section}]\n")).map_or("", |(_, body)| body);
    let mut comment: Vec<&str> = Vec::new();
    for line in body.lines().take_while(|line| !line.starts_with('[')) {
        match line.strip_prefix('#') {
            Some(text) => comment.push(text.trim()),
            None if line.split('=').next().is_some_and(|left| left.trim() == name) => {
                return comment.join(" ");
            }
            None => comment.clear(),
        }
    }
    String::new()
}

/// Adds `--config` and a flag for every setting of these sections; those of the first go without a prefix.
pub(crate) fn add_args(mut command: Command, sections: &[&str]) -> Command {
    command = command.arg(
        Arg::new("config")
            .long("config")
            .env("SEGUE_CONFIG")
            .value_name("FILE")
            .help("Configuration file (TOML); `segue config` prints a sample"),
    );
    for setting in Setting::all() {
        if sections.contains(&setting.section.as_str()) {
            command = command.arg(setting.arg(sections[0]));
        }
    }
    command
}

/// The configuration after all layers.
pub(crate) fn load(matches: &ArgMatches) -> anyhow::Result<Config> {
    let mut table = match matches.get_one::<String>("config") {
        Some(path) => read_file(path)?,
        None => Table::new(),
    };
    for setting in Setting::all() {
        if !matches.try_contains_id(&setting.id()).unwrap_or(false) {
            continue;
        }
        if let Some(value) = setting.given(matches)? {
            let section = table.entry(setting.section.clone()).or_insert_with(|| Value::Table(Table::new()));
            let Some(section) = section.as_table_mut() else {
                bail!("[{}] is not a section", setting.section)
            };
            section.insert(setting.name.clone(), value);
        }
    }
    Config::deserialize_table(table)
}

fn read_file(path: &str) -> anyhow::Result<Table> {
    let text = std::fs::read_to_string(path).with_context(|| format!("configuration {path}"))?;
    // Read as a whole first, so that errors name lines of the file.
    let read = toml::from_str::<Config>(&text).and_then(|_| toml::from_str(&text));
    read.map_err(|error| anyhow::anyhow!("configuration {path}{}", explain(&error, &text)))
}

/// Place and reason of an error, without the line itself and without values: they may be secrets.
fn explain(error: &toml::de::Error, text: &str) -> String {
    let place = error.span().and_then(|span| text.get(..span.start)).map_or_else(String::new, |before| {
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        format!(", line {line}, column {column}")
    });
    let reason = error.message();
    let of_type = ["invalid type", "invalid value", "invalid length"].iter().any(|it| reason.starts_with(it));
    let reason = match (of_type, reason.rsplit_once(", expected ")) {
        (true, Some((_, expected))) => format!("the value has another type than expected: {expected}"),
        _ => reason.to_owned(),
    };
    format!("{place}: {reason}")
}

impl Config {
    fn deserialize_table(table: Table) -> anyhow::Result<Self> {
        table.try_into().context("configuration")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load_from(args: &[&str]) -> anyhow::Result<Config> {
        let command = add_args(Command::new("test"), &["edge", "log", "up", "origin", "transcoder"]);
        load(&command.try_get_matches_from(std::iter::once(&"test").chain(args))?)
    }

    #[test]
    fn nothing_given_is_the_default() {
        assert_eq!(load_from(&[]).unwrap(), Config::default());
    }

    #[test]
    fn flags_reach_every_section() {
        let config = load_from(&[
            "--listen",
            "0.0.0.0:1",
            "--up-music",
            "a",
            "--up-music",
            "b",
            "--up-demo",
            "--log-json=true",
        ])
        .unwrap();
        assert_eq!(config.edge.listen, "0.0.0.0:1");
        assert_eq!(config.up.music, ["a", "b"]);
        assert!(config.up.demo && config.log.json);
    }

    #[test]
    fn flags_win_over_the_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, "[up]\nlisten = \"h:1\"\ndata = \"d\"\n").unwrap();
        let path = file.path().to_str().unwrap();
        let config = load_from(&["--config", path, "--up-listen", "h:2"]).unwrap();
        assert_eq!((config.up.listen.as_str(), config.up.data.as_str()), ("h:2", "d"));
        std::fs::write(&file, "[up]\nlistne = \"h:1\"\n").unwrap();
        let error = format!("{:#}", load_from(&["--config", path]).unwrap_err());
        assert!(error.contains("listne") && error.contains("line 2"), "{error}");
    }

    #[test]
    fn errors_of_the_file_name_the_place_and_never_the_value() {
        let wrong = [
            ("[edge]\nmedia_secret = hush-hush\n", "line 2, column 16"),
            ("[edge]\nmedia_secret = 'hush\n", "invalid literal string"),
            ("[edge]\nmedia_secret = 5678\n", "expected: a string"),
            ("[edge]\nworkers = 'hush'\n", "line 2"),
        ];
        let file = tempfile::NamedTempFile::new().unwrap();
        for (text, hint) in wrong {
            std::fs::write(&file, text).unwrap();
            let error = format!("{:#}", load_from(&["--config", file.path().to_str().unwrap()]).unwrap_err());
            assert!(error.contains(hint), "{error}");
            assert!(!error.contains("hush") && !error.contains("5678"), "{error}");
        }
    }

    #[test]
    fn lists_are_parted_by_commas_and_folders_are_not() {
        let config =
            load_from(&["--up-music", "Crosby, Stills", "--upstreams", "http://a, http://b"]).unwrap();
        assert_eq!(config.up.music, ["Crosby, Stills"]);
        assert_eq!(config.edge.upstreams, ["http://a", "http://b"]);
        let music = Setting::all().into_iter().find(Setting::holds_folders).unwrap();
        assert_eq!(music.parts("/a,b:/c", true), ["/a,b", "/c"]);
    }

    #[test]
    fn misspelt_names_are_noticed() {
        let names =
            ["SEGUE_EDGE_CASHE_BYTES", "SEGUE_EDGE_CACHE_BYTES", "SEGUE_CONFIG", "SEGUE_TEST_X", "HOME"];
        assert_eq!(unknown_names(names.iter().map(ToString::to_string)), ["SEGUE_EDGE_CASHE_BYTES"]);
    }

    #[test]
    fn wrong_values_name_the_setting() {
        let error = format!("{:#}", load_from(&["--workers", "many"]).unwrap_err());
        assert!(error.contains("edge.workers") && error.contains("many"), "{error}");
    }

    #[test]
    fn every_setting_is_explained() {
        for setting in Setting::all() {
            assert!(!setting.help.is_empty(), "segue.toml has no comment above {}", setting.id());
        }
    }
}
