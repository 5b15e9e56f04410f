//! What is refused though its signature is right: tokens and playback sessions that were revoked (`POST /revoke`). Signing keys
//! that were are the [`KeyRing`]'s to refuse.
//!
//! No token outlives [`LIFE_S`], so a name is forgotten then. With a file, all is there again after a restart.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError, RwLock};

use segue_manifests::token::{Claims, KeyId, MAX_LIFETIME, SKEW};
use serde::{Deserialize, Serialize};

use super::file;
use super::keys::KeyRing;

/// Longest time from a revocation to the last moment at which a token from before it could be taken, seconds: it may begin by the
/// skew later, and end by it later.
const LIFE_S: u64 = MAX_LIFETIME + 2 * SKEW;
/// Most tokens and playback sessions that are remembered, and most keys.
const NAMES: usize = 100_000;
const KEYS: usize = 1024;
/// Largest file that is read, bytes.
const FILE: usize = 32 << 20;

/// The id of a token (`cti`).
pub(crate) type TokenId = [u8; 16];

/// What is to be refused.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Names {
    pub(crate) tokens: Vec<TokenId>,
    pub(crate) playback_sessions: Vec<String>,
    pub(crate) keys: Vec<KeyId>,
}

/// There is no room for more; nothing was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full;

/// What was revoked; shared by all workers.
#[derive(Debug, Default)]
pub(crate) struct Revoked {
    /// Whether there is anything: hardly ever, and then a request has nothing to look up.
    any: AtomicBool,
    names: RwLock<Known>,
    /// Where it is kept, if anywhere; held while it is written.
    file: Option<Mutex<PathBuf>>,
}

/// Names, and the second (of the Unix epoch) until which they count.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
#[serde(default)]
struct Known {
    #[serde(with = "hex_keys")]
    tokens: HashMap<TokenId, u64>,
    playback_sessions: HashMap<String, u64>,
    keys: BTreeSet<KeyId>,
}

impl Revoked {
    /// Takes up what that file keeps; empty: it is remembered in memory alone. A file that cannot be used is logged and stops
    /// nothing.
    pub(crate) fn open(path: &str, ring: &KeyRing, now: u64) -> Self {
        if path.is_empty() {
            return Self::default();
        }
        let it = Self { file: Some(Mutex::new(path.into())), ..Self::default() };
        it.catch_up(ring, now);
        it
    }

    /// Takes up what the process before has kept since. Blocks.
    pub(crate) fn catch_up(&self, ring: &KeyRing, now: u64) {
        let Some(path) = &self.file else { return };
        let path = path.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = match read(&path) {
            Ok(kept) => kept,
            Err(reason) => {
                return tracing::error!(file = %path.display(), "what was revoked before is not known: {reason}");
            }
        };
        ring.revoke(&kept.keys.iter().copied().collect::<Vec<_>>());
        let mut known = self.names.write().unwrap_or_else(PoisonError::into_inner);
        known.keys.extend(kept.keys);
        known.tokens.extend(kept.tokens);
        known.playback_sessions.extend(kept.playback_sessions);
        known.forget(now);
        self.any.store(known.has_names(), Relaxed);
    }

    /// Whether a token of these claims is refused; `now` in seconds of the Unix epoch, which mostly nobody needs to know.
    pub(crate) fn covers(&self, claims: &Claims, now: impl FnOnce() -> u64) -> bool {
        if !self.any.load(Relaxed) {
            return false;
        }
        let known = self.names.read().unwrap_or_else(PoisonError::into_inner);
        let session = claims.playback_session.as_deref().and_then(|it| known.playback_sessions.get(it));
        let until = known.tokens.get(&claims.token_id).max(session);
        until.is_some_and(|until| *until >= now())
    }

    /// Refuses what is named from now on, on every worker.
    ///
    /// # Errors
    /// When there is no room.
    pub(crate) fn add(&self, names: Names, ring: &KeyRing, now: u64) -> Result<(), Full> {
        let mut known = self.names.write().unwrap_or_else(PoisonError::into_inner);
        known.forget(now);
        let more = names.tokens.len() + names.playback_sessions.len();
        if known.tokens.len() + known.playback_sessions.len() + more > NAMES
            || known.keys.len() + names.keys.len() > KEYS
        {
            return Err(Full);
        }
        ring.revoke(&names.keys);
        known.keys.extend(names.keys);
        let until = now + LIFE_S;
        known.tokens.extend(names.tokens.into_iter().map(|token| (token, until)));
        known.playback_sessions.extend(names.playback_sessions.into_iter().map(|session| (session, until)));
        self.any.store(known.has_names(), Relaxed);
        Ok(())
    }

    /// Writes all to the file, if there is one. Blocks.
    ///
    /// # Errors
    /// Why it could not be written.
    pub(crate) fn keep(&self) -> std::io::Result<()> {
        let Some(path) = &self.file else { return Ok(()) };
        let path = path.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.names.read().unwrap_or_else(PoisonError::into_inner).clone();
        file::write(&path, &serde_json::to_vec(&known)?)
    }
}

impl Known {
    fn has_names(&self) -> bool {
        !self.tokens.is_empty() || !self.playback_sessions.is_empty()
    }

    /// Forgets what counts no more.
    fn forget(&mut self, now: u64) {
        self.tokens.retain(|_, until| *until >= now);
        self.playback_sessions.retain(|_, until| *until >= now);
    }
}

fn read(path: &Path) -> Result<Known, String> {
    match file::read(path, FILE)? {
        Some(bytes) => serde_json::from_slice(&bytes).map_err(|error| error.to_string()),
        None => Ok(Known::default()),
    }
}

/// Token ids as hexadecimal digits.
mod hex_keys {
    use std::collections::{BTreeMap, HashMap};

    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    use super::TokenId;

    pub(super) fn serialize<S: Serializer>(map: &HashMap<TokenId, u64>, out: S) -> Result<S::Ok, S::Error> {
        out.collect_map(map.iter().map(|(id, until)| (hex::encode(id), until)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        input: D,
    ) -> Result<HashMap<TokenId, u64>, D::Error> {
        let read = |(id, until): (String, u64)| {
            let mut bytes = TokenId::default();
            hex::decode_to_slice(id, &mut bytes).map(|()| (bytes, until))
        };
        let texts = BTreeMap::<String, u64>::deserialize(input)?;
        texts.into_iter().map(read).collect::<Result<_, _>>().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use segue_manifests::token::{KeyState, SigningKeys};

    fn claims(token: u8, session: Option<&str>) -> Claims {
        Claims {
            issuer: "test".into(),
            subject: None,
            expires: 600,
            not_before: 0,
            issued: 0,
            token_id: [token; 16],
            path_prefix: "/v1/a/".into(),
            methods: Vec::new(),
            playback_session: session.map(str::to_owned),
            max_kbps: None,
        }
    }

    fn names(token: u8, session: &str) -> Names {
        Names { tokens: vec![[token; 16]], playback_sessions: vec![session.into()], keys: Vec::new() }
    }

    #[test]
    fn names_are_refused_for_as_long_as_a_token_lives() {
        let (revoked, ring) = (Revoked::default(), KeyRing::default());
        assert!(!revoked.covers(&claims(7, Some("a")), || 100));
        revoked.add(names(7, "a"), &ring, 100).unwrap();
        for (token, session, covered) in [(7, None, true), (8, Some("a"), true), (8, Some("b"), false)] {
            assert_eq!(revoked.covers(&claims(token, session), || 100), covered, "{token} {session:?}");
        }
        assert!(revoked.covers(&claims(7, None), || 100 + LIFE_S));
        assert!(!revoked.covers(&claims(7, None), || 101 + LIFE_S));
        revoked.add(Names::default(), &ring, 101 + LIFE_S).unwrap();
        assert!(!revoked.any.load(Relaxed), "they are forgotten");
    }

    #[test]
    fn what_has_no_room_is_not_taken() {
        let (revoked, ring) = (Revoked::default(), KeyRing::default());
        let many = Names { tokens: (0..NAMES as u128).map(u128::to_be_bytes).collect(), ..Names::default() };
        revoked.add(many, &ring, 100).unwrap();
        assert_eq!(revoked.add(names(7, "a"), &ring, 100), Err(Full));
        assert!(!revoked.covers(&claims(7, Some("a")), || 100));
        revoked.add(names(7, "a"), &ring, 101 + LIFE_S).unwrap();
    }

    #[test]
    fn all_is_there_again_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/revoked.json");
        let path = path.to_str().unwrap();
        let signing = SigningKeys::generate(0);
        let ring = KeyRing::default();
        let revoked = Revoked::open(path, &ring, 100);
        revoked.add(Names { keys: vec![signing.active_kid()], ..names(7, "a") }, &ring, 100).unwrap();
        revoked.keep().unwrap();

        let ring = KeyRing::default();
        ring.replace(signing.public());
        let again = Revoked::open(path, &ring, 200);
        assert!(again.covers(&claims(7, None), || 200) && again.covers(&claims(8, Some("a")), || 200));
        let keys = &ring.current().unwrap().keys.keys;
        let state = keys.iter().find(|key| key.kid == signing.active_kid()).unwrap().state;
        assert_eq!(state, KeyState::Revoked);
        revoked.add(names(9, "b"), &ring, 200).unwrap();
        revoked.keep().unwrap();
        assert!(!again.covers(&claims(9, None), || 200));
        again.catch_up(&ring, 200);
        assert!(again.covers(&claims(9, None), || 200), "what the process before was told meanwhile");
        assert!(!Revoked::open(path, &ring, 201 + LIFE_S).any.load(Relaxed));
        std::fs::write(path, "{").unwrap();
        assert!(!Revoked::open(path, &ring, 200).covers(&claims(7, None), || 200));
    }
}
