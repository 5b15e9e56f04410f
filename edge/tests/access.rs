//! Who may fetch: every reason for refusing, keys that change, the init segment that needs no token.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Answer, BASE, Bench, Upstream, claims, get, now, request, signed};
use segue_manifests::token::{Claims, KeyState, Method, Refusal, SigningKeys, mint};

fn changed(change: impl FnOnce(&mut Claims)) -> Claims {
    let mut claims = claims();
    change(&mut claims);
    claims
}

/// The token with its algorithm changed from EdDSA (-8) to ES256 (-7): the protected header is `a2 01 27 04 ..`.
fn other_algorithm(token: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let mut bytes = URL_SAFE_NO_PAD.decode(token).unwrap();
    let at = bytes.windows(2).position(|two| two == [0x01, 0x27]).expect("the header names EdDSA");
    bytes[at + 1] = 0x26;
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The token with the last byte of its signature changed.
fn tampered(token: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let mut bytes = URL_SAFE_NO_PAD.decode(token).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    URL_SAFE_NO_PAD.encode(bytes)
}

#[tokio::test]
async fn every_refusal() {
    // Retired so long ago that no token of that key can still be valid.
    let mut keys = SigningKeys::generate(now() - 100_000);
    let retired = mint(&claims(), &keys);
    keys.rotate(now() - 50_000, 0).unwrap();
    let revoked = mint(&claims(), &keys);
    let bench = Bench::new().await;
    let mut set = keys.public();
    let active = set.keys.iter_mut().find(|public| public.kid == keys.active_kid()).unwrap();
    active.state = KeyState::Revoked;
    set.keys.extend(bench.keys.public().keys);
    bench.upstream.publish_keys(set.to_json(), "\"keys-2\"");
    bench.until_metric("segue_edge_key_polls_total{outcome=\"replaced\"}", 2).await;
    bench.upstream.media("aac-256/0.m4s", Answer::ok("x"));

    let revoke = format!(r#"{{"tokens":["{}"]}}"#, "09".repeat(16));
    assert_eq!(bench.admin("/revoke", &revoke).await.status, 200);
    let mint = |claims: Claims| mint(&claims, &bench.keys);
    let good = mint(claims());
    let rows = [
        (Refusal::Missing, "GET", format!("{BASE}aac-256/0.m4s")),
        (Refusal::TooLong, "GET", signed(&"A".repeat(1025), "aac-256/0.m4s")),
        (Refusal::Malformed, "GET", signed("AAAA", "aac-256/0.m4s")),
        (
            Refusal::UnknownKey,
            "GET",
            signed(&segue_manifests::token::mint(&claims(), &SigningKeys::generate(now())), "aac-256/0.m4s"),
        ),
        (Refusal::RetiredKey, "GET", signed(&retired, "aac-256/0.m4s")),
        (Refusal::RevokedKey, "GET", signed(&revoked, "aac-256/0.m4s")),
        (Refusal::Algorithm, "GET", signed(&other_algorithm(&good), "aac-256/0.m4s")),
        (Refusal::NotYetValid, "GET", signed(&mint(changed(|c| c.not_before = now() + 60)), "aac-256/0.m4s")),
        (Refusal::Expired, "GET", signed(&mint(changed(|c| c.expires = now() - 60)), "aac-256/0.m4s")),
        (
            Refusal::Path,
            "GET",
            signed(&mint(changed(|c| c.path_prefix = "/v1/a/other/".into())), "aac-256/0.m4s"),
        ),
        (Refusal::Method, "HEAD", signed(&mint(changed(|c| c.methods = vec![Method::Get])), "aac-256/0.m4s")),
        (Refusal::Rendition, "GET", signed(&mint(changed(|c| c.max_kbps = Some(128))), "aac-256/0.m4s")),
        (Refusal::Signature, "GET", signed(&tampered(&good), "aac-256/0.m4s")),
        (Refusal::Revoked, "GET", signed(&mint(changed(|c| c.token_id = [9; 16])), "aac-256/0.m4s")),
    ];
    assert_eq!(rows.len(), Refusal::ALL.len(), "one row for each reason");
    for (refusal, method, path) in rows {
        // The second time a forgery is known.
        for count in 1..3 {
            let reply = request(bench.edge.addr(), method, &path, &[], "").await;
            assert_eq!(reply.status, 403, "{refusal:?}");
            assert_eq!(reply.header("cache-control"), "no-store", "{refusal:?}");
            assert_eq!(reply.header("access-control-allow-origin"), "*", "{refusal:?}");
            if method == "GET" {
                assert_eq!(reply.code(), refusal.code());
                assert_eq!(reply.header("content-type"), "application/problem+json");
            }
            let metric = format!("segue_edge_refusals_total{{code=\"{}\"}}", refusal.code());
            assert_eq!(bench.metric(&metric).await, count, "{refusal:?}");
        }
    }
    assert_eq!(get(bench.edge.addr(), &signed(&good, "aac-256/0.m4s")).await.status, 200);
    assert_eq!(bench.metric("segue_edge_token_checks_total{how=\"known-forgery\"}").await, 3);
}

#[tokio::test]
async fn a_signature_is_checked_once() {
    let bench = Bench::new().await;
    bench.upstream.media("aac-256/0.m4s", Answer::ok("x"));
    for _ in 0..5 {
        assert_eq!(bench.get("aac-256/0.m4s").await.status, 200);
    }
    assert_eq!(bench.metric("segue_edge_token_checks_total{how=\"verified\"}").await, 1);
    assert_eq!(bench.metric("segue_edge_token_checks_total{how=\"remembered\"}").await, 4);
    // What was remembered covers the signature only.
    let elsewhere = bench.path("aac-256/0.m4s").replace("/a/0011", "/a/1111");
    let reply = get(bench.edge.addr(), &elsewhere).await;
    assert_eq!((reply.status, reply.code().as_str()), (403, "token-path"));
}

#[tokio::test]
async fn keys_rotate_and_are_revoked_under_way() {
    let mut bench = Bench::new().await;
    bench.upstream.media("aac-256/0.m4s", Answer::ok("x"));
    assert_eq!(bench.get("aac-256/0.m4s").await.status, 200);
    let first = bench.keys.active_kid();
    bench.keys.rotate(now(), 0).unwrap();
    bench.upstream.publish_keys(bench.keys.public().to_json(), "\"keys-2\"");
    bench.until_metric("segue_edge_key_polls_total{outcome=\"replaced\"}", 2).await;
    assert_eq!(bench.get("aac-256/0.m4s").await.status, 200, "the old key retires, and is accepted");
    let new = mint(&claims(), &bench.keys);
    assert_eq!(get(bench.edge.addr(), &signed(&new, "aac-256/0.m4s")).await.status, 200);
    bench.keys.revoke(first, now()).unwrap();
    bench.upstream.publish_keys(bench.keys.public().to_json(), "\"keys-3\"");
    bench.until_metric("segue_edge_key_polls_total{outcome=\"replaced\"}", 3).await;
    assert_eq!(bench.get("aac-256/0.m4s").await.code(), "token-key-revoked", "remembered or not");
}

#[tokio::test]
async fn the_last_good_keys_stay() {
    let bench = Bench::new().await;
    bench.upstream.media("aac-256/0.m4s", Answer::ok("x"));
    bench.upstream.publish_keys(b"{}".to_vec(), "\"broken\"");
    bench.until_metric("segue_edge_key_polls_total{outcome=\"failed\"}", 1).await;
    bench.upstream.kill();
    bench.until_metric("segue_edge_key_polls_total{outcome=\"failed\"}", 2).await;
    assert_ne!(bench.get("aac-256/0.m4s").await.status, 403);
    assert_eq!(get(bench.edge.admin_addr(), "/readyz").await.status, 200);
}

#[tokio::test]
async fn without_keys_nobody_is_refused_for_good() {
    let upstream = Upstream::start(b"no keys yet".to_vec()).await;
    let edge = segue_edge::start(common::config(&upstream)).await.unwrap();
    assert_eq!(get(edge.admin_addr(), "/readyz").await.status, 503);
    assert_eq!(get(edge.admin_addr(), "/healthz").await.status, 200);
    let reply = get(edge.addr(), &signed("AAAA", "mv.m3u8")).await;
    assert_eq!((reply.status, reply.code().as_str()), (503, "keys-not-loaded"));
    assert_eq!(reply.header("retry-after"), "1");
}

#[tokio::test]
async fn init_segments_need_no_token() {
    let bench = Bench::new().await;
    let path = format!("/v1/i/{}.mp4", "0f".repeat(32));
    bench.upstream.answer(&path, Answer::ok("init"));
    assert_eq!(get(bench.edge.addr(), &path).await.body, b"init");
    let other = get(bench.edge.addr(), "/v1/i/short.mp4").await;
    assert_eq!((other.status, other.code().as_str()), (403, "token-missing"));
}

#[tokio::test]
async fn an_edge_that_starts_without_its_origin_has_the_keys_of_the_last_run() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.json").display().to_string();
    let bench = Bench::with(|config| config.key_set_file.clone_from(&file)).await;
    // Ready before they are written.
    while !std::path::Path::new(&file).exists() {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let settings = segue_edge::Config { key_set_file: file, ..common::config(&bench.upstream) };
    bench.upstream.kill();
    let again = segue_edge::start(settings).await.unwrap();
    assert_eq!(get(again.admin_addr(), "/readyz").await.status, 200);
    let reply = get(again.addr(), &bench.path("aac-256/0.m4s")).await;
    assert_eq!(reply.status, 502, "the token holds, and nobody has the object: {reply:?}");
    let stranger = mint(&claims(), &SigningKeys::generate(now()));
    assert_eq!(get(again.addr(), &signed(&stranger, "aac-256/0.m4s")).await.code(), "token-key-unknown");
}

#[tokio::test]
async fn whoever_forges_much_is_not_checked_for_a_while() {
    let mut bench = Bench::with(|config| config.forgeries_per_minute = 3).await;
    bench.upstream.media("aac-256/0.m4s", Answer::ok("x"));
    assert_eq!(bench.get("aac-256/0.m4s").await.status, 200);
    let keys = SigningKeys::from_json(&bench.keys.to_json()).unwrap();
    let forged = |number: u32| mint(&changed(|claims| claims.token_id = [number as u8; 16]), &keys);
    let addr = bench.edge.addr();
    let ask = async |token: &str| get(addr, &signed(token, "aac-256/0.m4s")).await;
    // What is remembered as forged is not counted again, nor is what was good once.
    let expired = mint(&changed(|claims| claims.expires = now() - 100), &bench.keys);
    for _ in 0..5 {
        assert_eq!(ask(&tampered(&forged(1))).await.code(), "token-signature");
        assert_eq!(ask(&expired).await.code(), "token-expired");
    }
    assert_eq!(ask(&tampered(&forged(2))).await.status, 403);
    assert_eq!(ask(&tampered(&forged(3))).await.status, 403);
    let reply = ask(&tampered(&forged(4))).await;
    assert_eq!((reply.status, reply.code().as_str()), (429, "too-many-forgeries"));
    let wait: u64 = reply.header("retry-after").parse().unwrap();
    assert!((1..=20).contains(&wait), "{wait}");
    assert_eq!(ask(&forged(5)).await.status, 429, "a good one that is not known has to wait too");
    assert_eq!(bench.get("aac-256/0.m4s").await.status, 200, "listeners who are known go on");
    bench.until_metric("segue_edge_token_checks_total{how=\"limited\"}", 2).await;
    bench.keys.rotate(now(), 0).unwrap();
    bench.upstream.publish_keys(bench.keys.public().to_json(), "\"keys-2\"");
    bench.until_metric("segue_edge_key_polls_total{outcome=\"replaced\"}", 2).await;
    assert_eq!(bench.get("aac-256/0.m4s").await.status, 200, "and when keys change");
    assert_eq!(ask(&forged(5)).await.status, 429);
}

#[tokio::test]
async fn what_is_revoked_is_refused_at_once_and_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("revoked.json").display().to_string();
    let bench = Bench::with(|config| config.revoked_file.clone_from(&file)).await;
    bench.upstream.media("aac-256/0.m4s", Answer::ok("x"));
    let of_session = |session: &str| {
        let claims = changed(|c| (c.playback_session, c.token_id) = (Some(session.into()), [8; 16]));
        signed(&mint(&claims, &bench.keys), "aac-256/0.m4s")
    };
    let (theirs, others) = (of_session("theirs"), of_session("others"));
    for path in [&theirs, &others] {
        assert_eq!(get(bench.edge.addr(), path).await.status, 200);
    }
    for (body, status) in
        [(r#"{"playback_sessions":["theirs"]}"#, 200), (r#"{"tokens":["7"]}"#, 400), ("{}", 400)]
    {
        assert_eq!(bench.admin("/revoke", body).await.status, status, "{body}");
    }
    let unsigned = request(bench.edge.admin_addr(), "POST", "/revoke", &[], r#"{"keys":[]}"#).await;
    assert_eq!((unsigned.status, unsigned.code().as_str()), (401, "unauthorized"));
    let reply = get(bench.edge.addr(), &theirs).await;
    assert_eq!((reply.status, reply.code().as_str()), (403, "token-revoked"), "remembered as good or not");
    assert_eq!(reply.header("cache-control"), "no-store");
    assert_eq!(get(bench.edge.addr(), &others).await.status, 200);
    assert_eq!(bench.metric("segue_edge_revocations_total{kind=\"playback_sessions\"}").await, 1);

    let settings = segue_edge::Config { revoked_file: file, ..common::config(&bench.upstream) };
    let again = segue_edge::start(settings).await.unwrap();
    while get(again.admin_addr(), "/readyz").await.status != 200 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(get(again.addr(), &theirs).await.code(), "token-revoked");
    assert_eq!(get(again.addr(), &others).await.status, 200);
}

#[tokio::test]
async fn what_is_revoked_while_the_next_process_starts_is_refused_by_that_too() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name).display().to_string();
    let shared = |config: &mut segue_edge::Config| {
        (config.revoked_file, config.handover) = (place("revoked.json"), place("edge.sock"));
    };
    let bench = Bench::with(shared).await;
    let late = Upstream::start(b"no keys yet".to_vec()).await;
    late.media("aac-256/0.m4s", Answer::ok("x"));
    let mut settings = common::config(&late);
    shared(&mut settings);
    let next = tokio::spawn(segue_edge::start(settings));
    // It has read the file, and waits for keys.
    while late.seen("/.well-known/segue-keys.json").is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let session = r#"{"playback_sessions":["theirs"]}"#;
    assert_eq!(bench.admin("/revoke", session).await.status, 200);
    late.publish_keys(bench.keys.public().to_json(), "\"keys-2\"");
    let next = next.await.unwrap().unwrap();
    let (theirs, others) =
        (changed(|c| c.playback_session = Some("theirs".into())), bench.path("aac-256/0.m4s"));
    // Else both would take connections.
    bench.edge.handed_over().await;
    bench.edge.drain(std::time::Duration::from_secs(5)).await;
    assert_eq!(
        get(next.addr(), &signed(&mint(&theirs, &bench.keys), "aac-256/0.m4s")).await.code(),
        "token-revoked"
    );
    assert_eq!(get(next.addr(), &others).await.status, 200);
}

#[tokio::test]
async fn a_token_is_verified_once_and_remembered() {
    let bench = Bench::new().await;
    bench.upstream.media("aac-256/0.m4s", Answer::ok("x"));
    for _ in 0..3 {
        assert_eq!(bench.get("aac-256/0.m4s").await.status, 200);
    }
    assert_eq!(bench.metric("segue_edge_token_checks_total{how=\"verified\"}").await, 1);
    assert_eq!(bench.metric("segue_edge_token_checks_total{how=\"remembered\"}").await, 2);
}

#[tokio::test]
async fn a_revoked_key_is_refused_without_a_poll() {
    let bench = Bench::new().await;
    bench.upstream.media("aac-256/0.m4s", Answer::ok("x"));
    assert_eq!(bench.get("aac-256/0.m4s").await.status, 200);
    bench.upstream.kill();
    let revoke = format!(r#"{{"keys":["{}"]}}"#, bench.keys.active_kid());
    assert_eq!(bench.admin("/revoke", &revoke).await.status, 200);
    assert_eq!(bench.get("aac-256/0.m4s").await.code(), "token-key-revoked");
}
