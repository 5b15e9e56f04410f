//! The edge that a listener is sent to hears at once what to pull.

use std::sync::{Arc, Mutex};

use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};

use crate::support::{Track, eventually, origin_with, tags};

type Hints = Arc<Mutex<Vec<(String, String, Value)>>>;

/// An admin listener that keeps path, authorization and body of what it is told.
async fn edge() -> (String, Hints) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let hints = Hints::default();
    let seen = hints.clone();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let seen = seen.clone();
            let service = service_fn(move |request: Request<Incoming>| {
                let seen = seen.clone();
                async move {
                    let path = request.uri().path().to_owned();
                    let authorization = request.headers()["authorization"].to_str().unwrap().to_owned();
                    let body = request.into_body().collect().await.unwrap().to_bytes();
                    seen.lock().unwrap().push((path, authorization, serde_json::from_slice(&body).unwrap()));
                    Ok::<_, std::convert::Infallible>(Response::new(Full::new(Bytes::from_static(b"{}"))))
                }
            });
            let server = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
            tokio::spawn(async move { server.serve_connection(TokioIo::new(stream), service).await });
        }
    });
    (address, hints)
}

#[tokio::test]
async fn the_chosen_edge_hears_of_a_play_once() {
    let ((first, first_hints), (second, second_hints)) = (edge().await, edge().await);
    let origin = origin_with(|config| {
        config.edges = vec!["http://one".into(), "http://two".into()];
        config.edge_admins = vec![first, second];
        config.edge_admin_secret = "hush".into();
    })
    .await;
    for number in 1..=8 {
        let track = Track::new(number, tags(&format!("Song {number}"), "Ann", "First"));
        origin.add(&track).await;
        for _ in 0..2 {
            let start = origin.post(&format!("/play/{}", track.id()), "").await;
            let manifest = start.json()["manifest_url"].as_str().unwrap().to_owned();
            let hints = if manifest.starts_with("http://one/") { &first_hints } else { &second_hints };
            let path = json!(format!("{}/mv.m3u8", track.base()));
            let told = |hints: &Hints| {
                let hints = hints.lock().unwrap();
                hints.iter().filter(|(_, _, body)| body["paths"].as_array().unwrap().contains(&path)).count()
            };
            eventually(async || told(hints) == 1).await;
            assert_eq!(told(&first_hints) + told(&second_hints), 1);
        }
    }
    let all = [first_hints.lock().unwrap().clone(), second_hints.lock().unwrap().clone()].concat();
    assert!(all.iter().all(|(path, secret, _)| path == "/prefetch" && secret == "Bearer hush"));
}
