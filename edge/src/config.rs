//! Everything that can be set on an edge. `Default` is a working edge in front of an origin on the same machine.

use std::time::Duration;

use http::Uri;
use serde::{Deserialize, Serialize};

use crate::address::Proxies;

/// Most worker threads; each has a listener, a runtime and connections of its own.
const MAX_WORKERS: u64 = 1024;
/// Longest path of a Unix socket, bytes, with a number behind it while it is made.
const MAX_SOCKET_PATH: usize = 96;
/// Where an origin publishes its signing keys.
const KEY_SET_PATH: &str = "/.well-known/segue-keys.json";

/// Settings of an edge. An empty text or a 0 switches a thing off or leaves it to the edge, where stated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Address for players, `host:port`; port 0 picks a free one.
    pub listen: String,
    /// Address for health, metrics and purge; keep it away from the public.
    pub admin_listen: String,
    /// Bearer secret for purging; empty: purging is off.
    pub admin_secret: String,
    /// Path of a Unix socket where a new process of this user is given the listening sockets, so that it takes over without
    /// a refused connection; empty: off.
    pub handover: String,
    /// Name of this edge in `Cache-Status` and `Via`: letters, digits, `-`, `_` and `.`.
    pub name: String,
    /// Worker threads, each with a listener of its own, 1024 at most; 0: one per core.
    pub workers: u64,

    /// Base URLs of edges that are asked before `upstreams`; of several, every asset has its own two.
    pub shields: Vec<String>,
    /// Base URLs to fetch from, tried in this order.
    pub upstreams: Vec<String>,
    /// PEM file with the authorities to trust for https upstreams; empty: those of the system.
    pub upstream_ca: String,
    /// PEM file with the certificate chain that is shown to https upstreams that ask for one; empty: none.
    pub upstream_cert: String,
    /// PEM file with the private key of `upstream_cert`.
    pub upstream_key: String,
    /// HTTP/2 with https upstreams that offer it.
    pub upstream_http2: bool,
    /// Bearer secret shown to shields and upstreams; empty: none.
    pub media_secret: String,
    /// Bearer secret of edges that this one shields: what they show as `media_secret`; empty: none are served.
    pub downstream_secret: String,
    /// Requests to another upstream after a failure that may be in vain, in percent of all; 0: none.
    pub retry_percent: u64,
    /// Requests to another upstream, or to the only one anew, while the first is silent for longer than it mostly is, in
    /// percent of all; 0: none.
    pub hedge_percent: u64,
    /// Seconds after which an upstream that nobody has asked is asked for `probe_path`; 0: never.
    pub probe_seconds: u64,
    /// What upstreams are asked for to see how they do; empty: the signing keys, and nothing in open mode.
    pub probe_path: String,
    /// Where the public signing keys are polled; empty: `/.well-known/segue-keys.json` on the first upstream.
    pub key_set_url: String,
    /// Seconds between polls of the signing keys.
    pub key_poll_seconds: u64,
    /// File for the last signing keys that were polled, for a start without an origin; empty: none is kept.
    pub key_set_file: String,
    /// File for what was revoked, so that it is still refused after a restart; empty: it is remembered in memory alone.
    pub revoked_file: String,
    /// Serve every path without a token, and tell every method on: a plain caching reverse proxy.
    pub open: bool,
    /// In open mode, what requests to upstreams name as host; empty: the upstream's own name.
    pub upstream_host: String,
    /// In open mode, largest content of a request that is told on, bytes.
    pub request_body_bytes: u64,

    /// Bytes of memory for cached objects.
    pub cache_bytes: u64,
    /// Bytes of memory, beside `cache_bytes`, for a second copy of hot objects that the kernel sends over plain TCP
    /// without copying; 0: none.
    pub sendfile_bytes: u64,
    /// Largest object that is cached in one piece, bytes; larger ones are cached in slices, or pass through.
    pub object_bytes: u64,
    /// Bytes of a slice of a larger object, if its upstream tells versions apart by strong entity tags and gives parts; 0, or
    /// more than `object_bytes`: larger objects pass through.
    pub slice_bytes: u64,
    /// Most fetches from upstreams at one time, those for one client included; beyond, what is not in memory is
    /// answered 503.
    pub fills: u64,
    /// Bytes of memory, beside `cache_bytes`, for bodies that are coming in, or that clients still take after the cache
    /// let go of them; beyond, what is not in memory is answered 503. At least `object_bytes`.
    pub fill_bytes: u64,
    /// Seconds for which 404 and 410 are remembered when the upstream does not say; 60 at most.
    pub negative_seconds: u64,
    /// Seconds for which server errors of the upstream are remembered; 5 at most.
    pub error_seconds: u64,
    /// Seconds for which a stale object may stand in for a failing upstream that does not say.
    pub stale_if_error_seconds: u64,

    /// Objects that are fetched at one time before anyone asks for them; 0: none.
    pub prefetch_fills: u64,

    /// PEM file with the certificate chain; empty: no TLS. Read again when it changes.
    pub tls_cert: String,
    /// PEM file with the private key of `tls_cert`.
    pub tls_key: String,
    /// More certificates, each as `chain.pem:key.pem`, shown to clients that ask for one of their names (SNI); `tls_cert`,
    /// or the first of these without it, is shown to all others. Read again when they change.
    pub tls_certs: Vec<String>,
    /// TLS with a certificate made at each start, for development.
    pub tls_self_signed: bool,
    /// HTTP/2 without TLS, by prior knowledge.
    pub h2c: bool,

    /// Milliseconds to connect to an upstream.
    pub connect_timeout_ms: u64,
    /// Milliseconds to wait for an upstream's response head.
    pub first_byte_timeout_ms: u64,
    /// Milliseconds of silence in the middle of an upstream's body.
    pub upstream_idle_timeout_ms: u64,

    /// Largest request head, bytes.
    pub header_bytes: u64,
    /// Longest request target, bytes.
    pub target_bytes: u64,
    /// Milliseconds to finish a TLS handshake, and from the first byte of a request head to its last.
    pub header_timeout_ms: u64,
    /// Milliseconds that a connection may stay open between requests.
    pub idle_timeout_ms: u64,
    /// Milliseconds for which a client may take no byte of its response.
    pub stall_timeout_ms: u64,
    /// Open connections, all together; 0: no limit.
    pub connections: u64,
    /// Open connections of one address (IPv6: of one /64); 0: no limit.
    pub connections_per_address: u64,
    /// Forged tokens of one address (IPv6: of one /64) in a minute, beyond which it is answered 429 for new ones; 0: no limit.
    pub forgeries_per_minute: u64,
    /// Addresses and networks of proxies in front, as `10.0.0.0/8`: limits of one address are for the clients they tell of.
    pub trusted_proxies: Vec<String>,
    /// Trusted proxies begin each connection with whose it is: the PROXY protocol, version 1 or 2.
    pub proxy_protocol: bool,
    /// Requests at one time on one HTTP/2 connection.
    pub h2_streams: u64,

    /// Which requests are logged: `all`, `errors` (status 500 and above) or `off`.
    pub access_log: String,
    /// Of the requests that were answered without an error, one in so many is logged by each worker; errors always are.
    pub access_log_sample: u64,
    /// Base URL of an OpenTelemetry collector that takes OTLP over HTTP, as `http://127.0.0.1:4318`; empty: no spans are
    /// made. Requests of a trace that its caller sampled are recorded.
    pub otlp_endpoint: String,
    /// Of the requests without a trace, one in so many begins one on each worker, if there is a collector; 0: none.
    pub trace_sample: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8081".into(),
            admin_listen: "127.0.0.1:8082".into(),
            admin_secret: String::new(),
            handover: String::new(),
            name: "segue-edge".into(),
            workers: 0,
            shields: Vec::new(),
            upstreams: vec!["http://127.0.0.1:8080".into()],
            upstream_ca: String::new(),
            upstream_cert: String::new(),
            upstream_key: String::new(),
            upstream_http2: false,
            media_secret: String::new(),
            downstream_secret: String::new(),
            retry_percent: 20,
            hedge_percent: 5,
            probe_seconds: 5,
            probe_path: String::new(),
            key_set_url: String::new(),
            key_poll_seconds: 10,
            key_set_file: String::new(),
            revoked_file: String::new(),
            open: false,
            upstream_host: String::new(),
            request_body_bytes: 64 << 20,
            cache_bytes: 512 << 20,
            sendfile_bytes: 64 << 20,
            object_bytes: 16 << 20,
            slice_bytes: 1 << 20,
            fills: 4096,
            fill_bytes: 256 << 20,
            negative_seconds: 30,
            error_seconds: 2,
            stale_if_error_seconds: 86_400,
            prefetch_fills: 16,
            tls_cert: String::new(),
            tls_key: String::new(),
            tls_certs: Vec::new(),
            tls_self_signed: false,
            h2c: false,
            connect_timeout_ms: 2_000,
            first_byte_timeout_ms: 10_000,
            upstream_idle_timeout_ms: 10_000,
            header_bytes: 16 << 10,
            target_bytes: 8 << 10,
            header_timeout_ms: 10_000,
            idle_timeout_ms: 60_000,
            stall_timeout_ms: 30_000,
            connections: 20_000,
            connections_per_address: 1_000,
            forgeries_per_minute: 60,
            trusted_proxies: Vec::new(),
            proxy_protocol: false,
            h2_streams: 128,
            access_log: "errors".into(),
            access_log_sample: 1,
            otlp_endpoint: String::new(),
            trace_sample: 1000,
        }
    }
}

/// Which requests are logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AccessLog {
    All,
    Errors,
    Off,
}

impl Config {
    /// Checks what the types cannot say.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.upstreams.is_empty() {
            return Err("upstreams is empty; name at least one base URL".into());
        }
        if self.name.is_empty()
            || !self.name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        {
            return Err("name may have letters, digits, '-', '_' and '.' only".into());
        }
        self.check_addresses()?;
        if self.handover.len() > MAX_SOCKET_PATH {
            return Err(format!("handover is longer than {MAX_SOCKET_PATH} bytes; choose a shorter path"));
        }
        self.check_upstreams()?;
        self.check_tls()?;
        self.check_ranges()?;
        Proxies::new(&self.trusted_proxies)?;
        if self.proxy_protocol && self.trusted_proxies.is_empty() {
            return Err(
                "proxy_protocol is believed of trusted_proxies only, and there are none; name them, or switch it off".into()
            );
        }
        self.access_log().map(drop)
    }

    fn check_upstreams(&self) -> Result<(), String> {
        if self.upstream_cert.is_empty() != self.upstream_key.is_empty() {
            return Err("upstream_cert and upstream_key go together; set both or none".into());
        }
        if self.open && !self.downstream_secret.is_empty() {
            return Err(
                "downstream_secret has no meaning with open, where everyone is served; take one out".into()
            );
        }
        if !self.probe_path.is_empty() && !self.probe_path.starts_with('/') {
            return Err("probe_path is no path; begin it with a '/'".into());
        }
        let percents = [("retry_percent", self.retry_percent), ("hedge_percent", self.hedge_percent)];
        match percents.iter().find(|(_, value)| *value > 100) {
            Some((name, _)) => Err(format!("{name} is out of range; set it between 0 and 100")),
            None => Ok(()),
        }
    }

    fn check_tls(&self) -> Result<(), String> {
        if self.tls_cert.is_empty() != self.tls_key.is_empty() {
            return Err("tls_cert and tls_key go together; set both or none".into());
        }
        let has_files = !self.tls_cert.is_empty() || !self.tls_certs.is_empty();
        if self.tls_self_signed && has_files {
            return Err("tls_self_signed excludes tls_cert and tls_certs; take one of them out".into());
        }
        self.tls_certs.iter().try_for_each(|pair| segue_certificate::split(pair).map(drop))
    }

    fn check_ranges(&self) -> Result<(), String> {
        if self.workers > MAX_WORKERS {
            return Err(format!(
                "workers is {}; set it between 1 and {MAX_WORKERS}, or 0 for one per core",
                self.workers
            ));
        }
        if self.fill_bytes < self.object_bytes.min(self.cache_bytes) {
            return Err("fill_bytes has no room for one object; set it to object_bytes at least".into());
        }
        let ranges = [
            ("fills", self.fills),
            ("key_poll_seconds", self.key_poll_seconds),
            ("connect_timeout_ms", self.connect_timeout_ms),
            ("first_byte_timeout_ms", self.first_byte_timeout_ms),
            ("upstream_idle_timeout_ms", self.upstream_idle_timeout_ms),
            ("header_timeout_ms", self.header_timeout_ms),
            ("idle_timeout_ms", self.idle_timeout_ms),
            ("stall_timeout_ms", self.stall_timeout_ms),
            ("header_bytes", self.header_bytes),
            ("target_bytes", self.target_bytes),
            ("h2_streams", self.h2_streams),
            ("access_log_sample", self.access_log_sample),
        ];
        match ranges.iter().find(|(_, value)| *value == 0 || *value > u64::from(u32::MAX)) {
            Some((name, _)) => Err(format!("{name} is out of range; set it between 1 and {}", u32::MAX)),
            None => Ok(()),
        }
    }

    fn check_addresses(&self) -> Result<(), String> {
        check_listen("listen", &self.listen)?;
        check_listen("admin_listen", &self.admin_listen)?;
        self.shields.iter().try_for_each(|url| check_base("shields", url))?;
        self.upstreams.iter().try_for_each(|url| check_base("upstreams", url))?;
        let others = [("key_set_url", &self.key_set_url), ("otlp_endpoint", &self.otlp_endpoint)];
        others
            .iter()
            .filter(|(_, url)| !url.is_empty())
            .try_for_each(|(setting, url)| check_url(setting, url))
    }

    pub(crate) fn access_log(&self) -> Result<AccessLog, String> {
        match self.access_log.as_str() {
            "all" => Ok(AccessLog::All),
            "errors" => Ok(AccessLog::Errors),
            "off" => Ok(AccessLog::Off),
            other => Err(format!("access_log is '{other}'; set 'all', 'errors' or 'off'")),
        }
    }

    pub(crate) fn key_set_url(&self) -> String {
        if !self.key_set_url.is_empty() {
            return self.key_set_url.clone();
        }
        let base = self.upstreams.first().map_or("", |base| base.trim_end_matches('/'));
        format!("{base}{KEY_SET_PATH}")
    }

    /// What upstreams are probed with, and how often.
    pub(crate) fn probe(&self) -> Option<(&str, Duration)> {
        let path = match self.probe_path.as_str() {
            "" if self.open => return None,
            "" => KEY_SET_PATH,
            path => path,
        };
        (self.probe_seconds > 0).then(|| (path, Duration::from_secs(self.probe_seconds)))
    }

    /// Whether anything is fetched over TLS.
    pub(crate) fn fetches_over_tls(&self) -> bool {
        let https = |url: &String| url.starts_with("https:");
        self.shields.iter().chain(&self.upstreams).any(https)
            || https(&self.key_set_url())
            || https(&self.otlp_endpoint)
    }

    pub(crate) fn worker_count(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        usize::try_from(self.workers).ok().filter(|count| *count > 0).unwrap_or_else(cores)
    }

    /// Whether players connect over TLS.
    pub fn uses_tls(&self) -> bool {
        self.tls_self_signed || !self.tls_cert.is_empty() || !self.tls_certs.is_empty()
    }
}

fn check_listen(setting: &str, address: &str) -> Result<(), String> {
    let parts = address.rsplit_once(':').filter(|(host, _)| !host.is_empty());
    match parts.and_then(|(_, port)| port.parse::<u16>().ok()) {
        Some(_) => Ok(()),
        None => Err(format!("{setting} is '{address}'; write host:port, as 127.0.0.1:8081 or 0.0.0.0:8081")),
    }
}

/// An upstream's base: what is asked for is put behind it, so that it cannot have a query.
fn check_base(setting: &str, url: &str) -> Result<(), String> {
    check_url(setting, url)?;
    match url.split_once('?') {
        Some((base, _)) => Err(format!("{setting}: '{base}' is followed by a query; take it out")),
        None => Ok(()),
    }
}

/// Addresses are logged, so they must not hold secrets; one that may is not repeated here either.
fn check_url(setting: &str, url: &str) -> Result<(), String> {
    if url.contains('@') {
        return Err(format!(
            "{setting}: an address has an '@', as with a user name or password, which would show in logs; take them \
             out and set media_secret instead (an '@' of the path is written %40)"
        ));
    }
    let uri = url.parse::<Uri>().ok();
    let fits = |uri: &Uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.authority().is_some();
    if uri.as_ref().is_some_and(fits) {
        return Ok(());
    }
    let shown = url.split('?').next().unwrap_or_default();
    Err(format!("{setting}: '{shown}' cannot be fetched from; write http://host:port or https://host"))
}

/// A setting in milliseconds as a duration.
pub(crate) fn millis(value: u64) -> Duration {
    Duration::from_millis(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_hold() {
        assert_eq!(Config::default().check(), Ok(()));
        assert_eq!(Config::default().key_set_url(), "http://127.0.0.1:8080/.well-known/segue-keys.json");
        assert!(Config::default().worker_count() >= 1);
    }

    #[test]
    fn wrong_settings_are_named() {
        type Change = fn(&mut Config);
        let wrong: &[(&str, Change)] = &[
            ("listen", |c| c.listen = ":65535".into()),
            ("admin_listen", |c| c.admin_listen = "localhost".into()),
            ("workers", |c| c.workers = 1_000_000),
            ("handover", |c| c.handover = "x".repeat(97)),
            ("admin_listen", |c| c.admin_listen = "127.0.0.1:65536".into()),
            ("upstreams", |c| c.upstreams = vec!["ftp://h".into()]),
            ("upstreams", |c| c.upstreams = vec!["http://h".into(), "h:80".into()]),
            ("upstreams", |c| c.upstreams = vec!["http://".into()]),
            ("upstreams", |c| c.upstreams = vec!["http://a b".into()]),
            ("upstreams", |c| c.upstreams = vec!["http://h/?a=b".into()]),
            ("shields", |c| c.shields = vec!["h:80".into()]),
            ("upstream_key", |c| c.upstream_cert = "x".into()),
            ("downstream_secret", |c| (c.open, c.downstream_secret) = (true, "hush".into())),
            ("probe_path", |c| c.probe_path = "healthz".into()),
            ("retry_percent", |c| c.retry_percent = 101),
            ("hedge_percent", |c| c.hedge_percent = 101),
            ("key_set_url", |c| c.key_set_url = "h/keys.json".into()),
            ("otlp_endpoint", |c| c.otlp_endpoint = "h:4318".into()),
            ("upstreams", |c| c.upstreams.clear()),
            ("name", |c| c.name = "a b".into()),
            ("tls_key", |c| c.tls_cert = "x".into()),
            ("tls_self_signed", |c| {
                c.tls_self_signed = true;
                (c.tls_cert, c.tls_key) = ("x".into(), "y".into());
            }),
            ("tls_self_signed", |c| (c.tls_self_signed, c.tls_certs) = (true, vec!["c:k".into()])),
            ("tls_certs", |c| c.tls_certs = vec!["c.pem".into()]),
            ("idle_timeout_ms", |c| c.idle_timeout_ms = 0),
            ("header_bytes", |c| c.header_bytes = u64::MAX),
            ("fills", |c| c.fills = 0),
            ("trusted_proxies", |c| c.trusted_proxies = vec!["balancer".into()]),
            ("trusted_proxies", |c| c.proxy_protocol = true),
            ("fill_bytes", |c| c.fill_bytes = c.object_bytes - 1),
            ("access_log", |c| c.access_log = "some".into()),
        ];
        for &(name, change) in wrong {
            let mut config = Config::default();
            change(&mut config);
            let error = config.check().unwrap_err();
            assert!(error.contains(name), "{error}");
        }
    }

    #[test]
    fn secrets_in_addresses_are_refused_and_not_repeated() {
        for url in ["http://user:hush@h", "user:hush@h", "https://hush@h/p", "http://user:hu/hush@h"] {
            let upstream = Config { upstreams: vec![url.into()], ..Config::default() };
            let keys = Config { key_set_url: url.into(), ..Config::default() };
            for config in [upstream, keys] {
                let error = config.check().unwrap_err();
                assert!(error.contains("media_secret") && !error.contains("hush"), "{error}");
            }
        }
    }

    #[test]
    fn queries_are_not_repeated() {
        for url in ["ftp://h/?hush", "http://h/?hush", "?hush"] {
            let error = Config { upstreams: vec![url.into()], ..Config::default() }.check().unwrap_err();
            assert!(!error.contains("hush"), "{error}");
        }
    }

    #[test]
    fn unknown_settings_are_refused() {
        assert!(serde_json::from_str::<Config>(r#"{"speed": 9}"#).is_err());
        assert_eq!(serde_json::from_str::<Config>("{}").unwrap(), Config::default());
    }
}
