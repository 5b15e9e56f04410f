//! What the tests of the binary share: music made on the spot, stores as listings, running servers.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "each test uses its part"
)]

pub mod edge;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub fn segue() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_segue"));
    command.env_remove("RUST_LOG").stdin(Stdio::null());
    command
}

/// A loopback address that is free now, and that no outgoing connection takes.
pub fn free_address() -> String {
    let any = || TcpListener::bind(("127.0.0.1", fastrand::u16(10_000..16_000)));
    let listener = std::iter::repeat_with(any).find_map(Result::ok).unwrap();
    listener.local_addr().unwrap().to_string()
}

/// A stereo WAV of a tone that no other number has.
pub fn write_tone(path: &Path, number: u32, seconds: f64) {
    let frames = (seconds * 44_100.0) as u32;
    let mut pcm = Vec::with_capacity(frames as usize * 4);
    for frame in 0..frames {
        let phase = f64::from(frame) * (220.0 + 37.0 * f64::from(number)) * std::f64::consts::TAU / 44_100.0;
        let sample = (phase.sin() * 12_000.0) as i16;
        pcm.extend(sample.to_le_bytes());
        pcm.extend((sample / 2).to_le_bytes());
    }
    let mut wav = Vec::with_capacity(pcm.len() + 44);
    wav.extend(b"RIFF");
    wav.extend((36 + pcm.len() as u32).to_le_bytes());
    wav.extend(b"WAVEfmt \x10\0\0\0\x01\0\x02\0");
    wav.extend(44_100u32.to_le_bytes());
    wav.extend(176_400u32.to_le_bytes());
    wav.extend(b"\x04\0\x10\0data");
    wav.extend((pcm.len() as u32).to_le_bytes());
    wav.extend(pcm);
    std::fs::write(path, wav).unwrap();
}

/// A folder of that many tones.
pub fn music(folder: &Path, tracks: u32, seconds: f64) -> PathBuf {
    std::fs::create_dir_all(folder).unwrap();
    for number in 0..tracks {
        write_tone(&folder.join(format!("{number:02} tone.wav")), number, seconds + f64::from(number) * 0.1);
    }
    folder.to_owned()
}

/// Every published object below a folder store, with its bytes.
pub fn listing(store: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in walkdir::WalkDir::new(store)
        .into_iter()
        .filter_entry(|e| e.depth() == 0 || !e.file_name().to_string_lossy().starts_with('.'))
    {
        let Ok(entry) = entry else { continue };
        if entry.file_type().is_file() {
            let path = entry.path().strip_prefix(store).unwrap().to_string_lossy().into_owned();
            found.insert(path, std::fs::read(entry.path()).unwrap());
        }
    }
    found
}

/// Objects that a descriptor names must all be there: nothing half-published is visible.
pub fn assert_whole(objects: &BTreeMap<String, Vec<u8>>) {
    for (path, bytes) in objects.iter().filter(|(path, _)| path.ends_with("asset.json")) {
        let descriptor =
            segue_manifests::Descriptor::from_json(bytes).unwrap_or_else(|e| panic!("{path}: {e}"));
        for packed in &descriptor.renditions {
            let (asset, rev, rendition) = (descriptor.asset, descriptor.rev, packed.name.clone());
            let object = &objects[&segue_manifests::ObjectKey::Packed { asset, rev, rendition }.path()];
            assert_eq!(object.len() as u64, packed.object_size(), "{path}");
            for index in 0..packed.segment_sizes.len() {
                let segment = packed.segment(index).unwrap();
                let bytes = &object[segment.offset as usize..][..segment.size as usize];
                assert_eq!(segue_manifests::Sha256::of(bytes), segment.sha256, "{path} segment {index}");
            }
            assert!(
                objects.contains_key(&segue_manifests::ObjectKey::Init { sha256: packed.init.sha256 }.path())
            );
        }
    }
}

/// A running `segue up`; killed when dropped.
pub struct Up {
    pub child: Child,
    pub url: String,
}

impl Up {
    pub fn start(data: &Path, args: &[&str]) -> Self {
        let mut child = segue()
            .args(["up", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines
            .by_ref()
            .map_while(Result::ok)
            .find(|line| line.contains("http://"))
            .expect("a URL is printed");
        let url = line
            .split_whitespace()
            .find(|word| word.starts_with("http://"))
            .unwrap()
            .trim_end_matches('/')
            .to_owned();
        // The pipe must stay open and empty.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, url }
    }

    pub fn songs(&self) -> Vec<serde_json::Value> {
        let answer = request("GET", &format!("{}/songs?limit=200", self.url), &[]);
        answer.json()["items"].as_array().cloned().unwrap_or_default()
    }

    /// Waits until there are that many songs.
    pub fn wait_for_songs(&self, count: usize) -> Vec<serde_json::Value> {
        wait_until("songs", || Some(self.songs()).filter(|songs| songs.len() >= count))
    }

    pub fn play(&self, song: &str) -> serde_json::Value {
        request("POST", &format!("{}/play/{song}", self.url), &[]).json()
    }

    /// SIGTERM, then the exit code.
    pub fn stop(mut self) -> Option<i32> {
        Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn wait_until<T>(what: &str, mut ready: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = ready() {
            return value;
        }
        assert!(start.elapsed() < Duration::from_secs(120), "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&self.body)))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// One HTTP/1.1 request on a connection of its own. The target is sent as it is, tricks included.
pub fn request(method: &str, url: &str, headers: &[&str]) -> Answer {
    send(method, url, headers, "")
}

/// The same with content.
pub fn send(method: &str, url: &str, headers: &[&str], content: &str) -> Answer {
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let mut stream = TcpStream::connect(host).unwrap();
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
    head += &format!("content-length: {}\r\n", content.len());
    for header in headers {
        head += &format!("{header}\r\n");
    }
    stream.write_all(format!("{head}\r\n{content}").as_bytes()).unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    let end = all.windows(4).position(|w| w == b"\r\n\r\n").expect("a whole head");
    let head = String::from_utf8(all[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let body = all[end + 4..].to_vec();
    let body = if head.to_lowercase().contains("transfer-encoding: chunked") { dechunk(&body) } else { body };
    Answer { status, head, body }
}

fn dechunk(mut bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    while let Some(end) = bytes.windows(2).position(|w| w == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&bytes[..end]).unwrap(), 16).unwrap();
        out.extend(&bytes[end + 2..][..size]);
        bytes = &bytes[end + 2 + size + 2..];
        if size == 0 {
            break;
        }
    }
    out
}
