//! Fetching as a player does: from the pathway that works, again and from another when one does not.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use fastrand::Rng;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use segue_manifests::path::split_token;

use crate::report::Board;
use crate::truth::Truth;

/// Time for a connection, and for a whole answer.
const CONNECT: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(8);
/// Pauses after every pathway has failed: they double up to the longest.
const FIRST_PAUSE_MS: u64 = 100;
const LONGEST_PAUSE_MS: u64 = 2000;

/// One listener's way to media.
pub(crate) struct Pathways {
    client: Client<HttpConnector, Empty<Bytes>>,
    board: Arc<Board>,
    truth: Arc<Truth>,
    rng: Rng,
    /// Base addresses, best first.
    hosts: Vec<String>,
    current: usize,
}

impl Pathways {
    pub(crate) fn new(board: Arc<Board>, truth: Arc<Truth>, rng: Rng) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT));
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Self { client, board, truth, rng, hosts: Vec::new(), current: 0 }
    }

    /// Where a song may be had. Of them, one that failed is asked again when its turn comes.
    pub(crate) fn lead_to(&mut self, hosts: Vec<String>) {
        (self.hosts, self.current) = (hosts, 0);
    }

    /// The body at a path, however often that must be tried.
    pub(crate) async fn fetch(&mut self, path: &str) -> Bytes {
        let mut failures = 0;
        loop {
            match self.attempt(path).await {
                Ok(body) => return body,
                Err(seen) => self.board.note(|tally| *tally.failed.entry(seen).or_default() += 1),
            }
            failures += 1;
            self.current = (self.current + 1) % self.hosts.len().max(1);
            if failures % self.hosts.len().max(1) == 0 {
                let longest = (FIRST_PAUSE_MS << (failures / self.hosts.len()).min(10)).min(LONGEST_PAUSE_MS);
                tokio::time::sleep(Duration::from_millis(self.rng.u64(longest / 2..=longest))).await;
            }
        }
    }

    /// A body that is what it should be, or what was seen instead.
    async fn attempt(&self, path: &str) -> Result<Bytes, String> {
        let host = self.hosts.get(self.current).ok_or("no pathway")?;
        let request = Request::get(format!("{host}{path}")).body(Empty::new());
        let asking = async {
            let request = request.map_err(|_| "no address")?;
            let answer = self.client.request(request).await.map_err(|error| match error.is_connect() {
                true => "no connection",
                false => "connection broke",
            })?;
            let status = answer.status();
            let body = answer.into_body().collect().await.map_err(|_| "body broke")?;
            Ok::<_, &str>((status, body.to_bytes()))
        };
        let (status, body) = match tokio::time::timeout(PATIENCE, asking).await {
            Ok(answer) => answer?,
            Err(_) => return Err("no answer in time".into()),
        };
        if status != StatusCode::OK {
            return Err(status.as_u16().to_string());
        }
        let holds = self.truth.holds(&split_token(path).1, &body);
        self.board.note(|tally| if holds { tally.bodies += 1 } else { tally.wrong += 1 });
        if holds { Ok(body) } else { Err("wrong body".into()) }
    }
}
