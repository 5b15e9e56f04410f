//! An HTTP/2 client that says what it is told to, frame by frame, so that it can also break the rules.

use std::collections::BTreeMap;

use segue_edge::semantics::h2::PREFACE;
use segue_edge::semantics::h2::frame::{HEAD, flag, head, kind};
use segue_edge::semantics::hpack::{Decoder, Fields, Limits, encode};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A frame of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Got {
    Head {
        stream: u32,
        fields: BTreeMap<String, String>,
        end: bool,
    },
    Data {
        stream: u32,
        content: Vec<u8>,
        end: bool,
    },
    Reset {
        stream: u32,
        code: u32,
    },
    GoAway {
        last: u32,
        code: u32,
    },
    Settings,
    SettingsAck,
    Ping([u8; 8]),
    Pong([u8; 8]),
    WindowUpdate {
        stream: u32,
        more: u32,
    },
    /// The connection is closed.
    End,
}

impl Got {
    /// `:status` of a head.
    pub fn status(&self) -> &str {
        match self {
            Self::Head { fields, .. } => &fields[":status"],
            other => panic!("{other:?}"),
        }
    }
}

pub struct Raw<S> {
    stream: S,
    bytes: Vec<u8>,
    decoder: Decoder,
}

/// One frame (RFC 9113 4.1).
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    [&head(payload.len(), kind, flags, stream), payload].concat()
}

/// A field block.
pub fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut out = Vec::new();
    fields.iter().for_each(|(name, value)| encode::field(name.as_bytes(), value.as_bytes(), &mut out));
    out
}

/// The fields of a request.
pub fn request<'a>(method: &'a str, path: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let all = [(":method", method), (":scheme", "http"), (":authority", "edge"), (":path", path)];
    [all.as_slice(), more].concat()
}

/// A request without content.
pub fn get(stream: u32, path: &str) -> Vec<u8> {
    ask(stream, "GET", path, &[])
}

pub fn ask(stream: u32, method: &str, path: &str, more: &[(&str, &str)]) -> Vec<u8> {
    let flags = flag::END_HEADERS | flag::END_STREAM;
    frame(kind::HEADERS, flags, stream, &block(&request(method, path, more)))
}

/// The head of a request whose content follows.
pub fn post(stream: u32, path: &str, more: &[(&str, &str)]) -> Vec<u8> {
    frame(kind::HEADERS, flag::END_HEADERS, stream, &block(&request("POST", path, more)))
}

pub fn data(stream: u32, content: &[u8], end: bool) -> Vec<u8> {
    frame(kind::DATA, if end { flag::END_STREAM } else { 0 }, stream, content)
}

pub fn window_update(stream: u32, more: u32) -> Vec<u8> {
    frame(kind::WINDOW_UPDATE, 0, stream, &more.to_be_bytes())
}

pub fn reset(stream: u32) -> Vec<u8> {
    frame(kind::RST_STREAM, 0, stream, &8u32.to_be_bytes())
}

pub fn settings(pairs: &[(u16, u32)]) -> Vec<u8> {
    let pair = |(name, value): &(u16, u32)| [name.to_be_bytes().as_slice(), &value.to_be_bytes()].concat();
    frame(kind::SETTINGS, 0, 0, &pairs.iter().flat_map(pair).collect::<Vec<_>>())
}

/// What a client says first.
pub fn greeting(pairs: &[(u16, u32)]) -> Vec<u8> {
    [PREFACE.as_slice(), &settings(pairs), &frame(kind::SETTINGS, flag::ACK, 0, &[])].concat()
}

impl Raw<TcpStream> {
    pub async fn connect(addr: std::net::SocketAddr, pairs: &[(u16, u32)]) -> Self {
        let stream = TcpStream::connect(addr).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self::over(stream, pairs).await
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Raw<S> {
    pub async fn over(stream: S, pairs: &[(u16, u32)]) -> Self {
        let mut raw = Self::silent(stream);
        raw.send(&greeting(pairs)).await;
        raw
    }

    /// Without a greeting.
    pub fn silent(stream: S) -> Self {
        Self { stream, bytes: Vec::new(), decoder: Decoder::default() }
    }

    /// Sends bytes; the server may have had enough.
    pub async fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes).await;
        let _ = self.stream.flush().await;
    }

    /// The next frame.
    pub async fn next(&mut self) -> Got {
        loop {
            if let Some(head) = self.bytes.first_chunk::<HEAD>() {
                let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
                if self.bytes.len() >= HEAD + length {
                    let frame: Vec<u8> = self.bytes.drain(..HEAD + length).collect();
                    return self.read(&frame).await;
                }
            }
            if self.stream.read_buf(&mut self.bytes).await.unwrap_or(0) == 0 {
                return Got::End;
            }
        }
    }

    async fn read(&mut self, frame: &[u8]) -> Got {
        let (head, payload) = frame.split_at(HEAD);
        let (kind, flags) = (head[3], head[4]);
        let stream = u32::from_be_bytes(head[5..9].try_into().unwrap());
        let number = |at: usize| u32::from_be_bytes(payload[at..at + 4].try_into().unwrap());
        let end = flags & flag::END_STREAM != 0;
        match kind {
            kind::HEADERS if flags & flag::END_HEADERS == 0 => {
                let mut block = payload.to_vec();
                loop {
                    while self.bytes.len() < HEAD {
                        assert!(self.stream.read_buf(&mut self.bytes).await.unwrap() > 0);
                    }
                    let length =
                        u32::from_be_bytes([0, self.bytes[0], self.bytes[1], self.bytes[2]]) as usize;
                    while self.bytes.len() < HEAD + length {
                        assert!(self.stream.read_buf(&mut self.bytes).await.unwrap() > 0);
                    }
                    let more: Vec<u8> = self.bytes.drain(..HEAD + length).collect();
                    assert_eq!(more[3], kind::CONTINUATION);
                    block.extend_from_slice(&more[HEAD..]);
                    if more[4] & flag::END_HEADERS != 0 {
                        return self.head(stream, &block, end);
                    }
                }
            }
            kind::HEADERS => self.head(stream, payload, end),
            kind::DATA => Got::Data { stream, content: payload.to_vec(), end },
            kind::RST_STREAM => Got::Reset { stream, code: number(0) },
            kind::GOAWAY => Got::GoAway { last: number(0), code: number(4) },
            kind::SETTINGS if end => Got::SettingsAck,
            kind::SETTINGS => Got::Settings,
            kind::PING if end => Got::Pong(payload.try_into().unwrap()),
            kind::PING => Got::Ping(payload.try_into().unwrap()),
            kind::WINDOW_UPDATE => Got::WindowUpdate { stream, more: number(0) },
            kind => panic!("a frame of kind {kind}"),
        }
    }

    fn head(&mut self, stream: u32, block: &[u8], end: bool) -> Got {
        let mut all = Fields::new(Limits { bytes: 1 << 20, count: 1000 });
        self.decoder.decode(block, &mut all).unwrap();
        let mut fields = BTreeMap::<String, String>::new();
        for (name, value) in all.iter() {
            let name = String::from_utf8(name.to_vec()).unwrap();
            assert_eq!(name, name.to_lowercase());
            let value = String::from_utf8(value.to_vec()).unwrap();
            let entry = fields.entry(name).or_default();
            *entry = if entry.is_empty() { value } else { format!("{entry}, {value}") };
        }
        Got::Head { stream, fields, end }
    }

    /// The next frame that is neither about settings nor windows.
    pub async fn next_of_note(&mut self) -> Got {
        loop {
            match self.next().await {
                Got::Settings | Got::SettingsAck | Got::WindowUpdate { .. } => {}
                got => return got,
            }
        }
    }

    /// The whole response on a stream: fields and content. Windows are opened as it comes.
    pub async fn response(&mut self, wanted: u32) -> (BTreeMap<String, String>, Vec<u8>) {
        let (mut head, mut body) = (None, Vec::new());
        loop {
            match self.next_of_note().await {
                Got::Head { stream, fields, end } if stream == wanted => {
                    if end {
                        return (fields, body);
                    }
                    head = Some(fields);
                }
                Got::Data { stream, content, end } if stream == wanted => {
                    body.extend_from_slice(&content);
                    if end {
                        return (head.unwrap(), body);
                    }
                    if !content.is_empty() {
                        let more = content.len() as u32;
                        self.send(&[window_update(0, more), window_update(stream, more)].concat()).await;
                    }
                }
                other => panic!("{other:?}"),
            }
        }
    }
}
