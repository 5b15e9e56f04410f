//! `GET /server`

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;

use crate::accounts::{Account, Registration};
use crate::app::App;
use crate::http::{Caller, Problem, private};

#[derive(Serialize)]
struct Server {
    version: &'static str,
    /// Whether the catalog is open without an account.
    guests: bool,
    /// `open`, `invitation` or `closed`.
    registration: Registration,
    /// Whether nobody has an account yet: the first one needs no invitation.
    first: bool,
    /// The account that asks, or null: pages cannot see whether their cookie still counts.
    user: Option<Account>,
}

/// What a player needs to know before anyone signs in, and who has.
pub(super) async fn show(State(app): State<App>, Caller(caller): Caller) -> Result<Response, Problem> {
    let user = match caller {
        Some(it) => app.accounts.account(it.user).await?,
        None => None,
    };
    Ok(private(&Server {
        version: env!("CARGO_PKG_VERSION"),
        guests: app.guests,
        registration: app.registration,
        first: user.is_none() && !app.accounts.anyone().await?,
        user,
    }))
}
