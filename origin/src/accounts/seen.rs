//! Sign-ins that this origin has looked up a moment ago.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::{Identity, UserId};

/// Accounts whose sign-ins are remembered.
const MAX_ACCOUNTS: u64 = 100_000;
/// How long, at most. Without Redis, what another origin revokes is seen here after this time at the latest.
pub(super) const MEMORY: Duration = Duration::from_secs(5);

/// Sign-ins by account, so that all of one account are forgotten in one step. Cheap to clone.
#[derive(Clone)]
pub(super) struct Seen(moka::sync::Cache<UserId, Remembered>);

/// What is remembered of one account. A look-up takes it before it asks anyone: if the account is forgotten meanwhile,
/// the answer, which may be stale, goes into a memory that nobody looks at any more.
#[derive(Clone, Default)]
pub(super) struct Remembered(Arc<Mutex<HashMap<[u8; 32], Identity>>>);

impl Seen {
    /// Remembers for that long.
    pub(super) fn new(memory: Duration) -> Self {
        Self(moka::sync::Cache::builder().max_capacity(MAX_ACCOUNTS).time_to_live(memory).build())
    }

    /// The memory of an account.
    pub(super) fn of(&self, user: UserId) -> Remembered {
        self.0.get_with(user, Remembered::default)
    }

    /// Forgets an account's sign-ins.
    pub(super) fn forget(&self, user: UserId) {
        self.0.invalidate(&user);
    }

    /// Forgets all of them.
    pub(super) fn forget_all(&self) {
        self.0.invalidate_all();
    }
}

impl Remembered {
    /// Whose secret has that hash.
    pub(super) fn get(&self, hash: &[u8; 32]) -> Option<Identity> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(hash).copied()
    }

    pub(super) fn put(&self, hash: [u8; 32], identity: Identity) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(hash, identity);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::Role;

    #[test]
    fn what_is_forgotten_meanwhile_is_not_remembered() {
        let seen = Seen::new(Duration::from_secs(3600));
        let (ann, ben) = (UserId::from([1; 16]), UserId::from([2; 16]));
        let identity = |user| Identity { user, role: Role::Listener, session: [0; 16] };
        seen.of(ben).put([2; 32], identity(ben));
        let looking_up = seen.of(ann);
        seen.forget(ann);
        looking_up.put([1; 32], identity(ann));
        assert_eq!(seen.of(ann).get(&[1; 32]), None);
        assert_eq!(seen.of(ben).get(&[2; 32]), Some(identity(ben)), "others are not looked at");
        seen.forget_all();
        assert_eq!(seen.of(ben).get(&[2; 32]), None);
    }
}
