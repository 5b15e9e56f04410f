//! The admin listener of an edge, which keeps what it is told.

use std::sync::{Arc, Mutex};

use http::{HeaderValue, Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;

use crate::support::{Origin, origin_with};

/// One call.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) path: String,
    pub(crate) authorization: String,
    pub(crate) trace: String,
    pub(crate) body: Value,
}

/// The listener.
pub(crate) struct EdgeAdmin {
    pub(crate) address: String,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl EdgeAdmin {
    /// Starts one that hangs up on its first `failures` connections.
    pub(crate) async fn start(mut failures: u32) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let calls = Arc::<Mutex<Vec<Call>>>::default();
        let seen = calls.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                if failures > 0 {
                    failures -= 1;
                    continue;
                }
                let seen = seen.clone();
                let service = service_fn(move |request| keep(seen.clone(), request));
                let server = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                tokio::spawn(async move { server.serve_connection(TokioIo::new(stream), service).await });
            }
        });
        Self { address, calls }
    }

    /// An origin that tells it, with the secret `hush`.
    pub(crate) async fn origin(&self) -> Origin {
        origin_with(|config| {
            config.edge_admins = vec![self.address.clone()];
            config.edge_admin_secret = "hush".into();
        })
        .await
    }

    /// What it was told at a path.
    pub(crate) fn told(&self, path: &str) -> Vec<Call> {
        self.calls.lock().unwrap().iter().filter(|call| call.path == path).cloned().collect()
    }
}

async fn keep(
    calls: Arc<Mutex<Vec<Call>>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    assert_eq!(request.method(), Method::POST);
    let header = |name| {
        let value = request.headers().get(name).map(|it: &HeaderValue| it.to_str().unwrap());
        value.unwrap_or_default().to_owned()
    };
    let (authorization, trace) = (header("authorization"), header("traceparent"));
    let path = request.uri().path().to_owned();
    let body = request.into_body().collect().await?.to_bytes();
    calls.lock().unwrap().push(Call {
        path,
        authorization,
        trace,
        body: serde_json::from_slice(&body).unwrap(),
    });
    Ok(Response::new(Full::new(Bytes::from_static(b"{}"))))
}
