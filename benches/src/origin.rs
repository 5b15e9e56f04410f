//! An upstream that does what it is told, byte by byte: a plain TCP server, so that it can also break the rules.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Where edges look for signing keys.
pub const KEYS: &str = "/.well-known/segue-keys.json";
/// What a revisioned segment says of itself.
const IMMUTABLE: &str = "content-type: audio/mp4\r\ncache-control: public, max-age=31536000, immutable\r\n";
/// Longest request head, bytes.
const HEAD_MAX: usize = 64 << 10;

/// A request, as far as an upstream cares.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// The target, query included.
    pub path: String,
    /// Where the wanted range begins, of `Range: bytes=N-`.
    pub from: Option<usize>,
    /// Entity tag that the range is wanted of.
    pub if_range: Option<String>,
    /// Entity tag that the asker has.
    pub if_none_match: Option<String>,
}

/// One thing that an upstream does.
#[derive(Debug, Clone)]
pub enum Step {
    /// Sends bytes.
    Send(Bytes),
    /// Does nothing.
    Wait(Duration),
    /// Closes the connection.
    Die,
}

/// What an upstream does about one request. The connection stays open after the last step.
#[derive(Debug, Clone, Default)]
pub struct Reply(pub Vec<Step>);

impl Reply {
    /// A head with these fields (each line ended), then the body.
    #[must_use]
    pub fn new(status: u16, fields: &str, body: Bytes) -> Self {
        let head = format!("HTTP/1.1 {status} -\r\n{fields}content-length: {}\r\n\r\n", body.len());
        Self(vec![Step::Send(head.into()), Step::Send(body)])
    }

    /// A segment: may be kept for ever.
    #[must_use]
    pub fn segment(fields: &str, body: Bytes) -> Self {
        Self::new(200, &format!("{IMMUTABLE}{fields}"), body)
    }

    /// What stands behind `from` bytes of a segment.
    #[must_use]
    pub fn rest(fields: &str, body: &Bytes, from: usize) -> Self {
        let (last, whole) = (body.len() - 1, body.len());
        let range = format!("{IMMUTABLE}{fields}content-range: bytes {from}-{last}/{whole}\r\n");
        Self::new(206, &range, body.slice(from..))
    }

    /// Waits before anything is sent.
    #[must_use]
    pub fn after(mut self, wait: Duration) -> Self {
        self.0.insert(0, Step::Wait(wait));
        self
    }
}

/// What an upstream has done.
#[derive(Debug, Default)]
pub struct Done {
    /// Requests answered, or begun to be.
    pub requests: AtomicU64,
    /// Bytes sent, heads included.
    pub bytes: AtomicU64,
}

/// Serves what `answer` says until `open` turns false: then the port and all connections are closed.
pub async fn serve<A>(listener: TcpListener, answer: Arc<A>, done: Arc<Done>, mut open: watch::Receiver<bool>)
where
    A: Fn(Asked) -> Reply + Send + Sync + 'static,
{
    loop {
        let mut still_open = open.clone();
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                let (answer, done) = (answer.clone(), done.clone());
                tokio::spawn(async move {
                    tokio::select! {
                        _ = connection(stream, answer.as_ref(), &done) => {}
                        _ = still_open.wait_for(|open| !open) => {}
                    }
                });
            }
            _ = open.wait_for(|open| !open) => return,
        }
    }
}

async fn connection<A: Fn(Asked) -> Reply>(mut stream: TcpStream, answer: &A, done: &Done) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut read = BytesMut::with_capacity(4096);
    while let Some(asked) = next(&mut stream, &mut read).await? {
        done.requests.fetch_add(1, Ordering::Relaxed);
        let mut waiting: Option<Bytes> = None;
        for step in answer(asked).0 {
            match step {
                // Head and body leave in one call.
                Step::Send(bytes) => {
                    done.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                    match waiting.take() {
                        Some(first) => stream.write_all_buf(&mut first.chain(bytes)).await?,
                        None => waiting = Some(bytes),
                    }
                }
                Step::Wait(time) => {
                    flush(&mut stream, &mut waiting).await?;
                    tokio::time::sleep(time).await;
                }
                Step::Die => return flush(&mut stream, &mut waiting).await,
            }
        }
        flush(&mut stream, &mut waiting).await?;
    }
    Ok(())
}

async fn flush(stream: &mut TcpStream, waiting: &mut Option<Bytes>) -> io::Result<()> {
    match waiting.take() {
        Some(bytes) => stream.write_all(&bytes).await,
        None => Ok(()),
    }
}

async fn next(stream: &mut TcpStream, read: &mut BytesMut) -> io::Result<Option<Asked>> {
    loop {
        if let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = read.split_to(end + 4);
            return Ok(Some(parse(&String::from_utf8_lossy(&head))));
        }
        if read.len() > HEAD_MAX || stream.read_buf(read).await? == 0 {
            return Ok(None);
        }
    }
}

fn parse(head: &str) -> Asked {
    let mut lines = head.split("\r\n");
    let path = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap_or_default();
    let mut asked = Asked { path: path.to_owned(), ..Asked::default() };
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "range" => {
                asked.from = value.strip_prefix("bytes=").and_then(|it| it.strip_suffix('-')?.parse().ok());
            }
            "if-range" => asked.if_range = Some(value.to_owned()),
            "if-none-match" => asked.if_none_match = Some(value.to_owned()),
            _ => {}
        }
    }
    asked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read() {
        let asked = parse("GET /a?b HTTP/1.1\r\nHost: h\r\nRange: bytes=7-\r\nif-range: \"x\"\r\n\r\n");
        assert_eq!(
            (asked.path.as_str(), asked.from, asked.if_range.as_deref()),
            ("/a?b", Some(7), Some("\"x\""))
        );
        assert_eq!(parse("GET / HTTP/1.1\r\nRange: bytes=1-2\r\n\r\n").from, None);
    }

    #[test]
    fn the_rest_names_its_place() {
        let Reply(steps) = Reply::rest("", &Bytes::from_static(b"0123456789"), 4);
        let [Step::Send(head), Step::Send(body)] = steps.as_slice() else { panic!("{steps:?}") };
        assert!(String::from_utf8_lossy(head).contains("content-range: bytes 4-9/10\r\n"));
        assert_eq!(body, "456789");
    }
}
