//! Telling the edges to forget an asset.

use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Request, Uri};
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use segue_manifests::AssetId;
use tracing::Instrument as _;

use crate::http::trace::Trace;

/// Time for one attempt.
const PATIENCE: Duration = Duration::from_secs(2);
/// Attempts for one edge; the pauses between them double from the first.
const ATTEMPTS: u32 = 10;
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// The admin listeners of all edges.
#[derive(Debug, Clone)]
pub(super) struct Edges {
    client: Client<HttpConnector, Full<Bytes>>,
    purge: Vec<Uri>,
    authorization: Option<HeaderValue>,
}

/// Where an edge's admin listener takes purges.
pub(crate) fn purge_uri(admin: &str) -> Result<Uri, String> {
    let wrong =
        || format!("'{}' is no address of an admin listener; write http://10.0.0.5:8082", shown(admin));
    let uri: Uri = format!("{}/purge", admin.trim_end_matches('/')).parse().map_err(|_| wrong())?;
    let plain = uri.authority().is_some_and(|it| !it.as_str().contains('@')) && uri.path() == "/purge";
    if plain && uri.scheme_str() == Some("http") { Ok(uri) } else { Err(wrong()) }
}

/// Without what may be a password.
fn shown(admin: &str) -> &str {
    admin.rsplit_once('@').map_or(admin, |(_, host)| host)
}

impl Edges {
    pub(super) fn new(admins: &[String], secret: &str) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        let mut authorization = HeaderValue::from_str(&format!("Bearer {secret}")).ok();
        if let Some(value) = &mut authorization {
            value.set_sensitive(true);
        }
        Self { client, purge: admins.iter().filter_map(|it| purge_uri(it).ok()).collect(), authorization }
    }

    /// Tells every edge, in the background, until each has done it. The calls belong to the trace of the request that
    /// they are made for.
    pub(super) fn purge(&self, asset: AssetId) {
        for uri in self.purge.clone() {
            let (edges, trace) = (self.clone(), Trace::current());
            tokio::spawn(async move { edges.tell(uri, asset, trace).await }.in_current_span());
        }
    }

    async fn tell(&self, uri: Uri, asset: AssetId, trace: Option<Trace>) {
        let mut pause = FIRST_PAUSE;
        for _ in 0..ATTEMPTS {
            match tokio::time::timeout(PATIENCE, self.ask(&uri, asset, trace.as_ref())).await {
                Ok(Ok(())) => {
                    return tracing::info!(edge = %uri, asset.id = %asset, "the edge has forgotten the asset");
                }
                Ok(Err(error)) => {
                    tracing::warn!(edge = %uri, asset.id = %asset, error, "an edge did not purge; trying again")
                }
                Err(_) => {
                    tracing::warn!(edge = %uri, asset.id = %asset, "an edge did not answer a purge; trying again")
                }
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        tracing::error!(edge = %uri, asset.id = %asset, "an edge was not told of a takedown; purge it by hand or restart it");
    }

    async fn ask(&self, uri: &Uri, asset: AssetId, trace: Option<&Trace>) -> Result<(), String> {
        let body = serde_json::json!({"surrogate_keys": [format!("asset-{asset}")]}).to_string();
        let mut request = Request::post(uri.clone()).header(CONTENT_TYPE, "application/json");
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        let mut request = request.body(Full::from(body)).map_err(|error| error.to_string())?;
        if let Some(trace) = trace {
            trace.put(request.headers_mut());
        }
        let answer = self.client.request(request).await.map_err(|error| error.to_string())?;
        if answer.status().is_success() { Ok(()) } else { Err(format!("status {}", answer.status())) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_checked() {
        assert_eq!(purge_uri("http://10.0.0.5:8082/").unwrap().to_string(), "http://10.0.0.5:8082/purge");
        for bad in ["", "10.0.0.5:8082", "https://a", "http://u:hush@a", "http://a/x"] {
            let error = purge_uri(bad).unwrap_err();
            assert!(!error.contains("hush"), "{error}");
        }
    }
}
