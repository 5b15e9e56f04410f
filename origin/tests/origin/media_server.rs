//! The media endpoint over a store alone answers as the origin does, and knows what is taken down.

use std::sync::Arc;
use std::time::Duration;

use http::{Method, Request};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use segue_manifests::ObjectKey;
use segue_origin::{MediaConfig, MediaServer};
use segue_storage::Storage as _;
use segue_storage::testing::{Chaos, Faults};
use serde_json::{Value, json};

use crate::support::{Answer, Track, eventually, memory, origin, tags};

const SECRET: &str = "hush";

/// A media endpoint over a store.
struct Alone(MediaServer);

impl Alone {
    async fn start(store: Arc<Chaos>) -> Self {
        Self(MediaServer::start(&config(), store).await.unwrap())
    }

    async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("http://{}{path}", self.0.addr()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::<bytes::Bytes>::default()).unwrap();
        let client = Client::builder(TokioExecutor::new()).build_http();
        let (parts, body) = client.request(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// As an edge asks.
    async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, &[BEARER]).await
    }
}

const BEARER: (&str, &str) = ("authorization", "Bearer hush");

fn config() -> MediaConfig {
    let secret = SECRET.into();
    MediaConfig { secret, reads: 8, read_timeout: Duration::from_secs(20), cache_bytes: 8 << 20 }
}

/// What must be the same, whoever answers: everything but what names the one request.
fn comparable(answer: &Answer) -> (u16, Vec<(String, String)>, Vec<u8>) {
    let mut fields: Vec<_> = answer
        .headers
        .iter()
        .filter(|(name, _)| !["date", "x-request-id", "content-length"].contains(&name.as_str()))
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    fields.sort();
    let mut body = answer.body.to_vec();
    if let Ok(Value::Object(mut problem)) = serde_json::from_slice(&body) {
        problem.remove("instance");
        body = serde_json::to_vec(&problem).unwrap();
    }
    (answer.status.as_u16(), fields, body)
}

/// Method, path and fields of a request.
type Asked<'a> = (Method, String, Vec<(&'a str, &'a str)>);

#[tokio::test]
async fn both_answer_alike() {
    let origin = origin().await;
    let track = Track::with_segments(1, tags("One", "Ann", "First"), &[172; 60]);
    origin.add(&track).await;
    let (base, init) = (track.base(), track.descriptor.renditions[0].init.sha256);
    let segment = format!("{base}/aac-256/2.m4s");
    let etag = origin.get(&segment).await.header("etag").to_owned();
    let none: &[(&str, &str)] = &[];
    let table: Vec<Asked<'_>> = vec![
        (Method::GET, format!("{base}/mv.m3u8"), none.to_vec()),
        (Method::GET, format!("{base}/aac-128/media.m3u8"), none.to_vec()),
        (Method::GET, format!("{base}/aac-128/media.m3u8"), vec![("accept-encoding", "gzip")]),
        (Method::HEAD, format!("{base}/aac-128/media.m3u8"), none.to_vec()),
        (Method::GET, segment.clone(), none.to_vec()),
        (Method::HEAD, segment.clone(), none.to_vec()),
        (Method::GET, segment.clone(), vec![("range", "bytes=10-19")]),
        (Method::GET, segment.clone(), vec![("range", "bytes=10-"), ("if-range", &etag)]),
        (Method::GET, segment.clone(), vec![("range", "bytes=10-"), ("if-range", "\"other\"")]),
        (Method::GET, segment.clone(), vec![("range", "bytes=9999999-")]),
        (Method::GET, segment.clone(), vec![("if-none-match", &etag)]),
        (Method::GET, segment.clone(), vec![("origin", "https://page.example")]),
        (Method::GET, format!("/v1/i/{init}.mp4"), none.to_vec()),
        (Method::GET, format!("{base}/aac-128/60.m4s"), none.to_vec()),
        (Method::GET, format!("{base}/asset.json"), none.to_vec()),
        (Method::GET, format!("{}/gone.json", base.rsplit_once('/').unwrap().0), none.to_vec()),
        (Method::GET, "/v1/a/%2e%2e/x".into(), none.to_vec()),
        (Method::POST, segment.clone(), none.to_vec()),
    ];
    let alone = Alone::start(origin.store.clone()).await;
    for (method, path, headers) in &table {
        let expected = origin.ask(method.clone(), path, headers, "").await;
        let answer = alone.ask(method.clone(), path, &[&headers[..], &[BEARER]].concat()).await;
        assert_eq!(comparable(&answer), comparable(&expected), "{method} {path} {headers:?}");
        let length = |answer: &Answer| answer.headers.get("content-length").cloned();
        if !expected.status.is_client_error() {
            assert_eq!(length(&answer), length(&expected), "{method} {path} {headers:?}");
        }
    }
    for path in ["/songs", "/healthz", "/", "/status"] {
        assert_eq!(alone.get(path).await.status, 404, "{path}: media and nothing else");
    }
}

#[tokio::test]
async fn only_who_has_the_secret_is_answered() {
    let store = memory();
    let track = Track::new(1, tags("One", "Ann", "First"));
    track.publish(&*store).await;
    let path = format!("{}/mv.m3u8", track.base());
    let alone = Alone::start(store.clone()).await;
    assert!(alone.0.addr().ip().is_loopback());
    assert_eq!(alone.get(&path).await.status, 200);
    alone.ask(Method::GET, &path, &[]).await.assert_problem(401, "no-secret");
    let wrong = [("authorization", "Bearer husx")];
    alone.ask(Method::GET, &path, &wrong).await.assert_problem(401, "wrong-secret");
    assert!(!format!("{:?}", config()).contains(SECRET));
    assert!(alone.0.set_secret("").is_err());
    alone.0.set_secret("husx").unwrap();
    assert_eq!(alone.ask(Method::GET, &path, &wrong).await.status, 200, "it is right now");
    assert_eq!(alone.get(&path).await.status, 200, "who began with the one before goes on");
    alone.0.set_secret("husy").unwrap();
    alone.ask(Method::GET, &path, &[BEARER]).await.assert_problem(401, "wrong-secret");
    let open = MediaConfig { secret: String::new(), ..config() };
    assert!(MediaServer::start(&open, store).await.is_err());
}

#[tokio::test]
async fn what_is_taken_down_does_not_come_back_through_the_store() {
    let origin = origin().await;
    let track = Track::new(1, tags("One", "Ann", "First"));
    let other = Track::new(2, tags("Two", "Ann", "First"));
    origin.add(&track).await;
    origin.add(&other).await;
    let alone = Alone::start(origin.store.clone()).await;
    let media = [
        format!("{}/mv.m3u8", track.base()),
        format!("{}/aac-128/media.m3u8", track.base()),
        format!("{}/aac-128/0.m4s", track.base()),
    ];
    for path in &media {
        assert_eq!(alone.get(path).await.status, 200);
    }
    let (_, curator) = origin.user("root").await;
    let path = format!("/songs/{}/takedown", track.id());
    assert_eq!(origin.as_user(Method::PUT, &path, &curator, &json!({})).await.status, 204);
    for path in &media {
        eventually(async || alone.get(path).await.status == 410).await;
        let expected = origin.get(path).await;
        assert_eq!(comparable(&alone.get(path).await), comparable(&expected));
    }
    assert_eq!(alone.get(&format!("{}/mv.m3u8", other.base())).await.status, 200);
    assert_eq!(origin.as_user(Method::DELETE, &path, &curator, &Value::Null).await.status, 204);
    eventually(async || alone.get(&media[0]).await.status == 200).await;
}

#[tokio::test]
async fn a_takedown_that_the_store_missed_is_made_good_at_the_next_start() {
    let origin = origin().await;
    let track = Track::new(1, tags("One", "Ann", "First"));
    origin.add(&track).await;
    let (_, curator) = origin.user("root").await;
    origin.store.set(Faults { offline: true, ..Faults::default() });
    let path = format!("/songs/{}/takedown", track.id());
    assert_eq!(origin.as_user(Method::PUT, &path, &curator, &json!({})).await.status, 204);
    let (dir, store) = (origin.dir.clone(), origin.store.clone());
    origin.drain(Duration::ZERO).await;
    drop(origin);
    store.set(Faults::default());
    let tombstone = ObjectKey::Tombstone { asset: track.descriptor.asset }.path();
    assert!(store.head(&tombstone).await.is_err());
    let again = crate::support::start(dir, store.clone(), |_| ()).await;
    eventually(async || store.head(&tombstone).await.is_ok()).await;
    eventually(async || again.metric("segue_origin_tombstones_due").await == 0).await;
}

#[tokio::test]
async fn a_store_that_does_not_say_is_believed_in_nothing() {
    let store = memory();
    let track = Track::new(1, tags("One", "Ann", "First"));
    track.publish(&*store).await;
    let alone = Alone::start(store.clone()).await;
    store.set(Faults { offline: true, ..Faults::default() });
    alone.get(&format!("{}/mv.m3u8", track.base())).await.assert_problem(503, "unavailable");
    store.set(Faults::default());
    assert_eq!(alone.get(&format!("{}/mv.m3u8", track.base())).await.status, 200);
}
