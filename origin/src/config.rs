//! Settings of the origin. Everything works from [`Config::default`] on one machine.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::accounts::Registration;
use crate::database::Dialect;
use crate::shared;

/// Settings of the origin. Empty text and zero mean "off" where nothing else is said.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Address to listen on, `ip:port`; port 0 takes a free one.
    pub listen: String,
    /// Address for health and metrics, `ip:port`; keep it away from the public. Empty: off.
    pub admin_listen: String,
    /// PEM file with the certificate chain; empty: no TLS here. Read again when it changes.
    pub tls_cert: String,
    /// PEM file with the private key of `tls_cert`.
    pub tls_key: String,
    /// File of the SQLite database, whose folder is made when missing; or `postgres://user:password@host/name`.
    pub database: String,
    /// Addresses of PostgreSQL replicas. The catalog is read from them; everything personal from `database`.
    pub database_replicas: Vec<String>,
    /// Connections to the database at once, and to each replica. With SQLite they read; writing has one of its own.
    pub database_connections: u32,
    /// Address of a Redis that the origins of one database share, as `redis://:password@host:6379/0`. Empty: each origin
    /// limits and looks up by itself.
    pub redis: String,
    /// Begins the names of all keys and channels there; for several fleets on one Redis.
    pub redis_prefix: String,
    /// Milliseconds that a call to Redis may take.
    pub redis_timeout_ms: u64,
    /// The object store: a folder, `file:///folder`, `s3://bucket/prefix?endpoint=...` or `memory:`.
    pub store: String,
    /// File of the private signing keys, readable by its owner only. Made when missing; empty: keys live in
    /// memory and tokens die with the process.
    pub keys_file: String,
    /// Seconds between looks at the keys file for a change.
    pub keys_poll_seconds: u64,
    /// Name that tokens carry as their issuer.
    pub issuer: String,
    /// Base addresses of the edges that listeners are sent to. `{host}` stands for the host name that the
    /// listener used to reach the origin: for one machine; an origin open to the public names its edges.
    pub edges: Vec<String>,
    /// How many edges besides the best one an answer to `POST /play` names.
    pub backup_edges: usize,
    /// Addresses of the edges' admin listeners, as `http://10.0.0.5:8082`: what is taken down is purged there at once. Where
    /// they are as many as `edges`, in the same order, the edge that a listener is sent to is told at once what to pull.
    pub edge_admins: Vec<String>,
    /// Addresses of the admin listeners of the shields that edges fetch through.
    pub shield_admins: Vec<String>,
    /// Secret of the admin listeners of edges and shields.
    pub edge_admin_secret: String,
    /// Secret that edges send as `Authorization: Bearer` to the media endpoint. Empty: anyone may read media
    /// from the origin without a token.
    pub media_secret: String,
    /// Secret for `POST /imports`. Empty: that route is off.
    pub admin_secret: String,
    /// Whether people without an account may browse and play. What is personal always needs one.
    pub guests: bool,
    /// Who may make an account: `open` to anyone, by `invitation`, or `closed`. The first account can always be
    /// made, and is the administrator's.
    pub registration: Registration,
    /// Days that a sign-in lasts after its last use.
    pub login_days: u32,
    /// Requests a second that one account, or one address without an account, may go on making; 0: no limit.
    pub rate_per_second: u32,
    /// Requests that it may make at once.
    pub rate_burst: u32,
    /// Addresses or networks of proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<String>,
    /// Web origins that scripts may call the API from; `*` for all, none for only the origin's own pages.
    pub cors_origins: Vec<String>,
    /// Seconds between scans of the store for descriptors that are not in the catalog; 0: only at start.
    pub scan_seconds: u64,
    /// Bytes of memory for ready answers of the catalog; 0: none are kept.
    pub answer_cache_bytes: u64,
    /// Bytes of memory for descriptors and playlists.
    pub descriptor_cache_bytes: u64,
    /// Bytes of memory for media segments, mostly those read ahead.
    pub media_cache_bytes: u64,
    /// How far behind an asked-for segment the following ones are read with it, bytes; 0: no read-ahead.
    pub read_ahead_bytes: u64,
    /// Reads of media from the store at once.
    pub store_reads: usize,
    /// Seconds that one read from the store may take.
    pub store_timeout_seconds: u64,
    /// Bytes of memory for resized covers.
    pub cover_cache_bytes: u64,
    /// Covers that are decoded at once; each may take some tens of megabytes.
    pub cover_jobs: usize,
    /// Open connections. Where they are reached, one that only waits for its next request is ended for each client that
    /// comes.
    pub max_connections: usize,
    /// Requests worked on at once; more are answered 503.
    pub max_requests: usize,
    /// Seconds that a request may take to be answered.
    pub request_timeout_seconds: u64,
    /// Seconds that a connection may take for a TLS handshake, to send a request's head, or stay idle.
    pub header_timeout_seconds: u64,
    /// Seconds for which a client may take nothing of its answer.
    pub stall_timeout_seconds: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".into(),
            admin_listen: "127.0.0.1:8083".into(),
            tls_cert: String::new(),
            tls_key: String::new(),
            database: "segue-data/catalog.db".into(),
            database_replicas: Vec::new(),
            database_connections: 8,
            redis: String::new(),
            redis_prefix: "segue:".into(),
            redis_timeout_ms: 50,
            store: "segue-data/store".into(),
            keys_file: "segue-data/keys.json".into(),
            keys_poll_seconds: 5,
            issuer: "segue".into(),
            edges: vec!["http://{host}:8081".into()],
            backup_edges: 2,
            edge_admins: Vec::new(),
            shield_admins: Vec::new(),
            edge_admin_secret: String::new(),
            media_secret: String::new(),
            admin_secret: String::new(),
            guests: false,
            registration: Registration::Invitation,
            login_days: 60,
            rate_per_second: 50,
            rate_burst: 300,
            trusted_proxies: Vec::new(),
            cors_origins: vec!["*".into()],
            scan_seconds: 60,
            answer_cache_bytes: 32 << 20,
            descriptor_cache_bytes: 32 << 20,
            media_cache_bytes: 64 << 20,
            read_ahead_bytes: 1 << 20,
            store_reads: 64,
            store_timeout_seconds: 20,
            cover_cache_bytes: 32 << 20,
            cover_jobs: 2,
            max_connections: 4096,
            max_requests: 512,
            request_timeout_seconds: 30,
            header_timeout_seconds: 30,
            stall_timeout_seconds: 30,
        }
    }
}

impl Config {
    /// Looks for settings that cannot work.
    ///
    /// # Errors
    /// Text that names the setting and the remedy.
    pub fn check(&self) -> Result<(), String> {
        let positive = [
            ("database_connections", u64::from(self.database_connections)),
            ("store_reads", self.store_reads as u64),
            ("store_timeout_seconds", self.store_timeout_seconds),
            ("cover_jobs", self.cover_jobs as u64),
            ("max_connections", self.max_connections as u64),
            ("max_requests", self.max_requests as u64),
            ("request_timeout_seconds", self.request_timeout_seconds),
            ("header_timeout_seconds", self.header_timeout_seconds),
            ("stall_timeout_seconds", self.stall_timeout_seconds),
            ("keys_poll_seconds", self.keys_poll_seconds),
            ("login_days", u64::from(self.login_days)),
            ("redis_timeout_ms", self.redis_timeout_ms),
        ];
        for (name, value) in positive {
            if value == 0 {
                return Err(format!("{name} is 0; give at least 1"));
            }
        }
        for (name, value) in [("database", &self.database), ("store", &self.store), ("issuer", &self.issuer)]
        {
            if value.is_empty() {
                return Err(format!("{name} is empty; give a value"));
            }
        }
        check_listen("listen", &self.listen)?;
        if !self.admin_listen.is_empty() {
            check_listen("admin_listen", &self.admin_listen)?;
        }
        if self.tls_cert.is_empty() != self.tls_key.is_empty() {
            return Err("tls_cert and tls_key go together; set both or none".into());
        }
        if !self.database_replicas.is_empty() && !is_postgres(&self.database) {
            return Err("database_replicas need a PostgreSQL database; set database to postgres://...".into());
        }
        if self.database_replicas.iter().any(|replica| !is_postgres(replica)) {
            return Err("database_replicas must all be postgres:// addresses".into());
        }
        if !self.redis.is_empty() {
            shared::check_address(&self.redis)?;
        }
        if self.redis_prefix.len() > 64 || !self.redis_prefix.bytes().all(|b| b.is_ascii_graphic()) {
            return Err("redis_prefix has more than 64 characters, or others than visible ASCII".into());
        }
        for (name, secret) in [
            ("media_secret", &self.media_secret),
            ("admin_secret", &self.admin_secret),
            ("edge_admin_secret", &self.edge_admin_secret),
        ] {
            if secret.trim() != secret || secret.chars().any(char::is_control) {
                return Err(format!(
                    "{name} has spaces around it or control characters, which no header can carry"
                ));
            }
        }
        for (name, admins) in [("edge_admins", &self.edge_admins), ("shield_admins", &self.shield_admins)] {
            for admin in admins {
                crate::edge_admin::address(admin, "/purge").map_err(|reason| format!("{name}: {reason}"))?;
            }
        }
        for origin in self.cors_origins.iter().filter(|it| *it != "*") {
            let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
            if host.is_none_or(|host| host.is_empty() || host.contains(['/', ' '])) {
                return Err(format!(
                    "cors_origins has '{origin}'; write https://app.example without a path, or *"
                ));
            }
        }
        crate::http::client::networks(&self.trusted_proxies)
            .map_err(|reason| format!("trusted_proxies: {reason}"))?;
        if self.issuer.len() > 64 {
            return Err("issuer is longer than 64 bytes; give a shorter name".into());
        }
        Ok(())
    }

    pub(crate) fn shared(&self) -> shared::Settings<'_> {
        shared::Settings {
            address: &self.redis,
            prefix: &self.redis_prefix,
            deadline: Duration::from_millis(self.redis_timeout_ms),
        }
    }

    pub(crate) fn login_lifetime(&self) -> Duration {
        Duration::from_secs(u64::from(self.login_days) * 24 * 3600)
    }

    pub(crate) fn request_timeout(&self) -> Duration {
        Duration::from_secs(self.request_timeout_seconds)
    }

    pub(crate) fn store_timeout(&self) -> Duration {
        Duration::from_secs(self.store_timeout_seconds)
    }
}

fn check_listen(name: &str, address: &str) -> Result<(), String> {
    let parts = address.rsplit_once(':').filter(|(host, _)| !host.is_empty());
    match parts.and_then(|(_, port)| port.parse::<u16>().ok()) {
        Some(_) => Ok(()),
        None => Err(format!("{name} is '{address}'; write host:port, as 127.0.0.1:8080 or 0.0.0.0:8080")),
    }
}

fn is_postgres(address: &str) -> bool {
    Dialect::of(address) == Dialect::Postgres
}

impl fmt::Debug for Config {
    /// Shows every setting but the secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut value = serde_json::to_value(self).map_err(|_| fmt::Error)?;
        for name in ["media_secret", "admin_secret", "edge_admin_secret"] {
            if value[name] != "" {
                value[name] = "<set>".into();
            }
        }
        // Addresses of servers hold passwords.
        if !self.redis.is_empty() {
            value["redis"] = "<set>".into();
        }
        if is_postgres(&self.database) {
            value["database"] = "postgres://<set>".into();
        }
        value["database_replicas"] = format!("<{} set>", self.database_replicas.len()).into();
        write!(f, "Config {value}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_fine_and_secrets_stay_secret() {
        let server = || "postgres://me:hush@db/segue".to_owned();
        let config = Config {
            media_secret: "hush".into(),
            database: server(),
            database_replicas: vec![server()],
            redis: "redis://:hush@cache/1".into(),
            ..Config::default()
        };
        assert_eq!(config.check(), Ok(()));
        assert_eq!(Config::default().check(), Ok(()));
        let shown = format!("{config:?}");
        assert!(!shown.contains("hush") && shown.contains("<set>"), "{shown}");
    }

    #[test]
    fn mistakes_are_named() {
        assert!(serde_json::from_str::<Config>(r#"{"listn": "x"}"#).is_err());
        let zero = Config { store_reads: 0, ..Config::default() };
        assert!(zero.check().unwrap_err().contains("store_reads"));
        let replica = Config { database_replicas: vec!["postgres://db/segue".into()], ..Config::default() };
        assert!(replica.check().unwrap_err().contains("need a PostgreSQL database"));
        for address in
            ["hush", "http://:hush@cache", "redis://:hush@cache/x", "rediss://:hush@cache/#insecure"]
        {
            let redis = Config { redis: address.into(), ..Config::default() };
            let error = redis.check().unwrap_err();
            assert!(error.starts_with("redis") && !error.contains("hush"), "{error}");
        }
        let secret = Config { media_secret: "hush ".into(), ..Config::default() };
        assert!(!secret.check().unwrap_err().contains("hush"));
        let cors = Config { cors_origins: vec!["foo".into()], ..Config::default() };
        assert!(cors.check().unwrap_err().contains("cors_origins"));
        let listen = Config { listen: ":65535".into(), ..Config::default() };
        assert!(listen.check().unwrap_err().contains("host:port"));
        let empty = Config { store: String::new(), ..Config::default() };
        assert!(empty.check().unwrap_err().contains("store"));
    }
}
