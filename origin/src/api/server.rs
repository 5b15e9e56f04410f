//! `GET /server`

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;

use super::users::private;
use crate::accounts::Registration;
use crate::app::App;

#[derive(Serialize)]
struct Server {
    version: &'static str,
    /// Whether the catalog is open without an account.
    guests: bool,
    /// `open`, `invitation` or `closed`.
    registration: Registration,
}

/// What a player needs to know before anyone signs in.
pub(super) async fn show(State(app): State<App>) -> Response {
    private(&Server {
        version: env!("CARGO_PKG_VERSION"),
        guests: app.guests,
        registration: app.registration,
    })
}
