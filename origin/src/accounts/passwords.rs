//! Passwords: hashed with Argon2id, checked away from the threads that serve, a few at a time.

use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

/// Memory for one hash, KiB; with two passes and one lane the first of the settings that OWASP's password storage
/// cheat sheet names as enough.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
/// How long a request waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// Too many passwords wait to be checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("accounts: too many passwords wait to be checked")]
pub(crate) struct TooBusy;

/// Hashes and checks passwords.
pub(crate) struct Passwords {
    turns: Arc<Semaphore>,
    /// The hash of nothing anybody knows: checking against it takes as long as against any.
    nobody: String,
}

impl Passwords {
    /// As many at once as there are cores.
    pub(crate) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let nobody = hash(&hex::encode(crate::ids::chance::<16>()));
        Self { turns: Arc::new(Semaphore::new(cores)), nobody }
    }

    /// The hash to be stored, a PHC string.
    pub(crate) async fn hash(&self, password: &str) -> Result<String, TooBusy> {
        let password = password.to_owned();
        self.in_turn(move || hash(&password)).await
    }

    /// Whether it is the password of that hash. Without a hash the answer is no, after the same time.
    pub(crate) async fn check(&self, password: &str, hash: Option<&str>) -> Result<bool, TooBusy> {
        let (known, hash) = (hash.is_some(), hash.unwrap_or(&self.nobody).to_owned());
        let password = password.to_owned();
        Ok(self.in_turn(move || verify(&password, &hash)).await? && known)
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, TooBusy> {
        let turn = tokio::time::timeout(PATIENCE, Arc::clone(&self.turns).acquire_owned()).await;
        let turn = turn.map_err(|_| TooBusy)?.map_err(|_| TooBusy)?;
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(turn);
            done
        });
        done.await.map_err(|_| TooBusy)
    }
}

fn hasher() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).expect("the settings are within Argon2's limits");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn hash(password: &str) -> String {
    hasher().hash_password(password.as_bytes()).expect("hashing with a random salt does not fail").to_string()
}

fn verify(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| hasher().verify_password(password.as_bytes(), &hash).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_password_passes() {
        let passwords = Passwords::new();
        let hash = passwords.hash("correct horse").await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_ne!(hash, passwords.hash("correct horse").await.unwrap(), "salted");
        assert_eq!(passwords.check("correct horse", Some(&hash)).await, Ok(true));
        assert_eq!(passwords.check("correct horsf", Some(&hash)).await, Ok(false));
        assert_eq!(passwords.check("correct horse", Some("nonsense")).await, Ok(false));
        assert_eq!(passwords.check("correct horse", None).await, Ok(false));
    }
}
