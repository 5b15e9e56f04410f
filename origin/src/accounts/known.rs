//! Sign-ins that any origin has looked up a moment ago, kept in Redis for all of them.
//!
//! An entry lies under the hash of the secret and holds whose it is, until when it counts, and the mark that the account
//! had when the look-up began. It counts only while the account still has that mark: to revoke is to set another mark and
//! to tell all origins, which then forget what they remember. So an answer of the database that a revocation overtakes is
//! never believed, whoever writes it down, and however late.
//!
//! What cannot be told because Redis is away is told again until every entry from before has expired. Until then this
//! origin asks the database alone for that account.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::seen::Seen;
use super::{Identity, UserId};
use crate::ids::chance;
use crate::shared::{Event, Events, Shared};

/// How long an entry counts, at most. A revocation that Redis loses, or that an origin cut off from it cannot tell,
/// holds at the other origins after this time and that of their own memory.
const LIFETIME: Duration = Duration::from_secs(30);
/// How long a mark stays; longer than any entry made under the one before.
const MARK_LIFETIME: Duration = Duration::from_secs(3600);
/// Pause before telling again.
const AGAIN: Duration = Duration::from_millis(250);
/// The mark of an account that has none in Redis.
const NO_MARK: &str = "-";

/// What Redis knows, and what it still has to be told. Cheap to clone.
#[derive(Clone)]
pub(super) struct Known {
    shared: Shared,
    seen: Seen,
    /// Accounts whose revocation Redis has not taken yet, and since when.
    untold: Arc<Mutex<HashMap<UserId, Instant>>>,
}

/// The answer to a look-up.
#[derive(Default)]
pub(super) struct Found {
    pub(super) identity: Option<Identity>,
    /// What an entry may be made under; `None` where it must not be made.
    mark: Option<String>,
}

impl Known {
    pub(super) fn new(shared: Shared, seen: Seen) -> Self {
        Self { shared, seen, untold: Arc::default() }
    }

    fn untold(&self) -> MutexGuard<'_, HashMap<UserId, Instant>> {
        self.untold.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks up a secret of that account and session by its hash. `now` is in milliseconds since the Unix epoch.
    pub(super) async fn find(&self, user: UserId, session: [u8; 16], hash: &[u8; 32], now: u64) -> Found {
        if !self.shared.is_on() || self.untold().contains_key(&user) {
            return Found::default();
        }
        let read = self.shared.get("session", [&entry_name(hash), &mark_name(user)]).await;
        let Some([entry, mark]) = read else { return Found::default() };
        let mark = mark.map_or(Some(NO_MARK.to_owned()), |mark| String::from_utf8(mark).ok());
        let identity = entry.zip(mark.as_deref()).and_then(|(entry, mark)| read_entry(&entry, mark, now));
        let identity = identity.filter(|it| it.user == user && it.session == session);
        Found { identity, mark }
    }

    /// Keeps what the database answered for the look-up at `now`; the secret itself counts until `expires`. Both are in
    /// milliseconds since the Unix epoch.
    pub(super) async fn keep(
        &self,
        found: &Found,
        hash: &[u8; 32],
        identity: &Identity,
        now: u64,
        expires: u64,
    ) {
        let Some(mark) = &found.mark else { return };
        let until = expires.min(now + LIFETIME.as_millis() as u64);
        if until > now {
            let entry = write_entry(identity, mark, until);
            let lifetime = Duration::from_millis(until - now);
            self.shared.put("session", &entry_name(hash), entry.as_bytes(), lifetime).await;
        }
    }

    /// Promises that an account's sign-ins will be forgotten everywhere, also when the caller is given up midway.
    pub(super) fn forgetting(&self, user: UserId) -> Forgetting {
        Forgetting { known: self.clone(), user, done: false }
    }

    /// Forgets here; says since when Redis is to be told.
    fn forget_here(&self, user: UserId) -> Instant {
        let since = Instant::now();
        if self.shared.is_on() {
            // First: whoever looks up from now on asks the database.
            self.untold().insert(user, since);
        }
        self.seen.forget(user);
        since
    }

    /// Tells Redis and the other origins of a revocation.
    async fn tell(&self, user: UserId, since: Instant) {
        let mark = hex::encode(chance::<8>());
        let marked = self.shared.put("session", &mark_name(user), mark.as_bytes(), MARK_LIFETIME).await;
        if marked && self.shared.tell(Event::Account(user)).await {
            let mut untold = self.untold();
            // Another one may have come after this.
            if untold.get(&user) == Some(&since) {
                untold.remove(&user);
            }
        }
    }

    /// Forgets what other origins tell, and tells again what Redis did not take.
    pub(super) async fn follow(self, mut events: Events) {
        loop {
            tokio::select! {
                event = events.next() => match event {
                    Event::Account(user) => self.seen.forget(user),
                    Event::Missed => self.seen.forget_all(),
                    Event::Catalog => {}
                },
                () = tokio::time::sleep(AGAIN), if self.shared.is_on() => self.tell_again().await,
            }
        }
    }

    async fn tell_again(&self) {
        // Whatever was kept before a revocation has expired after this time.
        self.untold().retain(|_, since| since.elapsed() <= LIFETIME + AGAIN);
        let due: Vec<(UserId, Instant)> = self.untold().iter().map(|(user, since)| (*user, *since)).collect();
        for (user, since) in due {
            if self.shared.is_away() {
                return;
            }
            self.tell(user, since).await;
        }
    }
}

/// See [`Known::forgetting`].
pub(super) struct Forgetting {
    known: Known,
    user: UserId,
    done: bool,
}

impl Forgetting {
    /// Forgets here and tells the others, after the change is committed.
    pub(super) async fn now(mut self) {
        let since = self.known.forget_here(self.user);
        self.done = true;
        if self.known.shared.is_on() {
            self.known.tell(self.user, since).await;
        }
    }
}

impl Drop for Forgetting {
    fn drop(&mut self) {
        if !self.done {
            // What follows the others tells Redis.
            self.known.forget_here(self.user);
        }
    }
}

fn entry_name(hash: &[u8; 32]) -> String {
    format!("session:{}", hex::encode(hash))
}

fn mark_name(user: UserId) -> String {
    format!("mark:{user}")
}

fn write_entry(it: &Identity, mark: &str, until: u64) -> String {
    format!("{mark} {until} {} {} {}", it.user, hex::encode(it.session), it.role.as_str())
}

/// `None` for an entry made under another mark, for one that counts no more, and for what is none. Redis lets entries
/// expire, but one may have been on its way to it for long.
fn read_entry(entry: &[u8], mark: &str, now: u64) -> Option<Identity> {
    let mut words = std::str::from_utf8(entry).ok()?.split(' ');
    if words.next()? != mark || words.next()?.parse::<u64>().ok()? <= now {
        return None;
    }
    let user = words.next()?.parse().ok()?;
    let mut session = [0; 16];
    hex::decode_to_slice(words.next()?, &mut session).ok()?;
    let role = words.next()?.parse().ok()?;
    words.next().is_none().then_some(Identity { user, role, session })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::Role;
    use crate::shared::testing::{eventually, two};
    use proptest::prelude::*;

    const ANN: [u8; 16] = [1; 16];
    const HASH: [u8; 32] = [7; 32];
    const NOW: u64 = 1_800_000_000_000;

    fn ann() -> Identity {
        Identity { user: UserId::from(ANN), role: Role::Curator, session: [3; 16] }
    }

    /// An origin that remembers for so long that only word of others makes it forget.
    fn origin(shared: Shared) -> (Known, Seen) {
        let seen = Seen::new(Duration::from_secs(3600));
        let known = Known::new(shared.clone(), seen.clone());
        tokio::spawn(known.clone().follow(shared.events()));
        (known, seen)
    }

    async fn find(known: &Known) -> Found {
        known.find(ann().user, ann().session, &HASH, NOW).await
    }

    #[tokio::test]
    async fn what_one_origin_knows_all_know_until_it_is_revoked() {
        let Some([one, other]) = two().await else { return };
        let ((one, _), (other, seen)) = (origin(one), origin(other));
        one.keep(&find(&one).await, &HASH, &ann(), NOW, u64::MAX).await;
        assert_eq!(find(&other).await.identity, Some(ann()));
        let late = other.find(ann().user, ann().session, &HASH, NOW + 30_000).await;
        assert_eq!(late.identity, None, "whatever Redis says");
        let wrong = other.find(ann().user, [4; 16], &HASH, NOW).await;
        assert_eq!(wrong.identity, None, "of another session");
        seen.of(ann().user).put(HASH, ann());
        one.forgetting(ann().user).now().await;
        assert_eq!((find(&one).await.identity, find(&other).await.identity), (None, None));
        eventually(|| seen.of(ann().user).get(&HASH).is_none()).await;
    }

    #[tokio::test]
    async fn an_answer_that_is_overtaken_is_not_believed() {
        let Some([one, other]) = two().await else { return };
        let ((one, _), (other, _)) = (origin(one), origin(other));
        let asked_before = find(&other).await;
        one.forgetting(ann().user).now().await;
        other.keep(&asked_before, &HASH, &ann(), NOW, u64::MAX).await;
        assert_eq!((find(&one).await.identity, find(&other).await.identity), (None, None));
        other.keep(&find(&other).await, &HASH, &ann(), NOW, u64::MAX).await;
        assert_eq!(find(&one).await.identity, Some(ann()));
    }

    #[tokio::test]
    async fn who_is_given_up_midway_is_still_told() {
        let Some([one, other]) = two().await else { return };
        let ((one, _), (other, seen)) = (origin(one), origin(other));
        other.keep(&find(&other).await, &HASH, &ann(), NOW, u64::MAX).await;
        seen.of(ann().user).put(HASH, ann());
        drop(one.forgetting(ann().user));
        assert_eq!(find(&one).await.identity, None, "the database is asked until all are told");
        eventually(|| seen.of(ann().user).get(&HASH).is_none()).await;
        assert_eq!(find(&other).await.identity, None);
        eventually(|| one.untold().is_empty()).await;
    }

    proptest! {
        #[test]
        fn entries_are_read_as_written(user in any::<[u8; 16]>(), session in any::<[u8; 16]>(), mark in "[0-9a-f]{16}|-") {
            let identity = Identity { user: user.into(), role: Role::Administrator, session };
            let entry = write_entry(&identity, &mark, NOW);
            prop_assert_eq!(read_entry(entry.as_bytes(), &mark, NOW - 1), Some(identity));
            prop_assert_eq!(read_entry(entry.as_bytes(), &mark, NOW), None);
            prop_assert_eq!(read_entry(entry.as_bytes(), "other", NOW - 1), None);
        }

        #[test]
        fn other_bytes_are_no_entry(entry in any::<Vec<u8>>()) {
            prop_assert_eq!(read_entry(&entry, NO_MARK, NOW), None);
        }
    }
}
