//! `GET /.well-known/segue-keys.json`

use axum::extract::State;
use axum::response::Response;

use crate::app::App;
use crate::http::Conditions;

/// The public halves of the signing keys.
pub(super) async fn show(State(app): State<App>, conditions: Conditions) -> Response {
    app.keys.current().public.answer(&conditions)
}
