//! `segue edge` and SIGHUP: the configuration is read again, and taken as a whole or not at all.
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use support::{request, segue, wait_until};

/// A server that answers everything with its name.
fn upstream(name: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || {
                let _ = stream.read(&mut [0; 4096]);
                let head =
                    "HTTP/1.1 200 OK\r\ncache-control: no-store\r\nconnection: close\r\ncontent-length";
                let _ = stream.write_all(format!("{head}: {}\r\n\r\n{name}", name.len()).as_bytes());
            });
        }
    });
    format!("http://{address}")
}

/// A running edge and the lines of its log; killed when dropped.
struct Edge {
    child: Child,
    lines: Receiver<String>,
    addr: String,
    admin: String,
}

impl Edge {
    fn start(config: &Path) -> Self {
        let mut child = segue()
            .args(["edge", "--config", config.to_str().unwrap()])
            .env("NO_COLOR", "1")
            .env("SEGUE_EDGE_ADMIN_SECRET", "hush-admin")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (tell, lines) = channel();
        std::thread::spawn(move || stderr.lines().map_while(Result::ok).all(|line| tell.send(line).is_ok()));
        let mut edge = Self { child, lines, addr: String::new(), admin: String::new() };
        let line = edge.until("edge is serving");
        let of = |name: &str| {
            let (_, rest) = line.split_once(&format!("{name}=")).unwrap();
            rest.split_whitespace().next().unwrap().to_owned()
        };
        (edge.addr, edge.admin) = (of("edge.addr"), of("edge.admin_addr"));
        edge
    }

    /// The first line from here on that has that text. No line has a secret.
    fn until(&self, text: &str) -> String {
        loop {
            let line = self.lines.recv().unwrap_or_else(|_| panic!("the log ended before '{text}'"));
            assert!(!line.contains("hush"), "{line}");
            if line.contains(text) {
                return line;
            }
        }
    }

    fn signal(&self, name: &str) {
        Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status().unwrap();
    }

    fn get(&self, path: &str) -> Vec<u8> {
        let answer = request("GET", &format!("http://{}{path}", self.addr), &[]);
        assert_eq!(answer.status, 200, "{}", answer.head);
        answer.body
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

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
    let mut edge = Edge::start(&file);
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
    let status = wait_until("the end", || edge.child.try_wait().unwrap());
    assert_eq!(status.code(), Some(0));
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
    let edge = Edge::start(&file);
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
