//! All upstreams of an edge, and the order in which they are asked.

use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use http::HeaderMap;

use super::base::Base;
use super::budget::Budget;
use super::reminders::Reminders;
use crate::config::Config;
use crate::metrics::Metrics;

/// Shields that one request tries before it goes past them.
const SHIELDS_TRIED: usize = 2;
/// Requests in vain that an outage may begin with.
const RETRIES_SAVED: u64 = 256;
const HEDGES_SAVED: u64 = 16;

/// Where to fetch from; one for all workers of an edge.
#[derive(Debug)]
pub(crate) struct Bases {
    /// Shields first, then the others in the order of the settings.
    pub(super) all: Vec<Base>,
    shields: usize,
    /// For asking another one after a failure.
    pub(super) retries: Budget,
    /// For asking another one while the first is silent.
    pub(super) hedges: Budget,
    pub(crate) reminders: Arc<Reminders>,
}

impl Bases {
    /// Those that the configuration names.
    ///
    /// # Errors
    /// When one is not a URL.
    pub(crate) fn new(config: &Config, metrics: &Metrics) -> Result<Self, String> {
        let texts = config.shields.iter().chain(&config.upstreams).enumerate();
        Ok(Self {
            all: texts.map(|(number, text)| Base::parse(text, number, metrics)).collect::<Result<_, _>>()?,
            shields: config.shields.len(),
            retries: Budget::new(config.retry_percent, RETRIES_SAVED),
            hedges: Budget::new(config.hedge_percent, HEDGES_SAVED),
            reminders: Arc::new(Reminders::new()),
        })
    }

    /// Those of another configuration; what is known of upstreams that stand in both goes on.
    ///
    /// # Errors
    /// When one is not a URL.
    pub(crate) fn renewed(&self, config: &Config, metrics: &Metrics) -> Result<Self, String> {
        let mut next = Self::new(config, metrics)?;
        let known = |base: Base| match self.all.iter().find(|before| before.text == base.text) {
            Some(before) => base.known(before),
            None => base,
        };
        next.all = next.all.into_iter().map(known).collect();
        next.reminders = self.reminders.clone();
        Ok(next)
    }

    /// These are asked from now on, in place of `before`: a shield was not asked for what belonged to another one until now.
    pub(crate) fn take_over(&self, before: &Self, now_ms: u64) {
        let has = |bases: &Self, base: &Base| bases.shields().iter().any(|it| it.text == base.text);
        let lost = before.shields().iter().any(|base| !has(self, base));
        for base in self.shields().iter().filter(|base| lost || !has(before, base)) {
            base.processes.anew(now_ms);
            self.reminders.anew(now_ms);
        }
    }

    fn shields(&self) -> &[Base] {
        &self.all[..self.shields]
    }

    /// Takes those that are not in `others`, too, out of the metrics.
    pub(crate) fn forget_all_but(&self, others: &Self, metrics: &Metrics) {
        let who = |base: &Base| (base.number, base.host.clone());
        let kept: Vec<_> = others.all.iter().map(who).collect();
        let gone = self.all.iter().map(who).filter(|who| !kept.contains(who));
        gone.for_each(|(number, host)| metrics.upstreams.forget(number, &host));
    }

    /// Notes which process of an upstream gave an answer.
    pub(super) fn heard(&self, base: usize, answer: &HeaderMap, now_ms: u64) {
        let Some(base) = self.shields().get(base) else { return };
        if base.processes.heard(answer, now_ms) {
            base.health.anew(now_ms);
            self.reminders.anew(now_ms);
        }
    }

    /// The shield that a path belongs to.
    pub(super) fn shield_of(&self, target: &str) -> Option<usize> {
        self.order(target).into_iter().next().filter(|first| *first < self.shields)
    }

    /// Shows in the metrics which of them are asked now.
    pub(crate) fn show(&self) {
        self.all.iter().for_each(|base| base.meter.set_asked(base.health.is_asked()));
    }

    /// The order in which they are asked for a path: the shields that it belongs to, then the others.
    ///
    /// Rendezvous hashing: every asset has its own order of shields, so that each is kept by one of them, and one that
    /// comes or goes moves only its own.
    pub(super) fn order(&self, target: &str) -> Vec<usize> {
        let mut shields: Vec<usize> = (0..self.shields).collect();
        if self.shields > 1 {
            let place = belongs(target);
            shields.sort_by_cached_key(|shield| std::cmp::Reverse(weight(place, &self.all[*shield].text)));
        }
        shields.truncate(SHIELDS_TRIED);
        shields.extend(self.shields..self.all.len());
        shields
    }
}

/// What of a path decides about its shield: all objects of an asset lie on one, as `/v1/a/<asset>`, so that each request
/// finds what the one before it made the shield pull. Else the whole path.
fn belongs(target: &str) -> &str {
    let path = target.split('?').next().unwrap_or_default();
    match path.match_indices('/').nth(3) {
        Some((end, _)) if path.starts_with("/v1/a/") => &path[..end],
        _ => path,
    }
}

fn weight(place: &str, shield: &str) -> [u8; 32] {
    let mut digest = Context::new(&SHA256);
    digest.update(place.as_bytes());
    digest.update(&[0]);
    digest.update(shield.as_bytes());
    digest.finish().as_ref().try_into().expect("SHA-256 has 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bases(shields: &[&str]) -> Bases {
        let shields = shields.iter().map(|&it| it.to_owned()).collect();
        let upstreams = vec!["http://o1".into(), "http://o2".into()];
        Bases::new(&Config { shields, upstreams, ..Config::default() }, &Metrics::new()).unwrap()
    }

    fn names(bases: &Bases, target: &str) -> Vec<String> {
        bases.order(target).into_iter().map(|place| bases.all[place].text.clone()).collect()
    }

    #[test]
    fn what_is_known_of_an_upstream_outlives_its_place() {
        let metrics = Metrics::new();
        let first = bases(&[]);
        assert!((0..5).any(|_| first.all[1].health.failed(1)));
        assert!(!first.all[1].health.is_asked());
        let upstreams = vec!["http://o2".into(), "http://o3".into()];
        let next = first.renewed(&Config { upstreams, ..Config::default() }, &metrics).unwrap();
        assert!(!next.all[0].health.is_asked() && next.all[1].health.is_asked());
    }

    #[test]
    fn shields_may_lack_what_belonged_to_another_one() {
        let metrics = Metrics::new();
        let two = bases(&["http://s1", "http://s2"]);
        let lacking_since = |shields: &[&str]| {
            let shields = shields.iter().map(|&it| it.to_owned()).collect();
            let next = two.renewed(&Config { shields, ..Config::default() }, &metrics).unwrap();
            next.take_over(&two, 9);
            let shields = next.shields().iter().map(|base| base.processes.newest_ms());
            (next.reminders.newest_ms(), shields.collect::<Vec<_>>())
        };
        assert_eq!(lacking_since(&["http://s2", "http://s1"]), (0, vec![0, 0]));
        assert_eq!(lacking_since(&["http://s2", "http://s1", "http://s3"]), (9, vec![0, 0, 9]));
        assert_eq!(lacking_since(&["http://s2"]).1, [9]);
    }

    #[test]
    fn an_asset_belongs_together() {
        assert_eq!(belongs("/v1/a/as/rev/r/1.m4s"), "/v1/a/as");
        assert_eq!(belongs("/v1/a/as/rev/mv.m3u8?x=/y"), "/v1/a/as");
        for whole in ["/v1/i/x.mp4", "/", "/v1/a/as", "/b/c/d/e"] {
            assert_eq!(belongs(whole), whole);
        }
    }

    #[test]
    fn shields_come_first_and_origins_keep_their_order() {
        assert_eq!(names(&bases(&[]), "/v1/a/x/y"), ["http://o1", "http://o2"]);
        assert_eq!(names(&bases(&["http://s/"]), "/v1/a/x/y"), ["http://s", "http://o1", "http://o2"]);
        let many = bases(&["http://s1", "http://s2", "http://s3"]);
        let order = names(&many, "/v1/a/x/y");
        assert!(order[0].starts_with("http://s") && order[1].starts_with("http://s") && order[0] != order[1]);
        assert_eq!(order[2..], ["http://o1", "http://o2"]);
        assert_eq!(order, names(&many, "/v1/a/x/z/aac-128/7.m4s"), "one order for all of an asset");
    }

    #[test]
    fn a_shield_that_goes_moves_only_its_own() {
        let (all, fewer) =
            (bases(&["http://s1", "http://s2", "http://s3"]), bases(&["http://s1", "http://s3"]));
        let mut counts = [0; 4];
        for n in 0..300 {
            let target = format!("/v1/a/{n}/mv.m3u8");
            let best = names(&all, &target)[0].clone();
            counts[usize::from(best.as_bytes()[8] - b'0')] += 1;
            if best != "http://s2" {
                assert_eq!(names(&fewer, &target)[0], best);
            }
        }
        assert!(counts[1..].iter().all(|count| (60..140).contains(count)), "{counts:?}");
    }
}
