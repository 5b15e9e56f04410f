//! One connection: TLS, the choice of protocol, and its end.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::activity::Activity;
use super::ending::shut;
use super::gate::Permit;
use super::h1::{self, Outcome};
use super::h2;
use super::inbox::{Inbox, Read};
use super::proxy_header::introduced;
use super::roster::{Member, Order};
use super::stream::Watched;
use super::wire::Wire;
use super::worker::Worker;
use crate::address::Peer;
use crate::body::Body;
use crate::config::millis;
use crate::content::RequestContent;
use crate::pipeline;
use crate::semantics::h2::PREFACE;

/// Bytes by which HTTP/2 is known: a method that HTTP/1.1 does not have (RFC 9113 3.4).
const TELLING: usize = 4;

/// Bytes that TLS takes at once, in full records: a segment of 64 KB leaves in one write together with its head, one of 160 KB
/// in two. A client that takes nothing keeps so many waiting.
const TLS_BUFFER: usize = 6 * (16 << 10);

/// Serves one connection to its end.
pub(super) async fn serve(worker: Arc<Worker>, mut stream: TcpStream, mut permit: Permit, peer: Peer) {
    let peer = match peer {
        Peer::Proxy(proxy) if worker.edge.config.proxy_protocol => {
            match Box::pin(introduced(&worker, proxy, &mut stream, &mut permit)).await {
                Some(peer) => peer,
                None => return,
            }
        }
        peer => peer,
    };
    match worker.tls.clone() {
        // A connection without TLS would have room for one with it.
        Some(tls) => Box::pin(serve_tls(worker, stream, peer, tls)).await,
        None => {
            let activity = Arc::new(Activity::told(peer, worker.edge.clock));
            let watched = Watched::new(stream, activity.clone(), worker.edge.clock);
            let member = Member::new(activity);
            if worker.edge.config.h2c {
                either(worker, watched, member).await;
            } else {
                by_hand(worker, watched, member, Inbox::default()).await;
            }
        }
    }
}

async fn serve_tls(worker: Arc<Worker>, stream: TcpStream, peer: Peer, tls: Arc<ServerConfig>) {
    let clock = worker.edge.clock;
    // What counts is known after the handshake only; the numbers start anew then.
    let activity = Arc::new(Activity::accepted(peer, clock));
    let limit = millis(worker.edge.config.header_timeout_ms);
    let watched = Watched::new(stream, activity.clone(), clock);
    let handshake = Box::pin(async move { TlsAcceptor::from(tls).accept(watched).await.map(Box::new) });
    let Ok(Ok(mut stream)) = timeout(limit, handshake).await else {
        worker.edge.metrics.handshake_failed();
        return;
    };
    let activity = Arc::new(Activity::told(peer, clock));
    let (watched, session) = stream.get_mut();
    watched.watch(activity.clone());
    session.set_buffer_limit(Some(TLS_BUFFER));
    let member = Member::new(activity);
    if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
        Box::pin(h2::serve(worker, stream, member, Inbox::default())).await;
    } else {
        by_hand(worker, stream, member, Inbox::default()).await;
    }
}

/// Either version without TLS, as the first bytes say.
async fn either<W: Wire>(worker: Arc<Worker>, mut wire: W, member: Member) {
    let mut inbox = Inbox::default();
    while inbox.bytes().len() < TELLING && PREFACE.starts_with(inbox.bytes()) {
        if !inbox.is_empty() {
            member.activity().head_begun(worker.edge.clock);
        }
        match inbox.fill(&mut wire, &worker, &member).await {
            Read::Bytes => {}
            Read::End => return,
            Read::Close => return shut(&mut wire).await,
        }
    }
    if inbox.bytes().starts_with(&PREFACE[..TELLING]) {
        Box::pin(h2::serve(worker, wire, member, inbox)).await;
    } else {
        by_hand(worker, wire, member, inbox).await;
    }
}

/// HTTP/1.1, on our own path until content comes.
async fn by_hand<W: Wire>(worker: Arc<Worker>, wire: W, member: Member, inbox: Inbox) {
    let outcome = h1::serve(&worker, wire, &member, inbox).await;
    let peer = member.activity().peer();
    drop(member);
    if let Outcome::Content(mut wire) = outcome {
        let activity = Arc::new(Activity::accepted(peer, worker.edge.clock));
        wire.watch(activity.clone());
        Box::pin(with_content(worker, wire, activity)).await;
    }
}

/// HTTP/1.1 by hyper, which reads content.
async fn with_content<S>(worker: Arc<Worker>, stream: S, activity: Arc<Activity>)
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
    let service = service(&worker, &activity);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service_fn(service)));
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
            order = member.told(&worker) => order,
        };
        match order {
            Order::Drop => return,
            // It was asked to close one tick ago, or more.
            Order::Idle if finishing => return,
            Order::Idle | Order::Drain if !finishing => {
                finishing = true;
                connection.as_mut().graceful_shutdown();
            }
            _ => {}
        }
    }
}

type Answer = Pin<Box<dyn Future<Output = Result<hyper::Response<Body>, std::convert::Infallible>> + Send>>;

fn service(worker: &Arc<Worker>, activity: &Arc<Activity>) -> impl Fn(Request<Incoming>) -> Answer + use<> {
    let (worker, activity) = (worker.clone(), activity.clone());
    move |request| {
        let (mut worker, activity) = (worker.clone(), activity.clone());
        Worker::renew(&mut worker);
        let request = request.map(|content| Some(RequestContent::Http1(content)));
        Box::pin(async move { Ok(pipeline::handle(&worker, activity, request).await) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_connection_that_waits_is_small() {
        let worker = Worker::alone(crate::Config::default());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let address = [127, 0, 0, 1].into();
        let permit = worker.gate.admit(address).unwrap();
        let room = size_of_val(&serve(worker, stream, permit, Peer::Client(address)));
        assert!(room <= 2 << 10, "{room} bytes: box what is rare");
    }
}
