//! What a new configuration changes while the edge runs, and what it cannot.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::config::Config;

/// Settings that hold for as long as the process runs: sockets, threads and memory are laid out by them, or what is in memory
/// was stored by them.
const FIXED: [&str; 11] = [
    "listen",
    "admin_listen",
    "handover",
    "name",
    "workers",
    "open",
    "cache_bytes",
    "sendfile_bytes",
    "prefetch_fills",
    "otlp_endpoint",
    "revoked_file",
];
/// Fixed only when TLS would be switched on or off by them.
const TLS: [&str; 4] = ["tls_cert", "tls_key", "tls_certs", "tls_self_signed"];
/// What they are is told to nobody.
const SECRETS: [&str; 3] = ["admin_secret", "media_secret", "downstream_secret"];

/// A setting that the new configuration has another value for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    setting: String,
    /// Before and after, fit to be logged; `None` for secrets.
    values: Option<(String, String)>,
    in_force: bool,
}

/// What came of reading the configuration again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reloaded {
    /// Every setting that differs from what was in force.
    pub changes: Vec<Change>,
}

/// Why a new configuration was not taken; everything is as it was.
#[derive(Debug, thiserror::Error)]
#[error("edge: {0}")]
pub struct ReloadError(pub(crate) String);

impl Change {
    /// The setting's name in `[edge]`.
    pub fn setting(&self) -> &str {
        &self.setting
    }

    /// Whether the new value is in force; else it needs a new process.
    pub fn is_in_force(&self) -> bool {
        self.in_force
    }
}

/// How settings differ that are not the edge's own, and hold for as long as the process runs. None of them may be a secret.
pub fn pending<T: Serialize>(before: &T, after: &T) -> Vec<Change> {
    let after = table(after);
    let both = table(before).into_iter().filter_map(|(setting, old)| {
        let new = after.get(&setting)?;
        (old != *new).then(|| Change { setting, values: Some((shown(&old), shown(new))), in_force: false })
    });
    both.collect()
}

/// `upstreams: ["http://a"] -> ["http://b"]`, and what needs a new process says so.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.values {
            Some((from, to)) if from != to => write!(f, "{}: {from} -> {to}", self.setting)?,
            // A secret, or an address of which only the part differs that is not shown.
            _ => write!(f, "{}: changed", self.setting)?,
        }
        f.write_str(if self.in_force { "" } else { " (needs a new process)" })
    }
}

/// What of the configuration `wanted` can be in force now, and how it differs from the one that `holds`.
pub(crate) fn compare(holds: &Config, wanted: &Config) -> (Config, Vec<Change>) {
    let (before, mut after) = (table(holds), table(wanted));
    let switches_tls = holds.uses_tls() != wanted.uses_tls();
    let is_fixed = |name: &str| FIXED.contains(&name) || (switches_tls && TLS.contains(&name));
    let mut changes = Vec::new();
    for (name, new) in &mut after {
        let old = &before[name];
        if old == new {
            continue;
        }
        let values = (!SECRETS.contains(&name.as_str())).then(|| (shown(old), shown(new)));
        let in_force = !is_fixed(name);
        if !in_force {
            new.clone_from(old);
        }
        changes.push(Change { setting: name.clone(), values, in_force });
    }
    let next = serde_json::from_value(Value::Object(after)).expect("both halves are a configuration");
    (next, changes)
}

fn table(settings: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(settings) {
        Ok(Value::Object(table)) => table,
        _ => unreachable!("settings are a table"),
    }
}

/// A query may be a signature: it is not logged.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => Value::from(without_query(text)).to_string(),
        Value::Array(all) => format!("[{}]", all.iter().map(shown).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

fn without_query(text: &str) -> String {
    match text.split_once('?') {
        Some((before, _)) => format!("{before}?..."),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(change: impl FnOnce(&mut Config)) -> (Config, Vec<String>) {
        let mut wanted = Config::default();
        change(&mut wanted);
        let (next, changes) = compare(&Config::default(), &wanted);
        (next, changes.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn changes_are_told_with_both_values() {
        assert_eq!(told(|_| {}), (Config::default(), Vec::new()));
        let (next, lines) =
            told(|c| (c.upstreams, c.fills) = (vec!["http://a".into(), "http://b".into()], 9));
        assert_eq!(
            lines,
            ["fills: 4096 -> 9", r#"upstreams: ["http://127.0.0.1:8080"] -> ["http://a", "http://b"]"#]
        );
        assert_eq!((next.fills, next.upstreams.len()), (9, 2));
    }

    #[test]
    fn what_is_fixed_stays_and_is_told() {
        let (next, lines) = told(|c| (c.workers, c.idle_timeout_ms) = (7, 1));
        assert_eq!(lines, ["idle_timeout_ms: 60000 -> 1", "workers: 0 -> 7 (needs a new process)"]);
        assert_eq!((next.workers, next.idle_timeout_ms), (0, 1));
        let names = table(&Config::default());
        assert!(FIXED.iter().chain(&TLS).chain(&SECRETS).all(|name| names.contains_key(*name)));
    }

    #[test]
    fn tls_is_not_switched_but_certificates_change() {
        let (next, lines) = told(|c| c.tls_certs = vec!["c:k".into()]);
        assert_eq!(lines, [r#"tls_certs: [] -> ["c:k"] (needs a new process)"#]);
        assert!(!next.uses_tls());
        let holds = Config { tls_self_signed: true, ..Config::default() };
        let wanted = Config { tls_certs: vec!["c:k".into()], ..Config::default() };
        let (next, changes) = compare(&holds, &wanted);
        assert!(changes.iter().all(Change::is_in_force) && next == wanted);
    }

    #[test]
    fn secrets_never_show() {
        for name in SECRETS {
            let mut before = table(&Config::default());
            before.insert(name.into(), "hush-before".into());
            let mut after = before.clone();
            after.insert(name.into(), "hush-after".into());
            let read = |table| serde_json::from_value::<Config>(Value::Object(table)).unwrap();
            let (next, changes) = compare(&read(before), &read(after.clone()));
            assert_eq!((changes.len(), &next), (1, &read(after)));
            assert_eq!(changes[0].to_string(), format!("{name}: changed"));
            assert!(!format!("{changes:?}").contains("hush"));
        }
        let names: Vec<String> = table(&Config::default()).keys().cloned().collect();
        let secret: Vec<_> = names.iter().filter(|name| name.ends_with("_secret")).collect();
        assert_eq!(secret.len(), SECRETS.len(), "every secret is listed");
    }

    #[test]
    fn queries_are_cut() {
        let (_, lines) = told(|c| c.key_set_url = "https://h/keys?signature=hush".into());
        assert_eq!(lines, [r#"key_set_url: "" -> "https://h/keys?...""#]);
        let holds = Config { key_set_url: "https://h/keys?signature=one".into(), ..Config::default() };
        let wanted = Config { key_set_url: "https://h/keys?signature=two".into(), ..Config::default() };
        let (_, changes) = compare(&holds, &wanted);
        assert_eq!(changes[0].to_string(), "key_set_url: changed");
    }
}
