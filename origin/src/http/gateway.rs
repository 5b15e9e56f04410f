//! The gateway: who asks, from where, and whether that is too often.

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{AUTHORIZATION, COOKIE, HOST, ORIGIN, RETRY_AFTER, WWW_AUTHENTICATE};
use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};

use super::{Problem, client, identity};
use crate::accounts::Identity;
use crate::app::App;
use crate::clock;

/// The cookie of the web player.
pub(crate) const COOKIE_NAME: &str = "segue_session";
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Routes for machines, with secrets of their own; and files that never change by who asks.
const MACHINES: [&str; 11] = [
    "/v1/{*path}",
    "/imports",
    "/healthz",
    "/readyz",
    "/.well-known/segue-keys.json",
    "/",
    "/favicon.ico",
    "/web/{*path}",
    "/covers/{sha256}",
    "/openapi.json",
    "/docs",
];
/// Routes that need no account where guests have to sign in.
const DOORS: [&str; 3] = ["/users/register", "/users/login", "/server"];

/// Where the secret came from.
enum Shown {
    Bearer(String),
    Cookie(String),
    Nothing,
}

/// Finds out who asks, limits how often, and lets in.
pub(crate) async fn enter(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    if MACHINES.contains(&route) {
        return next.run(request).await;
    }
    let door = DOORS.contains(&route);
    let forgery = !request.method().is_safe() && !same_site(request.uri(), request.headers());
    let caller = match identify(&app, shown(request.headers()), forgery).await {
        Ok(caller) => caller,
        Err(problem) => return problem.into_response(),
    };
    let from = client::address(&request, &app.trusted_proxies);
    request.extensions_mut().insert(client::Address(from));
    let standing = app.rates.take(caller.as_ref().map(|it| it.user), from).await;
    let mut response = if standing.is_some_and(|standing| standing.exhausted) {
        too_many(standing.map_or(1, |it| it.reset))
    } else if caller.is_none() && !app.guests && !door {
        identity::sign_in().into_response()
    } else {
        if let Some(caller) = caller {
            request.extensions_mut().insert(caller);
        }
        next.run(request).await
    };
    if let Some(standing) = standing {
        put(response.headers_mut(), RATE_LIMIT_POLICY, app.rates.policy());
        put(response.headers_mut(), RATE_LIMIT, &standing.header());
    }
    response
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

fn too_many(reset: u64) -> Response {
    let detail = "Too many requests. Wait as long as Retry-After says.";
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many-requests", "Too many requests", detail)
        .with(RETRY_AFTER, &reset.max(1).to_string())
        .into_response()
}

/// `forgery`: it would be one if it came with a cookie.
async fn identify(app: &App, shown: Shown, forgery: bool) -> Result<Option<Identity>, Problem> {
    let (token, cookie) = match shown {
        Shown::Bearer(token) => (token, false),
        Shown::Cookie(token) => (token, true),
        Shown::Nothing => return Ok(None),
    };
    let found = app.accounts.identify(&token, clock::now_ms()).await?;
    match found {
        // An old cookie is no reason to refuse: its owner may be about to sign in.
        None if cookie => Ok(None),
        None => Err(bad_token()),
        Some(_) if cookie && forgery => Err(forged()),
        Some(identity) => Ok(Some(identity)),
    }
}

fn shown(headers: &HeaderMap) -> Shown {
    let text = |value: &HeaderValue| value.to_str().ok().map(str::to_owned);
    if let Some(value) = headers.get(AUTHORIZATION).and_then(text) {
        let bearer = value.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        return Shown::Bearer(bearer.map_or_else(String::new, |(_, token)| token.trim().to_owned()));
    }
    let cookies = headers.get_all(COOKIE).iter().filter_map(text).collect::<Vec<_>>().join(";");
    let mut pairs = cookies.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs
        .find(|(name, _)| *name == COOKIE_NAME)
        .map_or(Shown::Nothing, |(_, token)| Shown::Cookie(token.to_owned()))
}

/// Whether a browser says that the request comes from this origin's own pages: by `Sec-Fetch-Site` (Fetch Metadata),
/// else by `Origin`. One of them is there in every browser that sends cookies with writes.
fn same_site(uri: &Uri, headers: &HeaderMap) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin" || site == "none";
    }
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    // HTTP/2 names the host in the target.
    let host = uri.authority().map_or_else(|| text(HOST).unwrap_or_default(), Authority::as_str);
    let origin = text(ORIGIN).and_then(|origin| origin.split_once("://"));
    origin.is_some_and(|(_, authority)| authority == host)
}

fn bad_token() -> Problem {
    let detail = "The bearer token is unknown, revoked or expired. Sign in again.";
    Problem::new(StatusCode::UNAUTHORIZED, "bad-token", "Unauthorized", detail)
        .with(WWW_AUTHENTICATE, "Bearer realm=\"segue\", error=\"invalid_token\"")
}

fn forged() -> Problem {
    let detail = "A request with a cookie must come from this origin's own pages. Scripts send the token as a bearer token.";
    Problem::new(StatusCode::FORBIDDEN, "cross-site", "Cross-site request", detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn cookies_write_only_from_the_own_pages() {
        let table: [(&[(&'static str, &'static str)], bool); 7] = [
            (&[("sec-fetch-site", "same-origin")], true),
            (&[("sec-fetch-site", "same-site"), ("origin", "http://a"), ("host", "a")], false),
            (&[("sec-fetch-site", "cross-site")], false),
            (&[("origin", "http://a:1"), ("host", "a:1")], true),
            (&[("origin", "http://b:1"), ("host", "a:1")], false),
            (&[("origin", "null"), ("host", "a:1")], false),
            (&[("host", "a:1")], false),
        ];
        for (pairs, expected) in table {
            assert_eq!(same_site(&Uri::from_static("/"), &headers(pairs)), expected, "{pairs:?}");
        }
    }

    #[test]
    fn over_http_2_the_target_names_the_host() {
        let uri = Uri::from_static("https://a/playlists");
        assert!(same_site(&uri, &headers(&[("origin", "https://a")])));
        assert!(!same_site(&uri, &headers(&[("origin", "https://b"), ("host", "b")])));
    }

    #[test]
    fn secrets_are_found() {
        let bearer =
            |value| matches!(shown(&headers(&[("authorization", value)])), Shown::Bearer(it) if it == "x");
        assert!(bearer("Bearer x") && bearer("bearer  x "));
        assert!(!bearer("Basic x"));
        let cookie = headers(&[("cookie", "a=b; segue_session=x; c=d")]);
        assert!(matches!(shown(&cookie), Shown::Cookie(it) if it == "x"));
        assert!(matches!(shown(&headers(&[("cookie", "xsegue_session=x")])), Shown::Nothing));
    }
}
