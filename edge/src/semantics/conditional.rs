//! Validators and the conditions that name them (RFC 9110 8.8, 13).

use std::time::SystemTime;

use super::cache_control::split_item;

/// Whether an `If-None-Match` field names the entity tag: weak comparison, `*` names any (RFC 9110 13.1.2).
pub fn none_match_names(field: &str, etag: &str) -> bool {
    if field.trim() == "*" {
        return true;
    }
    let mut rest = field;
    while !rest.is_empty() {
        let (item, tail) = split_item(rest);
        rest = tail;
        let item = item.trim();
        if is_tag(item) && opaque(item) == opaque(etag) {
            return true;
        }
    }
    false
}

/// Whether an `If-Range` field holds for the representation: a strong entity tag, or exactly the date of its
/// last modification (RFC 9110 13.1.5).
pub fn if_range_holds(field: &str, etag: Option<&str>, last_modified: Option<&str>) -> bool {
    let field = field.trim();
    if field.starts_with("W/") {
        return false;
    }
    if field.starts_with('"') {
        return etag.is_some_and(|etag| !etag.starts_with("W/") && etag == field);
    }
    last_modified.is_some_and(|date| date == field && date_of(field).is_some())
}

/// Whether the representation is no newer than an `If-Modified-Since` field (RFC 9110 13.1.3). A date that
/// cannot be read counts as absent.
pub fn not_modified_since(field: &str, last_modified: Option<&str>) -> bool {
    let (Some(since), Some(modified)) = (date_of(field), last_modified.and_then(date_of)) else {
        return false;
    };
    modified <= since
}

/// Reads an HTTP date in any of its three forms (RFC 9110 5.6.7).
pub fn date_of(text: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(text).ok()
}

/// The entity tag of another coding of the same representation: `"abc"` becomes `"abc-gzip"`.
pub fn coded_tag(etag: &str, coding: &str) -> Option<String> {
    Some(format!("{}-{coding}\"", is_tag(etag).then(|| etag.strip_suffix('"'))??))
}

fn is_tag(text: &str) -> bool {
    let inner = opaque(text);
    inner.len() >= 2 && inner.starts_with('"') && inner.ends_with('"')
}

fn opaque(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn none_match() {
        for field in ["*", " * ", "\"a\"", "W/\"a\"", "\"b\", \"a\"", "\"b,\\\"\", W/\"a\" ,", "\"x\",,\"a\""]
        {
            assert!(none_match_names(field, "\"a\""), "{field}");
            assert!(none_match_names(field, "W/\"a\""), "{field}");
        }
        for field in ["", "a", "\"b\"", "\"A\"", "\"b, a\"", "\""] {
            assert!(!none_match_names(field, "\"a\""), "{field}");
        }
    }

    #[test]
    fn if_range() {
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert!(if_range_holds("\"a\"", Some("\"a\""), None));
        assert!(!if_range_holds("W/\"a\"", Some("W/\"a\""), None));
        assert!(!if_range_holds("\"a\"", Some("\"b\""), None));
        assert!(if_range_holds(date, None, Some(date)));
        assert!(!if_range_holds("yesterday", None, Some("yesterday")));
        assert!(!if_range_holds("Sun, 06 Nov 1994 08:49:38 GMT", None, Some(date)));
    }

    #[test]
    fn modified_since() {
        let date = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        assert!(not_modified_since("Sun, 06 Nov 1994 08:49:37 GMT", date));
        assert!(not_modified_since("Sunday, 06-Nov-94 08:49:38 GMT", date));
        assert!(!not_modified_since("Sun, 06 Nov 1994 08:49:36 GMT", date));
        assert!(!not_modified_since("soon", date));
        assert!(!not_modified_since("Sun, 06 Nov 1994 08:49:37 GMT", None));
    }

    #[test]
    fn coded_tags() {
        assert_eq!(coded_tag("\"a\"", "gzip").as_deref(), Some("\"a-gzip\""));
        assert_eq!(coded_tag("W/\"a\"", "gzip").as_deref(), Some("W/\"a-gzip\""));
        assert_eq!(coded_tag("a", "gzip"), None);
    }

    proptest! {
        #[test]
        fn any_field_is_read(field in "\\PC{0,60}", tag in "(W/)?\"[a-z]{0,4}\"") {
            let _ = none_match_names(&field, &tag);
            let _ = if_range_holds(&field, Some(&tag), Some(&field));
            let _ = not_modified_since(&field, Some(&field));
        }

        #[test]
        fn listed_tags_are_found(before in "[a-z,]{0,5}", tag in "[a-z,]{0,5}") {
            let field = format!("\"{before}\", \"{tag}\"");
            let quoted = format!("\"{tag}\"");
            prop_assert!(none_match_names(&field, &quoted));
        }
    }
}
