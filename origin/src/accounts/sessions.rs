//! Signing in and out; API tokens. Whoever shows the secret is the account; only its hash is stored.

use std::net::IpAddr;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use segue_manifests::Sha256;
use serde::Serialize;
use sqlx::AnyConnection;

use super::names::{self, Invalid};
use super::{AccountError, Accounts, Identity, UserId};
use crate::catalog::{Time, fixed};
use crate::database::DatabaseError;
use crate::ids::{chance, timed_id};

/// Sign-ins and tokens of one account at once.
const MAX_SESSIONS: i64 = 100;
const MAX_NAME: usize = 100;
const DAY_MS: u64 = 24 * 3600 * 1000;
/// A use is noted when the last one noted is older, milliseconds.
const NOTED_EVERY_MS: u64 = 10 * 60 * 1000;

/// What a secret is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A person on a device; lasts while it is used.
    Login,
    /// A device or script; lasts that many days.
    Api { days: u32 },
}

/// A new secret, shown once.
#[derive(Debug, Serialize)]
pub(crate) struct Made {
    pub(crate) token: String,
    pub(crate) session: Session,
}

/// A sign-in or API token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Session {
    pub(crate) id: String,
    /// `login` or `api`.
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) created_at: Time,
    pub(crate) seen_at: Time,
    pub(crate) expires_at: Time,
    /// Whether it is the one that asks.
    pub(crate) current: bool,
}

type Row = (Vec<u8>, String, String, i64, i64, i64);

impl Accounts {
    /// Signs in with user name or e-mail address.
    ///
    /// # Errors
    /// [`AccountError::Wrong`] whichever of the two is wrong, after the same time; [`AccountError::Throttled`] after
    /// too many of them from the same place.
    pub(crate) async fn login(
        &self,
        login: &str,
        password: &str,
        device: &str,
        from: IpAddr,
        now: u64,
    ) -> Result<(UserId, Made), AccountError> {
        self.throttle.check(login, from).await.map_err(AccountError::Throttled)?;
        let found: Option<(Vec<u8>, String)> =
            sqlx::query_as("SELECT id, password FROM users WHERE username_key = $1 OR email_key = $2")
                .bind(if login.contains('@') { String::new() } else { names::username_key(login) })
                .bind(names::email_key(login))
                .fetch_optional(self.database.fresh())
                .await?;
        let hash = found.as_ref().map(|(_, hash)| hash.as_str());
        let right = self.passwords.check(password, hash).await?;
        let Some((id, _)) = found.filter(|_| right) else {
            self.throttle.failed(login, from).await.map_err(AccountError::Throttled)?;
            return Err(AccountError::Wrong);
        };
        // So many may have failed meanwhile that this one tells too much.
        self.throttle.check(login, from).await.map_err(AccountError::Throttled)?;
        self.throttle.succeeded(login, from).await;
        let user = UserId::from(fixed(&id, "id")?);
        let made = self.make_session(user, Kind::Login, device, now).await?;
        Ok((user, made))
    }

    /// Whether that is the account's password; failures count as those of signing in.
    pub(crate) async fn confirm(
        &self,
        user: UserId,
        password: &str,
        from: IpAddr,
    ) -> Result<(), AccountError> {
        let key = user.to_string();
        self.throttle.check(&key, from).await.map_err(AccountError::Throttled)?;
        let found: Option<(String,)> = sqlx::query_as("SELECT password FROM users WHERE id = $1")
            .bind(user.bytes())
            .fetch_optional(self.database.fresh())
            .await?;
        if self.passwords.check(password, found.as_ref().map(|(hash,)| hash.as_str())).await? {
            self.throttle.check(&key, from).await.map_err(AccountError::Throttled)?;
            self.throttle.succeeded(&key, from).await;
            return Ok(());
        }
        self.throttle.failed(&key, from).await.map_err(AccountError::Throttled)?;
        Err(AccountError::Wrong)
    }

    /// Makes a secret for that account. What has expired is cleared away.
    pub(crate) async fn make_session(
        &self,
        user: UserId,
        kind: Kind,
        name: &str,
        now: u64,
    ) -> Result<Made, AccountError> {
        let name = name.trim();
        if name.chars().count() > MAX_NAME || name.chars().any(char::is_control) {
            return Err(Invalid { member: "name", reason: "at most 100 characters" }.into());
        }
        let secret = chance::<32>();
        let id = timed_id(now);
        let (kind, lifetime) = match kind {
            Kind::Login => ("login", self.login_lifetime.as_millis() as u64),
            Kind::Api { days } => ("api", u64::from(days) * DAY_MS),
        };
        let mut tx = self.database.begin_write().await?;
        let pushed_out = make_room(&mut tx, user, kind, now).await?.then(|| self.known.forgetting(user));
        sqlx::query(
            "INSERT INTO sessions (user_id, id, secret_hash, kind, name, created_at, seen_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $6, $7)",
        )
        .bind(user.bytes())
        .bind(&id[..])
        .bind(&Sha256::of(&secret).0[..])
        .bind(kind)
        .bind(name)
        .bind(now as i64)
        .bind((now + lifetime) as i64)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        if let Some(forgetting) = pushed_out {
            forgetting.now().await;
        }
        let row = (id.to_vec(), kind.into(), name.into(), now as i64, now as i64, (now + lifetime) as i64);
        Ok(Made { token: write_token(user, id, &secret), session: session(row, Some(id)) })
    }

    /// Whose secret it is; `None` for one that is unknown, revoked or expired.
    pub(crate) async fn identify(&self, token: &str, now: u64) -> Result<Option<Identity>, AccountError> {
        let Some((user, id, secret)) = read_token(token) else { return Ok(None) };
        let hash = Sha256::of(&secret).0;
        let remembered = self.seen.of(user);
        if let Some(identity) = remembered.get(&hash) {
            return Ok(Some(identity));
        }
        let found = self.known.find(user, id, &hash, now).await;
        if let Some(identity) = found.identity {
            remembered.put(hash, identity);
            return Ok(Some(identity));
        }
        let row: Option<(String, Vec<u8>, String, i64, i64)> = sqlx::query_as(
            "SELECT u.role, s.secret_hash, s.kind, s.seen_at, s.expires_at
             FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.user_id = $1 AND s.id = $2",
        )
        .bind(user.bytes())
        .bind(&id[..])
        .fetch_optional(self.database.fresh())
        .await?;
        let Some((role, stored, kind, seen, expires)) = row else { return Ok(None) };
        if stored != hash || expires <= now as i64 {
            return Ok(None);
        }
        let role = role.parse().map_err(|()| DatabaseError::Column("role"))?;
        let identity = Identity { user, role, session: id };
        remembered.put(hash, identity);
        self.known.keep(&found, &hash, &identity, now, expires as u64).await;
        if (seen as u64) + NOTED_EVERY_MS < now {
            self.note_use(&identity, kind == "login", now).await;
        }
        Ok(Some(identity))
    }

    /// A sign-in lasts on while it is used. Not being able to note it is no reason to refuse.
    async fn note_use(&self, it: &Identity, lengthen: bool, now: u64) {
        let expires = now + self.login_lifetime.as_millis() as u64;
        let noted = async {
            let mut tx = self.database.begin_write().await?;
            sqlx::query(
                "UPDATE sessions SET seen_at = $3, expires_at = CASE WHEN $4 THEN $5 ELSE expires_at END
                 WHERE user_id = $1 AND id = $2",
            )
            .bind(it.user.bytes())
            .bind(&it.session[..])
            .bind(now as i64)
            .bind(lengthen)
            .bind(expires as i64)
            .execute(&mut *tx)
            .await?;
            tx.commit().await?;
            Ok::<_, DatabaseError>(())
        };
        if let Err(error) = noted.await {
            tracing::warn!(%error, "the use of a sign-in was not noted");
        }
    }

    /// The account's sign-ins and tokens, the newest first.
    pub(crate) async fn sessions(
        &self,
        user: UserId,
        asking: [u8; 16],
        now: u64,
    ) -> Result<Vec<Session>, AccountError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT id, kind, name, created_at, seen_at, expires_at FROM sessions
             WHERE user_id = $1 AND expires_at > $2 ORDER BY id DESC",
        )
        .bind(user.bytes())
        .bind(now as i64)
        .fetch_all(self.database.fresh())
        .await?;
        Ok(rows.into_iter().map(|row| session(row, Some(asking))).collect())
    }

    /// Ends one sign-in or token; says whether it was there.
    pub(crate) async fn revoke(&self, user: UserId, id: [u8; 16]) -> Result<bool, AccountError> {
        let forgetting = self.known.forgetting(user);
        let mut tx = self.database.begin_write().await?;
        let done = sqlx::query("DELETE FROM sessions WHERE user_id = $1 AND id = $2")
            .bind(user.bytes())
            .bind(&id[..])
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        forgetting.now().await;
        Ok(done.rows_affected() > 0)
    }
}

/// Takes away what has expired; sign-ins beyond the limit push out the oldest, tokens are refused. Says whether one was
/// pushed out.
async fn make_room(db: &mut AnyConnection, user: UserId, kind: &str, now: u64) -> Result<bool, AccountError> {
    sqlx::query("DELETE FROM sessions WHERE user_id = $1 AND expires_at <= $2")
        .bind(user.bytes())
        .bind(now as i64)
        .execute(&mut *db)
        .await?;
    let (count,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM sessions WHERE user_id = $1 AND kind = $2")
        .bind(user.bytes())
        .bind(kind)
        .fetch_one(&mut *db)
        .await?;
    if count < MAX_SESSIONS {
        return Ok(false);
    }
    if kind == "api" {
        return Err(AccountError::Full("100 tokens"));
    }
    sqlx::query(
        "DELETE FROM sessions WHERE user_id = $1 AND id = (
             SELECT id FROM sessions WHERE user_id = $1 AND kind = 'login' ORDER BY seen_at, id LIMIT 1)",
    )
    .bind(user.bytes())
    .execute(db)
    .await?;
    Ok(true)
}

fn session((id, kind, name, created, seen, expires): Row, asking: Option<[u8; 16]>) -> Session {
    Session {
        current: asking.is_some_and(|asking| id == asking),
        id: hex::encode(&id),
        kind,
        name,
        created_at: Time(created as u64),
        seen_at: Time(seen as u64),
        expires_at: Time(expires as u64),
    }
}

/// The beginning tells scanners of leaked secrets what it is.
const PREFIX: &str = "segue_";

/// A secret carries its account and session, so that it is found by key.
fn write_token(user: UserId, id: [u8; 16], secret: &[u8; 32]) -> String {
    let bytes = [user.bytes(), &id, secret].concat();
    format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
}

fn read_token(token: &str) -> Option<(UserId, [u8; 16], [u8; 32])> {
    let text = token.strip_prefix(PREFIX)?;
    // 64 bytes.
    if text.len() != 86 {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (user, rest) = bytes.split_first_chunk::<16>()?;
    let (id, secret) = rest.split_first_chunk::<16>()?;
    Some((UserId::from(*user), *id, secret.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn tokens_are_read_as_written(user in any::<[u8; 16]>(), id in any::<[u8; 16]>(), secret in any::<[u8; 32]>()) {
            let token = write_token(user.into(), id, &secret);
            prop_assert_eq!(read_token(&token), Some((user.into(), id, secret)));
        }

        #[test]
        fn other_text_is_no_token(text in any::<String>()) {
            prop_assert_eq!(read_token(&text), None);
            if text.len() != 86 {
                prop_assert_eq!(read_token(&format!("{PREFIX}{text}")), None);
            }
        }
    }
}
