//! Asking upstreams: one after the other when they fail, another beside the first when that one is silent.

use std::ops::Range;
use std::pin::pin;
use std::time::{Duration, Instant};

use http::header::{IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, RANGE};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use hyper::body::Incoming;
use tokio::time::timeout;

use super::{Aim, Answer, BACKGROUND, Outgoing, PRIORITY, Reminded, Upstreams, ended};
use crate::cache::Head;
use crate::fill::Fault;

/// No second request is made sooner, however quick the upstream is.
const HEDGE_AFTER: Duration = Duration::from_millis(10);

/// What is asked of an upstream.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ask<'a> {
    Whole,
    /// The whole, unless what this head belongs to still holds.
    Unless(&'a Head),
    /// What stands behind that many bytes, of the representation with that strong entity tag.
    Rest(&'a HeaderValue, u64),
    /// The bytes from the first number to before the second one, of such a representation.
    Part(&'a HeaderValue, u64, u64),
}

/// Upstreams that are left to ask.
type Left = std::vec::IntoIter<usize>;

impl Upstreams {
    /// Asks the upstreams that do not rest in order until one gives an answer that can be used; the last one's error
    /// stands if none does. With `stale`, asks whether it still holds.
    ///
    /// Requests in vain after the first are limited to `retry_percent` of all, so that an outage of everything does not
    /// multiply what is asked.
    ///
    /// # Errors
    /// When no upstream gave any response: the fault of the last one.
    pub(crate) async fn fetch(&self, aim: Aim<'_>, stale: Option<&Head>) -> Result<Answer, Fault> {
        self.ask_in_order(aim, stale.map_or(Ask::Whole, Ask::Unless)).await
    }

    /// Asks in the same way for a part of the representation with that strong entity tag (RFC 9110 13.1.5).
    ///
    /// # Errors
    /// When no upstream gave any response: the fault of the last one.
    pub(crate) async fn fetch_part(
        &self,
        aim: Aim<'_>,
        etag: &HeaderValue,
        part: &Range<u64>,
    ) -> Result<Answer, Fault> {
        self.ask_in_order(aim, Ask::Part(etag, part.start, part.end)).await
    }

    async fn ask_in_order(&self, aim: Aim<'_>, ask: Ask<'_>) -> Result<Answer, Fault> {
        self.bases.retries.earn();
        self.bases.hedges.earn();
        let mut left = self.bases.order(aim.target).into_iter();
        let mut outcome = Err(Fault::Resting);
        let mut again = false;
        while let Some(base) = self.next(&mut left, again) {
            match self.ask_or_hedge(base, &mut left, aim, ask).await {
                Ok(answer) if self.is_usable(aim, answer.response.status()) => {
                    self.retried(again, true);
                    return Ok(answer);
                }
                // An answer, even an error, says more than a failed connection.
                Err(_) if outcome.is_ok() => {}
                other => outcome = other,
            }
            self.retried(again, false);
            again = true;
        }
        outcome
    }

    /// Asks for what stands behind `from` bytes of the representation with that strong entity tag (RFC 9110 13.1.5),
    /// after the upstream `failed`: first of those behind it, of itself last. `fits` tells a response that goes on.
    pub(crate) async fn fetch_rest(
        &self,
        aim: Aim<'_>,
        failed: usize,
        (etag, from): (&HeaderValue, u64),
        fits: impl Fn(&Response<Incoming>) -> bool,
    ) -> Option<Answer> {
        let mut order = self.bases.order(aim.target);
        if let Some(place) = order.iter().position(|base| *base == failed) {
            order.rotate_left(place + 1);
        }
        let mut left = order.into_iter();
        while let Some(base) = self.next(&mut left, true) {
            let answer = self.ask(base, aim, Ask::Rest(etag, from)).await.ok();
            let answer = answer.filter(|answer| fits(&answer.response));
            self.retried(true, answer.is_some());
            if answer.is_some() {
                return answer;
            }
        }
        None
    }

    /// The next upstream that does not rest; `again`: an allowance must be left for it.
    pub(super) fn next(&self, left: &mut Left, again: bool) -> Option<usize> {
        if left.len() == 0 {
            return None;
        }
        if again && !self.bases.retries.spend() {
            self.metrics.retried("refused");
            return None;
        }
        let found = left.find(|base| self.may_be_asked(*base));
        if again && found.is_none() {
            self.bases.retries.refund();
        }
        found
    }

    /// A request after a failure is only paid for when it is in vain.
    fn retried(&self, again: bool, useful: bool) {
        if again {
            if useful {
                self.bases.retries.refund();
            }
            self.metrics.retried(if useful { "useful" } else { "vain" });
        }
    }

    /// Whether an answer is one, or another upstream may have a better one. What refuses this edge says nothing about the
    /// object, where clients' own rights are not told on.
    fn is_usable(&self, aim: Aim<'_>, status: StatusCode) -> bool {
        let refused =
            matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) && aim.client.is_none();
        !status.is_server_error() && !refused
    }

    /// Asks one upstream; when it is silent for longer than it mostly is, another one beside it: the first good answer
    /// counts.
    async fn ask_or_hedge(
        &self,
        base: usize,
        left: &mut Left,
        aim: Aim<'_>,
        ask: Ask<'_>,
    ) -> Result<Answer, Fault> {
        let begun = Instant::now();
        let mut first = pin!(self.ask(base, aim, ask));
        let Some(long) = self.bases.all[base].waits.long() else { return first.await };
        if let Ok(outcome) = timeout(long.max(HEDGE_AFTER), &mut first).await {
            return outcome;
        }
        if !self.bases.hedges.spend() {
            return first.await;
        }
        let other = left.find(|other| self.may_be_asked(*other)).unwrap_or(base);
        let mut second = pin!(self.ask(other, aim, ask));
        let is_good = |outcome: &Result<Answer, Fault>| {
            outcome.as_ref().is_ok_and(|answer| self.is_usable(aim, answer.response.status()))
        };
        let (outcome, won) = tokio::select! {
            outcome = &mut first => if is_good(&outcome) { (outcome, false) } else { (second.await, true) },
            outcome = &mut second => if is_good(&outcome) { (outcome, true) } else { (first.await, false) },
        };
        self.metrics.hedged(won);
        if won {
            self.bases.all[base].waits.add(begun.elapsed());
            self.bases.all[base].health.left_alone(self.clock.now_ms());
        }
        outcome
    }

    /// Has the shield that a path belongs to get what `head` is of, if a process answers there that is newer than `asked_ms`,
    /// when it was last asked. That says nothing about the shield's health: it may have more urgent work.
    pub(crate) async fn remind(&self, target: &str, head: &Head, asked_ms: u64) -> Reminded {
        let Some(shield) = self.bases.shield_of(target) else { return Reminded::Needless };
        let base = &self.bases.all[shield];
        if base.processes.newest_ms() <= asked_ms {
            return Reminded::Needless;
        }
        if !base.processes.may_be_reminded(self.clock.now_ms()) {
            return Reminded::PutOff;
        }
        let taken = base.health.is_asked() && self.tell(shield, target, head).await;
        if !taken {
            base.processes.pause(self.clock.now_ms());
        }
        if taken { Reminded::Taken } else { Reminded::Failed }
    }

    /// Tells an upstream of an object; says whether it answers as one that has it, or will.
    async fn tell(&self, base: usize, target: &str, head: &Head) -> bool {
        let aim = Aim { target, way: None, client: None, trace: None };
        let Ok(mut request) = self.request(base, aim, Outgoing::default()) else { return false };
        add_validators(request.headers_mut(), head);
        request.headers_mut().insert(PRIORITY, HeaderValue::from_static(BACKGROUND));
        let status = self.send(base, request).await.map(|response| response.status());
        self.bases.all[base].meter.answered(status);
        // Whatever it sends is not kept: this edge has the object.
        status.is_ok_and(|status| self.is_usable(aim, status))
    }

    /// The response's head, in time.
    async fn send(&self, base: usize, request: Request<Outgoing>) -> Result<Response<Incoming>, Fault> {
        let response = match timeout(self.first_byte, self.client.request(request)).await {
            Err(_) => return Err(Fault::FirstByte),
            Ok(outcome) => outcome.map_err(|error| self.bases.all[base].fault_of(&error))?,
        };
        self.bases.heard(base, response.headers(), self.clock.now_ms());
        Ok(response)
    }

    pub(super) async fn ask(&self, base: usize, aim: Aim<'_>, ask: Ask<'_>) -> Result<Answer, Fault> {
        let mut request = self.request(base, aim, Outgoing::default())?;
        match ask {
            Ask::Whole => {}
            Ask::Unless(head) => add_validators(request.headers_mut(), head),
            Ask::Rest(etag, from) => add_range(request.headers_mut(), etag, &format!("bytes={from}-"))?,
            Ask::Part(etag, from, to) => {
                add_range(request.headers_mut(), etag, &format!("bytes={from}-{}", to - 1))?;
            }
        }
        let span = self.attempt(base, aim, request.headers_mut());
        let begun = Instant::now();
        let outcome = self.send(base, request).await;
        if outcome.is_ok() {
            self.bases.all[base].meter.came(begun.elapsed());
            self.bases.all[base].waits.add(begun.elapsed());
        }
        self.note_head(base, &outcome, aim.client.is_none());
        ended(span, &outcome);
        outcome.map(|response| Answer { response, base })
    }
}

fn add_range(headers: &mut HeaderMap, etag: &HeaderValue, range: &str) -> Result<(), Fault> {
    headers.insert(RANGE, HeaderValue::from_str(range).map_err(|_| Fault::Status)?);
    headers.insert(IF_RANGE, etag.clone());
    Ok(())
}

fn add_validators(headers: &mut HeaderMap, head: &Head) {
    let copies = [(http::header::ETAG, IF_NONE_MATCH), (http::header::LAST_MODIFIED, IF_MODIFIED_SINCE)];
    for (from, to) in copies {
        if let Some(value) = head.headers.get(from) {
            headers.insert(to, value.clone());
        }
    }
}
