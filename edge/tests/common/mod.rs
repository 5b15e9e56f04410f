//! A test bench: a programmable upstream, an edge in front of it, and clients.
#![allow(dead_code, unused_imports, missing_docs, unreachable_pub, clippy::unwrap_used)]

pub mod client;
pub mod frames;
mod tls_upstream;
pub mod upstream;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use segue_edge::{Config, Running};
use segue_manifests::token::{Claims, Method, SigningKeys, mint};

pub use client::{Reply, get, request};
pub use tls_upstream::{TlsUpstream, tls_upstream};
pub use upstream::{Answer, Step, Upstream};

pub const ASSET: &str = "00112233445566778899aabbccddeeff";
pub const BASE: &str = "/v1/a/00112233445566778899aabbccddeeff/0a1b2c3d4e5f/";
pub const ADMIN_SECRET: &str = "admin-secret";
pub const MEDIA_SECRET: &str = "media-secret";

pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

pub fn claims() -> Claims {
    Claims {
        issuer: "test".into(),
        subject: None,
        expires: now() + 600,
        not_before: now() - 5,
        issued: now(),
        token_id: [7; 16],
        path_prefix: BASE.into(),
        methods: vec![Method::Get, Method::Head],
        playback_session: None,
        max_kbps: None,
    }
}

/// The path below the asset with a token in it.
pub fn signed(token: &str, tail: &str) -> String {
    format!("/v1/~{token}/{}{tail}", BASE.strip_prefix("/v1/").unwrap())
}

pub struct Bench {
    pub upstream: Upstream,
    pub keys: SigningKeys,
    pub edge: Running,
    pub token: String,
}

/// Settings for a test: free ports, two workers, short waits.
pub fn config(upstream: &Upstream) -> Config {
    Config {
        listen: "127.0.0.1:0".into(),
        admin_listen: "127.0.0.1:0".into(),
        admin_secret: ADMIN_SECRET.into(),
        media_secret: MEDIA_SECRET.into(),
        workers: 2,
        upstreams: vec![upstream.url()],
        key_poll_seconds: 1,
        first_byte_timeout_ms: 3_000,
        upstream_idle_timeout_ms: 1_000,
        ..Config::default()
    }
}

impl Bench {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// An edge with other settings, once it is ready.
    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let keys = SigningKeys::generate(now());
        let upstream = Upstream::start(keys.public().to_json()).await;
        let mut config = config(&upstream);
        change(&mut config);
        let edge = segue_edge::start(config).await.unwrap();
        let bench = Self { token: mint(&claims(), &keys), upstream, keys, edge };
        bench.until_ready().await;
        bench
    }

    pub async fn until_ready(&self) {
        while get(self.edge.admin_addr(), "/readyz").await.status != 200 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// A path below the asset, with a token.
    pub fn path(&self, tail: &str) -> String {
        signed(&self.token, tail)
    }

    /// Fetches a path below the asset.
    pub async fn get(&self, tail: &str) -> Reply {
        self.ask("GET", tail, &[]).await
    }

    pub async fn ask(&self, method: &str, tail: &str, headers: &[(&str, &str)]) -> Reply {
        request(self.edge.addr(), method, &self.path(tail), headers, "").await
    }

    pub async fn purge(&self, body: &str) -> Reply {
        self.admin("/purge", body).await
    }

    /// A call of the admin listener, with its secret.
    pub async fn admin(&self, path: &str, body: &str) -> Reply {
        let bearer = format!("Bearer {ADMIN_SECRET}");
        request(self.edge.admin_addr(), "POST", path, &[("authorization", &bearer)], body).await
    }

    /// Value of a metric, labels included in the name; 0 when it is not there.
    pub async fn metric(&self, name: &str) -> u64 {
        let text = get(self.edge.admin_addr(), "/metrics").await.text();
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
        value.unwrap_or(0)
    }

    /// Waits until a metric reaches a value.
    pub async fn until_metric(&self, name: &str, least: u64) {
        while self.metric(name).await < least {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// Ports that are free now, and that no outgoing connection takes.
pub fn free_ports(count: usize) -> Vec<u16> {
    let any = || std::net::TcpListener::bind(("127.0.0.1", fastrand::u16(10_000..16_000)));
    let listeners: Vec<_> = std::iter::repeat_with(any).filter_map(Result::ok).take(count).collect();
    listeners.iter().map(|listener| listener.local_addr().unwrap().port()).collect()
}
