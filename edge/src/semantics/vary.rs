//! `Vary` (RFC 9110 12.5.5, RFC 9111 4.1): the fields of a request that select among the responses of one resource.

use http::header::{ACCEPT, ACCEPT_CHARSET, ACCEPT_ENCODING, ACCEPT_LANGUAGE, HeaderMap, HeaderName};

use super::cache_control::split_item;
use super::encoding;

/// Most selecting fields of one resource; one with more counts as [`Vary::Any`].
pub const MAX_NAMES: usize = 16;

/// What the `Vary` fields of a response say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Vary {
    /// The response is for every request.
    Nothing,
    /// `*`, or what cannot be read: no other request is known to get the same.
    Any,
    /// It is for requests that say the same in these fields. Sorted, each once.
    Fields(Vec<HeaderName>),
}

/// Reads all lines of the field.
pub fn read<'a>(lines: impl IntoIterator<Item = &'a str>) -> Vary {
    let mut names = Vec::new();
    let members = lines.into_iter().flat_map(|line| line.split(','));
    for member in members.map(str::trim).filter(|member| !member.is_empty()) {
        match HeaderName::from_bytes(member.as_bytes()) {
            Ok(name) if member != "*" => names.push(name),
            _ => return Vary::Any,
        }
    }
    match union(&names, &[]) {
        names if names.is_empty() => Vary::Nothing,
        names if names.len() > MAX_NAMES => Vary::Any,
        names => Vary::Fields(names),
    }
}

/// All names of both, sorted.
pub fn union(one: &[HeaderName], other: &[HeaderName]) -> Vec<HeaderName> {
    let mut names: Vec<HeaderName> = one.iter().chain(other).cloned().collect();
    names.sort_by(|one, other| one.as_str().cmp(other.as_str()));
    names.dedup();
    names
}

/// What a request says in these fields, in one normal form: two requests that mean the same have the same text.
pub fn selecting(names: &[HeaderName], request: &HeaderMap) -> Vec<u8> {
    let mut text = Vec::new();
    for name in names {
        text.extend_from_slice(name.as_str().as_bytes());
        // An absent field is another thing than an empty one.
        if request.contains_key(name) || name == ACCEPT_ENCODING {
            text.push(b':');
            normalise(name, request, &mut text);
        }
        text.push(b'\n');
    }
    text
}

fn normalise(name: &HeaderName, request: &HeaderMap, text: &mut Vec<u8>) {
    if name == ACCEPT_ENCODING {
        return text.extend_from_slice(encoding::offer(request).as_bytes());
    }
    let folds_case = [ACCEPT, ACCEPT_CHARSET, ACCEPT_LANGUAGE].contains(name);
    for value in request.get_all(name) {
        match value.to_str() {
            Ok(line) => members(line, folds_case, text),
            Err(_) => text.extend_from_slice(value.as_bytes()),
        }
        text.push(b',');
    }
}

/// The members of a list without the white space around them: lines of one field mean the same as one line (RFC 9110
/// 5.3).
fn members(line: &str, folds_case: bool, text: &mut Vec<u8>) {
    let mut rest = line;
    while !rest.is_empty() {
        let (member, tail) = split_item(rest);
        let member = member.trim();
        if folds_case {
            text.extend(
                member
                    .bytes()
                    .filter(|byte| !byte.is_ascii_whitespace())
                    .map(|byte| byte.to_ascii_lowercase()),
            );
        } else {
            text.extend_from_slice(member.as_bytes());
        }
        if !tail.is_empty() {
            text.push(b',');
        }
        rest = tail;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn request(fields: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        fields.iter().for_each(|(name, value)| {
            headers.append(*name, value.parse().unwrap());
        });
        headers
    }

    fn same(name: &'static str, one: &[&str], other: &[&str]) -> bool {
        let text = |values: &[&str]| {
            let fields: Vec<_> = values.iter().map(|value| (name, *value)).collect();
            selecting(&[HeaderName::from_static(name)], &request(&fields))
        };
        text(one) == text(other)
    }

    #[test]
    fn fields_are_read() {
        assert_eq!(read([]), Vary::Nothing);
        assert_eq!(read([" , ,"]), Vary::Nothing);
        for any in ["*", "accept, *", "a b", "a;b"] {
            assert_eq!(read([any]), Vary::Any, "{any}");
        }
        let Vary::Fields(names) = read(["Foo, accept", "foo,Bar"]) else { panic!() };
        assert_eq!(names, ["accept", "bar", "foo"]);
        let many: Vec<String> = (0..=MAX_NAMES).map(|n| format!("x-{n}")).collect();
        assert_eq!(read([many.join(",").as_str()]), Vary::Any);
    }

    #[test]
    fn requests_that_mean_the_same_select_the_same() {
        assert!(same("foo", &["1, 2"], &["1", "2"]));
        assert!(same("foo", &["\"a, b\",c"], &["\"a, b\" , c"]));
        assert!(same("accept-language", &["en, de;q=0.5"], &["EN,de; q=0.5"]));
        assert!(same("accept-encoding", &["gzip, br"], &["br;q=0.9", "GZIP"]));
        assert!(same("accept-encoding", &[], &["identity"]));
        for (name, one, other) in [
            ("foo", vec!["1"], vec!["2"]),
            ("foo", vec!["a"], vec!["A"]),
            ("foo", vec![], vec![""]),
            ("foo", vec!["\"a,b\""], vec!["\"a, b\""]),
            ("accept-language", vec!["en, de"], vec!["de, en"]),
            ("accept-encoding", vec!["gzip"], vec!["br"]),
        ] {
            assert!(!same(name, &one, &other), "{name} {one:?} {other:?}");
        }
    }

    proptest! {
        #[test]
        fn lines_and_lists_are_one(values in proptest::collection::vec("[a-z0-9]{1,5}", 1..6), name in "foo|accept|cookie") {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            let mut lines = HeaderMap::new();
            values.iter().for_each(|value| { lines.append(&name, value.parse().unwrap()); });
            let list = HeaderMap::from_iter([(name.clone(), values.join(" , ").parse().unwrap())]);
            let text = |request| selecting(std::slice::from_ref(&name), request);
            prop_assert_eq!(text(&lines), text(&list));
        }

        #[test]
        fn any_field_is_read(line in "\\PC{0,60}") {
            let _ = read([line.as_str()]);
        }
    }
}
