//! A new process takes over from the old one, and no client notices: by `segue edge --handover`, or with sockets that systemd
//! holds.
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::Duration;

use support::edge::{Edge, upstream};
use support::{request, wait_until};

/// Clients that ask all the time, each request on a connection of its own.
struct Clients {
    threads: Vec<JoinHandle<Result<(), String>>>,
    answered: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
}

impl Clients {
    fn start(count: usize, addr: &str) -> Self {
        let (answered, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let client = |_| {
            let (addr, answered, stop) = (addr.to_owned(), answered.clone(), stop.clone());
            std::thread::spawn(move || {
                while !stop.load(Relaxed) {
                    ask(&addr)?;
                    answered.fetch_add(1, Relaxed);
                    std::thread::sleep(Duration::from_micros(300));
                }
                Ok(())
            })
        };
        Self { threads: (0..count).map(client).collect(), answered, stop }
    }

    /// Waits until so many more requests were answered.
    fn wait_for(&self, more: u64) {
        let before = self.answered.load(Relaxed);
        wait_until("answers", || {
            let ended = self.threads.iter().any(JoinHandle::is_finished);
            (ended || self.answered.load(Relaxed) >= before + more).then_some(())
        });
    }

    /// Not one of them may have failed.
    fn stop(self) {
        self.stop.store(true, Relaxed);
        for thread in self.threads {
            assert_eq!(thread.join().unwrap(), Ok(()));
        }
    }
}

/// One request; anything but a whole answer with its status is an error.
fn ask(addr: &str) -> Result<(), String> {
    let told = |error: std::io::Error| error.to_string();
    let mut stream = TcpStream::connect(addr).map_err(told)?;
    stream.write_all(b"GET /object HTTP/1.1\r\nhost: e\r\nconnection: close\r\n\r\n").map_err(told)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(told)?;
    match answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("object") {
        true => Ok(()),
        false => Err(answer),
    }
}

fn configured(folder: &Path) -> PathBuf {
    let (file, socket) = (folder.join("segue.toml"), folder.join("edge.sock"));
    let text = format!(
        "[edge]\nlisten = '127.0.0.1:0'\nadmin_listen = '127.0.0.1:0'\nopen = true\nupstreams = ['{}']\nhandover = '{}'\n",
        upstream("object"),
        socket.display()
    );
    std::fs::write(&file, text).unwrap();
    file
}

#[test]
fn processes_are_replaced_and_no_client_notices() {
    let folder = tempfile::tempdir().unwrap();
    let file = configured(folder.path());
    let first = Edge::start(&file, &["--workers", "2"]);
    let (addr, admin) = (first.addr.clone(), first.admin.clone());
    let clients = Clients::start(4, &addr);
    clients.wait_for(100);

    let second = Edge::start(&file, &["--workers", "1"]);
    assert_eq!((&second.addr, &second.admin), (&addr, &admin), "the same sockets");
    assert_eq!(first.ended(), Some(0));
    clients.wait_for(300);
    assert_eq!(request("GET", &format!("http://{admin}/readyz"), &[]).status, 200);

    let third = Edge::start(&file, &["--workers", "3"]);
    assert_eq!(second.ended(), Some(0));
    clients.wait_for(300);
    clients.stop();
    third.signal("TERM");
    assert_eq!(third.ended(), Some(0));
    assert!(TcpStream::connect(&addr).is_err() && !folder.path().join("edge.sock").exists());
}

#[test]
fn a_new_process_that_dies_leaves_the_old_one_serving() {
    let folder = tempfile::tempdir().unwrap();
    let file = configured(folder.path());
    let old = Edge::start(&file, &[]);
    let clients = Clients::start(4, &old.addr);
    // A port where nobody answers: the new one never has keys, so it never is ready.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let keys = format!("http://{}/keys", silent.local_addr().unwrap());
    let mut new = Edge::launch(&file, &["--open=false", "--key-set-url", &keys]);
    old.until("another process has the listeners");
    new.until("edge listens");
    clients.wait_for(300);
    new.child.kill().unwrap();
    old.until("did not take over");
    clients.wait_for(300);
    let next = Edge::start(&file, &[]);
    assert_eq!(old.ended(), Some(0), "the next one does take over");
    clients.wait_for(300);
    clients.stop();
    drop(next);
}

#[test]
fn a_process_that_was_killed_leaves_a_socket_that_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let file = configured(folder.path());
    let mut first = Edge::start(&file, &[]);
    first.child.kill().unwrap();
    first.child.wait().unwrap();
    assert!(folder.path().join("edge.sock").exists());
    let second = Edge::start(&file, &[]);
    assert_eq!(ask(&second.addr), Ok(()));
    drop(second);
    std::fs::remove_file(folder.path().join("edge.sock")).unwrap();
    std::fs::write(folder.path().join("edge.sock"), "mine").unwrap();
    let refused = Edge::launch(&file, &[]);
    refused.until("something that is no socket is there");
    assert_eq!(refused.ended(), Some(1));
}

#[test]
fn sockets_that_are_given_outlive_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("segue.toml");
    // Where the settings say it should listen, it cannot.
    let text = format!(
        "[edge]\nlisten = '192.0.2.1:1'\nadmin_listen = '127.0.0.1:0'\nopen = true\nupstreams = ['{}']\n",
        upstream("object")
    );
    std::fs::write(&file, text).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let first = Edge::given(&listener, "listen", &file).serving();
    assert_eq!(first.addr, addr);
    let clients = Clients::start(4, &addr);
    clients.wait_for(100);
    first.signal("TERM");
    assert_eq!(first.ended(), Some(0));
    let _second = Edge::given(&listener, "listen", &file).serving();
    clients.wait_for(100);
    clients.stop();
    let refused = Edge::given(&listener, "segue-edge.socket", &file);
    refused.until("FileDescriptorName");
    assert_eq!(refused.ended(), Some(1));
}
