//! Private signing keys: made, rotated and revoked; what an origin keeps in its key file.

use std::fmt;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::key_set::{Algorithm, KeySet, KeyState, PublicKey};
use super::{KeyId, MAX_LIFETIME, SKEW};
use crate::Sha256;

/// Signing keys that cannot be used or changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    /// The file is not what [`SigningKeys::to_json`] writes. What stood there is not repeated: it is secret.
    #[error("signing keys: the file cannot be read: {0}")]
    File(&'static str),
    /// No key is active.
    #[error("signing keys: none is active; make new ones")]
    NoneActive,
    /// No key of that name.
    #[error("signing keys: there is no key {0}")]
    Unknown(KeyId),
    /// The next key is not yet known to every edge.
    #[error("signing keys: the next key is public for too short a time; wait {0} s more")]
    TooSoon(u64),
}

/// The origin's private keys: one active, one next, and those before. `Debug` shows no secret.
pub struct SigningKeys {
    keys: Vec<SigningKey>,
    active: usize,
}

struct SigningKey {
    pair: Ed25519KeyPair,
    seed: [u8; 32],
    kid: KeyId,
    state: KeyState,
    since: u64,
}

#[derive(Serialize, Deserialize)]
struct File {
    version: u32,
    keys: Vec<FileKey>,
}

#[derive(Serialize, Deserialize)]
struct FileKey {
    seed: String,
    state: KeyState,
    since: u64,
}

impl SigningKeys {
    /// Makes an active key and the next one. `now` is in seconds since the Unix epoch.
    pub fn generate(now: u64) -> Self {
        Self {
            keys: vec![
                SigningKey::generate(KeyState::Active, now),
                SigningKey::generate(KeyState::Next, now),
            ],
            active: 0,
        }
    }

    /// Reads what [`Self::to_json`] wrote.
    ///
    /// # Errors
    /// When the file is not of this shape or has no active key.
    pub fn from_json(bytes: &[u8]) -> Result<Self, KeysError> {
        let file: File =
            serde_json::from_slice(bytes).map_err(|_| KeysError::File("not JSON of a key file"))?;
        if file.version != 1 {
            return Err(KeysError::File("another version"));
        }
        Self::of(file.keys.iter().map(SigningKey::read).collect::<Result<_, _>>()?)
    }

    fn of(keys: Vec<SigningKey>) -> Result<Self, KeysError> {
        let active =
            keys.iter().position(|key| key.state == KeyState::Active).ok_or(KeysError::NoneActive)?;
        Ok(Self { keys, active })
    }

    /// Writes the private keys; the file must be readable by its owner only.
    pub fn to_json(&self) -> Vec<u8> {
        let keys = self.keys.iter().map(SigningKey::write).collect();
        serde_json::to_vec_pretty(&File { version: 1, keys }).expect("a key file has only string keys")
    }

    /// The key that signs.
    pub(super) fn active(&self) -> (KeyId, &Ed25519KeyPair) {
        let active = &self.keys[self.active];
        (active.kid, &active.pair)
    }

    /// Name of the key that signs.
    pub fn active_kid(&self) -> KeyId {
        self.keys[self.active].kid
    }

    /// The public halves, for edges.
    pub fn public(&self) -> KeySet {
        KeySet { version: 1, keys: self.keys.iter().map(SigningKey::public).collect() }
    }

    /// Retires the active key, activates the next one and makes a new next. Keys that can no longer have valid
    /// tokens are dropped.
    ///
    /// # Errors
    /// [`KeysError::TooSoon`] when the next key has been public for less than `min_published` seconds: an edge
    /// that has not polled since would refuse its tokens.
    pub fn rotate(&mut self, now: u64, min_published: u64) -> Result<KeyId, KeysError> {
        let next = self.keys.iter().position(|key| key.state == KeyState::Next);
        if let Some(next) = next {
            let ready = self.keys[next].since.saturating_add(min_published);
            if ready > now {
                return Err(KeysError::TooSoon(ready - now));
            }
        }
        let next = next.unwrap_or_else(|| {
            self.keys.push(SigningKey::generate(KeyState::Next, now));
            self.keys.len() - 1
        });
        self.keys[self.active].enter(KeyState::Retiring, now);
        self.activate(next, now);
        Ok(self.active_kid())
    }

    /// Revokes a key at once; where it was the active one, the next takes over.
    ///
    /// # Errors
    /// [`KeysError::Unknown`] when there is no such key.
    pub fn revoke(&mut self, kid: KeyId, now: u64) -> Result<(), KeysError> {
        let found = self.keys.iter().position(|key| key.kid == kid).ok_or(KeysError::Unknown(kid))?;
        self.keys[found].enter(KeyState::Revoked, now);
        if found == self.active {
            let next = self.keys.iter().position(|key| key.state == KeyState::Next);
            let next = next.unwrap_or_else(|| {
                self.keys.push(SigningKey::generate(KeyState::Next, now));
                self.keys.len() - 1
            });
            self.activate(next, now);
        } else if !self.keys.iter().any(|key| key.state == KeyState::Next) {
            self.keys.push(SigningKey::generate(KeyState::Next, now));
        }
        Ok(())
    }

    fn activate(&mut self, next: usize, now: u64) {
        self.keys[next].enter(KeyState::Active, now);
        self.keys.push(SigningKey::generate(KeyState::Next, now));
        self.keys.retain(|key| !key.is_over(now));
        let active = self.keys.iter().position(|key| key.state == KeyState::Active);
        self.active = active.expect("the key just activated is never over");
    }
}

impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|key| (key.kid, key.state))).finish()
    }
}

impl SigningKey {
    fn generate(state: KeyState, now: u64) -> Self {
        let mut seed = [0; 32];
        aws_lc_rs::rand::fill(&mut seed).expect("the system's random source works");
        Self::of(seed, state, now).expect("any seed is a key")
    }

    fn of(seed: [u8; 32], state: KeyState, since: u64) -> Result<Self, KeysError> {
        let pair =
            Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| KeysError::File("a seed is not a key"))?;
        let digest = Sha256::of(pair.public_key().as_ref());
        let mut kid = [0; 8];
        kid.copy_from_slice(&digest.0[..8]);
        Ok(Self { pair, seed, kid: KeyId(kid), state, since })
    }

    fn read(key: &FileKey) -> Result<Self, KeysError> {
        let seed = URL_SAFE_NO_PAD.decode(&key.seed).ok().and_then(|bytes| bytes.try_into().ok());
        Self::of(seed.ok_or(KeysError::File("a seed is not 32 bytes of base64url"))?, key.state, key.since)
    }

    fn write(&self) -> FileKey {
        FileKey { seed: URL_SAFE_NO_PAD.encode(self.seed), state: self.state, since: self.since }
    }

    fn enter(&mut self, state: KeyState, now: u64) {
        self.state = state;
        self.since = now;
    }

    /// Last second at which a token of a retiring or revoked key could still be valid.
    fn last_valid(&self) -> u64 {
        self.since.saturating_add(MAX_LIFETIME + SKEW)
    }

    fn is_over(&self, now: u64) -> bool {
        matches!(self.state, KeyState::Retiring | KeyState::Revoked) && now > self.last_valid()
    }

    fn public(&self) -> PublicKey {
        let mut x = [0; 32];
        x.copy_from_slice(self.pair.public_key().as_ref());
        let not_after = (self.state == KeyState::Retiring).then(|| self.last_valid());
        PublicKey { kid: self.kid, alg: Algorithm::EdDsa, x, state: self.state, not_after }
    }
}
