//! One connection: TLS, the choice of protocol, and its end.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Request, rt};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::ServerConfig;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::activity::Activity;
use super::gate::Permit;
use super::h1::{self, Outcome, Wire};
use super::roster::{Member, Order};
use super::stream::Watched;
use super::worker::Worker;
use crate::body::Body;
use crate::config::millis;
use crate::pipeline;

/// Serves one connection to its end.
pub(super) async fn serve(worker: Arc<Worker>, stream: TcpStream, permit: Permit) {
    let _permit = permit;
    match worker.tls.clone() {
        Some(tls) => serve_tls(worker, stream, tls).await,
        None if worker.edge.config.h2c && speaks_h2(&worker, &stream).await => {
            Box::pin(serve_h2(worker, stream)).await
        }
        None => {
            let activity = Arc::new(Activity::told(worker.edge.clock));
            let watched = Watched::new(stream, activity.clone(), worker.edge.clock);
            by_hand(worker, watched, activity).await;
        }
    }
}

async fn serve_tls(worker: Arc<Worker>, stream: TcpStream, tls: Arc<ServerConfig>) {
    let clock = worker.edge.clock;
    // Whether it will be HTTP/2 is known after the handshake only; the numbers start anew then.
    let activity = Arc::new(Activity::accepted(clock));
    let limit = millis(worker.edge.config.header_timeout_ms);
    let watched = Watched::new(stream, activity.clone(), clock);
    let Ok(Ok(mut stream)) = timeout(limit, TlsAcceptor::from(tls).accept(watched)).await else {
        worker.edge.metrics.handshake_failed();
        return;
    };
    let activity = Arc::new(Activity::told(clock));
    stream.get_mut().0.watch(activity.clone());
    if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
        Box::pin(http2(worker, stream, activity)).await;
    } else {
        by_hand(worker, stream, activity).await;
    }
}

/// HTTP/2 by prior knowledge begins with a method that HTTP/1.1 does not have (RFC 9113 3.4).
async fn speaks_h2(worker: &Worker, stream: &TcpStream) -> bool {
    let mut start = [0; 4];
    let limit = millis(worker.edge.config.header_timeout_ms);
    matches!(timeout(limit, stream.peek(&mut start)).await, Ok(Ok(4))) && &start == b"PRI "
}

async fn serve_h2(worker: Arc<Worker>, stream: TcpStream) {
    let activity = Arc::new(Activity::told(worker.edge.clock));
    let watched = Watched::new(stream, activity.clone(), worker.edge.clock);
    http2(worker, watched, activity).await;
}

/// HTTP/1.1, on our own path until content comes.
async fn by_hand<W: Wire>(worker: Arc<Worker>, wire: W, activity: Arc<Activity>) {
    let member = Member::new(activity);
    let outcome = h1::serve(&worker, wire, &member).await;
    drop(member);
    if let Outcome::Content(mut wire) = outcome {
        let activity = Arc::new(Activity::accepted(worker.edge.clock));
        wire.watch(activity.clone());
        Box::pin(http1(worker, wire, activity)).await;
    }
}

async fn http1<S>(worker: Arc<Worker>, stream: S, activity: Arc<Activity>)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let header_bytes = worker.edge.config.header_bytes as usize;
    let mut builder = http1::Builder::new();
    // Slow heads are the activity's business; `pipeline_flush` stays off: it costs as much as copying.
    builder
        .header_read_timeout(None)
        .max_header_size(header_bytes)
        .max_buf_size(header_bytes.max(16 << 10))
        .writev(true);
    let service = service(&worker, &activity, false);
    let connection = builder.serve_connection(TokioIo::new(stream), service_fn(service));
    drive(&worker, connection, activity).await;
}

async fn http2<S>(worker: Arc<Worker>, stream: S, activity: Arc<Activity>)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let config = &worker.edge.config;
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(u32::try_from(config.h2_streams).unwrap_or(u32::MAX))
        .max_header_list_size(u32::try_from(config.header_bytes).unwrap_or(u32::MAX))
        .max_send_buf_size(1 << 20)
        // Requests carry no bodies: nothing to receive.
        .initial_stream_window_size(64 << 10)
        .initial_connection_window_size(64 << 10);
    let service = service(&worker, &activity, true);
    let connection = builder.serve_connection(TokioIo::new(stream), service_fn(service));
    drive(&worker, connection, activity).await;
}

type Answer = Pin<Box<dyn Future<Output = Result<hyper::Response<Body>, std::convert::Infallible>> + Send>>;

fn service(
    worker: &Arc<Worker>,
    activity: &Arc<Activity>,
    multiplexed: bool,
) -> impl Fn(Request<Incoming>) -> Answer + use<> {
    let (worker, activity) = (worker.clone(), activity.clone());
    move |request| {
        let (worker, activity) = (worker.clone(), activity.clone());
        Box::pin(async move {
            let response = pipeline::handle(&worker, activity, request.map(Some)).await;
            Ok(if multiplexed { response.map(Body::in_records) } else { response })
        })
    }
}

/// A connection that can be asked to end after its last response (HTTP/2: GOAWAY).
trait Drainable: Future<Output = hyper::Result<()>> {
    fn finish(self: Pin<&mut Self>);
}

impl<I, S> Drainable for http1::Connection<I, S>
where
    S: hyper::service::HttpService<Incoming, ResBody = Body>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    I: rt::Read + rt::Write + Unpin,
{
    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

impl<I, S> Drainable for http2::Connection<I, S, TokioExecutor>
where
    S: hyper::service::HttpService<Incoming, ResBody = Body>,
    S::Future: Send + 'static,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    I: rt::Read + rt::Write + Unpin,
{
    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

/// Runs a connection of hyper's until it ends, drains, or outstays its welcome.
async fn drive(worker: &Worker, connection: impl Drainable, activity: Arc<Activity>) {
    let mut connection = pin!(connection);
    let member = Member::new(activity);
    let mut finishing = false;
    loop {
        let order = tokio::select! {
            biased;
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!("connection ended: {error}");
                }
                return;
            }
            order = member.told(worker) => order,
        };
        match order {
            Order::Drop => return,
            // It was asked to close one tick ago, or more.
            Order::Idle if finishing => return,
            Order::Idle | Order::Drain if !finishing => {
                finishing = true;
                connection.as_mut().finish();
            }
            _ => {}
        }
    }
}
