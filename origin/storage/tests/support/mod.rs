//! A real S3-compatible server on a port of its own, and helpers shared by the suites.
#![allow(dead_code)] // every suite uses its own part

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::TryStreamExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use segue_storage::{Error, S3, S3Credentials, S3Options, Storage};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub(crate) const ACCESS_KEY: &str = "segue-test";
pub(crate) const SECRET_KEY: &str = "segue-test-secret";
pub(crate) const BUCKET: &str = "music";

/// An S3 server over a temporary folder; it stops when dropped.
pub(crate) struct S3Server {
    pub(crate) endpoint: String,
    root: TempDir,
    accepting: JoinHandle<()>,
    requests: Arc<AtomicU64>,
}

/// Answers a request with this status instead of serving it; the second argument is the query.
type Fault = Arc<dyn Fn(&Method, &str) -> Option<u16> + Send + Sync>;

impl S3Server {
    pub(crate) async fn start() -> Self {
        S3Server::start_with_fault(|_, _| None).await
    }

    pub(crate) async fn start_with_fault(
        fault: impl Fn(&Method, &str) -> Option<u16> + Send + Sync + 'static,
    ) -> Self {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join(BUCKET)).unwrap();
        let mut service = S3ServiceBuilder::new(s3s_fs::FileSystem::new(root.path()).unwrap());
        service.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let requests = Arc::new(AtomicU64::new(0));
        let front = Front { service: service.build(), fault: Arc::new(fault), requests: requests.clone() };

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let accepting = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let front = front.clone();
                let answer = service_fn(move |request| front.clone().answer(request));
                tokio::spawn(async move {
                    let server = auto::Builder::new(TokioExecutor::new());
                    let _ = server.serve_connection(TokioIo::new(socket), answer).await;
                });
            }
        });
        S3Server { endpoint, root, accepting, requests }
    }

    pub(crate) fn options(&self) -> S3Options {
        let credentials =
            S3Credentials { access_key_id: ACCESS_KEY.into(), secret_access_key: SECRET_KEY.into() };
        S3Options { credentials: Some(credentials), ..S3Options::new(BUCKET).at(&self.endpoint) }
    }

    pub(crate) async fn store(&self, prefix: &str) -> S3 {
        S3::open(S3Options { prefix: prefix.into(), ..self.options() }).await.unwrap()
    }

    /// Where the bucket's objects lie on the server.
    pub(crate) fn bucket(&self) -> PathBuf {
        self.root.path().join(BUCKET)
    }

    /// Multipart uploads that were begun and neither completed nor given up. (Files of single parts do not count:
    /// this server forgets to remove those whose request was cut.)
    pub(crate) fn open_uploads(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.root.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with(".upload-")).collect()
    }

    /// Waits until no upload is open: those of cancelled calls are given up in the background.
    pub(crate) async fn no_open_uploads(&self) {
        for _ in 0..3_000 {
            if self.open_uploads().is_empty() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("uploads stay open: {:?}", self.open_uploads());
    }

    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Counts requests and fails some of them before they reach the real server.
#[derive(Clone)]
struct Front {
    service: S3Service,
    fault: Fault,
    requests: Arc<AtomicU64>,
}

impl Front {
    async fn answer(self, request: Request<Incoming>) -> Result<Response<s3s::Body>, s3s::HttpError> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        match (self.fault)(request.method(), request.uri().query().unwrap_or("")) {
            None => self.service.call(request.map(s3s::Body::from)).await,
            Some(status) => {
                Ok(Response::builder().status(status).body(s3s::Body::empty()).expect("a valid status"))
            }
        }
    }
}

/// Bytes that differ from place to place, the same for the same seed.
pub(crate) fn noise(size: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(size);
    bytes
}

pub(crate) async fn paths(store: &dyn Storage, prefix: &str) -> Result<Vec<String>, Error> {
    store.list(prefix).map_ok(|object| object.path).try_collect().await
}

pub(crate) async fn read(store: &dyn Storage, path: &str) -> Result<Vec<u8>, Error> {
    Ok(store.get(path, None).await?.bytes(u64::MAX).await?.to_vec())
}

/// Every regular file below a folder that is no object: temporary and other left-overs.
pub(crate) fn files_below(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}
