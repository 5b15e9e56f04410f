//! W3C Trace Context: what a request belongs to, from the caller on to whoever is asked because of it.

use std::future::Future;

use http::{HeaderMap, HeaderName, HeaderValue};
use segue_manifests::trace_context::{self, Parent};

use crate::ids::chance;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

tokio::task_local! {
    static CURRENT: Trace;
}

/// A trace, and the part of it that this request is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trace {
    id: [u8; 16],
    /// The part: the parent of whatever is asked because of this request.
    span: [u8; 8],
    sampled: bool,
    state: Option<HeaderValue>,
}

impl Trace {
    /// The caller's trace if its header is valid, else a new one.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let span = not_zero();
        match parent(headers) {
            Some(parent) => Self { id: parent.trace, span, sampled: parent.sampled, state: state(headers) },
            None => Self { id: not_zero(), span, sampled: false, state: None },
        }
    }

    /// The trace that the present task works for, if it works for a request.
    pub(crate) fn current() -> Option<Self> {
        CURRENT.try_with(Self::clone).ok()
    }

    /// Does the work for this trace.
    pub(crate) fn cover<F: Future>(self, work: F) -> impl Future<Output = F::Output> {
        CURRENT.scope(self, work)
    }

    /// Its identifier: 32 hexadecimal digits.
    pub(crate) fn id(&self) -> String {
        hex::encode(self.id)
    }

    /// Passes it on with a request that is made because of it.
    pub(crate) fn put(&self, headers: &mut HeaderMap) {
        let text = Parent { trace: self.id, span: self.span, sampled: self.sampled }.field();
        headers.insert(TRACEPARENT, HeaderValue::from_str(&text).expect("hexadecimal digits and dashes"));
        if let Some(state) = &self.state {
            headers.insert(TRACESTATE, state.clone());
        }
    }
}

/// All zeros stand for "invalid".
fn not_zero<const N: usize>() -> [u8; N] {
    loop {
        let bytes = chance::<N>();
        if bytes != [0; N] {
            return bytes;
        }
    }
}

/// One field, and a valid one, or none (3.2).
fn parent(headers: &HeaderMap) -> Option<Parent> {
    let mut given = headers.get_all(TRACEPARENT).iter();
    let (Some(value), None) = (given.next(), given.next()) else { return None };
    Parent::read(value.to_str().ok()?)
}

/// What other parties have put there; what cannot be read as text spoils it.
fn state(headers: &HeaderMap) -> Option<HeaderValue> {
    let lines: Option<Vec<&str>> =
        headers.get_all(TRACESTATE).iter().map(|value| value.to_str().ok()).collect();
    HeaderValue::from_str(&trace_context::state(lines?.into_iter())?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn one_valid_header_is_taken() {
        let of = |pairs: &[(HeaderName, &str)]| Trace::of(&headers(pairs));
        let valid = (TRACEPARENT, &*format!("00-{ID}-00f067aa0ba902b7-01"));
        let trace = of(std::slice::from_ref(&valid));
        assert_eq!((&*trace.id(), trace.sampled), (ID, true));
        assert_ne!(hex::encode(trace.span), "00f067aa0ba902b7", "this request is a part of its own");
        assert_ne!(of(&[valid.clone(), valid]).id(), ID);
        let short = format!("00-{ID}-00f067aa0ba902b7");
        let trace = of(&[(TRACEPARENT, &short)]);
        assert!(trace.id() != ID && !trace.sampled);
    }

    #[test]
    fn what_is_taken_is_passed_on() {
        let parent = format!("00-{ID}-00f067aa0ba902b7-03");
        let given = [(TRACEPARENT, &*parent), (TRACESTATE, "a=1"), (TRACESTATE, "b=2")];
        let trace = Trace::of(&headers(&given));
        let mut out = HeaderMap::new();
        trace.put(&mut out);
        assert_eq!(out[TRACEPARENT], format!("00-{ID}-{}-01", hex::encode(trace.span)));
        assert_eq!(out[TRACESTATE], "a=1,b=2");
        let long = "a=".to_owned() + &"1".repeat(600);
        assert_eq!(Trace::of(&headers(&[(TRACEPARENT, &parent), (TRACESTATE, &long)])).state, None);
        assert_eq!(Trace::of(&headers(&[(TRACESTATE, "a=1")])).state, None, "it belongs to no trace");
    }
}
