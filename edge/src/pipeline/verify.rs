//! Step 2: may they have it? Only public keys are known here.

use std::net::IpAddr;
use std::sync::Arc;

use segue_manifests::token::{self, Access, Claims, MAX_TOKEN, Refusal};
use segue_manifests::{MediaPath, RenditionName};

use super::route::Wanted;
use crate::access::{Verdict, Verdicts};
use crate::clock;
use crate::edge::Edge;
use crate::metrics::TokenCheck;
use crate::problem::Problem;
use crate::server::Worker;

/// Why a request is let through.
#[derive(Debug)]
pub(crate) enum Grant {
    /// It has a token that covers it.
    Session(Arc<Claims>),
    /// No token is needed: open mode, an init segment, which carries no audio, or another edge, which checks its own
    /// listeners'.
    Public,
}

/// Checks the token, if one is needed. `client`: whom the request comes from, for tokens that are not known.
///
/// # Errors
/// 403 with the reason's code; 429 for a client that forged too much; 503 while there are no keys; 404 for a path that is nothing of Segue's.
pub(crate) fn verify(
    worker: &Worker,
    wanted: &Wanted,
    client: impl FnOnce() -> Option<IpAddr>,
) -> Result<Grant, Problem> {
    let edge = &worker.edge;
    if edge.config.open || matches!(wanted.media, Some(MediaPath::Init { .. })) {
        return Ok(Grant::Public);
    }
    if wanted.downstream {
        edge.metrics.downstream_requests.inc();
        return wanted.media.as_ref().map(|_| Grant::Public).ok_or(Problem::NOT_FOUND);
    }
    let token = wanted.token.as_deref().ok_or(Refusal::Missing).map_err(|refusal| refuse(edge, refusal))?;
    let media = wanted.media.as_ref();
    let kbps = media.and_then(MediaPath::rendition).map(RenditionName::kbps);
    let access = Access { path: &wanted.cache_key, method: wanted.method, kbps };
    let claims = check(worker, token, &access, client)?;
    if edge.revoked.covers(&claims, clock::unix_s) {
        return Err(refuse(edge, Refusal::Revoked));
    }
    if media.is_none() {
        return Err(Problem::NOT_FOUND);
    }
    Ok(Grant::Session(claims))
}

/// Whether a player that may have `wanted` may have the edge pull `next`: what its token covers; in open mode what lies in
/// the same folder.
pub(super) fn may_pull(edge: &Edge, wanted: &Wanted, claims: Option<&Claims>, next: &str) -> bool {
    let media = MediaPath::parse(next);
    let kbps = media.as_ref().and_then(MediaPath::rendition).map(RenditionName::kbps);
    match claims {
        Some(claims) => {
            let access = Access { path: next, method: token::Method::Get, kbps };
            media.is_some() && token::authorise(claims, &access, clock::unix_s()).is_ok()
        }
        None => {
            let folder = wanted.cache_key.rsplit_once('/').map(|(folder, _)| folder);
            edge.config.open
                && folder
                    .is_some_and(|folder| next.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')))
        }
    }
}

fn check(
    worker: &Worker,
    token: &str,
    access: &Access<'_>,
    client: impl FnOnce() -> Option<IpAddr>,
) -> Result<Arc<Claims>, Problem> {
    let edge = &worker.edge;
    if token.len() > MAX_TOKEN {
        return Err(refuse(edge, Refusal::TooLong));
    }
    let keys = edge.keys.current().ok_or(Problem::NO_KEYS)?;
    let hash = Verdicts::hash(token);
    let now = clock::unix_s();
    let known = edge.verdicts.get(&hash, keys.number);
    match &known {
        Some(Verdict::Good(claims)) => {
            edge.metrics.tally.remembered(worker.number);
            token::authorise(claims, access, now).map_err(|refusal| refuse(edge, refusal))?;
            return Ok(claims.clone());
        }
        Some(Verdict::Forged(refusal)) => {
            edge.metrics.token_checked(TokenCheck::KnownForgery);
            return Err(refuse(edge, *refusal));
        }
        Some(Verdict::WasGood) | None => {}
    }
    let (client, now_ms) = (client(), edge.clock.now_ms());
    let allowance = edge.config.forgeries_per_minute;
    // Whoever listens goes on when keys change, whatever others at the same address do.
    let wait_s = if known.is_some() { None } else { edge.forgeries.wait_s(client, allowance, now_ms) };
    if let Some(wait_s) = wait_s {
        edge.metrics.token_checked(TokenCheck::Limited);
        return Err(Problem::forgeries(wait_s));
    }
    edge.metrics.token_checked(TokenCheck::Verified);
    let claims = token::verify(token, access, &keys.keys, now).map_err(|refusal| {
        if edge.verdicts.refused(hash, keys.number, refusal) {
            edge.forgeries.found(client, allowance, now_ms);
        }
        refuse(edge, refusal)
    })?;
    let claims = Arc::new(claims);
    edge.verdicts.good(hash, keys.number, claims.clone());
    Ok(claims)
}

fn refuse(edge: &Edge, refusal: Refusal) -> Problem {
    if refusal == Refusal::UnknownKey {
        edge.keys.want_poll();
    }
    edge.metrics.refused(refusal);
    Problem::refusal(refusal)
}
