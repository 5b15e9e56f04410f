//! Step 1: what does the request want? Refuses what no request to an edge may be.

use http::header::HOST;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Version};
use http_body::Body as _;
use segue_manifests::{MediaPath, path, token};

use super::{Content, Plain};
use crate::edge::Edge;
use crate::load::For;
use crate::problem::Problem;
use crate::semantics::cdn_loop;
use crate::semantics::cmcd::{self, Cmcd};
use crate::semantics::request_head::is_host;
use crate::trace::Scope;
use crate::upstream::{BACKGROUND, PRIORITY};

/// What a request wants.
#[derive(Debug)]
pub(crate) enum Route {
    /// To know whether a page may ask (CORS).
    Preflight,
    /// An object.
    Object(Wanted),
    /// Something that the upstream has to do itself.
    Pass(Passing),
}

/// A request that is told on as it is.
#[derive(Debug)]
pub(crate) struct Passing {
    /// Path and query.
    pub(crate) target: String,
    pub(crate) way: Option<HeaderValue>,
}

/// A wanted object.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) method: token::Method,
    /// The path without its token; in open mode with the query. Also what upstreams are asked for.
    pub(crate) cache_key: String,
    pub(crate) token: Option<String>,
    /// What the path means, if it is one of Segue's.
    pub(crate) media: Option<MediaPath>,
    /// `CDN-Loop` as it came: told on to upstreams.
    pub(crate) way: Option<HeaderValue>,
    /// What the player tells (CMCD).
    pub(crate) told: Option<Box<Cmcd>>,
    /// Another edge asks, which this one shields.
    pub(crate) downstream: bool,
    /// Whom a fetch for it is for: such an edge may say that nobody waits.
    pub(crate) whom: For,
    /// What a fetch for it is a part of.
    pub(crate) trace: Option<Box<Scope>>,
}

/// RFC 8586.
pub(crate) const CDN_LOOP: HeaderName = HeaderName::from_static("cdn-loop");

static CMCD: [HeaderName; 4] = [
    HeaderName::from_static("cmcd-object"),
    HeaderName::from_static("cmcd-request"),
    HeaderName::from_static("cmcd-session"),
    HeaderName::from_static("cmcd-status"),
];

/// Reads the request line and what bears on its framing.
///
/// # Errors
/// A problem for targets that are too long or play tricks, for other methods, for bodies, for a missing or
/// doubled `Host`, and for requests that have been here before.
pub(crate) fn route(request: &Request<Content>, edge: &Edge) -> Result<Route, Problem> {
    let config = &edge.config;
    check_host(request)?;
    let way = way(request.headers(), &edge.loop_name)?;
    let target = request.uri();
    let length = target.path_and_query().map_or(0, |both| both.as_str().len());
    if length as u64 > config.target_bytes {
        return Err(Problem::TARGET);
    }
    let has_content = request.body().as_ref().is_some_and(|content| !content.is_end_stream());
    let method = match *request.method() {
        // Content has no meaning there, and is a means of request smuggling (RFC 9110 9.3.1).
        Method::GET | Method::HEAD if has_content => return Err(Problem::BODY),
        Method::GET => Some(token::Method::Get),
        Method::HEAD => Some(token::Method::Head),
        _ => None,
    };
    let told = told(request.headers(), target.query());
    match method {
        Some(method) if config.open => {
            let wanted = open(method, target.path(), target.query())?;
            Ok(Route::Object(Wanted { way, told, ..wanted }))
        }
        Some(method) => {
            let wanted = closed(method, target.path())?;
            let downstream = wanted.token.is_none() && is_downstream(edge, request.headers());
            let whom = if downstream { whom(request.headers()) } else { For::Client };
            Ok(Route::Object(Wanted { way, told, downstream, whom, ..wanted }))
        }
        None if config.open && may_pass(request) => {
            let wanted = open(token::Method::Get, target.path(), target.query())?;
            match wanted.media {
                None => Ok(Route::Pass(Passing { target: wanted.cache_key, way })),
                Some(_) => read_only(request.method(), has_content),
            }
        }
        None => read_only(request.method(), has_content),
    }
}

/// Whether the request is one of another edge's that this one shields.
fn is_downstream(edge: &Edge, headers: &HeaderMap) -> bool {
    edge.downstream.as_ref().is_some_and(|secret| secret.is_shown(headers))
}

/// Whom another edge asks for, in the words of `Upstreams::remind`.
fn whom(headers: &HeaderMap) -> For {
    let in_background = headers.get(PRIORITY).is_some_and(|priority| priority == BACKGROUND);
    if in_background { For::Prefetch } else { For::Client }
}

/// A tunnel is no request to a resource, nor is one about the whole server.
fn may_pass(request: &Request<Content>) -> bool {
    request.method() != Method::CONNECT && request.uri().path() != "*"
}

/// What is left for other methods where nothing is told on.
fn read_only(method: &Method, has_content: bool) -> Result<Route, Problem> {
    match *method {
        _ if has_content => Err(Problem::BODY),
        Method::OPTIONS => Ok(Route::Preflight),
        _ => Err(Problem::METHOD),
    }
}

/// The cache key of a reference that an upstream of an open edge gives, or that a request for it has; `None` for what is
/// no path.
pub(super) fn cache_key_of(path: &str, query: Option<&str>) -> Option<String> {
    open(token::Method::Get, path, query).ok().map(|wanted| wanted.cache_key)
}

/// Reads a request that is as plain as most are; `None` where it takes [`route`] to read it. In the same terms: a target
/// that is too long, and tricks in the path, are refused.
pub(super) fn plain(asked: &Plain<'_>, edge: &Edge) -> Option<(Method, Result<Wanted, Problem>)> {
    let (name, method) = match asked.method {
        "GET" => (Method::GET, token::Method::Get),
        "HEAD" => (Method::HEAD, token::Method::Head),
        _ => return None,
    };
    let target = asked.target;
    if !target.starts_with('/') {
        return None;
    }
    let (path, query) = match memchr::memchr2(b'?', b'#', target.as_bytes()) {
        Some(at) => (&target[..at], Some(&target[at..])),
        None => (target, None),
    };
    // With its question mark; a fragment is no part of a target.
    if query.is_some_and(|query| query.contains('#') || query.contains("CMCD=")) {
        return None;
    }
    let query = query.map(|query| &query[1..]);
    if target.len() as u64 > edge.config.target_bytes {
        return Some((name, Err(Problem::TARGET)));
    }
    let wanted = if edge.config.open { open(method, path, query) } else { closed(method, path) };
    // What edges show that this one shields stands in a field.
    let may_be_an_edge = edge.downstream.is_some() && wanted.as_ref().is_ok_and(|it| it.token.is_none());
    if may_be_an_edge { None } else { Some((name, wanted)) }
}

/// CMCD, from the query or from its four fields.
fn told(headers: &HeaderMap, query: Option<&str>) -> Option<Box<Cmcd>> {
    let in_query = query.and_then(cmcd::of_query);
    let mut in_fields = CMCD.iter().filter_map(|name| headers.get(name)?.to_str().ok()).peekable();
    if in_query.is_none() && in_fields.peek().is_none() {
        return None;
    }
    let mut told = Cmcd::default();
    in_query.iter().for_each(|text| told.read(text));
    in_fields.for_each(|text| told.read(text));
    Some(Box::new(told))
}

/// The caches that the request came through.
fn way(headers: &HeaderMap, me: &str) -> Result<Option<HeaderValue>, Problem> {
    if !headers.contains_key(CDN_LOOP) {
        return Ok(None);
    }
    let fields: Vec<&str> =
        headers.get_all(CDN_LOOP).iter().filter_map(|field| field.to_str().ok()).collect();
    match cdn_loop::is_loop(fields.iter().copied(), me) {
        true => Err(Problem::LOOP),
        false => Ok(HeaderValue::from_str(&fields.join(", ")).ok().filter(|way| !way.is_empty())),
    }
}

/// RFC 9112 3.2: 400 for HTTP/1.1 without exactly one `Host` that may be one. HTTP/2 has `:authority`.
fn check_host(request: &Request<Content>) -> Result<(), Problem> {
    let hosts = request.headers().get_all(HOST).iter().count();
    let fits = match request.version() {
        Version::HTTP_11 => hosts == 1,
        _ => hosts <= 1,
    };
    let named = request.headers().get_all(HOST).iter().all(|host| is_host(host.as_bytes()));
    if fits && named { Ok(()) } else { Err(Problem::HOST) }
}

fn closed(method: token::Method, raw: &str) -> Result<Wanted, Problem> {
    let normal = path::normalise(raw).map_err(Problem::path)?;
    let (token, bare) = path::split_token(&normal);
    let token = token.map(str::to_owned);
    let media = MediaPath::parse(&bare);
    Ok(Wanted {
        method,
        cache_key: bare.into_owned(),
        token,
        media,
        way: None,
        told: None,
        downstream: false,
        whom: For::Client,
        trace: None,
    })
}

/// In open mode the path is the upstream's affair; only a token that is there all the same is taken out.
fn open(method: token::Method, raw: &str, query: Option<&str>) -> Result<Wanted, Problem> {
    let (_, bare) = path::split_token(raw);
    let media = MediaPath::parse(&bare);
    let cache_key = match query {
        Some(query) if media.is_none() => format!("{bare}?{query}"),
        _ => bare.into_owned(),
    };
    if !cache_key.starts_with('/') {
        return Err(Problem::path(path::PathError::Relative));
    }
    Ok(Wanted {
        method,
        cache_key,
        token: None,
        media,
        way: None,
        told: None,
        downstream: false,
        whom: For::Client,
        trace: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "a/00112233445566778899aabbccddeeff/0a1b2c3d4e5f";

    #[test]
    fn the_token_never_enters_the_cache_key() {
        let wanted = closed(token::Method::Get, &format!("/v1/~tok/{BASE}/mv.m3u8")).unwrap();
        assert_eq!(wanted.cache_key, format!("/v1/{BASE}/mv.m3u8"));
        assert_eq!(wanted.token.as_deref(), Some("tok"));
        assert!(wanted.media.is_some());
    }

    #[test]
    fn tricks_are_refused_in_closed_mode_only() {
        assert_eq!(closed(token::Method::Get, "/v1//a").unwrap_err().code, "path-empty-segment");
        let wanted = open(token::Method::Get, "/v1//a", Some("q=1")).unwrap();
        assert_eq!(wanted.cache_key, "/v1//a?q=1");
        assert!(open(token::Method::Get, "*", None).is_err());
    }

    #[test]
    fn the_query_never_enters_the_cache_key_of_media() {
        let wanted = open(token::Method::Get, &format!("/v1/{BASE}/mv.m3u8"), Some("CMCD=x")).unwrap();
        assert_eq!(wanted.cache_key, format!("/v1/{BASE}/mv.m3u8"));
    }
}
