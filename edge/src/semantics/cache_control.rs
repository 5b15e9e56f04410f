//! `Cache-Control` (RFC 9111 5.2, RFC 5861) and `CDN-Cache-Control` (RFC 9213).

/// Largest age that is told apart, seconds (RFC 9111 1.2.2).
pub const MAX_AGE: u64 = 1 << 31;

/// The directives of a response that a shared cache acts on. Times are in seconds.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct CacheControl {
    /// `no-store`
    pub no_store: bool,
    /// `no-cache`, with or without field names: a stored copy must be validated before each use.
    pub no_cache: bool,
    /// `private`, with or without field names.
    pub private: bool,
    /// `must-revalidate` or `proxy-revalidate`: stale copies are never served.
    pub must_revalidate: bool,
    /// `must-revalidate` itself: it also lets answers to authorised requests be shared (RFC 9111 3.5).
    pub binds_all: bool,
    /// `public`
    pub public: bool,
    /// `must-understand`
    pub must_understand: bool,
    /// `max-age`
    pub max_age: Option<u64>,
    /// `s-maxage`
    pub s_maxage: Option<u64>,
    /// `stale-while-revalidate`
    pub stale_while_revalidate: Option<u64>,
    /// `stale-if-error`
    pub stale_if_error: Option<u64>,
}

impl CacheControl {
    /// Reads all lines of the field; `None` when there is none with a directive in it.
    pub fn read<'a>(lines: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let mut control = Self::default();
        let mut any = false;
        for line in lines {
            for (name, value) in directives(line) {
                any = true;
                control.apply(name, value);
            }
        }
        any.then_some(control)
    }

    /// How long a shared cache may take the response for fresh; `None` when nothing says so.
    pub fn lifetime(&self) -> Option<u64> {
        if self.no_cache { Some(0) } else { self.s_maxage.or(self.max_age) }
    }

    fn apply(&mut self, name: &str, value: Option<&str>) {
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        if is("no-store") {
            self.no_store = true;
        } else if is("no-cache") {
            self.no_cache = true;
        } else if is("private") {
            self.private = true;
        } else if is("must-revalidate") || is("proxy-revalidate") {
            self.must_revalidate = true;
            self.binds_all |= is("must-revalidate");
        } else if is("public") {
            self.public = true;
        } else if is("must-understand") {
            self.must_understand = true;
        } else if is("max-age") {
            shortest(&mut self.max_age, value);
        } else if is("s-maxage") {
            shortest(&mut self.s_maxage, value);
        } else if is("stale-while-revalidate") {
            shortest(&mut self.stale_while_revalidate, value);
        } else if is("stale-if-error") {
            shortest(&mut self.stale_if_error, value);
        }
    }
}

/// Of several values the shortest counts; one that is no number counts as 0, which is stale (RFC 9111 4.2.1).
fn shortest(slot: &mut Option<u64>, value: Option<&str>) {
    let seconds = value.and_then(delta_seconds).unwrap_or(0);
    *slot = Some(slot.map_or(seconds, |before| before.min(seconds)));
}

/// Whether a request wants nothing but what is stored (RFC 9111 5.2.1.7).
pub fn only_if_cached<'a>(lines: impl IntoIterator<Item = &'a str>) -> bool {
    lines.into_iter().flat_map(directives).any(|(name, _)| name.eq_ignore_ascii_case("only-if-cached"))
}

/// Reads `delta-seconds`, cut off at [`MAX_AGE`].
pub fn delta_seconds(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().unwrap_or(MAX_AGE).min(MAX_AGE))
}

/// Splits `name[=value], ...`, where a value may be a quoted string. The quotes are taken off; escapes stay.
fn directives(line: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    let mut rest = line;
    std::iter::from_fn(move || {
        loop {
            if rest.is_empty() {
                return None;
            }
            let (item, tail) = split_item(rest);
            rest = tail;
            let (name, value) = match item.split_once('=') {
                Some((name, value)) => (name.trim(), Some(unquoted(value.trim()))),
                None => (item.trim(), None),
            };
            if !name.is_empty() {
                return Some((name, value));
            }
        }
    })
}

/// Cuts at the first comma outside of quotes.
pub(crate) fn split_item(text: &str) -> (&str, &str) {
    let (mut quoted, mut escaped) = (false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b',' if !quoted => return (&text[..at], &text[at + 1..]),
            _ => {}
        }
    }
    (text, "")
}

fn unquoted(value: &str) -> &str {
    value.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(line: &str) -> CacheControl {
        CacheControl::read([line]).unwrap_or_default()
    }

    #[test]
    fn directives_are_read() {
        let control = read("public, max-age=60, S-MaxAge=\"90\" ,stale-while-revalidate=5,stale-if-error=6");
        assert_eq!(control.lifetime(), Some(90));
        assert_eq!((control.stale_while_revalidate, control.stale_if_error), (Some(5), Some(6)));
        assert!(read("no-store").no_store && read("No-Cache=\"set-cookie, x\"").no_cache);
        assert!(read("private=\"a,no-store\"").private && !read("private=\"a,no-store\"").no_store);
        assert!(read("proxy-revalidate").must_revalidate);
        assert!(read("Must-Revalidate").binds_all && !read("proxy-revalidate").binds_all);
        assert!(read("PUBLIC, must-understand").public && read("x, must-understand").must_understand);
        assert!(
            only_if_cached(["max-age=0", "x=\"a,b\", Only-If-Cached"])
                && !only_if_cached(["x=\"only-if-cached\""])
        );
        assert_eq!(CacheControl::read([" , ,"]), None);
        assert_eq!(CacheControl::read(["max-age=5", "no-cache"]).unwrap().lifetime(), Some(0));
    }

    #[test]
    fn odd_ages_are_stale_or_capped() {
        for text in ["max-age=", "max-age", "max-age=-1", "max-age=1.5", "max-age=\"", "max-age=1 2"] {
            assert_eq!(read(text).max_age, Some(0), "{text}");
        }
        assert_eq!(read("max-age=99999999999999999999999").max_age, Some(MAX_AGE));
        assert_eq!(read("max-age=9, max-age=7").max_age, Some(7));
    }

    proptest! {
        #[test]
        fn any_line_is_read(line in "\\PC{0,80}") {
            let _ = CacheControl::read([line.as_str()]);
        }

        #[test]
        fn what_is_written_is_read(age in 0u64..MAX_AGE, shared in 0u64..MAX_AGE, store in any::<bool>()) {
            let line = format!("max-age={age},s-maxage={shared}{}", if store { "" } else { ", no-store" });
            let control = read(&line);
            prop_assert_eq!((control.max_age, control.s_maxage, control.no_store), (Some(age), Some(shared), !store));
        }
    }
}
