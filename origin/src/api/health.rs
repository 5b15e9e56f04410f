//! Whether this origin works, for balancers and dashboards.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use serde_json::json;

use crate::app::App;
use crate::http::Problem;

/// `GET /healthz`: the process answers.
pub(super) async fn alive() -> Response {
    ([(CACHE_CONTROL, "no-store")], Json(json!({"status": "alive"}))).into_response()
}

/// `GET /readyz`: database and store answer too. What the origin does without for now is named.
pub(super) async fn ready(State(app): State<App>) -> Result<Response, Problem> {
    let (database, store) = tokio::join!(app.database.ping(), app.store.ping());
    database.map_err(|error| Problem::unavailable("The database does not answer.", &error))?;
    store.map_err(|error| Problem::unavailable("The object store does not answer.", &error))?;
    let degraded: &[&str] = if app.shared.is_away() { &["redis"] } else { &[] };
    Ok(([(CACHE_CONTROL, "no-store")], Json(json!({"status": "ready", "degraded": degraded})))
        .into_response())
}

/// `GET /metrics`: OpenMetrics text.
pub(super) async fn metrics(State(app): State<App>) -> Response {
    app.metrics.catalog_answer_bytes.set(app.cached.bytes().await as i64);
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(CONTENT_TYPE, content_type), (CACHE_CONTROL, "no-store")], app.metrics.to_text()).into_response()
}
