//! How the cache took part in a response: one value that feeds `Cache-Status` (RFC 9211), metrics and the log.

use std::fmt::Write as _;

use http::{HeaderValue, StatusCode};

use super::policy::Pass;

/// How the cache took part in a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum CacheStatus {
    /// Fresh, from memory.
    Hit,
    /// Stale, from memory, while a new one is fetched.
    HitWhileRevalidating,
    /// Stale, from memory, because the upstream failed.
    StaleOnError,
    /// Was not there; this request made the edge fetch it.
    Miss,
    /// Other responses of the resource were there, but none for such a request; it made the edge fetch one.
    VaryMiss,
    /// Was not there; this request joined a fetch that was under way.
    Collapsed,
    /// Was stale; the upstream confirmed it.
    Revalidated,
    /// Was stale; the upstream sent a new one.
    Replaced,
    /// Fetched and not stored.
    Passed(Pass),
    /// Told on to the upstream: another method than GET and HEAD, or with content.
    Method,
    /// Was not there, and there was no room for another fetch.
    Shed,
    /// The cache had no part: refusals, preflights, failures.
    None,
}

impl CacheStatus {
    /// Every value, for metrics that start at zero.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        use CacheStatus as S;
        let plain = [
            S::Hit,
            S::HitWhileRevalidating,
            S::StaleOnError,
            S::Miss,
            S::VaryMiss,
            S::Method,
            S::Collapsed,
            S::Revalidated,
            S::Replaced,
            S::Shed,
            S::None,
        ];
        plain.into_iter().chain(Pass::ALL.map(S::Passed))
    }

    /// The response was not made for this request.
    pub(crate) fn is_from_memory(self) -> bool {
        matches!(self, Self::Hit | Self::HitWhileRevalidating | Self::StaleOnError | Self::Revalidated)
    }

    /// An upstream had a part in it.
    pub(crate) fn is_fetched(self) -> bool {
        use CacheStatus as S;
        !matches!(self, S::Hit | S::HitWhileRevalidating | S::StaleOnError | S::Shed | S::None)
    }

    /// Metric label and log field.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::HitWhileRevalidating => "stale-while-revalidate",
            Self::StaleOnError => "stale-if-error",
            Self::Miss => "miss",
            Self::VaryMiss => "vary-miss",
            Self::Method => "method",
            Self::Collapsed => "collapsed",
            Self::Revalidated => "revalidated",
            Self::Replaced => "replaced",
            Self::Passed(_) => "passed",
            Self::Shed => "shed",
            Self::None => "none",
        }
    }

    /// Metric label beside [`Self::label`]: why a response was not stored.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Passed(pass) => pass.as_str(),
            _ => "",
        }
    }

    /// The `Cache-Status` member of this edge. `ttl_s`: freshness left, for responses from memory; `forwarded`:
    /// the upstream's status, for others.
    pub(crate) fn field(self, name: &str, ttl_s: Option<i64>, forwarded: StatusCode) -> Option<HeaderValue> {
        let mut text = String::with_capacity(64);
        text.push_str(name);
        text.push_str(match self {
            Self::None => return None,
            Self::Hit | Self::HitWhileRevalidating => "; hit",
            Self::StaleOnError | Self::Revalidated | Self::Replaced => "; fwd=stale",
            Self::Miss | Self::Collapsed | Self::Passed(_) => "; fwd=uri-miss",
            Self::VaryMiss => "; fwd=vary-miss",
            Self::Method => "; fwd=method",
            // Nothing was forwarded.
            Self::Shed => "; detail=overloaded",
        });
        let written = match self {
            Self::Revalidated => write!(text, "; fwd-status=304; stored"),
            Self::Method => write!(text, "; fwd-status={}", forwarded.as_u16()),
            Self::Miss | Self::VaryMiss | Self::Replaced => {
                write!(text, "; fwd-status={}; stored", forwarded.as_u16())
            }
            Self::Collapsed => write!(text, "; fwd-status={}; stored; collapsed", forwarded.as_u16()),
            Self::Passed(pass) => {
                write!(text, "; fwd-status={}; detail={}", forwarded.as_u16(), pass.as_str())
            }
            _ => Ok(()),
        };
        written.ok()?;
        if let Some(ttl) = ttl_s {
            write!(text, "; ttl={ttl}").ok()?;
        }
        text.push_str(match self {
            Self::HitWhileRevalidating => "; detail=revalidating",
            Self::StaleOnError => "; detail=stale-if-error",
            _ => "",
        });
        HeaderValue::from_str(&text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields() {
        let field = |status: CacheStatus, ttl| {
            let field = status.field("e", ttl, StatusCode::OK);
            field.map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
        };
        assert_eq!(field(CacheStatus::Hit, Some(9)), "e; hit; ttl=9");
        assert_eq!(field(CacheStatus::HitWhileRevalidating, Some(-2)), "e; hit; ttl=-2; detail=revalidating");
        assert_eq!(field(CacheStatus::StaleOnError, Some(-2)), "e; fwd=stale; ttl=-2; detail=stale-if-error");
        assert_eq!(field(CacheStatus::Miss, None), "e; fwd=uri-miss; fwd-status=200; stored");
        assert_eq!(field(CacheStatus::Collapsed, None), "e; fwd=uri-miss; fwd-status=200; stored; collapsed");
        assert_eq!(field(CacheStatus::Revalidated, Some(9)), "e; fwd=stale; fwd-status=304; stored; ttl=9");
        assert_eq!(field(CacheStatus::VaryMiss, None), "e; fwd=vary-miss; fwd-status=200; stored");
        assert_eq!(field(CacheStatus::Method, None), "e; fwd=method; fwd-status=200");
        assert_eq!(field(CacheStatus::Replaced, None), "e; fwd=stale; fwd-status=200; stored");
        assert_eq!(
            field(CacheStatus::Passed(Pass::NoStore), None),
            "e; fwd=uri-miss; fwd-status=200; detail=no-store"
        );
        assert_eq!(field(CacheStatus::Shed, None), "e; detail=overloaded");
        assert_eq!(field(CacheStatus::None, None), "");
    }

    #[test]
    fn labels_are_distinct() {
        let labels: Vec<_> = CacheStatus::all().map(|status| (status.label(), status.reason())).collect();
        let distinct: std::collections::HashSet<_> = labels.iter().collect();
        assert_eq!(distinct.len(), labels.len());
    }
}
