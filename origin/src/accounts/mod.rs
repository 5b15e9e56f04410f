//! Accounts: who there is, how they sign in, what they may do.

mod export;
mod ids;
mod known;
mod names;
mod passwords;
mod register;
mod role;
mod seen;
mod sessions;
mod throttle;
mod users;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::database::{Database, DatabaseError};
use crate::shared::Shared;

pub(crate) use ids::UserId;
pub(crate) use names::{Invalid, display_name};
pub(crate) use register::NewAccount;
pub(crate) use role::Role;
pub(crate) use sessions::{Kind, Session};
pub(crate) use throttle::{Throttle, network};
pub(crate) use users::{Account, Change, PublicAccount, note};

use known::Known;
use passwords::{Passwords, TooBusy};
use seen::Seen;

/// Who may make an account. The first one can always be made, and is the administrator's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Registration {
    /// Anyone.
    Open,
    /// Whoever has a code from an administrator.
    Invitation,
    /// Nobody.
    Closed,
}

/// Someone who has shown a valid secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) user: UserId,
    pub(crate) role: Role,
    /// The sign-in or API token.
    pub(crate) session: [u8; 16],
}

/// Why an account does not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AccountError {
    #[error("accounts: {0}")]
    Invalid(#[from] Invalid),
    #[error("accounts: the {0} is taken")]
    Taken(&'static str),
    #[error("accounts: registration is not open")]
    Closed,
    #[error("accounts: the invitation is not valid")]
    Uninvited,
    #[error("accounts: wrong name or password")]
    Wrong,
    #[error("accounts: too many failed attempts")]
    Throttled(Duration),
    #[error("accounts: no such account")]
    Unknown,
    #[error("accounts: the account has changed meanwhile")]
    Stale,
    #[error("accounts: the last administrator stays")]
    LastAdministrator,
    #[error("accounts: there are {0} already")]
    Full(&'static str),
    #[error(transparent)]
    Busy(#[from] TooBusy),
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

impl From<sqlx::Error> for AccountError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }
}

/// All accounts.
pub(crate) struct Accounts {
    database: Database,
    passwords: Passwords,
    throttle: Throttle,
    registration: Registration,
    /// How long a sign-in lasts without being used.
    login_lifetime: Duration,
    seen: Seen,
    known: Known,
    shared: Shared,
}

impl Accounts {
    /// The accounts in that database. A sign-in lasts for `login_lifetime` after its last use.
    pub(crate) fn new(
        database: Database,
        registration: Registration,
        login_lifetime: Duration,
        shared: Shared,
    ) -> Self {
        let seen = Seen::new(seen::MEMORY);
        Self {
            database,
            passwords: Passwords::new(),
            throttle: Throttle::new(shared.clone()),
            registration,
            login_lifetime,
            known: Known::new(shared.clone(), seen.clone()),
            seen,
            shared,
        }
    }

    /// Heeds what other origins tell about sign-ins, for ever.
    pub(crate) fn follow(&self) -> impl Future<Output = ()> + Send + use<> {
        self.known.clone().follow(self.shared.events())
    }
}
