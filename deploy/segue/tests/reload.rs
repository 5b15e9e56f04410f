//! `segue edge` and SIGHUP: the configuration is read again, and taken as a whole or not at all.
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use support::edge::{Edge, upstream};
use support::request;

#[test]
fn the_configuration_is_read_again_and_taken_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("segue.toml");
    let (first, second) = (upstream("first"), upstream("second"));
    let write = |rest: &str| {
        let fixed = "[edge]\nlisten = '127.0.0.1:0'\nadmin_listen = '127.0.0.1:0'\nopen = true\n";
        std::fs::write(&file, format!("{fixed}{rest}\n")).unwrap();
    };
    write(&format!("upstreams = ['{first}']\nmedia_secret = 'hush-1'"));
    let edge = Edge::start(&file, &[]);
    assert_eq!(edge.get("/a"), b"first");

    write(&format!("upstreams = ['{second}']\nmedia_secret = 'hush-2'\nworkers = 3\nstore_reads = 9"));
    edge.signal("HUP");
    for line in [
        "edge.media_secret: changed",
        &format!("edge.upstreams: [\"{first}\"] -> [\"{second}\"]"),
        "edge.workers: 0 -> 3 (needs a new process)",
        "edge.store_reads: 64 -> 9 (needs a new process)",
    ] {
        edge.until(line);
    }
    assert_eq!(edge.get("/b"), b"second");

    for (wrong, named) in [
        (format!("upstreams = ['{first}']\nidle_timeout_ms = 0"), "idle_timeout_ms"),
        (format!("upstreams = ['{first}']\nmedia_secret = hush-3"), "line 6"),
        (format!("upstreams = ['{first}']\nspeed = 1"), "speed"),
    ] {
        write(&wrong);
        edge.signal("HUP");
        let line = edge.until("the configuration is not taken");
        assert!(line.contains(named), "{line}");
        assert_eq!(edge.get("/c"), b"second");
    }
    let purge = |secret: &str| {
        let bearer = format!("authorization: Bearer {secret}");
        let url = format!("http://{}/purge", edge.admin);
        support::send("POST", &url, &[&bearer], r#"{"paths": ["/a"]}"#).status
    };
    assert_eq!(purge("hush-admin"), 200, "what the environment says still holds");
    edge.signal("TERM");
    assert_eq!(edge.ended(), Some(0));
}

#[test]
fn object_storage_stays_the_last_upstream() {
    let folder = tempfile::tempdir().unwrap();
    let (file, store) = (folder.path().join("segue.toml"), folder.path().join("store"));
    std::fs::create_dir(&store).unwrap();
    let write = |rest: &str| {
        let fixed = "[edge]\nlisten = '127.0.0.1:0'\nadmin_listen = '127.0.0.1:0'\nprobe_seconds = 0\n";
        std::fs::write(&file, format!("{fixed}store = '{}'\n{rest}\n", store.display())).unwrap();
    };
    write("upstreams = ['http://127.0.0.1:1']");
    let edge = Edge::start(&file, &[]);
    // An init segment needs no token; that it is nowhere, only the store can say.
    let ask = |digit: &str| {
        let path = format!("/v1/i/{}.mp4", digit.repeat(64));
        request("GET", &format!("http://{}{path}", edge.addr), &[]).status
    };
    assert_eq!(ask("0"), 404);
    let elsewhere = "upstreams = ['http://127.0.0.1:2']";
    for (digit, rest) in [("1", ""), ("2", "media_secret = 'hush'")] {
        write(&format!("{elsewhere}\n{rest}"));
        edge.signal("HUP");
        edge.until("edge.");
        assert_eq!(ask(digit), 404);
    }
    write(&format!("{elsewhere}\nmedia_secret = 'hush-wrong'\nidle_timeout_ms = 0"));
    edge.signal("HUP");
    edge.until("the configuration is not taken");
    assert_eq!(ask("3"), 404, "the store's endpoint knows the secret from before");
}
