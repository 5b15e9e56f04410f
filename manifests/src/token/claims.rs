//! The claims of a token and their CBOR form.

use minicbor::data::Type;
use minicbor::decode::Error as DecodeError;
use minicbor::{Decoder, Encoder};

const ISS: i64 = 1;
const SUB: i64 = 2;
const EXP: i64 = 4;
const NBF: i64 = 5;
const IAT: i64 = 6;
const CTI: i64 = 7;
const CATV: i64 = 310;
const CATU: i64 = 312;
const CATM: i64 = 313;
// Private claims, below -65536 (RFC 8392 9.1).
const PLAYBACK_SESSION: i64 = -65_537;
const MAX_KBPS: i64 = -65_538;

const CATU_PATH: u64 = 3;
const MATCH_PREFIX: i64 = 1;
const CAT_VERSION: u64 = 1;

/// A request method that a token may cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// `GET`
    Get,
    /// `HEAD`
    Head,
}

impl Method {
    /// The method's name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Get, Self::Head].into_iter().find(|method| method.as_str() == name)
    }
}

/// What a token says. Times are seconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// `iss`: the origin that minted it.
    pub issuer: String,
    /// `sub`: a pseudonym of the listener.
    pub subject: Option<String>,
    /// `exp`
    pub expires: u64,
    /// `nbf`
    pub not_before: u64,
    /// `iat`
    pub issued: u64,
    /// `cti`: names this token, for revocation and logs.
    pub token_id: [u8; 16],
    /// `catu`, path, prefix match: begins and ends with `/`.
    pub path_prefix: String,
    /// `catm`
    pub methods: Vec<Method>,
    /// Playback session that the token was minted for.
    pub playback_session: Option<String>,
    /// Highest bit rate that may be fetched, kbit/s; none means all.
    pub max_kbps: Option<u32>,
}

impl Claims {
    pub(super) fn to_cbor(&self) -> Vec<u8> {
        let mut out = Encoder::new(Vec::with_capacity(192));
        self.encode(&mut out).expect("writing to memory does not fail");
        out.into_writer()
    }

    fn encode(
        &self,
        out: &mut Encoder<Vec<u8>>,
    ) -> Result<(), minicbor::encode::Error<std::convert::Infallible>> {
        let optional = [self.subject.is_some(), self.playback_session.is_some(), self.max_kbps.is_some()];
        out.map(8 + optional.iter().filter(|there| **there).count() as u64)?;
        out.i64(ISS)?.str(&self.issuer)?;
        if let Some(subject) = &self.subject {
            out.i64(SUB)?.str(subject)?;
        }
        out.i64(EXP)?.u64(self.expires)?.i64(NBF)?.u64(self.not_before)?.i64(IAT)?.u64(self.issued)?;
        out.i64(CTI)?.bytes(&self.token_id)?.i64(CATV)?.u64(CAT_VERSION)?;
        out.i64(CATU)?.map(1)?.u64(CATU_PATH)?.map(1)?.i64(MATCH_PREFIX)?.str(&self.path_prefix)?;
        out.i64(CATM)?.array(self.methods.len() as u64)?;
        for method in &self.methods {
            out.str(method.as_str())?;
        }
        if let Some(session) = &self.playback_session {
            out.i64(PLAYBACK_SESSION)?.str(session)?;
        }
        if let Some(kbps) = self.max_kbps {
            out.i64(MAX_KBPS)?.u32(kbps)?;
        }
        Ok(())
    }

    /// Reads claims. A claim that this profile does not know is an error: passing over a restriction would
    /// widen what its issuer allowed.
    pub(super) fn from_cbor(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut input = Decoder::new(bytes);
        let count = definite(input.map()?)?;
        let mut parts = Parts::default();
        for _ in 0..count {
            let name = input.i64()?;
            parts.read(name, &mut input)?;
        }
        if input.position() != bytes.len() {
            return Err(DecodeError::message("bytes after the claims"));
        }
        parts.finish().ok_or_else(|| DecodeError::message("a claim is missing"))
    }
}

#[derive(Default)]
struct Parts {
    issuer: Option<String>,
    subject: Option<String>,
    expires: Option<u64>,
    not_before: Option<u64>,
    issued: Option<u64>,
    token_id: Option<[u8; 16]>,
    version: Option<u64>,
    path_prefix: Option<String>,
    methods: Option<Vec<Method>>,
    playback_session: Option<String>,
    max_kbps: Option<u32>,
}

impl Parts {
    fn read(&mut self, name: i64, input: &mut Decoder<'_>) -> Result<(), DecodeError> {
        match name {
            ISS => once(&mut self.issuer, input.str()?.to_owned()),
            SUB => once(&mut self.subject, input.str()?.to_owned()),
            EXP => once(&mut self.expires, input.u64()?),
            NBF => once(&mut self.not_before, input.u64()?),
            IAT => once(&mut self.issued, input.u64()?),
            CTI => once(&mut self.token_id, token_id(input)?),
            CATV => once(&mut self.version, input.u64()?),
            CATU => once(&mut self.path_prefix, path_prefix(input)?),
            CATM => once(&mut self.methods, methods(input)?),
            PLAYBACK_SESSION => once(&mut self.playback_session, input.str()?.to_owned()),
            MAX_KBPS => once(&mut self.max_kbps, input.u32()?),
            _ => Err(DecodeError::message("unknown claim")),
        }
    }

    fn finish(self) -> Option<Claims> {
        (self.version? == CAT_VERSION).then_some(())?;
        Some(Claims {
            issuer: self.issuer?,
            subject: self.subject,
            expires: self.expires?,
            not_before: self.not_before?,
            issued: self.issued?,
            token_id: self.token_id?,
            path_prefix: self.path_prefix?,
            methods: self.methods?,
            playback_session: self.playback_session,
            max_kbps: self.max_kbps,
        })
    }
}

fn once<T>(slot: &mut Option<T>, value: T) -> Result<(), DecodeError> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(DecodeError::message("a claim stands twice")),
    }
}

fn token_id(input: &mut Decoder<'_>) -> Result<[u8; 16], DecodeError> {
    input.bytes()?.try_into().map_err(|_| DecodeError::message("cti is not 16 bytes"))
}

fn path_prefix(input: &mut Decoder<'_>) -> Result<String, DecodeError> {
    let shape = (definite(input.map()?)?, input.u64()?, definite(input.map()?)?, input.i64()?);
    if shape != (1, CATU_PATH, 1, MATCH_PREFIX) {
        return Err(DecodeError::message("catu is not one path prefix"));
    }
    let prefix = input.str()?;
    if !prefix.starts_with('/') || !prefix.ends_with('/') {
        return Err(DecodeError::message("catu does not begin and end with a slash"));
    }
    Ok(prefix.to_owned())
}

fn methods(input: &mut Decoder<'_>) -> Result<Vec<Method>, DecodeError> {
    let count = definite(input.array()?)?;
    if count > 8 {
        return Err(DecodeError::message("catm is too long"));
    }
    (0..count)
        .map(|_| {
            Method::from_name(input.str()?).ok_or_else(|| DecodeError::message("catm names another method"))
        })
        .collect()
}

/// Refuses CBOR's indefinite lengths (RFC 8949 4.2.1).
pub(super) fn definite(length: Option<u64>) -> Result<u64, DecodeError> {
    length.ok_or_else(|| DecodeError::type_mismatch(Type::MapIndef))
}
