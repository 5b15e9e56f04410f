//! Step 4 of requests that are told on: what is not a plain GET or HEAD, in open mode.

use std::sync::Arc;

use http::header::{CONTENT_LOCATION, HOST, LOCATION};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri};
use http_body::Body as _;

use super::Content;
use super::fill::{Filled, Source};
use super::route::{Passing, cache_key_of};
use crate::address::{Peer, Told, fields};
use crate::cache::CacheStatus;
use crate::config::millis;
use crate::edge::Edge;
use crate::fill::{self, PassBody, read_head};
use crate::problem::Problem;
use crate::semantics::reference;
use crate::server::Worker;
use crate::trace::Scope;
use crate::upstream::{Aim, Came, Forwarded, Onward, Outgoing};

/// Tells the request on, its content as it comes, and drops what its success makes invalid.
///
/// # Errors
/// 413 for content that is too large, 408 for content that does not come; 502, 503 or 504 when the upstream failed.
pub(super) async fn pass(
    worker: &Arc<Worker>,
    passing: &Passing,
    peer: Peer,
    request: &mut Request<Content>,
    trace: Option<&Scope>,
) -> Result<Filled, Problem> {
    let edge = &worker.edge;
    let place = fill::place(edge).map_err(Problem::fault)?;
    let onward = onward(edge, request.body_mut().take())?;
    let alone = Some(came(edge, peer, request));
    let client = Forwarded { fields: std::mem::take(request.headers_mut()), alone };
    let aim = Aim { target: &passing.target, way: passing.way.as_ref(), client: Some(&client), trace };
    let answer = worker.upstreams.pass(request.method().clone(), aim, onward).await;
    let (parts, body) = answer.map_err(Problem::fault)?.into_parts();
    if changes(request.method(), parts.status) {
        let host = client.fields.get(HOST).and_then(|host| host.to_str().ok()).or(request.uri().host());
        invalidate(edge, &passing.target, host, &parts.headers);
    }
    let head = Arc::new(read_head(&parts, &body, &edge.context(false)));
    let body = PassBody::new(body, worker.upstreams.idle, place);
    Ok(Filled { forwarded: head.status, source: Source::Pass(head, body), cache: CacheStatus::Method })
}

/// How the request came here. The host is what the request itself names, as proxies that do not set a field for it tell on a
/// client's.
fn came(edge: &Edge, peer: Peer, request: &Request<Content>) -> Came {
    let Told { way, over_tls } = edge.proxies.way(peer, fields(request.headers()));
    let authority = || HeaderValue::from_str(request.uri().authority()?.as_str()).ok();
    Came {
        way,
        over_tls: over_tls.unwrap_or_else(|| edge.config.uses_tls()),
        host: request.headers().get(HOST).cloned().or_else(authority),
    }
}

fn onward(edge: &Edge, content: Content) -> Result<Onward, Problem> {
    let limit = edge.config.request_body_bytes;
    match content.filter(|content| !content.is_end_stream()) {
        None => Ok(Onward::default()),
        Some(content) if content.size_hint().lower() > limit => {
            Err(Problem::fault(fill::Fault::ContentTooLarge))
        }
        Some(content) => {
            let (content, sent) = Outgoing::of(content, limit, millis(edge.config.stall_timeout_ms));
            Ok(Onward { content, sent: Some(sent) })
        }
    }
}

/// Whether a request changes the resource: no safe method, and no failure (RFC 9111 4.4).
fn changes(method: &Method, status: StatusCode) -> bool {
    !method.is_safe() && (status.is_success() || status.is_redirection())
}

/// Drops what is stored of the target, and of what the response names on the same host.
fn invalidate(edge: &Edge, target: &str, host: Option<&str>, headers: &HeaderMap) {
    let named = [LOCATION, CONTENT_LOCATION].into_iter().filter_map(|name| {
        let reference = headers.get(name)?.to_str().ok()?;
        referred(reference, target, |authority| is_ours(edge, host, authority))
    });
    for cache_key in named.chain([target.to_owned()]) {
        // In this order: see `keep` in the fill.
        edge.fills.outdate(&cache_key);
        edge.store.forget(&cache_key);
    }
}

/// The cache key of a URI reference; `None` where it leads elsewhere.
fn referred(reference: &str, target: &str, is_ours: impl Fn(&str) -> bool) -> Option<String> {
    let authority =
        reference.split_once("://").map(|(_, rest)| rest).or_else(|| reference.strip_prefix("//"));
    let joined = match authority {
        Some(rest) => {
            let (authority, _) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
            if !is_ours(authority) {
                return None;
            }
            let path = &rest[authority.len()..];
            reference::join("/", if path.is_empty() { "/" } else { path })?
        }
        None => reference::join(target, reference)?,
    };
    let (path, query) = match joined.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (joined.as_str(), None),
    };
    cache_key_of(path, query)
}

/// Whether an authority is this site: as the client calls it, or as it is called upstream.
fn is_ours(edge: &Edge, host: Option<&str>, authority: &str) -> bool {
    let upstreams = edge.config.upstreams.iter().filter_map(|base| base.parse::<Uri>().ok());
    let mut names = upstreams.filter_map(|base| base.authority().map(|name| name.as_str().to_owned()));
    let is_it = |name: &str| name.eq_ignore_ascii_case(authority);
    host.is_some_and(is_it) || is_it(&edge.config.upstream_host) || names.any(|name| is_it(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn success_of_an_unsafe_method_changes_things() {
        assert!(changes(&Method::POST, StatusCode::OK) && changes(&Method::DELETE, StatusCode::SEE_OTHER));
        let search = Method::from_bytes(b"M-SEARCH").unwrap();
        assert!(changes(&search, StatusCode::NO_CONTENT), "unknown methods may do anything");
        assert!(
            !changes(&Method::PUT, StatusCode::CONFLICT) && !changes(&Method::PUT, StatusCode::BAD_GATEWAY)
        );
        assert!(!changes(&Method::OPTIONS, StatusCode::OK) && !changes(&Method::TRACE, StatusCode::OK));
    }

    #[test]
    fn references_are_joined() {
        let of = |reference| referred(reference, "/a/b?q", |authority| authority == "us");
        for (reference, cache_key) in [
            ("/x?y#z", "/x?y"),
            ("x", "/a/x"),
            ("?r", "/a/b?r"),
            ("", "/a/b?q"),
            ("http://us/x", "/x"),
            ("https://us/x?y", "/x?y"),
            ("//us/x", "/x"),
            ("http://us", "/"),
            ("http://us?y", "/?y"),
            ("../x", "/x"),
        ] {
            assert_eq!(of(reference).as_deref(), Some(cache_key), "{reference}");
        }
        for elsewhere in ["http://them/x", "//them/x", "http://us:81/x"] {
            assert_eq!(of(elsewhere), None, "{elsewhere}");
        }
    }
}
