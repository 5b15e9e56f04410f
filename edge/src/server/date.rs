//! The text of `Date` (RFC 9110 6.6.1), made once a second.

use std::cell::Cell;
use std::io::Write as _;
use std::time::SystemTime;

thread_local! {
    /// The last text, and the second that it holds for.
    static TEXT: Cell<(u64, [u8; 29])> = const { Cell::new((0, [0; 29])) };
}

/// The value of `Date` now.
pub(super) fn now() -> [u8; 29] {
    let now = SystemTime::now();
    let second = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (made, mut text) = TEXT.get();
    if made != second {
        let _ = write!(&mut text[..], "{}", httpdate::HttpDate::from(now));
        TEXT.set((second, text));
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_date_is_as_long_as_it_must_be() {
        let text = String::from_utf8(super::now().to_vec()).unwrap();
        assert!(text.ends_with(" GMT") && httpdate::parse_http_date(&text).is_ok(), "{text:?}");
    }
}
