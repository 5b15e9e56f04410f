//! Making an account.

use sqlx::AnyConnection;

use super::names::{self, Invalid};
use super::{AccountError, Accounts, Identity, Registration, Role, UserId};
use crate::database::{Alone, DatabaseError};
use crate::ids::chance;
use segue_manifests::Sha256;

/// What a new account is made of, as the client gave it.
#[derive(Debug)]
pub(crate) struct NewAccount {
    pub(crate) username: String,
    pub(crate) name: Option<String>,
    pub(crate) email: String,
    pub(crate) phone: String,
    pub(crate) password: String,
    pub(crate) invitation: Option<String>,
}

/// How long an invitation can be used, milliseconds.
const INVITATION_MS: u64 = 14 * 24 * 3600 * 1000;

impl NewAccount {
    fn check(&self) -> Result<String, Invalid> {
        names::check_username(&self.username)?;
        names::check_email(&self.email)?;
        names::check_phone(&self.phone)?;
        names::check_password(&self.password, &self.username, &self.email)?;
        names::display_name(self.name.as_deref().unwrap_or(&self.username))
    }
}

impl Accounts {
    /// Makes an account; `now` is in milliseconds since the Unix epoch.
    ///
    /// # Errors
    /// A member that cannot be taken, a name that is taken, registration that is not open.
    pub(crate) async fn register(&self, new: &NewAccount, now: u64) -> Result<UserId, AccountError> {
        let name = new.check()?;
        // Before hashing: refusing is cheap.
        if self.registration == Registration::Closed && self.anyone().await? {
            return Err(AccountError::Closed);
        }
        let password = self.passwords.hash(&new.password).await?;
        let mut tx = self.database.begin_alone(Alone::Accounts).await?;
        let role = self.role_of_new(&mut tx, new, now).await?;
        let id = UserId::new(now);
        let inserted = sqlx::query(
            "INSERT INTO users (id, username, username_key, name, email, email_key, phone, password, role, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(id.bytes())
        .bind(&new.username)
        .bind(names::username_key(&new.username))
        .bind(name)
        .bind(&new.email)
        .bind(names::email_key(&new.email))
        .bind(&new.phone)
        .bind(password)
        .bind(role.as_str())
        .bind(now as i64)
        .execute(&mut *tx)
        .await;
        inserted.map_err(taken)?;
        tx.commit().await?;
        Ok(id)
    }

    /// The first account is the administrator's; others need what the settings say.
    async fn role_of_new(
        &self,
        db: &mut AnyConnection,
        new: &NewAccount,
        now: u64,
    ) -> Result<Role, AccountError> {
        let first: Option<(i64,)> =
            sqlx::query_as("SELECT 1 FROM users LIMIT 1").fetch_optional(&mut *db).await?;
        if first.is_none() {
            return Ok(Role::Administrator);
        }
        if let Some(code) = &new.invitation {
            return take_invitation(db, code, now).await;
        }
        match self.registration {
            Registration::Open => Ok(Role::Listener),
            Registration::Invitation => Err(AccountError::Uninvited),
            Registration::Closed => Err(AccountError::Closed),
        }
    }

    /// Whether there is an account at all.
    pub(crate) async fn anyone(&self) -> Result<bool, AccountError> {
        let one: Option<(i64,)> =
            sqlx::query_as("SELECT 1 FROM users LIMIT 1").fetch_optional(self.database.fresh()).await?;
        Ok(one.is_some())
    }

    /// Makes a code that one account of that role can be made with, and says until when (milliseconds).
    pub(crate) async fn invite(
        &self,
        by: &Identity,
        role: Role,
        now: u64,
    ) -> Result<(String, u64), AccountError> {
        let code = hex::encode(chance::<16>());
        let expires = now + INVITATION_MS;
        let mut tx = self.database.begin_write().await?;
        sqlx::query("DELETE FROM invitations WHERE expires_at < $1")
            .bind(now as i64)
            .execute(&mut *tx)
            .await?;
        sqlx::query(
            "INSERT INTO invitations (code_hash, role, made_by, made_at, expires_at) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(&Sha256::of(code.as_bytes()).0[..])
        .bind(role.as_str())
        .bind(by.user.bytes())
        .bind(now as i64)
        .bind(expires as i64)
        .execute(&mut *tx)
        .await?;
        super::users::note(&mut tx, by, "invite", "", role.as_str(), now).await?;
        tx.commit().await?;
        Ok((code, expires))
    }
}

/// Uses up an invitation.
async fn take_invitation(db: &mut AnyConnection, code: &str, now: u64) -> Result<Role, AccountError> {
    let role: Option<(String,)> =
        sqlx::query_as("DELETE FROM invitations WHERE code_hash = $1 AND expires_at > $2 RETURNING role")
            .bind(&Sha256::of(code.as_bytes()).0[..])
            .bind(now as i64)
            .fetch_optional(db)
            .await?;
    let (role,) = role.ok_or(AccountError::Uninvited)?;
    role.parse().map_err(|()| DatabaseError::Column("role").into())
}

/// Which of the two unique names it was that is taken.
pub(super) fn taken(error: sqlx::Error) -> AccountError {
    let error = DatabaseError::from(error);
    if !error.is_duplicate() {
        return error.into();
    }
    let text = error.to_string();
    AccountError::Taken(if text.contains("email") { "email" } else { "username" })
}
