//! Whether a response may be stored, and for how long (RFC 9111 3 and 4.2, RFC 5861, RFC 9213).

use std::time::SystemTime;

use http::header::{
    AGE, CACHE_CONTROL, CONTENT_LENGTH, DATE, ETAG, EXPIRES, LAST_MODIFIED, SET_COOKIE, VARY,
};
use http::{HeaderMap, HeaderName, StatusCode};

use crate::semantics::cache_control::{MAX_AGE, delta_seconds};
use crate::semantics::vary::{self, Vary};
use crate::semantics::{CacheControl, conditional};

pub(crate) const CDN_CACHE_CONTROL: HeaderName = HeaderName::from_static("cdn-cache-control");
/// Longest time for which "not found" is remembered, seconds.
const NEGATIVE_MAX_S: u64 = 60;
/// Longest time for which a server error is remembered, seconds.
const ERROR_MAX_S: u64 = 5;
/// Longest lifetime that is guessed, seconds.
const GUESS_MAX_S: u64 = 86_400;

/// Why a response is passed on without being stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Pass {
    NoStore,
    Private,
    /// It answers an authorised request, and does not say that others may have it.
    Authorised,
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
    pub(crate) const ALL: [Self; 9] = [
        Self::NoStore,
        Self::Private,
        Self::Authorised,
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
            Self::Authorised => "authorised",
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
    /// The request carried an `Authorization` of the client's.
    pub(crate) authorised: bool,
    /// The request carried what may make the response one client's own, so that no lifetime is guessed.
    pub(crate) personal: bool,
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
        let age = age(headers);
        let mut policy = Self {
            pass: None,
            lifetime_seconds: 0,
            stale_while_revalidate_seconds: control.stale_while_revalidate.unwrap_or(0),
            stale_if_error_seconds: control.stale_if_error.unwrap_or(context.stale_if_error_seconds),
            initial_age_seconds: age.unwrap_or(0),
        };
        let explicit = control.lifetime().or_else(|| expires(headers));
        let may_be_guessed = context.media || control.public || is_guessable(status);
        match explicit.or_else(|| guess(status, headers, may_be_guessed, context)) {
            Some(lifetime) => policy.lifetime_seconds = lifetime,
            None if may_be_guessed && has_validator(headers) => {}
            None => policy.pass = Some(Pass::Lifetime),
        }
        if age.is_none() {
            policy.lifetime_seconds = 0;
        }
        // For a shared cache `s-maxage` says `proxy-revalidate` (RFC 9111 5.2.2.10), where nothing allows more.
        if control.s_maxage.is_some() && control.stale_if_error.is_none() && !context.media {
            policy.stale_if_error_seconds = 0;
        }
        if control.no_cache || control.must_revalidate {
            policy.stale_while_revalidate_seconds = 0;
            policy.stale_if_error_seconds = 0;
        }
        policy.cap_failures(status, context);
        policy.pass = forbidden(status, headers, framed, &control, context).or(policy.pass);
        policy
    }

    /// Seconds of freshness left when it came.
    pub(crate) fn fresh_s(&self) -> i64 {
        i64::try_from(self.lifetime_seconds.saturating_sub(self.initial_age_seconds)).unwrap_or(i64::MAX)
    }

    /// Failures are remembered briefly, whatever the upstream says, and never stand in for anything. That something of a
    /// foreign upstream is not there is its own affair.
    fn cap_failures(&mut self, status: StatusCode, context: &Context) {
        let longest = match status {
            _ if is_absent(status) && context.media => NEGATIVE_MAX_S,
            _ if is_absent(status) => MAX_AGE,
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
    let no_store = control.no_store && !(control.must_understand && is_understood(status));
    let not_understood = control.must_understand && !is_understood(status);
    let checks = [
        (!is_storable(status, context) || not_understood, Pass::Status),
        (no_store && !overruled, Pass::NoStore),
        (control.private && !overruled, Pass::Private),
        (context.authorised && !is_for_all(control), Pass::Authorised),
        (headers.contains_key(SET_COOKIE), Pass::SetCookie),
        (vary::read(lines(headers, VARY)) == Vary::Any, Pass::VaryAny),
        (!framed, Pass::Unframed),
        (length.is_some_and(|length| length > context.object_bytes), Pass::TooLarge),
    ];
    checks.into_iter().find(|(found, _)| *found).map(|(_, pass)| pass)
}

/// Whether an answer to an authorised request may be given to others (RFC 9111 3.5).
fn is_for_all(control: &CacheControl) -> bool {
    control.public || control.binds_all || control.s_maxage.is_some()
}

fn is_absent(status: StatusCode) -> bool {
    matches!(status, StatusCode::NOT_FOUND | StatusCode::GONE)
}

/// Parts are not stored, and a 304 is no response of its own.
fn is_storable(status: StatusCode, context: &Context) -> bool {
    match context.media {
        true => status.is_server_error() || is_guessable(status),
        false => !status.is_informational() && !matches!(status.as_u16(), 206 | 304),
    }
}

/// Whose meaning this cache knows (RFC 9111 5.2.2.3).
fn is_understood(status: StatusCode) -> bool {
    is_guessable(status) || matches!(status.as_u16(), 302 | 303 | 307 | 500 | 502 | 503 | 504)
}

/// Whose lifetime may be guessed (RFC 9110 15.1).
fn is_guessable(status: StatusCode) -> bool {
    matches!(status.as_u16(), 200 | 203 | 204 | 300 | 301 | 308 | 404 | 405 | 410 | 414 | 501)
}

fn has_validator(headers: &HeaderMap) -> bool {
    headers.contains_key(ETAG) || headers.contains_key(LAST_MODIFIED)
}

/// The lifetime of a response that does not say one. Of our own upstream: that of failures. Of others, where nothing of
/// the client decided: a tenth of the time since it was last changed (RFC 9111 4.2.2).
fn guess(status: StatusCode, headers: &HeaderMap, may_be_guessed: bool, context: &Context) -> Option<u64> {
    match status {
        _ if context.media && status.is_server_error() => Some(context.error_seconds),
        _ if context.personal || !may_be_guessed => None,
        _ if context.media => is_absent(status).then_some(context.negative_seconds),
        _ => heuristic(headers).or(is_absent(status).then_some(context.negative_seconds)),
    }
}

fn heuristic(headers: &HeaderMap) -> Option<u64> {
    let changed = conditional::date_of(headers.get(LAST_MODIFIED)?.to_str().ok()?)?;
    let made = date(headers).unwrap_or_else(SystemTime::now);
    Some((made.duration_since(changed).ok()?.as_secs() / 10).min(GUESS_MAX_S))
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

/// The `Age` field in seconds; `None` when it cannot be read, which makes the response stale. It is a single number; of
/// a list of them the first counts (RFC 9111 5.1), unless several caches wrote it side by side. The apparent age (`Date`
/// against our clock) is left out: edges and upstreams with clocks apart would otherwise throw away what is fresh.
fn age(headers: &HeaderMap) -> Option<u64> {
    let mut fields = headers.get_all(AGE).into_iter();
    let Some(field) = fields.next() else { return Some(0) };
    let members: Option<Vec<u64>> = field.to_str().ok()?.trim().split(',').map(delta_seconds).collect();
    members.filter(|_| fields.next().is_none())?.first().copied()
}

fn lines(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTEXT: Context = Context {
        media: true,
        authorised: false,
        personal: false,
        object_bytes: 100,
        negative_seconds: 30,
        error_seconds: 2,
        stale_if_error_seconds: 7,
    };

    fn of(status: u16, fields: &[(&'static str, &str)]) -> Policy {
        judged(status, fields, &CONTEXT)
    }

    fn judged(status: u16, fields: &[(&'static str, &str)], context: &Context) -> Policy {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, value.parse().unwrap());
        }
        Policy::of(StatusCode::from_u16(status).unwrap(), &headers, true, context)
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
        let fresh = |age| of(200, &[("cache-control", "max-age=9"), ("age", age)]);
        assert_eq!((fresh("2").initial_age_seconds, fresh("0,7").initial_age_seconds), (2, 0));
        for age in ["x", "", "-1", "1.0", "1;a", "0, 0", "7,x"] {
            assert_eq!(fresh(age).lifetime_seconds, 0, "{age}");
        }
        let twice = of(200, &[("cache-control", "max-age=9"), ("age", "0"), ("age", "0")]);
        assert_eq!(twice.lifetime_seconds, 0);
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

    fn foreign(status: u16, fields: &[(&'static str, &str)], change: impl Fn(&mut Context)) -> Policy {
        let mut context = Context { media: false, ..CONTEXT };
        change(&mut context);
        judged(status, fields, &context)
    }

    #[test]
    fn lifetimes_of_foreign_upstreams_may_be_guessed() {
        let day =
            [("date", "Mon, 07 Nov 1994 08:49:37 GMT"), ("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT")];
        let lifetime = |status| foreign(status, &day, |_| ()).lifetime_seconds;
        assert_eq!((lifetime(200), lifetime(404), lifetime(501)), (8640, 8640, 5));
        assert_eq!(of(200, &day).lifetime_seconds, 0, "our own says what it means");
        for status in [201, 302, 403, 500, 502] {
            assert_eq!(foreign(status, &day, |_| ()).pass, Some(Pass::Lifetime), "{status}");
        }
        let public = [day[0], day[1], ("cache-control", "public")];
        assert_eq!(foreign(418, &public, |_| ()).lifetime_seconds, 8640);
        let personal = foreign(200, &day, |context| context.personal = true);
        assert_eq!((personal.lifetime_seconds, personal.pass), (0, None), "it is validated each time");
        assert_eq!(foreign(404, &[], |_| ()).lifetime_seconds, 30);
        assert_eq!(foreign(404, &[], |context| context.personal = true).pass, Some(Pass::Lifetime));
        assert_eq!(foreign(404, &[("cache-control", "max-age=999")], |_| ()).lifetime_seconds, 999);
        assert_eq!(foreign(503, &[], |_| ()).pass, Some(Pass::Lifetime));
    }

    #[test]
    fn any_final_status_of_foreign_upstreams_is_stored_when_it_says_how_long() {
        let pass = |status, control| foreign(status, &[("cache-control", control)], |_| ()).pass;
        for status in [200, 204, 299, 302, 307, 400, 499, 599] {
            assert_eq!(pass(status, "max-age=9"), None, "{status}");
        }
        assert_eq!(pass(206, "max-age=9"), Some(Pass::Status));
        assert_eq!(pass(599, "max-age=9, must-understand"), Some(Pass::Status));
        assert_eq!(pass(200, "max-age=9, must-understand, no-store"), None);
    }

    #[test]
    fn answers_to_authorised_requests_are_shared_when_they_say_so() {
        for (control, pass) in [
            ("max-age=9", Some(Pass::Authorised)),
            ("max-age=9, proxy-revalidate", Some(Pass::Authorised)),
            ("max-age=9, public", None),
            ("s-maxage=9", None),
            ("max-age=9, must-revalidate", None),
        ] {
            let policy = foreign(200, &[("cache-control", control)], |context| context.authorised = true);
            assert_eq!(policy.pass, pass, "{control}");
        }
    }

    #[test]
    fn a_shared_lifetime_forbids_stale_copies_unless_they_are_allowed() {
        let stale = |control| foreign(200, &[("cache-control", control)], |_| ()).stale_if_error_seconds;
        assert_eq!(
            (stale("max-age=2"), stale("s-maxage=2"), stale("s-maxage=2, stale-if-error=3")),
            (7, 0, 3)
        );
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
