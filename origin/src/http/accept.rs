//! Whether a client takes gzip (RFC 9110 12.5.3).

use http::HeaderMap;
use http::header::ACCEPT_ENCODING;

/// Whether gzip is named, or everything is, without being ruled out.
pub(crate) fn accepts_gzip(headers: &HeaderMap) -> bool {
    let mut named = None;
    let mut any = None;
    for value in headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok()) {
        for member in value.split(',') {
            let (coding, weight) = member.split_once(';').unwrap_or((member, ""));
            match coding.trim() {
                name if name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip") => {
                    named = Some(wanted(weight));
                }
                "*" => any = Some(wanted(weight)),
                _ => {}
            }
        }
    }
    named.or(any).unwrap_or(false)
}

/// A weight of zero rules out.
fn wanted(weight: &str) -> bool {
    let value = weight.trim().trim_start_matches(['q', 'Q']).trim_start().trim_start_matches('=').trim();
    value.parse::<f32>().map_or(true, |weight| weight > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn gzip_is_taken_when_named_and_not_ruled_out() {
        let table = [
            ("gzip", true),
            ("deflate, GZIP;q=0.5", true),
            ("*", true),
            ("*;q=0", false),
            ("gzip;q=0, *", false),
            ("gzip; q = 0.0", false),
            ("br", false),
            ("identity", false),
            ("", false),
        ];
        for (value, expected) in table {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(value));
            assert_eq!(accepts_gzip(&headers), expected, "{value}");
        }
        assert!(!accepts_gzip(&HeaderMap::new()));
    }
}
