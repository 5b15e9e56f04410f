//! `segue up`: everything in one process, over real sockets.
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use std::os::unix::fs::PermissionsExt as _;
use std::time::SystemTime;

use support::{Up, assert_whole, listing, music, request, segue, wait_until, write_tone};

#[test]
fn a_folder_is_served_watched_and_not_encoded_twice() {
    let dir = tempfile::tempdir().unwrap();
    let (data, songs) = (dir.path().join("data"), music(&dir.path().join("music"), 2, 2.0));
    // Nothing is fetched before it is asked for: what is asked for first is a miss then.
    let args = ["--music", songs.to_str().unwrap(), "--edge-prefetch-fills", "0"];
    let up = Up::start(&data, &args);
    let listed = up.wait_for_songs(2);
    let played = up.play(listed[0]["id"].as_str().unwrap());
    let manifest = played["manifest_url"].as_str().unwrap();
    let answer = request("GET", manifest, &[]);
    assert_eq!(answer.status, 200, "{}", answer.head);
    assert!(answer.body.starts_with(b"#EXTM3U"));
    let segment = manifest.replace("mv.m3u8", "aac-256/0.m4s");
    let (miss, hit) = (request("GET", &segment, &[]), request("GET", &segment, &[]));
    assert!(miss.header("cache-status").unwrap().contains("fwd="), "{}", miss.head);
    assert!(hit.header("cache-status").unwrap().contains("; hit"), "{}", hit.head);
    assert_eq!(miss.body, hit.body);

    write_tone(&songs.join("later.wav"), 9, 2.0);
    up.wait_for_songs(3);
    assert_eq!(up.stop(), Some(0), "drains and ends well");

    let objects = listing(&data.join("store"));
    assert_whole(&objects);
    let times = |name: &str| -> Vec<SystemTime> {
        let files =
            walkdir::WalkDir::new(data.join(name)).sort_by_file_name().into_iter().filter_map(Result::ok);
        files
            .filter(|f| f.file_type().is_file() && f.path().to_string_lossy().contains("/a/"))
            .map(|f| f.metadata().unwrap().modified().unwrap())
            .collect()
    };
    let before = times("store");
    let again = Up::start(&data, &args);
    again.wait_for_songs(3);
    wait_until("the walk", || {
        let status = request("GET", &format!("{}/status", again.url), &[]).json();
        (status["ingest"]["state"] == "idle" && status["ingest"]["done"] == 3).then_some(())
    });
    assert_eq!(again.stop(), Some(0));
    assert_eq!(times("store"), before, "nothing was written again");
    assert_eq!(listing(&data.join("store")), objects);
    for secret in ["keys.json", "media-secret", "admin-secret"] {
        assert_eq!(data.join(secret).metadata().unwrap().permissions().mode() & 0o777, 0o600, "{secret}");
    }
}

#[test]
fn killed_up_goes_on_where_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let (data, songs) = (dir.path().join("data"), music(&dir.path().join("music"), 6, 3.0));
    let args = ["--music", songs.to_str().unwrap()];
    let mut up = Up::start(&data, &args);
    up.wait_for_songs(1);
    up.child.kill().unwrap();
    up.child.wait().unwrap();
    assert_whole(&listing(&data.join("store")));
    let again = Up::start(&data, &args);
    assert_eq!(again.wait_for_songs(6).len(), 6);
}

#[test]
fn mistakes_are_explained() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let free = ["--listen", "127.0.0.1:0"];
    let says = |args: &[&str]| {
        let output = segue().args(["up", "--data", data.to_str().unwrap()]).args(args).output().unwrap();
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert!(says(&[&free[..], &["--music", "/no/such/folder"]].concat()).contains("/no/such/folder"));
    assert!(says(&["--config", "/no/such/file"]).contains("/no/such/file"));
    assert!(says(&["--listen", "nonsense"]).contains("HOST:PORT"));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    assert!(says(&["--listen", &taken.local_addr().unwrap().to_string()]).contains("choose another address"));
    let inside = data.join("store");
    assert!(says(&[&free[..], &["--music", inside.to_str().unwrap()]].concat()).contains("data folder"));
    let running = Up::start(&data, &[]);
    assert!(says(&free).contains("another segue"));
    drop(running);
}

#[test]
fn a_store_that_goes_away_is_reported_and_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let (data, songs) = (dir.path().join("data"), music(&dir.path().join("music"), 1, 8.0));
    // What edges fetch when a song is begun would have the origin read ahead.
    let forgetful = ["--origin-media-cache-bytes", "1", "--edge-prefetch-fills", "0"];
    let up = Up::start(&data, &[&["--music", songs.to_str().unwrap()], &forgetful[..]].concat());
    let listed = up.wait_for_songs(1);
    let manifest = up.play(listed[0]["id"].as_str().unwrap())["manifest_url"].as_str().unwrap().to_owned();
    let segment = manifest.replace("mv.m3u8", "aac-320/1.m4s");
    let (store, away) = (data.join("store"), data.join("away"));
    std::fs::rename(&store, &away).unwrap();
    let answer = request("GET", &segment, &[]);
    assert!((500..600).contains(&answer.status), "{}", answer.head);
    assert!(answer.header("content-type").unwrap().contains("problem+json"), "{}", answer.head);
    std::fs::rename(&away, &store).unwrap();
    wait_until("the store's return", || (request("GET", &segment, &[]).status == 200).then_some(()));
}
