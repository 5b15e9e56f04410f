//! A client's request on its way to an upstream, in open mode (RFC 9110 7.6).

use http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONTENT_LENGTH, COOKIE, EXPECT, HOST, HeaderName, IF_MATCH,
    IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE, USER_AGENT, VIA,
};
use http::{HeaderMap, HeaderValue};

use crate::semantics::{encoding, hop_by_hop};
use crate::trace::{TRACEPARENT, TRACESTATE};

/// Fields that this edge says for itself, beside those of one hop. What a client claims about the way it came
/// is not told on: it is no part of the cache key, and an upstream that believed it could be made to answer one client
/// for all.
const OWN: [HeaderName; 12] = [
    CONTENT_LENGTH,
    EXPECT,
    HOST,
    // Written anew for each request to an upstream, where there is a trace.
    TRACEPARENT,
    TRACESTATE,
    HeaderName::from_static("forwarded"),
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-forwarded-port"),
    HeaderName::from_static("x-forwarded-proto"),
    HeaderName::from_static("x-original-url"),
    HeaderName::from_static("x-rewrite-url"),
];

/// Fields that make a response a part, or none: what is fetched for all is fetched whole.
const CONDITIONS: [HeaderName; 6] =
    [IF_MATCH, IF_NONE_MATCH, IF_MODIFIED_SINCE, IF_UNMODIFIED_SINCE, IF_RANGE, RANGE];

/// The fields of a client's request.
#[derive(Debug)]
pub(crate) struct Forwarded {
    pub(crate) fields: HeaderMap,
    /// The response is for this client alone, conditions included.
    pub(crate) alone: bool,
}

impl Forwarded {
    pub(crate) fn is_authorised(&self) -> bool {
        self.fields.contains_key(AUTHORIZATION)
    }

    pub(crate) fn is_personal(&self) -> bool {
        self.is_authorised() || self.fields.contains_key(COOKIE)
    }

    /// The fields for the upstream; `own`: what this edge says in every request.
    pub(super) fn onward(&self, own: &HeaderMap) -> HeaderMap {
        let mut fields = self.fields.clone();
        hop_by_hop::remove(&mut fields);
        OWN.iter().for_each(|name| drop(fields.remove(name)));
        if !self.alone {
            CONDITIONS.iter().for_each(|name| drop(fields.remove(name)));
        }
        fields.insert(ACCEPT_ENCODING, HeaderValue::from_static(encoding::offer(&self.fields)));
        for (name, value) in own {
            match *name {
                VIA => drop(fields.append(VIA, value.clone())),
                ACCEPT_ENCODING => {}
                USER_AGENT if fields.contains_key(USER_AGENT) => {}
                _ => drop(fields.insert(name, value.clone())),
            }
        }
        fields
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn onward(fields: &[(&'static str, &str)], alone: bool) -> HeaderMap {
        let mut headers = HeaderMap::new();
        fields.iter().for_each(|(name, value)| {
            headers.append(*name, value.parse().unwrap());
        });
        let own = [("via", "1.1 e"), ("accept-encoding", "identity"), ("user-agent", "edge"), ("x-own", "1")];
        let own = own.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        Forwarded { fields: headers, alone }.onward(&HeaderMap::from_iter(own))
    }

    #[test]
    fn what_is_for_the_upstream_goes_on() {
        let fields = onward(
            &[
                ("cookie", "a=b"),
                ("authorization", "Basic x"),
                ("x-own", "theirs"),
                ("via", "1.0 before"),
                ("user-agent", "player"),
                ("accept-encoding", "deflate, gzip"),
                ("accept-language", "en"),
            ],
            false,
        );
        for (name, value) in [
            ("cookie", "a=b"),
            ("authorization", "Basic x"),
            ("x-own", "1"),
            ("user-agent", "player"),
            ("accept-encoding", "gzip"),
            ("accept-language", "en"),
        ] {
            assert_eq!(fields.get_all(name).iter().collect::<Vec<_>>(), [value], "{name}");
        }
        assert_eq!(fields.get_all("via").iter().collect::<Vec<_>>(), ["1.0 before", "1.1 e"]);
        assert_eq!(onward(&[], false)["user-agent"], "edge");
    }

    #[test]
    fn what_is_for_this_hop_or_for_one_client_stays() {
        let hop = [
            ("connection", "close, x-hop"),
            ("x-hop", "1"),
            ("te", "trailers"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "websocket"),
            ("proxy-authorization", "Basic x"),
            ("host", "public"),
            ("x-forwarded-host", "evil"),
            ("forwarded", "for=evil"),
        ];
        let conditions = [("if-none-match", "\"a\""), ("range", "bytes=0-1"), ("if-range", "\"a\"")];
        let all: Vec<_> = hop.into_iter().chain(conditions).collect();
        let fields = onward(&all, false);
        all.iter().for_each(|(name, _)| assert!(!fields.contains_key(*name), "{name}"));
        let alone = onward(&all, true);
        hop.iter().for_each(|(name, _)| assert!(!alone.contains_key(*name), "{name}"));
        conditions.iter().for_each(|(name, value)| assert_eq!(alone[*name], *value));
    }
}
