//! `segue edge --store`: with every origin gone the edge serves on from object storage, also after a restart.
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use std::path::Path;
use std::process::{Child, Stdio};

use support::{Answer, free_address, music, request, segue, send, wait_until};

/// A role of the binary; killed when dropped.
struct Role(Child);

impl Role {
    fn start(role: &str, args: &[&str]) -> Self {
        let child = segue().arg(role).args(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        Self(child)
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Places {
    origin: String,
    edge: String,
    edge_admin: String,
    folder: tempfile::TempDir,
}

impl Places {
    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn origin(&self, secret: &str) -> Role {
        let (database, store, keys) = (self.file("catalog.db"), self.file("store"), self.file("keys.json"));
        let (edges, admins) = (format!("http://{}", self.edge), format!("http://{}", self.edge_admin));
        let role = Role::start(
            "origin",
            &[
                "--listen",
                &self.origin,
                "--admin-listen",
                "",
                "--database",
                &database,
                "--store",
                &store,
                "--keys-file",
                &keys,
                "--edges",
                &edges,
                "--edge-admins",
                &admins,
                "--edge-admin-secret",
                "admin",
                "--media-secret",
                secret,
                "--guests",
                "--registration",
                "open",
            ],
        );
        let url = format!("http://{}/healthz", self.origin);
        wait_until("the origin", || answer(&url).filter(|answer| answer.status == 200));
        role
    }

    fn edge(&self, secret: &str) -> Role {
        let (upstream, store, keys) =
            (format!("http://{}", self.origin), self.file("store"), self.file("edge/keys.json"));
        let role = Role::start(
            "edge",
            &[
                "--listen",
                &self.edge,
                "--admin-listen",
                &self.edge_admin,
                "--admin-secret",
                "admin",
                "--upstreams",
                &upstream,
                "--media-secret",
                secret,
                "--store",
                &store,
                "--key-set-file",
                &keys,
                "--prefetch-fills",
                "0",
                "--key-poll-seconds",
                "1",
            ],
        );
        let url = format!("http://{}/readyz", self.edge_admin);
        wait_until("the edge", || answer(&url).filter(|answer| answer.status == 200));
        wait_until("the kept keys", || Path::new(&keys).exists().then_some(()));
        role
    }
}

/// `None` while nobody listens.
fn answer(url: &str) -> Option<Answer> {
    let host = url.strip_prefix("http://")?.split('/').next()?;
    std::net::TcpStream::connect(host).ok()?;
    Some(request("GET", url, &[]))
}

fn serves_on(secret: &str) {
    let folder = tempfile::tempdir().unwrap();
    let places = Places { origin: free_address(), edge: free_address(), edge_admin: free_address(), folder };
    let songs = music(&places.folder.path().join("music"), 2, 12.0);
    let published =
        segue().arg("transcode").arg(&songs).args(["--to", &places.file("store")]).output().unwrap();
    assert!(published.status.success());
    let origin = places.origin(secret);
    let edge = places.edge(secret);
    let listed = wait_until("songs", || {
        let songs = request("GET", &format!("http://{}/songs", places.origin), &[]).json()["items"].clone();
        songs.as_array().filter(|songs| songs.len() == 2).cloned()
    });
    let manifest = |song: usize| {
        let id = listed[song]["id"].as_str().unwrap();
        let played = request("POST", &format!("http://{}/play/{id}", places.origin), &[]).json();
        played["manifest_url"].as_str().unwrap().to_owned()
    };
    let (manifest, taken_down) = (manifest(0), manifest(1));
    let segment = |index: u32| manifest.replace("mv.m3u8", &format!("aac-256/{index}.m4s"));
    let first = request("GET", &segment(0), &[]);
    assert_eq!(first.status, 200, "{}", first.head);
    let song = listed[1]["id"].as_str().unwrap();
    let ask = |method: &str, path: &str, token: &str, content: &str| {
        let headers = [&format!("authorization: Bearer {token}"), "content-type: application/json"];
        let headers = if token.is_empty() { &headers[1..] } else { &headers[..] };
        let answer = send(method, &format!("http://{}{path}", places.origin), headers, content);
        assert!((200..300).contains(&answer.status), "{method} {path}: {}", answer.head);
        answer
    };
    ask(
        "POST",
        "/users/register",
        "",
        r#"{"username":"root","email":"root@example.org","password":"correct horse"}"#,
    );
    let login = ask("POST", "/users/login", "", r#"{"login":"root","password":"correct horse"}"#).json();
    ask("PUT", &format!("/songs/{song}/takedown"), login["token"].as_str().unwrap(), "{}");
    let tombstone = places.folder.path().join("store/a").join(song).join("gone.json");
    wait_until("the tombstone", || tombstone.exists().then_some(()));
    drop(origin);

    let more: Vec<Answer> = (1..4).map(|index| request("GET", &segment(index), &[])).collect();
    for answer in &more {
        assert_eq!(answer.status, 200, "from the store: {}", answer.head);
        assert_eq!(answer.header("cache-control"), first.header("cache-control"));
        assert!(answer.header("etag").is_some_and(|etag| etag.starts_with('"')), "{}", answer.head);
    }
    assert_eq!(request("GET", &taken_down, &[]).status, 410, "taken down, and there is no origin to say so");
    drop(edge);
    let _again = places.edge(secret);
    for (index, answer) in (1..4).zip(&more) {
        let fresh = request("GET", &segment(index), &[]);
        assert_eq!((fresh.status, &fresh.body), (200, &answer.body), "{}", fresh.head);
    }
    assert_eq!(request("GET", &manifest, &[]).status, 200);
    assert_eq!(request("GET", &manifest.replace("/v1/~", "/v1/~A"), &[]).status, 403);
}

#[test]
fn an_edge_with_a_secret_serves_on_from_the_store() {
    serves_on("media-secret");
}

#[test]
fn an_edge_without_a_secret_serves_on_from_the_store() {
    serves_on("");
}

#[test]
fn mistakes_are_explained() {
    let says = |args: &[&str]| {
        let free = ["edge", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];
        let output = segue().args(free).args(args).output().unwrap();
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert!(says(&["--store", "/no/such/folder"]).contains("no such folder"));
    assert!(says(&["--store", "gs://bucket"]).contains("s3://bucket"));
    assert!(says(&["--store", "memory:", "--open"]).contains("edge.open"));
    assert!(says(&["--store", "memory:", "--store-reads", "0"]).contains("store_reads"));
}
