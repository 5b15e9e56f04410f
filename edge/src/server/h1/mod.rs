//! HTTP/1.1 by hand: what players ask for is a hit nearly always, and a hit is answered without a map of fields, a
//! boxed future or a copy of the object. All other requests without content take the [`pipeline`]'s long way from here;
//! a connection that brings content in open mode is hyper's from then on.

mod head;
mod hit;
mod outbox;
mod sendfile;

use std::sync::Arc;
use std::time::Instant;

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version};

use super::ending::shut;
use super::inbox::{Inbox, Read};
use super::roster::Member;
use super::wire::{Prefixed, Wire};
use super::worker::Worker;
use crate::pipeline::{self, Begun, Content, Hit, Plain};
use crate::problem::Problem;
use crate::semantics::request_head::{self, Framing, Reading, Refusal, RequestHead};

use outbox::Ended;

/// What became of a connection.
pub(super) enum Outcome<W> {
    Closed,
    /// Its next request has content, which hyper reads.
    Content(Prefixed<W>),
}

/// What the next request turns out to be.
enum Next {
    Hit(Hit, How),
    Long(Box<Long>),
    Bad(Problem),
    Content,
    /// Its head is not complete.
    Partial,
}

/// A request that takes the long way.
struct Long {
    request: Request<Content>,
    begun: Begun,
    how: How,
}

/// What bears on the framing of a response.
#[derive(Debug, Clone, Copy)]
struct How {
    is_11: bool,
    is_head: bool,
    close: bool,
}

/// Serves requests until the connection ends, or brings content that is hyper's to read. `inbox`: what came before.
pub(super) async fn serve<W: Wire>(
    worker: &Arc<Worker>,
    mut wire: W,
    member: &Member,
    mut inbox: Inbox,
) -> Outcome<W> {
    let mut current = worker.clone();
    loop {
        Worker::renew(&mut current);
        let worker = &current;
        let (next, length) = match inbox.bytes() {
            [] => (Next::Partial, 0),
            _ if !inbox.may_be_whole(worker.edge.config.header_bytes as usize) => {
                member.activity().head_begun(worker.edge.clock);
                (Next::Partial, 0)
            }
            bytes => understand(worker, member, bytes),
        };
        inbox.consume(length);
        let ended = match next {
            Next::Hit(hit, how) => outbox::hit(worker, &mut wire, member, hit, how.close).await,
            // Boxed, as whatever is rare: a connection that waits has room for the largest of its ways.
            Next::Long(long) => Box::pin(answer(worker, member, &mut wire, *long)).await,
            Next::Content => return Outcome::Content(Prefixed::new(inbox.take(), wire)),
            Next::Bad(problem) => {
                Box::pin(outbox::refuse(worker, &mut wire, member, problem)).await;
                return Outcome::Closed;
            }
            Next::Partial => match inbox.fill(&mut wire, worker, member).await {
                Read::Bytes => continue,
                Read::Close => Ended::Closing,
                Read::End => Ended::Broken,
            },
        };
        match ended {
            Ended::Kept => {}
            Ended::Closing => {
                shut(&mut wire).await;
                return Outcome::Closed;
            }
            Ended::Broken => return Outcome::Closed,
        }
    }
}

/// Reads the next head, and takes the first steps of its answer.
fn understand(worker: &Arc<Worker>, member: &Member, bytes: &[u8]) -> (Next, usize) {
    let edge = &worker.edge;
    let mut fields = request_head::fields();
    let head = match request_head::read(bytes, edge.config.header_bytes as usize, &mut fields) {
        Reading::Whole(head) => head,
        Reading::Partial => {
            member.activity().head_begun(edge.clock);
            return (Next::Partial, 0);
        }
        Reading::Refused(Refusal::TooLarge) => return (Next::Bad(Problem::HEAD), 0),
        Reading::Refused(Refusal::Malformed) => return (Next::Bad(Problem::MALFORMED), 0),
    };
    match head.framing {
        Framing::Content if edge.config.open => return (Next::Content, 0),
        Framing::Content => return (Next::Bad(Problem::BODY), 0),
        Framing::Bare => {}
    }
    let how = How { is_11: head.is_11, is_head: head.method == "HEAD", close: head.close };
    let activity = member.activity();
    let fields = head.fields.iter().map(|field| (field.name.as_bytes(), field.value));
    let client = || edge.proxies.client(activity.peer(), fields);
    let begun = match plain(&head) {
        Some(plain) => pipeline::begin(worker, activity, &plain, client, Instant::now()),
        None => Err(Box::new(Begun::Nothing)),
    };
    let next = match begun {
        Ok(hit) => Next::Hit(hit, how),
        Err(begun) => match long_form(&head) {
            Some(request) => Next::Long(Box::new(Long { request, begun: *begun, how })),
            None => Next::Bad(Problem::MALFORMED),
        },
    };
    (next, head.length)
}

fn plain<'a>(head: &RequestHead<'a, '_>) -> Option<Plain<'a>> {
    let is_plain = head.is_11 && head.seen.hosts == 1 && !head.seen.special;
    is_plain.then(|| Plain {
        method: head.method,
        target: head.target,
        accept_encoding: head.seen.accept_encoding.map(|place| head.fields[place].value),
        version: Version::HTTP_11,
    })
}

/// The request with its fields as a map, if its target is a target.
fn long_form(head: &RequestHead<'_, '_>) -> Option<Request<Content>> {
    let mut headers = HeaderMap::with_capacity(head.fields.len());
    for field in head.fields {
        let name = HeaderName::from_bytes(field.name.as_bytes()).ok()?;
        headers.append(name, HeaderValue::from_bytes(field.value).ok()?);
    }
    let mut request = Request::new(None);
    *request.method_mut() = Method::from_bytes(head.method.as_bytes()).ok()?;
    *request.uri_mut() = head.target.parse::<Uri>().ok()?;
    *request.version_mut() = if head.is_11 { Version::HTTP_11 } else { Version::HTTP_10 };
    *request.headers_mut() = headers;
    Some(request)
}

async fn answer<W: Wire>(worker: &Arc<Worker>, member: &Member, wire: &mut W, long: Long) -> Ended {
    let Long { request, begun, how } = long;
    let response = pipeline::go_on(worker, member.activity().clone(), request, begun).await;
    outbox::response(worker, wire, member, response, how).await
}
