//! Reading and changing accounts.

use serde::Serialize;
use sqlx::AnyConnection;

use super::names;
use super::register::taken;
use super::{AccountError, Accounts, Identity, Role, UserId};
use crate::catalog::{Time, fixed};
use crate::database::{Alone, DatabaseError};
use crate::ids::timed_id;

/// An account as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Account {
    pub(crate) id: UserId,
    pub(crate) username: String,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) phone: String,
    pub(crate) role: Role,
    pub(crate) created_at: Time,
    #[serde(skip)]
    pub(crate) version: u64,
}

/// An account as others see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct PublicAccount {
    pub(crate) id: UserId,
    pub(crate) username: String,
    pub(crate) name: String,
    pub(crate) created_at: Time,
}

/// Members to be changed; the others stay.
#[derive(Debug, Default)]
pub(crate) struct Change {
    pub(crate) username: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) phone: Option<String>,
}

/// What an administrative act left behind.
#[derive(Debug, Serialize)]
pub(crate) struct Act {
    pub(crate) id: String,
    at: Time,
    actor: UserId,
    act: String,
    object: String,
    detail: String,
}

type Row = (Vec<u8>, String, String, String, String, String, i64, i64);

type ActRow = (Vec<u8>, i64, Vec<u8>, String, String, String);

macro_rules! users_sql {
    ($rest:literal) => {
        concat!("SELECT id, username, name, email, phone, role, created_at, version FROM users ", $rest)
    };
}

fn account(
    (id, username, name, email, phone, role, created, version): Row,
) -> Result<Account, DatabaseError> {
    Ok(Account {
        id: UserId::from(fixed(&id, "id")?),
        username,
        name,
        email,
        phone,
        role: role.parse().map_err(|()| DatabaseError::Column("role"))?,
        created_at: Time(created as u64),
        version: version as u64,
    })
}

impl From<Account> for PublicAccount {
    fn from(it: Account) -> Self {
        Self { id: it.id, username: it.username, name: it.name, created_at: it.created_at }
    }
}

impl Accounts {
    /// One account.
    pub(crate) async fn account(&self, id: UserId) -> Result<Option<Account>, DatabaseError> {
        let row: Option<Row> = sqlx::query_as(users_sql!("WHERE id = $1"))
            .bind(id.bytes())
            .fetch_optional(self.database.fresh())
            .await?;
        row.map(account).transpose()
    }

    /// Accounts behind that one, the oldest first.
    pub(crate) async fn list(
        &self,
        behind: (u64, UserId),
        limit: i64,
    ) -> Result<Vec<Account>, DatabaseError> {
        let rows: Vec<Row> =
            sqlx::query_as(users_sql!("WHERE (created_at, id) > ($1, $2) ORDER BY created_at, id LIMIT $3"))
                .bind(behind.0 as i64)
                .bind(behind.1.bytes())
                .bind(limit)
                .fetch_all(self.database.fresh())
                .await?;
        rows.into_iter().map(account).collect()
    }

    /// Changes an account; with a version only when it is still that one.
    pub(crate) async fn change(
        &self,
        id: UserId,
        change: &Change,
        version: Option<u64>,
    ) -> Result<Account, AccountError> {
        let mut tx = self.database.begin_write().await?;
        let mut it = lock(&mut tx, id).await?.ok_or(AccountError::Unknown)?;
        if version.is_some_and(|version| version != it.version) {
            return Err(AccountError::Stale);
        }
        if let Some(username) = &change.username {
            names::check_username(username)?;
            it.username.clone_from(username);
        }
        if let Some(name) = &change.name {
            it.name = names::display_name(name)?;
        }
        if let Some(email) = &change.email {
            names::check_email(email)?;
            it.email.clone_from(email);
        }
        if let Some(phone) = &change.phone {
            names::check_phone(phone)?;
            it.phone.clone_from(phone);
        }
        it.version += 1;
        let changed = sqlx::query(
            "UPDATE users SET username = $2, username_key = $3, name = $4, email = $5, email_key = $6, phone = $7,
                 version = $8 WHERE id = $1",
        )
        .bind(id.bytes())
        .bind(&it.username)
        .bind(names::username_key(&it.username))
        .bind(&it.name)
        .bind(&it.email)
        .bind(names::email_key(&it.email))
        .bind(&it.phone)
        .bind(it.version as i64)
        .execute(&mut *tx)
        .await;
        changed.map_err(taken)?;
        tx.commit().await?;
        Ok(it)
    }

    /// Sets another password and ends every other sign-in; API tokens stay.
    pub(crate) async fn set_password(&self, it: &Identity, password: &str) -> Result<(), AccountError> {
        let account = self.account(it.user).await?.ok_or(AccountError::Unknown)?;
        names::check_password(password, &account.username, &account.email)?;
        let hash = self.passwords.hash(password).await?;
        let forgetting = self.known.forgetting(it.user);
        let mut tx = self.database.begin_write().await?;
        sqlx::query("UPDATE users SET password = $2 WHERE id = $1")
            .bind(it.user.bytes())
            .bind(hash)
            .execute(&mut *tx)
            .await?;
        sqlx::query("DELETE FROM sessions WHERE user_id = $1 AND kind = 'login' AND id <> $2")
            .bind(it.user.bytes())
            .bind(&it.session[..])
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        forgetting.now().await;
        Ok(())
    }

    /// Gives an account another role. The last administrator keeps it.
    pub(crate) async fn set_role(
        &self,
        by: &Identity,
        id: UserId,
        role: Role,
        now: u64,
    ) -> Result<Account, AccountError> {
        let forgetting = self.known.forgetting(id);
        // One at a time, so that two administrators cannot take each other's role.
        let mut tx = self.database.begin_alone(Alone::Accounts).await?;
        let mut it = lock(&mut tx, id).await?.ok_or(AccountError::Unknown)?;
        if it.role == Role::Administrator && role != Role::Administrator {
            not_the_last(&mut tx).await?;
        }
        it.role = role;
        it.version += 1;
        sqlx::query("UPDATE users SET role = $2, version = $3 WHERE id = $1")
            .bind(id.bytes())
            .bind(role.as_str())
            .bind(it.version as i64)
            .execute(&mut *tx)
            .await?;
        note(&mut tx, by, "set-role", &id.to_string(), role.as_str(), now).await?;
        tx.commit().await?;
        forgetting.now().await;
        Ok(it)
    }

    /// Erases an account and everything that belongs to it, and says which playback sessions it began since `since`. Counts of
    /// plays stay: they name nobody. Times are in milliseconds of the Unix epoch.
    pub(crate) async fn erase(
        &self,
        by: &Identity,
        id: UserId,
        since: u64,
        now: u64,
    ) -> Result<Vec<[u8; 16]>, AccountError> {
        let forgetting = self.known.forgetting(id);
        let mut tx = self.database.begin_alone(Alone::Accounts).await?;
        let it = lock(&mut tx, id).await?.ok_or(AccountError::Unknown)?;
        if it.role == Role::Administrator {
            not_the_last(&mut tx).await?;
        }
        let sessions: Vec<(Vec<u8>,)> =
            sqlx::query_as("SELECT playback_session FROM plays WHERE user_id = $1 AND started_at >= $2")
                .bind(id.bytes())
                .bind(since as i64)
                .fetch_all(&mut *tx)
                .await?;
        for sql in super::export::ERASE {
            sqlx::query(*sql).bind(id.bytes()).execute(&mut *tx).await?;
        }
        if by.user != id {
            note(&mut tx, by, "erase-account", &id.to_string(), "", now).await?;
        }
        tx.commit().await?;
        forgetting.now().await;
        let sessions: Result<_, DatabaseError> =
            sessions.iter().map(|(it,)| fixed(it, "playback_session")).collect();
        Ok(sessions?)
    }

    /// Administrative acts, the latest first, before that identifier.
    pub(crate) async fn acts(&self, before: [u8; 16], limit: i64) -> Result<Vec<Act>, DatabaseError> {
        let rows: Vec<ActRow> = sqlx::query_as(
            "SELECT id, at, actor, act, object, detail FROM audit WHERE id < $1 ORDER BY id DESC LIMIT $2",
        )
        .bind(&before[..])
        .bind(limit)
        .fetch_all(self.database.fresh())
        .await?;
        let act = |(id, at, actor, act, object, detail): ActRow| {
            let actor = UserId::from(fixed(&actor, "actor")?);
            Ok(Act { id: hex::encode(id), at: Time(at as u64), actor, act, object, detail })
        };
        rows.into_iter().map(act).collect()
    }
}

/// The account, kept from changing until the transaction ends.
async fn lock(db: &mut AnyConnection, id: UserId) -> Result<Option<Account>, DatabaseError> {
    sqlx::query("UPDATE users SET version = version WHERE id = $1")
        .bind(id.bytes())
        .execute(&mut *db)
        .await?;
    let row: Option<Row> =
        sqlx::query_as(users_sql!("WHERE id = $1")).bind(id.bytes()).fetch_optional(db).await?;
    row.map(account).transpose()
}

async fn not_the_last(db: &mut AnyConnection) -> Result<(), AccountError> {
    let (count,): (i64,) =
        sqlx::query_as("SELECT COUNT(*) FROM users WHERE role = 'administrator'").fetch_one(db).await?;
    if count > 1 { Ok(()) } else { Err(AccountError::LastAdministrator) }
}

/// Notes what someone with power did.
pub(crate) async fn note(
    db: &mut AnyConnection,
    by: &Identity,
    act: &str,
    object: &str,
    detail: &str,
    now: u64,
) -> Result<(), DatabaseError> {
    sqlx::query("INSERT INTO audit (id, at, actor, act, object, detail) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(&timed_id(now)[..])
        .bind(now as i64)
        .bind(by.user.bytes())
        .bind(act)
        .bind(object)
        .bind(detail)
        .execute(db)
        .await?;
    tracing::info!(audit.actor = %by.user, audit.act = act, audit.object = object, audit.detail = detail, "administrative act");
    Ok(())
}
