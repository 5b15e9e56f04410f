//! `POST /imports`

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use segue_manifests::{AssetId, Rev};
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::catalog::{Change, Trigger};
use crate::http::{JsonBody, Problem};

/// The packaging to import.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ImportRequest {
    asset: Option<AssetId>,
    rev: Option<Rev>,
}

#[derive(Serialize)]
struct Imported {
    asset: AssetId,
    rev: Rev,
    /// `added`, `moved` or `unchanged`.
    outcome: &'static str,
}

/// Imports a published packaging; 201 when a song is new.
pub(super) async fn create(
    State(app): State<App>,
    headers: HeaderMap,
    body: Result<JsonBody<ImportRequest>, Problem>,
) -> Result<Response, Problem> {
    if !app.admin_secret.is_set() {
        let detail = "Imports by HTTP are off: this server has no admin_secret.";
        return Err(Problem::new(StatusCode::FORBIDDEN, "imports-off", "Imports are off", detail));
    }
    app.admin_secret.check(&headers)?;
    let JsonBody(ImportRequest { asset: Some(asset), rev: Some(rev) }) = body? else {
        let detail = r#"The body must be {"asset": "<32 hexadecimal digits>", "rev": "<12>"}."#;
        return Err(Problem::bad_request("bad-json", detail));
    };
    let change = app.importer.import(asset, rev, Trigger::Named).await?;
    let status = if change == Change::Added { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, axum::Json(Imported { asset, rev, outcome: change.as_str() })).into_response())
}
