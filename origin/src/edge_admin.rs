//! Calls to the edges' admin listeners.

use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Request, Uri};
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tokio::time::{sleep, timeout};

use crate::http::trace::Trace;

/// Time for one attempt.
const PATIENCE: Duration = Duration::from_secs(2);
/// Attempts for one edge; the pauses between them double from the first.
const ATTEMPTS: u32 = 10;
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// A client with the secret of the admin listeners.
#[derive(Debug, Clone)]
pub(crate) struct EdgeAdmin {
    client: Client<HttpConnector, Full<Bytes>>,
    authorization: Option<HeaderValue>,
}

/// Where an edge's admin listener takes what is named by `path`, as `/purge`.
///
/// # Errors
/// A text that names the address, without what may be a password in it.
pub(crate) fn address(admin: &str, path: &'static str) -> Result<Uri, String> {
    let wrong =
        || format!("'{}' is no address of an admin listener; write http://10.0.0.5:8082", shown(admin));
    let uri: Uri = format!("{}{path}", admin.trim_end_matches('/')).parse().map_err(|_| wrong())?;
    let plain = uri.authority().is_some_and(|it| !it.as_str().contains('@')) && uri.path() == path;
    if plain && uri.scheme_str() == Some("http") { Ok(uri) } else { Err(wrong()) }
}

/// Without what may be a password.
fn shown(admin: &str) -> &str {
    admin.rsplit_once('@').map_or(admin, |(_, host)| host)
}

impl EdgeAdmin {
    pub(crate) fn new(secret: &str) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        let mut authorization = HeaderValue::from_str(&format!("Bearer {secret}")).ok();
        if let Some(value) = &mut authorization {
            value.set_sensitive(true);
        }
        Self { client, authorization }
    }

    /// Makes one call, which belongs to `trace`.
    ///
    /// # Errors
    /// Why it was not done.
    pub(crate) async fn post(&self, uri: &Uri, body: &Value, trace: Option<&Trace>) -> Result<(), String> {
        let mut request = Request::post(uri.clone()).header(CONTENT_TYPE, "application/json");
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        let mut request = request.body(Full::from(body.to_string())).map_err(|error| error.to_string())?;
        if let Some(trace) = trace {
            trace.put(request.headers_mut());
        }
        let answer = self.client.request(request).await.map_err(|error| error.to_string())?;
        if answer.status().is_success() { Ok(()) } else { Err(format!("status {}", answer.status())) }
    }

    /// Makes a call until it is done, for two minutes at most; whether it was. `what`: for the log.
    pub(crate) async fn insist(&self, uri: &Uri, body: &Value, trace: Option<&Trace>, what: &str) -> bool {
        let mut pause = FIRST_PAUSE;
        for _ in 0..ATTEMPTS {
            let error = match timeout(PATIENCE, self.post(uri, body, trace)).await {
                Ok(Ok(())) => {
                    tracing::info!(edge = %uri, "the edge was told of {what}");
                    return true;
                }
                Ok(Err(error)) => error,
                Err(_) => "no answer in time".to_owned(),
            };
            tracing::warn!(edge = %uri, error, "an edge was not told of {what}; trying again");
            sleep(pause).await;
            pause *= 2;
        }
        tracing::error!(edge = %uri, "an edge was not told of {what}; tell it by hand, or restart it");
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_checked() {
        let uri = |admin| address(admin, "/purge");
        assert_eq!(uri("http://10.0.0.5:8082/").unwrap().to_string(), "http://10.0.0.5:8082/purge");
        for bad in ["", "10.0.0.5:8082", "https://a", "http://u:hush@a", "http://a/x"] {
            let error = uri(bad).unwrap_err();
            assert!(!error.contains("hush"), "{error}");
        }
    }
}
