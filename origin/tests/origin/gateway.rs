//! What lies around every route.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use segue_origin::IngestStatus;
use segue_storage::testing::Faults;
use serde_json::json;

use crate::support::{Track, eventually, origin, origin_with, tags};

#[tokio::test]
async fn answers_carry_their_headers() {
    let origin = origin().await;
    for path in ["/songs", "/nothing", "/healthz"] {
        let answer = origin.get(path).await;
        assert!(answer.header("content-security-policy").contains("default-src 'self'"));
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        assert_eq!(answer.header("x-request-id").len(), 32);
    }
    let named = origin.get_with("/songs", &[("x-request-id", "mine-1")]).await;
    assert_eq!(named.header("x-request-id"), "mine-1");
}

#[tokio::test]
async fn preflights_are_answered() {
    let origin = origin_with(|config| config.cors_origins = vec!["https://app.example".into()]).await;
    let ask = async |from: &str| {
        let headers = [("origin", from), ("access-control-request-method", "POST")];
        origin.ask(Method::OPTIONS, "/play/x", &headers, "").await
    };
    let ours = ask("https://app.example").await;
    assert_eq!(ours.status, 204);
    assert_eq!(ours.header("access-control-allow-origin"), "https://app.example");
    assert!(ours.header("access-control-allow-methods").contains("POST"));
    assert!(!ask("https://evil.example").await.headers.contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn wrong_paths_methods_and_queries_are_problems() {
    let origin = origin().await;
    origin.get("/nothing/here").await.assert_problem(404, "not-found");
    let wrong = origin.ask(Method::DELETE, "/songs", &[], "").await;
    wrong.assert_problem(405, "method-not-allowed");
    assert!(wrong.header("allow").contains("GET"));
    for query in ["limit=0", "limit=201", "limit=-1", "limit=x", "limit=1&limit=2", "limit=99999999999"] {
        origin.get(&format!("/songs?{query}")).await.assert_problem(400, "bad-query");
    }
    for cursor in ["x", "%00", "W10", "eyJhIjoxfQ", "%F0%9F%98%80", &"A".repeat(9000)] {
        origin.get(&format!("/songs?cursor={cursor}")).await.assert_problem(400, "bad-cursor");
    }
    for path in ["/songs/x", "/albums/x", "/artists/x", "/albums/x/songs", "/songs/%FF", "/songs/%2e%2e"] {
        let answer = origin.get(path).await;
        assert!([400, 404].contains(&answer.status.as_u16()), "{path}: {answer:?}");
        assert_eq!(answer.header("content-type"), "application/problem+json", "{path}");
    }
}

#[tokio::test]
async fn a_cursor_of_another_list_is_refused() {
    let origin = origin().await;
    for n in 0..3 {
        origin.add(&Track::new(n, tags("One", &format!("Artist {n}"), "First"))).await;
    }
    let page = origin.get("/songs?limit=1").await.json();
    let cursor = page["next_cursor"].as_str().unwrap();
    assert_eq!(origin.get(&format!("/songs?cursor={cursor}")).await.titles().len(), 2);
    for list in ["/albums", "/artists"] {
        origin.get(&format!("{list}?cursor={cursor}")).await.assert_problem(400, "bad-cursor");
    }
}

#[tokio::test]
async fn too_much_work_is_shed() {
    let origin = std::sync::Arc::new(origin_with(|config| config.max_requests = 2).await);
    let track = Track::new(1, tags("One", "Ann", "First"));
    origin.add(&track).await;
    origin.store.set(Faults { latency: Duration::from_secs(2), ..Faults::default() });
    let path = format!("{}/mv.m3u8", track.base());
    let slow: Vec<_> = (0..2)
        .map(|_| {
            let (origin, path) = (origin.clone(), path.clone());
            tokio::spawn(async move { origin.get(&path).await })
        })
        .collect();
    eventually(async || origin.get("/status").await.status == 503).await;
    origin.get("/status").await.assert_problem(503, "overloaded");
    assert_eq!(origin.get("/healthz").await.status, 200, "health answers always");
    for answer in slow {
        assert_eq!(answer.await.unwrap().status, 200);
    }
    assert_eq!(origin.get("/status").await.status, 200);
}

#[tokio::test]
async fn answers_that_take_too_long_are_given_up() {
    let origin = origin_with(|config| config.request_timeout_seconds = 1).await;
    let track = Track::new(1, tags("One", "Ann", "First"));
    origin.add(&track).await;
    origin.store.set(Faults { latency: Duration::from_secs(3600), ..Faults::default() });
    origin.get(&format!("{}/mv.m3u8", track.base())).await.assert_problem(503, "too-slow");
}

#[tokio::test]
async fn status_shows_the_ingest() {
    let origin = origin().await;
    origin.set_ingest_status(Some(IngestStatus { running: true, done: 1, total: 3, failed: 0 }));
    let status = origin.get("/status").await.json();
    assert_eq!(
        status,
        json!({"songs": 0, "albums": 0, "artists": 0,
               "ingest": {"state": "running", "done": 1, "total": 3, "failed": 0}})
    );
}

#[tokio::test]
async fn keys_are_polled_and_follow_their_file() {
    let origin = origin_with(|config| config.keys_poll_seconds = 1).await;
    let path = "/.well-known/segue-keys.json";
    let first = origin.get(path).await;
    assert_eq!(first.header("cache-control"), "public, max-age=15");
    assert!(!String::from_utf8_lossy(&first.body).contains("seed"), "no private half");
    let etag = first.header("etag").to_owned();
    assert_eq!(origin.get_with(path, &[("if-none-match", &etag)]).await.status, 304);
    let keys = segue_manifests::token::SigningKeys::generate(1);
    std::fs::write(origin.dir.path().join("keys.json"), keys.to_json()).unwrap();
    eventually(async || origin.get_with(path, &[("if-none-match", &etag)]).await.status == 200).await;
}

#[tokio::test]
async fn metrics_name_routes_never_paths() {
    let origin = origin().await;
    origin.get("/songs/00000000000000000000000000000000").await;
    origin.get("/v1/~secret-token/a/x").await;
    let text = origin.metrics().await;
    origin.get("/metrics").await.assert_problem(404, "not-found");
    assert!(text.contains("route=\"/songs/{id}\"") && text.contains("route=\"/v1/{*path}\""), "{text}");
    assert!(!text.contains("secret-token") && text.ends_with("# EOF\n"));
}

#[tokio::test]
async fn the_player_is_served_when_it_is_built_in() {
    let origin = origin().await;
    let index = origin.get_with("/", &[("accept-encoding", "gzip")]).await;
    if index.status == 200 {
        assert_eq!(index.header("content-type"), "text/html; charset=utf-8");
        let kept = origin
            .get_with("/", &[("accept-encoding", "gzip"), ("if-none-match", index.header("etag"))])
            .await;
        assert_eq!(kept.status, 304);
    } else {
        index.assert_problem(404, "not-found");
    }
    origin.get("/web/nothing.js").await.assert_problem(404, "not-found");
}

#[tokio::test]
async fn http_2_is_spoken_without_tls() {
    let origin = origin_with(|config| config.edges = vec!["http://{host}:1".into()]).await;
    let track = Track::new(1, tags("One", "Ann", "First"));
    origin.add(&track).await;
    let client = Client::builder(TokioExecutor::new()).http2_only(true).build_http();
    let uri = format!("http://localhost:{}/play/{}", origin.addr().port(), track.id());
    let request = http::Request::post(uri).body(Full::<Bytes>::default()).unwrap();
    let answer = client.request(request).await.unwrap();
    assert_eq!((answer.version(), answer.status().as_u16()), (http::Version::HTTP_2, 200));
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    let play: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert!(play["manifest_url"].as_str().unwrap().starts_with("http://localhost:1/"), "{play}");
}

#[tokio::test]
async fn every_documented_read_has_a_validator() {
    let origin = origin().await;
    let track = Track::new(1, tags("One", "Ann", "First"));
    origin.add(&track).await;
    let (user, token) = origin.user("root").await;
    let authorization = format!("Bearer {token}");
    let own = [("authorization", authorization.as_str())];
    let list = json!({"name": "Mix", "visibility": "public"}).to_string();
    let list =
        origin.ask(Method::POST, "/playlists", &own, list).await.json()["id"].as_str().unwrap().to_owned();
    let songs = json!({"songs": [track.id()]}).to_string();
    assert_eq!(origin.ask(Method::POST, &format!("/playlists/{list}/songs"), &own, songs).await.status, 201);
    let liked = format!("/users/me/favourites/songs/{}", track.id());
    assert_eq!(origin.ask(Method::PUT, &liked, &own, "").await.status, 204);
    let first =
        async |path: &str| origin.get(path).await.json()["items"][0]["id"].as_str().unwrap().to_owned();
    let (album, artist) = (first("/albums").await, first("/artists").await);
    let document = origin.get("/openapi.json").await.json();
    let mut read = 0;
    for (template, operations) in document["paths"].as_object().unwrap() {
        // It leads elsewhere; covers have no picture here; and each export says when it was made.
        let left_out =
            ["/stream/{id}", "/covers/{sha256}", "/users/{id}/export"].contains(&template.as_str());
        if operations.get("get").is_none() || left_out {
            continue;
        }
        let id = match template.split('/').nth(1).unwrap() {
            "users" => &user,
            "albums" => &album,
            "artists" => &artist,
            "playlists" => &list,
            _ => &track.id(),
        };
        let path = template.replace("{id}", id).replace("{kind}", "songs").replace("{object}", &track.id());
        let answer = origin.get_with(&path, &own).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        assert!(answer.header("server-timing").starts_with("total;dur="));
        let known = [own[0], ("if-none-match", answer.header("etag"))];
        for method in [Method::GET, Method::HEAD] {
            let none = origin.ask(method, &path, &known, "").await;
            assert_eq!((none.status.as_u16(), none.body.len()), (304, 0), "{path}: {none:?}");
            for name in ["etag", "cache-control", "vary"] {
                assert_eq!(none.headers.get(name), answer.headers.get(name), "{path}");
            }
            assert!(!none.headers.contains_key("content-type"));
        }
        let head = origin.ask(Method::HEAD, &path, &own, "").await;
        assert_eq!(head.header("etag"), answer.header("etag"), "{path}");
        assert_eq!(head.header("content-length"), answer.body.len().to_string(), "{path}");
        read += 1;
    }
    assert!(read >= 30, "{read}");
    // What changes has another validator.
    let before = origin.get_with("/users/me/favourites/songs", &own).await;
    assert_eq!(before.header("cache-control"), "private, no-cache");
    origin.ask(Method::DELETE, &liked, &own, "").await;
    let known = [own[0], ("if-none-match", before.header("etag"))];
    assert_eq!(origin.get_with("/users/me/favourites/songs", &known).await.status, 200);
}

#[tokio::test]
async fn requests_belong_to_the_callers_trace() {
    let origin = origin().await;
    let id = "4bf92f3577b34da6a3ce929d0e0e4736";
    let parent = format!("00-{id}-00f067aa0ba902b7-01");
    let answer = origin.get_with("/songs/x", &[("traceparent", &parent)]).await;
    assert_eq!(answer.json()["instance"], format!("/traces/{id}"));
    assert_eq!(answer.header("x-request-id"), id);
    let named = origin.get_with("/songs/x", &[("traceparent", &parent), ("x-request-id", "mine-1")]).await;
    assert_eq!(
        (named.header("x-request-id"), &named.json()["instance"]),
        ("mine-1", &answer.json()["instance"])
    );
    let other = origin.get_with("/songs/x", &[("traceparent", "nonsense")]).await;
    assert_eq!(other.json()["instance"], format!("/traces/{}", other.header("x-request-id")));
}
