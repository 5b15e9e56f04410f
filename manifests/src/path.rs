//! Request paths of strangers: normalised once, refused when they play tricks.

use std::borrow::Cow;

use memchr::{memchr, memchr_iter};

/// Longest path that is looked at, in bytes.
pub const MAX_PATH: usize = 8 * 1024;

/// Why a path is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// Longer than [`MAX_PATH`].
    #[error("path: longer than {MAX_PATH} bytes")]
    TooLong,
    /// Does not begin with a slash.
    #[error("path: does not begin with a slash")]
    Relative,
    /// A `.` or `..` segment, plain or encoded.
    #[error("path: has a dot segment")]
    DotSegment,
    /// An empty segment (`//`).
    #[error("path: has an empty segment")]
    EmptySegment,
    /// An encoded slash or backslash, or a plain backslash.
    #[error("path: has an encoded separator or a backslash")]
    Separator,
    /// A percent sign that is not an encoding, or that survives decoding (double encoding).
    #[error("path: percent-encoding is broken or doubled")]
    Encoding,
    /// Control, non-ASCII or otherwise unexpected bytes.
    #[error("path: has bytes outside of visible ASCII")]
    Bytes,
}

impl PathError {
    /// Stable reason code for metrics and error bodies.
    pub fn code(self) -> &'static str {
        match self {
            Self::TooLong => "path-too-long",
            Self::Relative => "path-relative",
            Self::DotSegment => "path-dot-segment",
            Self::EmptySegment => "path-empty-segment",
            Self::Separator => "path-separator",
            Self::Encoding => "path-encoding",
            Self::Bytes => "path-bytes",
        }
    }
}

/// Decodes unreserved characters (RFC 3986 6.2.2.2), keeps other encodings with uppercase digits, and refuses
/// whatever could mean two paths: dot segments, empty segments, encoded separators, double encoding.
///
/// The query must be cut off before. A path that needs no change is borrowed.
///
/// # Errors
/// A [`PathError`] that names the trick.
pub fn normalise(raw: &str) -> Result<Cow<'_, str>, PathError> {
    if raw.len() > MAX_PATH {
        return Err(PathError::TooLong);
    }
    if !raw.starts_with('/') {
        return Err(PathError::Relative);
    }
    // Without an early end the compiler looks at many bytes at once.
    if !raw.bytes().fold(true, |all, b| all & b.is_ascii_graphic()) {
        return Err(PathError::Bytes);
    }
    if memchr(b'\\', raw.as_bytes()).is_some() {
        return Err(PathError::Separator);
    }
    let is_encoded = memchr(b'%', raw.as_bytes()).is_some();
    let path = if is_encoded { Cow::Owned(decode(raw)?) } else { Cow::Borrowed(raw) };
    check_segments(path.as_bytes())?;
    Ok(path)
}

fn decode(raw: &str) -> Result<String, PathError> {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let digits = rest.get(at + 1..at + 3).ok_or(PathError::Encoding)?;
        let mut byte = [0u8];
        hex::decode_to_slice(digits, &mut byte).map_err(|_| PathError::Encoding)?;
        match byte[0] {
            b'/' | b'\\' => return Err(PathError::Separator),
            b'%' => return Err(PathError::Encoding),
            b if b < 0x20 || b == 0x7f => return Err(PathError::Bytes),
            b if b.is_ascii_alphanumeric() || b"-._~".contains(&b) => out.push(char::from(b)),
            b => out.push_str(&format!("%{b:02X}")),
        }
        rest = &rest[at + 3..];
    }
    out.push_str(rest);
    Ok(out)
}

fn check_segments(path: &[u8]) -> Result<(), PathError> {
    let mut start = 1;
    for slash in memchr_iter(b'/', &path[1..]).map(|at| at + 1) {
        match &path[start..slash] {
            b"." | b".." => return Err(PathError::DotSegment),
            b"" => return Err(PathError::EmptySegment),
            _ => start = slash + 1,
        }
    }
    // Behind a trailing slash there is an empty one, which is fine.
    if matches!(&path[start..], b"." | b"..") { Err(PathError::DotSegment) } else { Ok(()) }
}

/// Takes the token out of `/v1/~<token>/rest`: the token, and `/v1/rest`, which is the cache key.
/// A path without a token comes back as it is.
pub fn split_token(path: &str) -> (Option<&str>, Cow<'_, str>) {
    let Some(rest) = path.strip_prefix("/v1/~") else { return (None, Cow::Borrowed(path)) };
    match memchr(b'/', rest.as_bytes()) {
        Some(slash) => (Some(&rest[..slash]), Cow::Owned(["/v1", &rest[slash..]].concat())),
        None => (Some(rest), Cow::Borrowed("/v1/")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tricks_are_refused_by_name() {
        use PathError as E;
        let table = [
            ("", E::Relative),
            ("v1", E::Relative),
            ("/a/../b", E::DotSegment),
            ("/a/%2e%2E/b", E::DotSegment),
            ("/a/.", E::DotSegment),
            ("/a//b", E::EmptySegment),
            ("//a", E::EmptySegment),
            ("/a%2fb", E::Separator),
            ("/a%5Cb", E::Separator),
            ("/a\\b", E::Separator),
            ("/a%252e", E::Encoding),
            ("/a%2", E::Encoding),
            ("/a%zz", E::Encoding),
            ("/a%+1", E::Encoding),
            ("/a%é1", E::Bytes),
            ("/a%00", E::Bytes),
            ("/a b", E::Bytes),
            ("/\u{e9}", E::Bytes),
        ];
        for (raw, error) in table {
            assert_eq!(normalise(raw), Err(error), "{raw}");
        }
        assert_eq!(normalise(&format!("/{}", "a".repeat(MAX_PATH))), Err(E::TooLong));
    }

    #[test]
    fn harmless_paths_pass() {
        assert!(matches!(normalise("/v1/a/x.m4s"), Ok(Cow::Borrowed("/v1/a/x.m4s"))));
        assert_eq!(normalise("/%7Euser/%c3%a9").unwrap(), "/~user/%C3%A9");
        assert_eq!(normalise("/").unwrap(), "/");
        assert_eq!(normalise("/a/").unwrap(), "/a/");
    }

    #[test]
    fn tokens_come_out() {
        assert_eq!(split_token("/v1/~tok/a/x"), (Some("tok"), "/v1/a/x".into()));
        assert_eq!(split_token("/v1/~tok"), (Some("tok"), "/v1/".into()));
        assert_eq!(split_token("/v1/a/x"), (None, "/v1/a/x".into()));
    }

    proptest! {
        #[test]
        fn normalising_is_idempotent_and_safe(raw in "/[ -~]{0,60}") {
            if let Ok(path) = normalise(&raw) {
                let again = normalise(&path);
                prop_assert_eq!(again.as_deref(), Ok(&*path));
                prop_assert!(!path.contains("//") && !path.split('/').any(|s| s == ".."));
            }
        }
    }
}
