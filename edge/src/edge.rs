//! What all workers of an edge share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use http::HeaderValue;

use crate::access::{Forgeries, KeyRing, Revoked, Verdicts};
use crate::address::Proxies;
use crate::cache::{Context, Depot, Store};
use crate::clock::{self, Clock};
use crate::config::{AccessLog, Config};
use crate::fill::Table;
use crate::load::{Lack, Load};
use crate::metrics::Metrics;
use crate::prefetch::Prefetch;
use crate::secret::Secret;
use crate::trace::Traces;
use crate::upstream::Bases;

/// State and settings shared by all workers. A new configuration makes a new one, which has the state in common with the one
/// before.
#[derive(Debug)]
pub(crate) struct Edge {
    pub(crate) config: Config,
    /// How this process names itself in `CDN-Loop` (RFC 8586): edges of one name may stand behind one another.
    pub(crate) loop_name: String,
    /// The same process for the edges behind it.
    pub(crate) node: HeaderValue,
    pub(crate) access_log: AccessLog,
    pub(crate) clock: Clock,
    pub(crate) store: Arc<Store>,
    pub(crate) depot: Arc<Depot>,
    pub(crate) load: Arc<Load>,
    pub(crate) fills: Arc<Table>,
    pub(crate) bases: Arc<Bases>,
    /// What edges show that this one shields.
    pub(crate) downstream: Option<Secret>,
    pub(crate) prefetch: Arc<Prefetch>,
    pub(crate) keys: Arc<KeyRing>,
    pub(crate) verdicts: Arc<Verdicts>,
    pub(crate) forgeries: Arc<Forgeries>,
    pub(crate) revoked: Arc<Revoked>,
    pub(crate) proxies: Proxies,
    pub(crate) traces: Traces,
    pub(crate) metrics: Metrics,
    draining: Arc<AtomicBool>,
    /// When the last warning about an upstream was written.
    warned_ms: Arc<AtomicU64>,
}

/// Shortest time between two warnings about upstreams.
const WARN_PAUSE_MS: u64 = 1000;

/// A number that no other process has, in hexadecimal digits.
fn node() -> Result<String, String> {
    let mut bytes = [0; 8];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| "the system gives no random numbers")?;
    Ok(format!("{:016x}", u64::from_ne_bytes(bytes)))
}

impl Edge {
    /// An edge with an empty cache.
    ///
    /// # Errors
    /// When a setting makes no sense.
    pub(crate) fn new(config: Config) -> Result<Self, String> {
        config.check()?;
        let node = node()?;
        let metrics = Metrics::new();
        let load = Arc::new(Load::new(&config));
        let keys = Arc::<KeyRing>::default();
        let revoked = Revoked::open(&config.revoked_file, &keys, clock::unix_s());
        Ok(Self {
            loop_name: format!("{}; node={node}", config.name),
            node: HeaderValue::from_str(&node).map_err(|_| "digits are field text")?,
            access_log: config.access_log()?,
            clock: Clock::start(),
            depot: Arc::new(Depot::new(config.sendfile_bytes)),
            store: Arc::new(Store::new(config.cache_bytes, metrics.evictions.clone())),
            fills: Arc::new(Table::new(load.clone())),
            load,
            bases: Arc::new(Bases::new(&config, &metrics)?),
            downstream: Secret::new(&config.downstream_secret),
            prefetch: Arc::new(Prefetch::new(config.prefetch_fills)),
            keys,
            verdicts: Arc::new(Verdicts::new()),
            forgeries: Arc::new(Forgeries::new()),
            revoked: Arc::new(revoked),
            proxies: Proxies::new(&config.trusted_proxies)?,
            traces: Traces::new(!config.otlp_endpoint.is_empty(), config.trace_sample, &metrics),
            metrics,
            draining: Arc::default(),
            warned_ms: Arc::default(),
            config,
        })
    }

    /// The same edge with other settings, which were checked. Limits that both share are set by [`Edge::take_over`].
    ///
    /// # Errors
    /// When a setting makes no sense.
    pub(crate) fn renewed(&self, config: Config) -> Result<Self, String> {
        Ok(Self {
            loop_name: self.loop_name.clone(),
            node: self.node.clone(),
            access_log: config.access_log()?,
            clock: self.clock,
            depot: self.depot.clone(),
            store: self.store.clone(),
            fills: self.fills.clone(),
            load: self.load.clone(),
            bases: Arc::new(self.bases.renewed(&config, &self.metrics)?),
            downstream: Secret::new(&config.downstream_secret),
            prefetch: self.prefetch.clone(),
            keys: self.keys.clone(),
            verdicts: self.verdicts.clone(),
            forgeries: self.forgeries.clone(),
            revoked: self.revoked.clone(),
            proxies: Proxies::new(&config.trusted_proxies)?,
            traces: self.traces.renewed(config.trace_sample),
            metrics: self.metrics.clone(),
            draining: self.draining.clone(),
            warned_ms: self.warned_ms.clone(),
            config,
        })
    }

    /// The settings of this edge are in force from now on, in place of those of `before`.
    pub(crate) fn take_over(&self, before: &Self) {
        self.load.set_limits(&self.config);
        self.bases.take_over(&before.bases, self.clock.now_ms());
        before.bases.forget_all_but(&self.bases, &self.metrics);
    }

    /// What decides about storing, beside the response.
    pub(crate) fn context(&self, media: bool) -> Context {
        let config = &self.config;
        Context {
            media,
            authorised: false,
            personal: false,
            object_bytes: config.object_bytes.min(config.cache_bytes),
            negative_seconds: config.negative_seconds,
            error_seconds: config.error_seconds,
            stale_if_error_seconds: config.stale_if_error_seconds,
        }
    }

    /// Whether load balancers should send requests here.
    pub(crate) fn is_ready(&self) -> bool {
        !self.is_draining() && (self.config.open || self.keys.is_loaded())
    }

    /// Notes that there was no room for a fetch.
    pub(crate) fn shed(&self, lack: Lack) {
        self.metrics.shed(lack);
        if self.may_warn() {
            let (fills, bytes) = (self.load.fills(), self.load.coming() + self.load.bodies());
            tracing::warn!(lack = lack.as_str(), fills, bytes, "no room for another fetch: it is refused");
        }
    }

    /// Whether to warn about an upstream: an outage must not fill the log with a line for each request.
    pub(crate) fn may_warn(&self) -> bool {
        let (now, last) = (self.clock.now_ms(), self.warned_ms.load(Ordering::Relaxed));
        let due = last == 0 || now.saturating_sub(last) >= WARN_PAUSE_MS;
        due && self.warned_ms.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    pub(crate) fn begin_draining(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }
}
