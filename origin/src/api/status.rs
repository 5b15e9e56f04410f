//! `GET /status`

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;

use crate::app::{App, IngestStatus};
use crate::catalog::Totals;
use crate::http::{Conditions, Problem, Representation};

#[derive(Serialize)]
struct Status {
    #[serde(flatten)]
    totals: Totals,
    /// `null` where no ingest runs beside this origin.
    ingest: Option<IngestStatus>,
}

/// How much there is, and how far an ingest beside this origin has come.
pub(super) async fn show(State(app): State<App>, conditions: Conditions) -> Result<Response, Problem> {
    let totals = app.status.totals(&app.catalog).await;
    let totals = totals.map_err(|error| match error.is_temporary() {
        true => Problem::unavailable("The catalog is not reachable at the moment. Try again.", &error),
        false => Problem::internal(&error),
    })?;
    let status = Status { totals, ingest: app.status.ingest() };
    Ok(Representation::json(&status).answer(&conditions))
}
