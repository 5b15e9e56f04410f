//! An upstream that does what it is told, byte by byte: a raw TCP server, so that it can also break the rules.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// One thing that an upstream does.
#[derive(Debug, Clone)]
pub enum Step {
    Send(Vec<u8>),
    Wait(Duration),
    /// Waits until the test releases it.
    Gate,
    /// Closes the connection.
    Die,
}

/// What an upstream answers on one path.
#[derive(Debug, Clone)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    steps: Vec<Step>,
    chunked: bool,
    /// Gives the part that is asked for.
    ranged: bool,
}

impl Answer {
    /// A cacheable answer.
    pub fn ok(body: impl AsRef<[u8]>) -> Self {
        Self::status(200, body).with("cache-control", "public, max-age=3600")
    }

    pub fn status(status: u16, body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref().to_vec();
        let length = ("content-length".to_owned(), body.len().to_string());
        Self { status, headers: vec![length], steps: vec![Step::Send(body)], chunked: false, ranged: false }
    }

    /// The head at once, then these steps; `length` is what the head announces.
    pub fn steps(length: usize, steps: Vec<Step>) -> Self {
        let mut answer = Self::ok("").with("content-length", &length.to_string());
        answer.steps = steps;
        answer
    }

    /// In chunks, without a length.
    pub fn chunked(mut self) -> Self {
        self.headers.retain(|(name, _)| name != "content-length");
        self.chunked = true;
        self.with("transfer-encoding", "chunked")
    }

    /// The body, or the part of it that a request asks for (RFC 9110 14).
    pub fn ranged(mut self) -> Self {
        self.ranged = true;
        self
    }

    /// The part that is asked for, if the condition holds.
    fn part(&self, seen: &Seen) -> Option<Self> {
        let [Step::Send(body)] = self.steps.as_slice() else { return None };
        let etag = self.headers.iter().find(|(name, _)| name == "etag").map(|(_, value)| value);
        let holds = seen.headers.get("if-range").is_none_or(|tag| Some(tag) == etag);
        let (first, last) = seen.headers.get("range")?.strip_prefix("bytes=")?.split_once('-')?;
        let first: usize = first.parse().ok()?;
        let last = last.parse().unwrap_or(usize::MAX).min(body.len() - 1);
        if !self.ranged || !holds || first > last {
            return None;
        }
        let mut part = Self::status(206, &body[first..=last]);
        let own = self.headers.iter().filter(|(name, _)| name != "content-length").cloned();
        part.headers.extend(own);
        Some(part.with("content-range", &format!("bytes {first}-{last}/{}", body.len())))
    }

    /// Neither length nor chunks: the body ends with the connection.
    pub fn unframed(mut self) -> Self {
        self.headers.retain(|(name, _)| name != "content-length");
        self.steps.push(Step::Die);
        self
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(found, _)| found != name);
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Before the head.
    pub fn delayed(self, delay: Duration) -> Delayed {
        Delayed { delay, answer: self }
    }
}

#[derive(Debug, Clone)]
pub struct Delayed {
    delay: Duration,
    answer: Answer,
}

impl From<Answer> for Delayed {
    fn from(answer: Answer) -> Self {
        Self { delay: Duration::ZERO, answer }
    }
}

/// A request as the upstream saw it.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    pub method: String,
    pub path: String,
    pub headers: HashMap<String, String>,
    pub body: Vec<u8>,
}

#[derive(Debug)]
struct Program {
    answers: HashMap<String, Delayed>,
    /// What a path answers after so many requests.
    later: HashMap<String, (usize, Delayed)>,
    seen: Vec<Seen>,
}

#[derive(Debug, Clone)]
pub struct Upstream {
    addr: SocketAddr,
    program: Arc<Mutex<Program>>,
    gate: Arc<Semaphore>,
    stop: Arc<tokio::sync::watch::Sender<bool>>,
}

impl Program {
    fn find(&self, path: &str) -> Option<Delayed> {
        let seen = self.seen.iter().filter(|seen| seen.path == path).count();
        let later = self.later.get(path).filter(|(requests, _)| seen >= *requests);
        later.map(|(_, answer)| answer).or(self.answers.get(path)).cloned()
    }
}

const KEYS: &str = "/.well-known/segue-keys.json";

impl Upstream {
    pub async fn start(key_set: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let keys = Answer::status(200, key_set).with("etag", "\"keys-1\"");
        let program = Program {
            answers: HashMap::from([(KEYS.to_owned(), keys.into())]),
            later: HashMap::new(),
            seen: Vec::new(),
        };
        let upstream = Self {
            addr,
            program: Arc::new(Mutex::new(program)),
            gate: Arc::new(Semaphore::new(0)),
            stop: Arc::new(tokio::sync::watch::Sender::new(false)),
        };
        tokio::spawn(upstream.clone().accept(listener));
        upstream
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    pub fn answer(&self, path: &str, answer: impl Into<Delayed>) {
        self.program.lock().unwrap().answers.insert(path.into(), answer.into());
    }

    /// Answers something else on that path after so many requests.
    pub fn answer_later(&self, path: &str, requests: usize, answer: impl Into<Delayed>) {
        self.program.lock().unwrap().later.insert(path.into(), (requests, answer.into()));
    }

    /// Answers below the test's asset.
    pub fn media(&self, tail: &str, answer: impl Into<Delayed>) {
        self.answer(&format!("{}{tail}", super::BASE), answer);
    }

    pub fn publish_keys(&self, key_set: Vec<u8>, etag: &str) {
        self.answer(KEYS, Answer::status(200, key_set).with("etag", etag));
    }

    /// Lets gates pass for good.
    pub fn open_gate(&self) {
        self.gate.add_permits(10_000);
    }

    /// Dies: the port is closed, and every connection with it.
    pub fn kill(&self) {
        self.stop.send_replace(true);
    }

    pub fn seen(&self, path: &str) -> Vec<Seen> {
        self.program.lock().unwrap().seen.iter().filter(|seen| seen.path == path).cloned().collect()
    }

    pub fn fetches(&self, tail: &str) -> usize {
        self.seen(&format!("{}{tail}", super::BASE)).len()
    }

    async fn accept(self, listener: TcpListener) {
        let mut stop = self.stop.subscribe();
        loop {
            tokio::select! {
                accepted = listener.accept() => {
                    let (stream, _) = accepted.unwrap();
                    let (upstream, mut stop) = (self.clone(), self.stop.subscribe());
                    tokio::spawn(async move {
                        tokio::select! {
                            _ = upstream.serve(stream) => {}
                            _ = stop.wait_for(|stop| *stop) => {}
                        }
                    });
                }
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    async fn serve(&self, stream: TcpStream) -> std::io::Result<()> {
        let mut stream = BufReader::new(stream);
        while let Some(mut seen) = read_head(&mut stream).await? {
            seen.body = read_body(&mut stream, &seen).await?;
            let found = self.program.lock().unwrap().find(&seen.path);
            let answer = found.unwrap_or_else(|| Answer::status(404, "nothing here").into());
            self.program.lock().unwrap().seen.push(seen.clone());
            tokio::time::sleep(answer.delay).await;
            let part = answer.answer.part(&seen);
            if !self.respond(&mut stream, &seen, part.as_ref().unwrap_or(&answer.answer)).await? {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn respond(
        &self,
        stream: &mut BufReader<TcpStream>,
        seen: &Seen,
        answer: &Answer,
    ) -> std::io::Result<bool> {
        let etag = answer.headers.iter().find(|(name, _)| name == "etag").map(|(_, value)| value);
        let confirmed = etag.filter(|etag| seen.headers.get("if-none-match") == Some(*etag));
        if let Some(etag) = confirmed {
            let head = format!("HTTP/1.1 304 Not Modified\r\netag: {etag}\r\n\r\n");
            stream.get_mut().write_all(head.as_bytes()).await?;
            return Ok(true);
        }
        let mut head = format!("HTTP/1.1 {} Status\r\n", answer.status);
        answer.headers.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
        stream.get_mut().write_all(format!("{head}\r\n").as_bytes()).await?;
        for step in &answer.steps {
            match step {
                Step::Send(bytes) if answer.chunked => {
                    let size = format!("{:x}\r\n", bytes.len());
                    stream.get_mut().write_all(size.as_bytes()).await?;
                    stream.get_mut().write_all(bytes).await?;
                    stream.get_mut().write_all(b"\r\n").await?;
                }
                Step::Send(bytes) => stream.get_mut().write_all(bytes).await?,
                Step::Wait(time) => tokio::time::sleep(*time).await,
                Step::Gate => self.gate.acquire().await.unwrap().forget(),
                Step::Die => return Ok(false),
            }
        }
        if answer.chunked {
            stream.get_mut().write_all(b"0\r\n\r\n").await?;
        }
        Ok(true)
    }
}

async fn read_head(stream: &mut BufReader<TcpStream>) -> std::io::Result<Option<Seen>> {
    let mut line = String::new();
    if stream.read_line(&mut line).await? == 0 {
        return Ok(None);
    }
    let word = |place| line.split(' ').nth(place).unwrap_or_default().to_owned();
    let mut seen = Seen { method: word(0), path: word(1), ..Seen::default() };
    loop {
        line.clear();
        stream.read_line(&mut line).await?;
        match line.trim_end().split_once(": ") {
            Some((name, value)) => seen.headers.insert(name.to_lowercase(), value.to_owned()),
            None => return Ok(Some(seen)),
        };
    }
}

async fn read_body(stream: &mut BufReader<TcpStream>, seen: &Seen) -> std::io::Result<Vec<u8>> {
    let mut body = Vec::new();
    if seen.headers.contains_key("transfer-encoding") {
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).await?;
            let size = usize::from_str_radix(line.trim_end(), 16).map_err(std::io::Error::other)?;
            let start = body.len();
            body.resize(start + size + 2, 0);
            stream.read_exact(&mut body[start..]).await?;
            body.truncate(start + size);
            if size == 0 {
                return Ok(body);
            }
        }
    }
    let length = seen.headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    body.resize(length, 0);
    stream.read_exact(&mut body).await?;
    Ok(body)
}
