//! A running `segue edge` whose log is read, and upstreams for it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use super::{request, segue, wait_until};

/// A server that answers everything with its name.
pub fn upstream(name: &'static str) -> String {
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
pub struct Edge {
    pub child: Child,
    lines: Receiver<String>,
    pub addr: String,
    pub admin: String,
}

impl Edge {
    /// One that serves.
    pub fn start(config: &Path, args: &[&str]) -> Self {
        Self::launch(config, args).serving()
    }

    /// One that may not come to serve.
    pub fn launch(config: &Path, args: &[&str]) -> Self {
        let mut command = segue();
        command.arg("edge");
        Self::run(command, config, args)
    }

    /// One that is given this listener, as systemd does it.
    pub fn given(listener: &TcpListener, name: &str, config: &Path) -> Self {
        let mut command = Command::new("sh");
        let shift = r#"export LISTEN_PID=$$ && exec "$@" 3<&0 </dev/null"#;
        command.args(["-c", shift, "sh", env!("CARGO_BIN_EXE_segue"), "edge"]).env_remove("RUST_LOG");
        command.env("LISTEN_FDS", "1").env("LISTEN_FDNAMES", name);
        command.stdin(Stdio::from(OwnedFd::from(listener.try_clone().unwrap())));
        Self::run(command, config, &[])
    }

    fn run(mut command: Command, config: &Path, args: &[&str]) -> Self {
        let mut child = command
            .args(["--config", config.to_str().unwrap()])
            .args(args)
            .env("NO_COLOR", "1")
            .env("SEGUE_EDGE_ADMIN_SECRET", "hush-admin")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (tell, lines) = channel();
        std::thread::spawn(move || stderr.lines().map_while(Result::ok).all(|line| tell.send(line).is_ok()));
        Self { child, lines, addr: String::new(), admin: String::new() }
    }

    /// Waits until it serves.
    pub fn serving(mut self) -> Self {
        let line = self.until("edge is serving");
        let of = |name: &str| {
            let (_, rest) = line.split_once(&format!("{name}=")).unwrap();
            rest.split_whitespace().next().unwrap().to_owned()
        };
        (self.addr, self.admin) = (of("edge.addr"), of("edge.admin_addr"));
        self
    }

    /// The first line from here on that has that text. No line has a secret.
    pub fn until(&self, text: &str) -> String {
        loop {
            let line = self.lines.recv().unwrap_or_else(|_| panic!("the log ended before '{text}'"));
            assert!(!line.contains("hush"), "{line}");
            if line.contains(text) {
                return line;
            }
        }
    }

    pub fn signal(&self, name: &str) {
        Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status().unwrap();
    }

    pub fn get(&self, path: &str) -> Vec<u8> {
        let answer = request("GET", &format!("http://{}{path}", self.addr), &[]);
        assert_eq!(answer.status, 200, "{}", answer.head);
        answer.body
    }
}

impl Edge {
    /// Waits until it has ended; gives its exit code.
    pub fn ended(mut self) -> Option<i32> {
        wait_until("the end of an edge", || self.child.try_wait().unwrap()).code()
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
