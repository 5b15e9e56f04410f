//! Whether a response may be stored, and for how long (RFC 9111 3 and 4.2, RFC 5861, RFC 9213).

use std::time::SystemTime;

use http::header::{
    AGE, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, DATE, ETAG, EXPIRES, LAST_MODIFIED, SET_COOKIE, VARY,
};
use http::{HeaderMap, HeaderName, StatusCode};

use crate::semantics::cache_control::{MAX_AGE, delta_seconds};
use crate::semantics::{CacheControl, conditional};

pub(crate) const CDN_CACHE_CONTROL: HeaderName = HeaderName::from_static("cdn-cache-control");
/// Longest time for which "not found" is remembered, seconds.
const NEGATIVE_MAX_S: u64 = 60;
/// Longest time for which a server error is remembered, seconds.
const ERROR_MAX_S: u64 = 5;

/// Why a response is passed on without being stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Pass {
    NoStore,
    Private,
    SetCookie,
    VaryAny,
    Status,
    /// Nothing says how long it is fresh, and it cannot be validated.
    Lifetime,
    TooLarge,
    /// The message ends where the connection does, so that a truncated one looks whole.
    Unframed,
}

impl Pass {
    pub(crate) const ALL: [Self; 8] = [
        Self::NoStore,
        Self::Private,
        Self::SetCookie,
        Self::VaryAny,
        Self::Status,
        Self::Lifetime,
        Self::TooLarge,
        Self::Unframed,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::NoStore => "no-store",
            Self::Private => "private",
            Self::SetCookie => "set-cookie",
            Self::VaryAny => "vary-any",
            Self::Status => "status",
            Self::Lifetime => "no-lifetime",
            Self::TooLarge => "too-large",
            Self::Unframed => "unframed",
        }
    }
}

/// What decides beside the response itself. Times in seconds, sizes in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context {
    /// The resource is one of Segue's own; its upstream is ours, and may be overruled.
    pub(crate) media: bool,
    pub(crate) object_bytes: u64,
    pub(crate) negative_seconds: u64,
    pub(crate) error_seconds: u64,
    pub(crate) stale_if_error_seconds: u64,
}

/// How long a response lives, seconds from when the upstream made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Policy {
    pub(crate) pass: Option<Pass>,
    pub(crate) lifetime_seconds: u64,
    pub(crate) stale_while_revalidate_seconds: u64,
    pub(crate) stale_if_error_seconds: u64,
    /// How old it was when it came.
    pub(crate) initial_age_seconds: u64,
}

impl Policy {
    /// Judges a response by its status and fields. `framed`: its end can be told from a broken connection.
    pub(crate) fn of(status: StatusCode, headers: &HeaderMap, framed: bool, context: &Context) -> Self {
        let control = control(headers);
        let mut policy = Self {
            pass: None,
            lifetime_seconds: 0,
            stale_while_revalidate_seconds: control.stale_while_revalidate.unwrap_or(0),
            stale_if_error_seconds: control.stale_if_error.unwrap_or(context.stale_if_error_seconds),
            initial_age_seconds: initial_age(headers),
        };
        let explicit = control.lifetime().or_else(|| expires(headers));
        match explicit.or_else(|| default_lifetime(status, context)) {
            Some(lifetime) => policy.lifetime_seconds = lifetime,
            None if headers.contains_key(ETAG) || headers.contains_key(LAST_MODIFIED) => {}
            None => policy.pass = Some(Pass::Lifetime),
        }
        if control.no_cache || control.must_revalidate {
            policy.stale_while_revalidate_seconds = 0;
            policy.stale_if_error_seconds = 0;
        }
        policy.cap_failures(status);
        policy.pass = forbidden(status, headers, framed, &control, context).or(policy.pass);
        policy
    }

    /// Seconds of freshness left when it came.
    pub(crate) fn fresh_s(&self) -> i64 {
        i64::try_from(self.lifetime_seconds.saturating_sub(self.initial_age_seconds)).unwrap_or(i64::MAX)
    }

    /// Failures are remembered briefly, whatever the upstream says, and never stand in for anything.
    fn cap_failures(&mut self, status: StatusCode) {
        let longest = match status {
            _ if is_absent(status) => NEGATIVE_MAX_S,
            _ if status.is_server_error() => ERROR_MAX_S,
            _ => return,
        };
        self.lifetime_seconds = self.lifetime_seconds.min(longest);
        self.stale_while_revalidate_seconds = 0;
        self.stale_if_error_seconds = 0;
    }
}

/// The targeted field where there is one (RFC 9213 2.2), else `Cache-Control`.
fn control(headers: &HeaderMap) -> CacheControl {
    let read = |name| CacheControl::read(lines(headers, name));
    read(CDN_CACHE_CONTROL).or_else(|| read(CACHE_CONTROL)).unwrap_or_default()
}

fn forbidden(
    status: StatusCode,
    headers: &HeaderMap,
    framed: bool,
    control: &CacheControl,
    context: &Context,
) -> Option<Pass> {
    // Of our own upstream failures are remembered even so: asking again for each waiter is what hurts.
    let overruled = context.media && (is_absent(status) || status.is_server_error());
    let length = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let checks = [
        (!is_storable(status) || headers.contains_key(CONTENT_RANGE), Pass::Status),
        (control.no_store && !overruled, Pass::NoStore),
        (control.private && !overruled, Pass::Private),
        (headers.contains_key(SET_COOKIE), Pass::SetCookie),
        (lines(headers, VARY).any(|line| line.split(',').any(|name| name.trim() == "*")), Pass::VaryAny),
        (!framed, Pass::Unframed),
        (length.is_some_and(|length| length > context.object_bytes), Pass::TooLarge),
    ];
    checks.into_iter().find(|(found, _)| *found).map(|(_, pass)| pass)
}

fn is_absent(status: StatusCode) -> bool {
    matches!(status, StatusCode::NOT_FOUND | StatusCode::GONE)
}

fn is_storable(status: StatusCode) -> bool {
    status.is_server_error() || matches!(status.as_u16(), 200 | 203 | 300 | 301 | 308 | 404 | 405 | 410 | 414)
}

fn default_lifetime(status: StatusCode, context: &Context) -> Option<u64> {
    match status {
        _ if is_absent(status) => Some(context.negative_seconds),
        _ if status.is_server_error() => Some(context.error_seconds),
        _ => None,
    }
}

/// `Expires` minus `Date`; a date that cannot be read has passed (RFC 9111 5.3).
fn expires(headers: &HeaderMap) -> Option<u64> {
    let text = headers.get(EXPIRES)?.to_str().unwrap_or_default();
    let made = date(headers).unwrap_or_else(SystemTime::now);
    let left = conditional::date_of(text).and_then(|at| at.duration_since(made).ok());
    Some(left.map_or(0, |left| left.as_secs().min(MAX_AGE)))
}

fn date(headers: &HeaderMap) -> Option<SystemTime> {
    conditional::date_of(headers.get(DATE)?.to_str().ok()?)
}

/// The `Age` field, the largest where several stand. The apparent age (`Date` against our clock) is left out:
/// edges and upstreams with clocks apart would otherwise throw away what is fresh.
fn initial_age(headers: &HeaderMap) -> u64 {
    lines(headers, AGE).filter_map(|line| delta_seconds(line.trim())).max().unwrap_or(0)
}

fn lines(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTEXT: Context = Context {
        media: true,
        object_bytes: 100,
        negative_seconds: 30,
        error_seconds: 2,
        stale_if_error_seconds: 7,
    };

    fn of(status: u16, fields: &[(&'static str, &str)]) -> Policy {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, value.parse().unwrap());
        }
        Policy::of(StatusCode::from_u16(status).unwrap(), &headers, true, &CONTEXT)
    }

    #[test]
    fn the_targeted_field_wins() {
        let policy = of(
            200,
            &[("cache-control", "no-store"), ("cdn-cache-control", "max-age=9, stale-while-revalidate=3")],
        );
        assert_eq!(
            (policy.pass, policy.lifetime_seconds, policy.stale_while_revalidate_seconds),
            (None, 9, 3)
        );
        assert_eq!(policy.stale_if_error_seconds, 7);
    }

    #[test]
    fn lifetimes() {
        assert_eq!(of(200, &[("cache-control", "max-age=5, s-maxage=6"), ("age", "2")]).lifetime_seconds, 6);
        assert_eq!(of(200, &[("age", "2"), ("age", "x")]).initial_age_seconds, 2);
        let dates = [("date", "Sun, 06 Nov 1994 08:49:37 GMT"), ("expires", "Sun, 06 Nov 1994 08:49:47 GMT")];
        assert_eq!(of(200, &dates).lifetime_seconds, 10);
        assert_eq!(of(200, &[("expires", "0")]).lifetime_seconds, 0);
        assert_eq!(of(200, &[("etag", "\"a\"")]).pass, None);
        assert_eq!(of(200, &[]).pass, Some(Pass::Lifetime));
        assert_eq!(of(200, &[("cache-control", "no-cache, stale-if-error=9")]).stale_if_error_seconds, 0);
    }

    #[test]
    fn failures_are_remembered_briefly() {
        assert_eq!(of(404, &[]).lifetime_seconds, 30);
        assert_eq!(of(410, &[("cache-control", "max-age=999")]).lifetime_seconds, 60);
        assert_eq!(of(503, &[]).lifetime_seconds, 2);
        assert_eq!(of(500, &[("cache-control", "max-age=999, stale-if-error=9")]).lifetime_seconds, 5);
        assert_eq!(of(404, &[("cache-control", "no-store")]).pass, None);
    }

    #[test]
    fn each_reason_to_pass() {
        let long = ("cache-control", "max-age=9");
        assert_eq!(of(200, &[("cache-control", "no-store")]).pass, Some(Pass::NoStore));
        assert_eq!(of(200, &[("cache-control", "private, max-age=9")]).pass, Some(Pass::Private));
        assert_eq!(of(200, &[long, ("set-cookie", "a=b")]).pass, Some(Pass::SetCookie));
        assert_eq!(of(200, &[long, ("vary", "accept, *")]).pass, Some(Pass::VaryAny));
        assert_eq!(of(206, &[long]).pass, Some(Pass::Status));
        assert_eq!(of(200, &[long, ("content-length", "101")]).pass, Some(Pass::TooLarge));
        let headers = HeaderMap::from_iter([(CACHE_CONTROL, "max-age=9".parse().unwrap())]);
        assert_eq!(Policy::of(StatusCode::OK, &headers, false, &CONTEXT).pass, Some(Pass::Unframed));
    }
}
