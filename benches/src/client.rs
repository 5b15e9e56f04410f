//! A client of the origin's API that many requests share.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client as Connections;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// Whatever goes wrong ends a benchmark.
pub type Failure = Box<dyn Error + Send + Sync>;

/// One origin, and perhaps an account there.
pub struct Client {
    http: Connections<HttpConnector, Full<Bytes>>,
    url: String,
    token: Option<String>,
}

impl Client {
    /// Asks the origin at that address, with that API token if there is one.
    #[must_use]
    pub fn new(url: &str, token: Option<&str>) -> Self {
        let http = Connections::builder(TokioExecutor::new()).build_http();
        Self { http, url: url.trim_end_matches('/').to_owned(), token: token.map(str::to_owned) }
    }

    /// Status and body.
    ///
    /// # Errors
    /// When nobody answers.
    pub async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(u16, Bytes), Failure> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.url));
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let body = body.map(Value::to_string).unwrap_or_default();
        let answer = self.http.request(request.body(Full::from(body))?).await?;
        let status = answer.status().as_u16();
        Ok((status, answer.into_body().collect().await?.to_bytes()))
    }

    /// The answer to a request that succeeds.
    ///
    /// # Errors
    /// When it does not.
    pub async fn json(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        match self.ask(method, path, body).await? {
            (200..=299, body) if body.is_empty() => Ok(Value::Null),
            (200..=299, body) => Ok(serde_json::from_slice(&body)?),
            (status, body) => Err(format!("{path}: {status}: {}", String::from_utf8_lossy(&body)).into()),
        }
    }

    /// The answer to a `GET` that succeeds.
    ///
    /// # Errors
    /// When it does not.
    pub async fn get(&self, path: &str) -> Result<Value, Failure> {
        self.json(Method::GET, path, None).await
    }

    /// All pages of a list.
    ///
    /// # Errors
    /// When one cannot be had.
    pub async fn pages(&self, list: &str) -> Result<Vec<Value>, Failure> {
        let mut pages = vec![self.get(&format!("{list}?limit=200")).await?];
        while let Some(next) = pages[pages.len() - 1]["next_cursor"].as_str() {
            pages.push(self.get(&format!("{list}?limit=200&cursor={next}")).await?);
        }
        Ok(pages)
    }
}

/// The value below which that part of the times lies, milliseconds; `times` are in order.
#[must_use]
pub fn quantile(times: &[Duration], part: f64) -> f64 {
    let index = ((times.len() as f64 * part) as usize).min(times.len().saturating_sub(1));
    times.get(index).map_or(f64::NAN, |time| time.as_secs_f64() * 1000.0)
}
