//! Fetching before it is asked for, at the lowest priority and within a budget.
//!
//! A multivariant playlist makes the edge pull what a player asks for next: media playlists, init segments and the first
//! segments of every rendition. A segment makes it pull the next one, or those that the player announces (CMCD `nor`).
//! Every object leads to that once, not every request; what is in memory or on its way is left alone.

mod next;
mod puller;
mod reminders;

use std::sync::Arc;

use http::HeaderValue;
use segue_manifests::{AssetId, MediaPath, RenditionName, Rev, path};

use crate::backlog::Backlog;
use crate::cache::Object;
use crate::edge::Edge;
use crate::semantics::cmcd::Cmcd;
use crate::semantics::cmsd;

pub(crate) use next::resolve;
pub(crate) use puller::work;
pub(crate) use reminders::remind_shields;

/// Most pulls that wait; what comes then is skipped.
const QUEUE: usize = 4096;

/// Something to pull.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Pull {
    /// One object, by its cache key.
    Object(String),
    /// What starts an asset, by the cache key of its multivariant playlist: so many segments of every rendition.
    Start(String, u32),
}

/// Where pulls are left for the worker that makes them.
#[derive(Debug)]
pub(crate) struct Prefetch {
    /// Fills at one time; 0: nothing is prefetched.
    fills: usize,
    pulls: Backlog<Pull>,
}

impl Prefetch {
    pub(crate) fn new(fills: u64) -> Self {
        Self { fills: usize::try_from(fills).unwrap_or(usize::MAX), pulls: Backlog::new(QUEUE) }
    }

    /// Whether anything is prefetched.
    pub(crate) fn is_on(&self) -> bool {
        self.fills > 0
    }

    /// Leaves a pull for the worker that makes them; `false` where there is no room.
    pub(crate) fn leave(&self, pull: Pull) -> bool {
        self.pulls.leave(pull)
    }
}

/// Segments of every rendition that a multivariant playlist brings.
const START_SEGMENTS: u32 = 1;

/// An object in memory is served.
pub(crate) fn served(edge: &Edge, media: Option<&MediaPath>, object: &Arc<Object>, now_ms: u64) {
    if object.marks.first_use() {
        edge.metrics.prefetch_used.inc();
    }
    if object.marks.is_due(now_ms) && !follow(edge, media, Some(object)) {
        object.marks.follow_later(now_ms);
    }
    if object.marks.shielded_before(edge.bases.reminders.newest_ms()) {
        reminders::remind(edge, media, object, now_ms);
    }
}

/// An object is on its way: what follows it is pulled.
pub(crate) fn coming(edge: &Edge, media: Option<&MediaPath>) {
    follow(edge, media, None);
}

/// Pulls what follows an object, once for each; `false` where it is not known.
fn follow(edge: &Edge, media: Option<&MediaPath>, object: Option<&Arc<Object>>) -> bool {
    if !edge.prefetch.is_on() {
        return true;
    }
    let pull = match media {
        Some(media @ MediaPath::Multivariant { .. }) => Some(Pull::Start(media.path(), START_SEGMENTS)),
        Some(MediaPath::Segment { asset, rev, rendition, index }) => {
            // Without the playlist nobody knows whether there is another.
            let Some(playlist) = edge.store.object(&playlist_of(*asset, *rev, rendition)) else {
                return false;
            };
            let next = next::segment(&playlist, *index).and_then(|(_, next)| next);
            next.and_then(|url| resolve(&media?.path(), &url)).map(Pull::Object)
        }
        _ => None,
    };
    if object.is_none_or(|object| object.marks.follow()) {
        pull.into_iter().for_each(|pull| leave(edge, pull));
    }
    true
}

/// What a player is told about one of Segue's objects (`CMSD-Static`); a segment's duration and the next one are known while
/// its playlist is in memory.
pub(crate) fn description(
    edge: &Edge,
    media: Option<&MediaPath>,
    object: Option<&Arc<Object>>,
) -> Option<HeaderValue> {
    if let Some(made) = object.and_then(|object| object.cmsd.get()) {
        return Some(made.clone());
    }
    let media = media?;
    let segment = match media {
        MediaPath::Segment { asset, rev, rendition, index } => {
            let playlist = edge.store.object(&playlist_of(*asset, *rev, rendition));
            playlist.and_then(|playlist| next::segment(&playlist, *index))
        }
        _ => None,
    };
    let is_final = segment.is_some() || !matches!(media, MediaPath::Segment { .. });
    let (duration_ms, next) = segment.map_or((None, None), |(duration_ms, next)| (Some(duration_ms), next));
    let made = HeaderValue::from_str(&cmsd::static_of(media, duration_ms, next.as_deref())).ok()?;
    if let Some(object) = object.filter(|_| is_final) {
        // Somebody else may have been faster, with the same.
        let _ = object.cmsd.set(made.clone());
    }
    Some(made)
}

/// Cache key of the media playlist that a segment belongs to.
fn playlist_of(asset: AssetId, rev: Rev, rendition: &RenditionName) -> String {
    MediaPath::Media { asset, rev, rendition: rendition.clone() }.path()
}

/// A player announces what it will ask for next; `allowed` says which cache keys it may have.
pub(crate) fn announced(edge: &Edge, cache_key: &str, told: &Cmcd, allowed: impl Fn(&str) -> bool) {
    for url in &told.next {
        // Queries are not part of the cache keys of Segue's own objects, but of others.
        let keeps = |wanted: &String| !url.contains('?') || MediaPath::parse(wanted).is_some();
        match resolve(cache_key, url).filter(|wanted| keeps(wanted) && allowed(wanted)) {
            Some(wanted) if edge.store.holds(&wanted, edge.clock.now_ms()) => {}
            Some(wanted) => leave(edge, Pull::Object(wanted)),
            None => edge.metrics.prefetch_skipped("refused"),
        }
    }
}

fn leave(edge: &Edge, pull: Pull) {
    if edge.prefetch.is_on() && !edge.prefetch.leave(pull) {
        edge.metrics.prefetch_skipped("queue-full");
    }
}

/// Whether a path is one of Segue's that can be pulled: by its cache key, without tricks.
pub(crate) fn pullable(raw: &str) -> Option<MediaPath> {
    let normal = path::normalise(raw).ok()?;
    MediaPath::parse(&normal)
}
