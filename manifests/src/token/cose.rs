//! COSE_Sign1 (RFC 9052 4.2), as far as a token needs it: Ed25519, key id in the protected header.

use aws_lc_rs::signature::Ed25519KeyPair;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use minicbor::data::Tag;
use minicbor::decode::Error as DecodeError;
use minicbor::{Decoder, Encoder};

use super::KeyId;
use super::claims::definite;

const COSE_SIGN1: Tag = Tag::new(18);
const HEADER_ALG: i64 = 1;
const HEADER_KID: i64 = 4;
/// EdDSA (RFC 9053 2.2).
pub(super) const ALG_EDDSA: i64 = -8;

/// A token taken apart; nothing in it is trusted yet.
pub(super) struct Envelope<'a> {
    pub(super) alg: i64,
    pub(super) kid: KeyId,
    protected: &'a [u8],
    pub(super) payload: &'a [u8],
    pub(super) signature: &'a [u8],
}

impl<'a> Envelope<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut input = Decoder::new(bytes);
        if input.tag()? != COSE_SIGN1 || definite(input.array()?)? != 4 {
            return Err(DecodeError::message("not a COSE_Sign1"));
        }
        let protected = input.bytes()?;
        if definite(input.map()?)? != 0 {
            return Err(DecodeError::message("the unprotected header is not empty"));
        }
        let (payload, signature) = (input.bytes()?, input.bytes()?);
        if input.position() != bytes.len() {
            return Err(DecodeError::message("bytes after the token"));
        }
        let (alg, kid) = read_protected(protected)?;
        Ok(Self { alg, kid, protected, payload, signature })
    }

    /// The bytes that the signature covers.
    pub(super) fn to_be_signed(&self) -> Vec<u8> {
        sig_structure(self.protected, self.payload)
    }
}

fn read_protected(bytes: &[u8]) -> Result<(i64, KeyId), DecodeError> {
    let mut input = Decoder::new(bytes);
    let shape = definite(input.map()?)?;
    let alg = (input.i64()?, input.i64()?);
    let kid = (input.i64()?, input.bytes()?);
    if shape != 2 || alg.0 != HEADER_ALG || kid.0 != HEADER_KID || input.position() != bytes.len() {
        return Err(DecodeError::message("the protected header is not alg and kid"));
    }
    let kid = kid.1.try_into().map_err(|_| DecodeError::message("kid is not 8 bytes"))?;
    Ok((alg.1, KeyId(kid)))
}

/// Signs a payload; base64url without padding.
pub(super) fn sign(payload: &[u8], kid: KeyId, pair: &Ed25519KeyPair) -> String {
    sign_as(payload, ALG_EDDSA, kid, pair)
}

pub(super) fn sign_as(payload: &[u8], alg: i64, kid: KeyId, pair: &Ed25519KeyPair) -> String {
    let protected = write(|out| out.map(2)?.i64(HEADER_ALG)?.i64(alg)?.i64(HEADER_KID)?.bytes(&kid.0)?.ok());
    let signature = pair.sign(&sig_structure(&protected, payload));
    let token = write(|out| {
        out.tag(COSE_SIGN1)?
            .array(4)?
            .bytes(&protected)?
            .map(0)?
            .bytes(payload)?
            .bytes(signature.as_ref())?
            .ok()
    });
    URL_SAFE_NO_PAD.encode(token)
}

fn sig_structure(protected: &[u8], payload: &[u8]) -> Vec<u8> {
    write(|out| out.array(4)?.str("Signature1")?.bytes(protected)?.bytes(&[])?.bytes(payload)?.ok())
}

type Written = Result<(), minicbor::encode::Error<std::convert::Infallible>>;

fn write(content: impl FnOnce(&mut Encoder<Vec<u8>>) -> Written) -> Vec<u8> {
    let mut out = Encoder::new(Vec::with_capacity(256));
    content(&mut out).expect("writing to memory does not fail");
    out.into_writer()
}
