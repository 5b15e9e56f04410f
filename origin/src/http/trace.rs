//! W3C Trace Context: what a request belongs to, from the caller on to whoever is asked because of it.

use std::future::Future;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::ids::chance;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
/// Longest state of other parties that is passed on, bytes (3.3.1.5 asks for at least this).
const MAX_STATE: usize = 512;

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
        match taken(headers) {
            Some((id, sampled)) => Self { id, span, sampled, state: state(headers) },
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
        let flags = u8::from(self.sampled);
        let text = format!("00-{}-{}-{flags:02x}", hex::encode(self.id), hex::encode(self.span));
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

fn taken(headers: &HeaderMap) -> Option<([u8; 16], bool)> {
    let mut given = headers.get_all(TRACEPARENT).iter();
    let (Some(value), None) = (given.next(), given.next()) else { return None };
    parse(value.to_str().ok()?)
}

/// Trace and whether it is sampled, of a header of version 00 or a later one, which may go on behind a dash (3.2).
fn parse(text: &str) -> Option<([u8; 16], bool)> {
    let (text, rest) = text.split_at_checked(55)?;
    let mut fields = text.split('-');
    let version = digits::<1>(fields.next()?)?;
    let id = digits::<16>(fields.next()?).filter(|id| *id != [0; 16])?;
    digits::<8>(fields.next()?).filter(|parent| *parent != [0; 8])?;
    let [flags] = digits::<1>(fields.next()?)?;
    let fits = match version {
        [0xff] => false,
        [0] => rest.is_empty(),
        _ => rest.is_empty() || rest.starts_with('-'),
    };
    (fits && fields.next().is_none()).then_some((id, flags & 1 == 1))
}

/// Lowercase hexadecimal digits.
fn digits<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.bytes().any(|b| b.is_ascii_uppercase()) {
        return None;
    }
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(bytes)
}

/// What other parties have put there, as it is; too much of it is dropped.
fn state(headers: &HeaderMap) -> Option<HeaderValue> {
    let members: Vec<&str> =
        headers.get_all(TRACESTATE).iter().filter_map(|value| value.to_str().ok()).collect();
    let joined = members.join(",");
    if joined.is_empty() || joined.len() > MAX_STATE { None } else { HeaderValue::from_str(&joined).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn only_valid_headers_are_taken() {
        let zeros = "0".repeat(32);
        let table = [
            (format!("00-{ID}-00f067aa0ba902b7-01"), true),
            (format!("00-{ID}-00f067aa0ba902b7-00"), true),
            (format!("cc-{ID}-00f067aa0ba902b7-01"), true),
            (format!("cc-{ID}-00f067aa0ba902b7-01-what-will-be"), true),
            (format!("cc-{ID}-00f067aa0ba902b7-01.what-will-be"), false),
            (format!("00-{ID}-00f067aa0ba902b7-01-more"), false),
            (format!("ff-{ID}-00f067aa0ba902b7-01"), false),
            (format!("00-{zeros}-00f067aa0ba902b7-01"), false),
            (format!("00-{ID}-0000000000000000-01"), false),
            (format!("00-{}-00f067aa0ba902b7-01", ID.to_uppercase()), false),
            (format!("00-{ID}-00f067aa0ba902b7"), false),
            (format!("00-{ID}-00f067aa0ba902b7-1"), false),
            (format!("00{ID}-00f067aa0ba902b7-01-"), false),
            (String::new(), false),
        ];
        for (text, valid) in table {
            let trace = Trace::of(&headers(&[(TRACEPARENT, &text)]));
            assert_eq!(trace.id() == ID, valid, "{text}");
            assert_ne!(hex::encode(trace.span), "00f067aa0ba902b7", "this request is a part of its own");
        }
        let twice = (TRACEPARENT, &*format!("00-{ID}-00f067aa0ba902b7-01"));
        assert_ne!(Trace::of(&headers(&[twice.clone(), twice])).id(), ID);
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

    proptest! {
        #[test]
        fn anything_is_read(text in "[ -~]{0,70}") {
            parse(&text);
        }
    }
}
