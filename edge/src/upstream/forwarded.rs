//! A client's request on its way to an upstream, in open mode (RFC 9110 7.6).

use std::net::IpAddr;

use http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONTENT_LENGTH, COOKIE, EXPECT, HOST, HeaderName, IF_MATCH,
    IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE, USER_AGENT, VIA,
};
use http::{HeaderMap, HeaderValue};

use crate::semantics::{encoding, hop_by_hop};
use crate::trace::{TRACEPARENT, TRACESTATE};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Fields that this edge says for itself, beside those of one hop.
const OWN: [HeaderName; 5] = [
    CONTENT_LENGTH,
    EXPECT,
    HOST,
    // Written anew for each request to an upstream, where there is a trace.
    TRACEPARENT,
    TRACESTATE,
];

/// What a client claims about the way it came, about the site's address, or that its method is another one, is not told on: it is
/// no part of the cache key, and an upstream that believed it could be made to answer one client for all. Whose a request is,
/// as far as that is believed, is told where the response is for that one alone.
const CLAIMS: [&str; 12] = [
    "forwarded",
    "x-real-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "true-client-ip",
    "x-host",
    "x-http-host-override",
    "x-rewrite-url",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-forwarded",
];
const KINDS_OF_CLAIMS: [&str; 2] = ["x-forwarded-", "x-original-"];

/// Servers that hand fields on as variables of the environment cannot tell an underscore from a hyphen.
fn is_claim(name: &HeaderName) -> bool {
    let name = name.as_str().replace('_', "-");
    CLAIMS.contains(&name.as_str()) || KINDS_OF_CLAIMS.iter().any(|kind| name.starts_with(kind))
}

/// Fields that make a response a part, or none: what is fetched for all is fetched whole.
const CONDITIONS: [HeaderName; 6] =
    [IF_MATCH, IF_NONE_MATCH, IF_MODIFIED_SINCE, IF_UNMODIFIED_SINCE, IF_RANGE, RANGE];

/// The fields of a client's request.
#[derive(Debug)]
pub(crate) struct Forwarded {
    pub(crate) fields: HeaderMap,
    /// The response is for this client alone, conditions included; what the upstream is told of it.
    pub(crate) alone: Option<Came>,
}

/// How a request came here.
#[derive(Debug)]
pub(crate) struct Came {
    /// Who had a part in it and is believed, the nearest first, the client last.
    pub(crate) way: Vec<IpAddr>,
    pub(crate) over_tls: bool,
    /// How the client calls the site.
    pub(crate) host: Option<HeaderValue>,
}

impl Came {
    fn fields(&self) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
        let way: Vec<_> = self.way.iter().rev().map(ToString::to_string).collect();
        let proto = HeaderValue::from_static(if self.over_tls { "https" } else { "http" });
        let way = HeaderValue::from_str(&way.join(", ")).ok();
        [(X_FORWARDED_FOR, way), (X_FORWARDED_PROTO, Some(proto)), (X_FORWARDED_HOST, self.host.clone())]
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
    }
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
        let claims: Vec<_> = fields.keys().filter(|name| is_claim(name)).cloned().collect();
        claims.iter().for_each(|name| drop(fields.remove(name)));
        if self.alone.is_none() {
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
        fields.extend(self.alone.iter().flat_map(Came::fields));
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
        let way = ["10.0.0.1", "2001:db8::7"].map(|address| address.parse().unwrap()).to_vec();
        let came = || Came { way, over_tls: true, host: Some(HeaderValue::from_static("public")) };
        Forwarded { fields: headers, alone: alone.then(came) }.onward(&HeaderMap::from_iter(own))
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
            ("forwarded", "for=evil"),
        ];
        let claims =
            [("x-forwarded-host", "evil"), ("x-forwarded-for", "evil"), ("x-forwarded-proto", "evil")];
        let other_claims = [
            ("x-forwarded-prefix", "/evil"),
            ("x_forwarded_host", "evil"),
            ("x-forwarded", "evil"),
            ("x-original-url", "/evil"),
            ("x-real-ip", "evil"),
            ("x-http-method-override", "HEAD"),
        ];
        let conditions = [("if-none-match", "\"a\""), ("range", "bytes=0-1"), ("if-range", "\"a\"")];
        let all: Vec<_> = hop.into_iter().chain(claims).chain(other_claims).chain(conditions).collect();
        let fields = onward(&all, false);
        all.iter().for_each(|(name, _)| assert!(!fields.contains_key(*name), "{name}"));
        let alone = onward(&all, true);
        let gone = hop.iter().chain(&other_claims);
        gone.for_each(|(name, _)| assert!(!alone.contains_key(*name), "{name}"));
        conditions.iter().for_each(|(name, value)| assert_eq!(alone[*name], *value));
        for (name, value) in [
            ("x-forwarded-host", "public"),
            ("x-forwarded-for", "2001:db8::7, 10.0.0.1"),
            ("x-forwarded-proto", "https"),
        ] {
            assert_eq!(alone.get_all(name).iter().collect::<Vec<_>>(), [value], "{name}");
        }
    }
}
