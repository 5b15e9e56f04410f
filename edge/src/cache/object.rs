//! A cached object: head, bytes, and how fresh it is.

use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http::HeaderValue;

use super::depot::Slot;
use super::head::Head;
use super::policy::Policy;
use super::sliced::Sliced;
use crate::semantics::{conditional, encoding};

/// Texts that are kept in gzip form too, by their bytes: smaller ones fit one packet anyway.
pub(super) const GZIP_BYTES: RangeInclusive<u64> = 256..=1 << 20;
/// After a failed revalidation a stale object is served for this long before the upstream is asked again.
const RETRY_AFTER_MS: u64 = 2_000;
/// Time between two looks for what follows an object.
const FOLLOW_PAUSE_MS: u64 = 500;

/// The gzip form of a text.
#[derive(Debug, Clone)]
pub(crate) struct Gzip {
    pub(crate) bytes: Bytes,
    pub(crate) etag: Option<HeaderValue>,
}

/// Status and fields as they go out in one version of HTTP, but for those of each response.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) text: Box<[u8]>,
    /// Whether the upstream's `Date` is among them.
    pub(crate) dated: bool,
}

/// What prefetching remembers of an object.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    /// Nothing that follows is pulled before; [`u64::MAX`]: it was.
    follow_from_ms: AtomicU64,
    unasked: AtomicBool,
    /// When its shield was last asked for it, or took a reminder; 0: never.
    shielded_ms: AtomicU64,
    /// Its shield is not reminded of it before.
    remind_from_ms: AtomicU64,
}

impl Marks {
    /// Whether it is time to look for what follows it.
    pub(crate) fn is_due(&self, now_ms: u64) -> bool {
        now_ms >= self.follow_from_ms.load(Ordering::Relaxed)
    }

    /// Notes that what follows it is not known yet, so that not every request looks for it.
    pub(crate) fn follow_later(&self, now_ms: u64) {
        self.follow_from_ms.fetch_max(now_ms + FOLLOW_PAUSE_MS, Ordering::Relaxed);
    }

    /// Notes that what follows it is pulled; `false` where somebody noted that before.
    pub(crate) fn follow(&self) -> bool {
        self.follow_from_ms.swap(u64::MAX, Ordering::Relaxed) != u64::MAX
    }

    /// Whether its shield was last asked for it before `newest_ms`.
    pub(crate) fn shielded_before(&self, newest_ms: u64) -> bool {
        self.shielded_ms() < newest_ms
    }

    /// When its shield was last asked for it, or took a reminder; 0: never.
    pub(crate) fn shielded_ms(&self) -> u64 {
        self.shielded_ms.load(Ordering::Relaxed)
    }

    /// Notes when its shield was asked for it, or for the reminder that it took.
    pub(crate) fn shielded(&self, asked_ms: u64) {
        self.shielded_ms.fetch_max(asked_ms, Ordering::Relaxed);
    }

    /// Whether its shield may be reminded of it.
    pub(crate) fn may_remind(&self, now_ms: u64) -> bool {
        now_ms >= self.remind_from_ms.load(Ordering::Relaxed)
    }

    /// Notes that its shield is not reminded of it for that long.
    pub(crate) fn remind_later(&self, now_ms: u64, pause_ms: u64) {
        self.remind_from_ms.store(now_ms + pause_ms, Ordering::Relaxed);
    }

    /// It was fetched before anyone asked.
    pub(crate) fn prefetched(&self) {
        self.unasked.store(true, Ordering::Relaxed);
    }

    /// Whether somebody asks for the first time for what was prefetched.
    pub(crate) fn first_use(&self) -> bool {
        self.unasked.load(Ordering::Relaxed) && self.unasked.swap(false, Ordering::Relaxed)
    }
}

/// A whole object in memory. Times are milliseconds of the edge's clock.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) head: Arc<Head>,
    pub(crate) body: Bytes,
    pub(crate) gzip: Option<Gzip>,
    /// Its bytes are kept in slices, and `body` has none.
    pub(crate) sliced: Option<Arc<Sliced>>,
    http1_fields: [OnceLock<Prepared>; 2],
    http2_fields: [OnceLock<Prepared>; 2],
    pub(super) slot: Slot,
    pub(crate) marks: Marks,
    /// What players are told about it, once that is known.
    pub(crate) cmsd: OnceLock<HeaderValue>,
    stored_ms: u64,
    /// A soft purge moves it to the past.
    expires_ms: AtomicU64,
    /// Until then a failing upstream is left alone.
    retry_ms: AtomicU64,
    /// Purges up to this one have been looked at; starts with those that came before the fill.
    pub(super) purges_seen: AtomicU64,
}

/// How an object may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Freshness {
    Fresh,
    Stale {
        /// It may be served while a new one is fetched.
        while_revalidate: bool,
        /// It may be served when the upstream fails.
        if_error: bool,
        /// The upstream failed a moment ago.
        resting: bool,
    },
}

impl Object {
    /// An object that came whole at `now_ms`, by a fill that began after `purges_seen` purges.
    pub(crate) fn new(head: Arc<Head>, body: Bytes, now_ms: u64, purges_seen: u64) -> Self {
        let gzip = head.compressible.then(|| compress(&head, &body)).flatten();
        Self::with(head, body, gzip, None, (now_ms, purges_seen))
    }

    /// An object whose bytes are kept in slices.
    pub(crate) fn in_slices(head: Arc<Head>, sliced: Sliced, now_ms: u64, purges_seen: u64) -> Self {
        Self::with(head, Bytes::new(), None, Some(Arc::new(sliced)), (now_ms, purges_seen))
    }

    /// A slice of an object with that head.
    pub(crate) fn slice(head: Arc<Head>, bytes: Bytes, now_ms: u64, purges_seen: u64) -> Self {
        Self::with(head, bytes, None, None, (now_ms, purges_seen))
    }

    /// The same bytes under a head that the upstream confirmed.
    pub(crate) fn renewed(&self, head: Head, now_ms: u64, purges_seen: u64) -> Self {
        let (body, gzip, sliced) = (self.body.clone(), self.gzip.clone(), self.sliced.clone());
        Self::with(Arc::new(head), body, gzip, sliced, (now_ms, purges_seen))
    }

    fn with(
        head: Arc<Head>,
        body: Bytes,
        gzip: Option<Gzip>,
        sliced: Option<Arc<Sliced>>,
        (now_ms, purges_seen): (u64, u64),
    ) -> Self {
        let fresh_ms = head.policy.fresh_s().unsigned_abs() * 1000;
        Self {
            expires_ms: AtomicU64::new(now_ms + fresh_ms),
            head,
            body,
            gzip,
            sliced,
            http1_fields: Default::default(),
            http2_fields: Default::default(),
            slot: Slot::default(),
            marks: Marks::default(),
            cmsd: OnceLock::new(),
            stored_ms: now_ms,
            retry_ms: AtomicU64::new(0),
            purges_seen: AtomicU64::new(purges_seen),
        }
    }

    /// Whether it has the bytes of another one, which it was made of.
    pub(crate) fn has_bytes_of(&self, other: &Self) -> bool {
        match (&self.sliced, &other.sliced) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (None, None) => self.body.as_ptr() == other.body.as_ptr(),
            _ => false,
        }
    }

    pub(crate) fn freshness(&self, now_ms: u64) -> Freshness {
        let expires = self.expires_ms.load(Ordering::Relaxed);
        if now_ms < expires {
            return Freshness::Fresh;
        }
        let stale_ms = now_ms - expires;
        let Policy { stale_while_revalidate_seconds, stale_if_error_seconds, .. } = self.head.policy;
        Freshness::Stale {
            while_revalidate: stale_ms < stale_while_revalidate_seconds * 1000,
            if_error: stale_ms < stale_if_error_seconds.max(stale_while_revalidate_seconds) * 1000,
            resting: now_ms < self.retry_ms.load(Ordering::Relaxed),
        }
    }

    /// The fields of its answers over HTTP/1.1, made when first asked for; `zipped`: of its gzip form.
    pub(crate) fn http1_fields(&self, zipped: bool, make: impl FnOnce() -> Prepared) -> &Prepared {
        self.http1_fields[usize::from(zipped)].get_or_init(make)
    }

    /// The same for HTTP/2: the start of a field block.
    pub(crate) fn http2_fields(&self, zipped: bool, make: impl FnOnce() -> Prepared) -> &Prepared {
        self.http2_fields[usize::from(zipped)].get_or_init(make)
    }

    /// Seconds since the upstream made it.
    pub(crate) fn age_s(&self, now_ms: u64) -> u64 {
        self.head.policy.initial_age_seconds + now_ms.saturating_sub(self.stored_ms) / 1000
    }

    /// Seconds that it stays fresh; negative when stale.
    pub(crate) fn ttl_s(&self, now_ms: u64) -> i64 {
        let expires = self.expires_ms.load(Ordering::Relaxed);
        (i64::try_from(expires).unwrap_or(i64::MAX) - i64::try_from(now_ms).unwrap_or(i64::MAX))
            .div_euclid(1000)
    }

    /// Makes it stale from `now_ms` on.
    pub(crate) fn expire(&self, now_ms: u64) {
        self.expires_ms.fetch_min(now_ms, Ordering::Relaxed);
    }

    /// Leaves the failing upstream alone for a moment.
    pub(crate) fn rest(&self, now_ms: u64) {
        self.retry_ms.store(now_ms + RETRY_AFTER_MS, Ordering::Relaxed);
    }

    /// Bytes of memory that it takes, roughly.
    pub(crate) fn weight(&self) -> usize {
        let fields: usize =
            self.head.headers.iter().map(|(name, value)| 3 * (name.as_str().len() + value.len()) + 64).sum();
        let surrogate_keys: usize = self.head.surrogate_keys.iter().map(|text| text.len() + 16).sum();
        self.body.len()
            + self.gzip.as_ref().map_or(0, |gzip| gzip.bytes.len())
            + fields
            + surrogate_keys
            + 512
    }
}

fn compress(head: &Head, body: &Bytes) -> Option<Gzip> {
    if !GZIP_BYTES.contains(&(body.len() as u64)) {
        return None;
    }
    let bytes = Bytes::from(encoding::gzip(body)?);
    let etag = head.etag().and_then(|etag| conditional::coded_tag(etag, "gzip"));
    Some(Gzip { bytes, etag: etag.and_then(|tag| HeaderValue::from_str(&tag).ok()) })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::cache::Context;
    use http::Response;

    pub(crate) fn object(fields: &[(&str, &str)], body: &'static [u8], now_ms: u64, purges: u64) -> Object {
        let context = Context {
            media: true,
            authorised: false,
            personal: false,
            object_bytes: 100,
            negative_seconds: 30,
            error_seconds: 2,
            stale_if_error_seconds: 0,
        };
        let builder = fields.iter().fold(Response::builder(), |b, (k, v)| b.header(*k, *v));
        let parts = builder.body(()).unwrap().into_parts().0;
        let head = Head::read(&parts, Some(body.len() as u64), true, &context);
        Object::new(Arc::new(head), Bytes::from_static(body), now_ms, purges)
    }

    #[test]
    fn life_of_an_object() {
        let fields =
            [("cache-control", "max-age=10, stale-while-revalidate=5, stale-if-error=20"), ("age", "4")];
        let object = object(&fields, b"abc", 1000, 0);
        assert_eq!(object.freshness(6999), Freshness::Fresh);
        assert_eq!((object.age_s(3000), object.ttl_s(3000), object.ttl_s(8500)), (6, 4, -2));
        let stale =
            |while_revalidate, if_error| Freshness::Stale { while_revalidate, if_error, resting: false };
        assert_eq!(object.freshness(7000), stale(true, true));
        assert_eq!(object.freshness(12_000), stale(false, true));
        assert_eq!(object.freshness(27_000), stale(false, false));
        object.rest(12_000);
        assert_eq!(
            object.freshness(12_001),
            Freshness::Stale { while_revalidate: false, if_error: true, resting: true }
        );
    }

    #[test]
    fn what_follows_is_looked_for_now_and_then_and_pulled_once() {
        let marks = Marks::default();
        assert!(marks.is_due(1));
        marks.follow_later(1);
        assert!(!marks.is_due(FOLLOW_PAUSE_MS) && marks.is_due(FOLLOW_PAUSE_MS + 1));
        assert!(marks.follow() && !marks.follow());
        marks.follow_later(9);
        assert!(!marks.is_due(1 << 60));
    }

    #[test]
    fn reminders_come_again_until_one_is_taken() {
        let marks = Marks::default();
        assert!(!marks.shielded_before(0) && marks.shielded_before(1) && marks.may_remind(1));
        marks.remind_later(1, 5);
        assert!(!marks.may_remind(5) && marks.may_remind(6));
        marks.shielded(7);
        marks.shielded(5);
        assert!(!marks.shielded_before(7) && marks.shielded_before(8));
    }

    #[test]
    fn expiring_makes_it_stale_at_once() {
        let object = object(&[("cache-control", "max-age=10, stale-if-error=20")], b"abc", 1000, 0);
        object.expire(2000);
        object.expire(3000);
        assert_eq!(object.ttl_s(4000), -2);
    }

    #[test]
    fn text_is_compressed_once() {
        static TEXT: [u8; 1000] = [b'a'; 1000];
        let text = object(&[("content-type", "text/plain"), ("etag", "\"x\"")], &TEXT, 0, 0);
        let gzip = text.gzip.as_ref().unwrap();
        assert!(gzip.bytes.len() < 100 && gzip.etag.as_ref().unwrap() == "\"x-gzip\"");
        assert!(text.weight() > 1000);
        assert!(object(&[("content-type", "audio/mp4")], &TEXT, 0, 0).gzip.is_none());
    }
}
