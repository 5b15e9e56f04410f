//! The token refusal table, against a real edge: each row with status and reason, and counted.
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use std::path::Path;
use std::process::Command;

use support::{Up, free_address, music, request, segue};

fn token(args: &[&str]) -> String {
    let output = segue().arg("token").args(args).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn keys_file(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn every_bad_token_is_refused_with_its_reason_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    let (data, songs) = (dir.path().join("data"), music(&dir.path().join("music"), 1, 2.0));
    let admin = free_address();
    let up = Up::start(
        &data,
        &["--music", songs.to_str().unwrap(), "--edge-admin-listen", &admin, "--edge-key-poll-seconds", "1"],
    );
    let listed = up.wait_for_songs(1);
    let manifest = up.play(listed[0]["id"].as_str().unwrap())["manifest_url"].as_str().unwrap().to_owned();
    let (edge, rest) = manifest.split_once("/v1/~").unwrap();
    let (good, path) = rest.split_once('/').unwrap();
    let prefix = format!("/v1/{}/", path.rsplit_once('/').unwrap().0);
    let own = data.join("keys.json");
    let foreign = dir.path().join("foreign.json");
    token(&["keys", "new", "--keys", keys_file(&foreign)]);
    let mint = |keys: &Path, more: &[&str]| token(&[&["mint", "--keys", keys_file(keys)], more].concat());

    let segment = path.replace("mv.m3u8", "aac-256/0.m4s");
    let mut tampered = good.to_owned();
    let last = if tampered.ends_with('A') { "Q" } else { "A" };
    tampered.replace_range(tampered.len() - 1.., last);
    let mut flipped = good.to_owned().into_bytes();
    let middle = flipped.len() - 20;
    flipped[middle] = if flipped[middle] == b'A' { b'B' } else { b'A' };
    let flipped = String::from_utf8(flipped).unwrap();
    let stranger = mint(&foreign, &["--path", &prefix]);
    let other = mint(&own, &["--path", "/v1/a/ffffffffffffffffffffffffffffffff/000000000000/"]);
    let capped = mint(&own, &["--path", &prefix, "--max-kbps", "128"]);
    let long = "A".repeat(2000);
    let at = |token: &str, path: &str| format!("{edge}/v1/~{token}/{path}");
    let table = [
        ("no token", format!("{edge}/v1/{path}"), 403, "token-missing"),
        ("empty token", format!("{edge}/v1/~/{path}"), 403, "token-missing"),
        ("tampered signature", at(&flipped, path), 403, "token-signature"),
        ("not base64url", at("!!!", path), 403, "token-malformed"),
        ("not a token", at("AAAA", path), 403, "token-malformed"),
        ("cut short", at(&good[..good.len() - 8], path), 403, "token-malformed"),
        ("oversized", at(&long, path), 403, "token-too-long"),
        ("another origin's key", at(&stranger, path), 403, "token-key-unknown"),
        ("another asset", at(&other, path), 403, "token-path"),
        ("rendition above what is allowed", at(&capped, &segment), 403, "token-rendition"),
        ("dot segments", at(good, &path.replace("/mv", "/x/../mv")), 400, "path-dot-segment"),
        ("encoded slash", at(good, &path.replacen('/', "%2f", 1)), 400, "path-separator"),
        ("double slash", at(good, &path.replacen('/', "//", 1)), 400, "path-empty-segment"),
        ("double encoding", at(good, &path.replacen('/', "%252f", 1)), 400, "path-encoding"),
    ];
    println!("{:<34} status  reason", "request");
    for (what, url, status, code) in &table {
        let answer = request("GET", url, &[]);
        assert_eq!(answer.status, *status, "{what}: {}", answer.head);
        assert!(answer.header("content-type").unwrap().contains("problem+json"), "{what}");
        assert!(answer.header("cache-control").unwrap().contains("no-store"), "{what}");
        assert_eq!(answer.json()["code"], *code, "{what}");
        println!("{what:<34} {status}     {code}");
    }
    assert_eq!(request("GET", &at(&capped, path), &[]).status, 200, "the capped token is good for the rest");

    let metrics = String::from_utf8(request("GET", &format!("http://{admin}/metrics"), &[]).body).unwrap();
    for code in ["token-signature", "token-path", "token-key-unknown", "token-rendition", "token-too-long"] {
        assert!(
            metrics.lines().any(|line| line.contains(code) && !line.ends_with(" 0")),
            "{code} is counted\n{metrics}"
        );
    }

    // A key revoked at the origin is refused at the edge, which is told, or polls.
    let kid = token(&["keys", "list", "--keys", keys_file(&own)]);
    let active = kid.lines().find(|line| line.contains("active")).unwrap().split_whitespace().next().unwrap();
    token(&["keys", "revoke", "--keys", keys_file(&own), active]);
    support::wait_until("the revocation", || {
        let answer = request("GET", &manifest, &[]);
        (answer.status == 403 && answer.json()["code"] == "token-key-revoked").then_some(())
    });
    let fresh = support::wait_until("the next key", || {
        let played = up.play(listed[0]["id"].as_str().unwrap());
        let url = played["manifest_url"].as_str()?.to_owned();
        (request("GET", &url, &[]).status == 200).then_some(url)
    });
    let inspected = Command::new(env!("CARGO_BIN_EXE_segue"))
        .args(["token", "inspect", &fresh, "--keys", keys_file(&own)])
        .output()
        .unwrap();
    assert!(inspected.status.success() && String::from_utf8_lossy(&inspected.stdout).contains("accepted"));
}
