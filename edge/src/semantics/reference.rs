//! URI references of upstreams and players (RFC 3986 5.2), as far as they lead to another path of the same host.

/// The path, and query, that `reference` leads to from `base`, a path with or without query; without fragment and dot
/// segments. `None` where it names a scheme or a host, or leads above the root.
pub fn join(base: &str, reference: &str) -> Option<String> {
    let reference = reference.split('#').next()?;
    if reference.contains("://") || reference.starts_with("//") {
        return None;
    }
    let (path, query) = match reference.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (reference, None),
    };
    let (base_path, base_query) = match base.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (base, None),
    };
    let (path, query) = match path {
        "" => (base_path.to_owned(), query.or(base_query)),
        absolute if absolute.starts_with('/') => (without_dots(absolute)?, query),
        relative => (without_dots(&format!("{}{relative}", &base_path[..=base_path.rfind('/')?]))?, query),
    };
    Some(query.map_or_else(|| path.clone(), |query| format!("{path}?{query}")))
}

/// RFC 3986 5.2.4, of a path that begins with a slash.
fn without_dots(path: &str) -> Option<String> {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.strip_prefix('/')?.split('/').peekable();
    while let Some(segment) = segments.next() {
        match segment {
            "." => {}
            ".." => drop(kept.pop()?),
            segment => kept.push(segment),
        }
        // A dot segment at the end names the folder.
        if segments.peek().is_none() && matches!(segment, "." | "..") {
            kept.push("");
        }
    }
    Some(format!("/{}", kept.join("/")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn references_are_joined() {
        for (reference, joined) in [
            ("/x?y#z", "/x?y"),
            ("x", "/a/x"),
            ("./x?y", "/a/x?y"),
            ("../x", "/x"),
            ("../c/./d/../e", "/c/e"),
            ("..", "/"),
            ("?r", "/a/b?r"),
            ("", "/a/b?q"),
            ("#z", "/a/b?q"),
            ("/a/../x", "/x"),
        ] {
            assert_eq!(join("/a/b?q", reference).as_deref(), Some(joined), "{reference}");
        }
    }

    #[test]
    fn what_leads_elsewhere_is_not() {
        for reference in ["http://them/x", "//them/x", "../../x", "/..", "x/../../../y"] {
            assert_eq!(join("/a/b?q", reference), None, "{reference}");
        }
        for base in ["*", "a/b", "\u{b8a2}:///"] {
            assert_eq!(join(base, "x"), None, "{base}");
        }
    }

    proptest! {
        #[test]
        fn any_reference_is_read(base in "/\\PC{0,30}", reference in "\\PC{0,30}") {
            if let Some(joined) = join(&base, &reference) {
                prop_assert!(joined.starts_with('/'));
            }
        }
    }
}
