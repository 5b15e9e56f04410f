//! Which paths name objects: the same rule in every backend, so that what works in one works in all.

use crate::error::{Error, ErrorKind};

/// Longest object path in bytes of UTF-8: the limit of S3.
pub const MAX_PATH_BYTES: usize = 1024;
/// Longest part between two slashes in bytes of UTF-8: the limit of common file systems.
pub const MAX_SEGMENT_BYTES: usize = 255;

/// Name of the folder backend's working folder; no object may lie there in any backend.
pub(crate) const RESERVED_SEGMENT: &str = ".segue-tmp";

/// Checks that `path` names an object: relative, `/` between non-empty parts, no `.` or `..`, no control
/// characters and no backslashes, at most [`MAX_PATH_BYTES`] and [`MAX_SEGMENT_BYTES`] for each part.
///
/// # Errors
/// [`ErrorKind::Path`], saying which rule is broken.
pub fn check_path(path: &str) -> Result<(), Error> {
    let broken = if path.is_empty() {
        Some("it is empty")
    } else if path.len() > MAX_PATH_BYTES {
        Some("it is longer than 1024 bytes")
    } else {
        path.split('/').enumerate().find_map(|(n, segment)| broken_segment(n, segment))
    };
    refuse(path, broken)
}

/// Checks a listing prefix: empty, or the beginning of a valid path, which may end anywhere, also in `/`.
///
/// # Errors
/// [`ErrorKind::Path`], saying which rule is broken.
pub fn check_prefix(prefix: &str) -> Result<(), Error> {
    let (parents, last) = prefix.rsplit_once('/').unwrap_or(("", prefix));
    if !parents.is_empty() {
        check_path(parents)?;
    }
    let broken = if prefix.starts_with('/') {
        Some("it begins with a slash")
    } else if prefix.len() > MAX_PATH_BYTES {
        Some("it is longer than 1024 bytes")
    } else {
        broken_text(last)
    };
    refuse(prefix, broken)
}

fn refuse(path: &str, broken: Option<&'static str>) -> Result<(), Error> {
    match broken {
        None => Ok(()),
        Some(broken) => {
            let shown: String = path.chars().take(80).collect();
            Err(Error::new(
                ErrorKind::Path,
                format!("path {shown:?}"),
                format!("not an object path: {broken}"),
            ))
        }
    }
}

fn broken_segment(n: usize, segment: &str) -> Option<&'static str> {
    match segment {
        "" if n == 0 => Some("it begins with a slash"),
        "" => Some("a part of it is empty"),
        "." | ".." => Some("it has a . or .. part"),
        RESERVED_SEGMENT if n == 0 => Some("the name is reserved for files being written"),
        _ => broken_text(segment),
    }
}

fn broken_text(segment: &str) -> Option<&'static str> {
    if segment.len() > MAX_SEGMENT_BYTES {
        Some("a part of it is longer than 255 bytes")
    } else if segment.contains('\\') {
        Some("it has a backslash")
    } else if segment.chars().any(char::is_control) {
        Some("it has a control character")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn accepts_what_stores_can_hold() {
        let long = "é".repeat(127);
        for path in
            ["a", "a/b/c.mp4", ".hidden", "...", "a b", "音楽/曲.mp4", "a/.segue-tmp", "%2e%2e", &long]
        {
            check_path(path).unwrap();
            check_prefix(path).unwrap();
        }
    }

    #[test]
    fn refuses_escapes_and_odd_bytes() {
        let (long, deep) = ("a".repeat(256), "a/".repeat(512) + "a");
        let wrong = [
            "",
            "/",
            "/a",
            "a/",
            "a//b",
            ".",
            "..",
            "../a",
            "a/..",
            "a/../b",
            "a/./b",
            "a\0b",
            "a\nb",
            "a\\b",
            ".segue-tmp",
            ".segue-tmp/x",
            &long,
            &deep,
        ];
        for path in wrong {
            assert_eq!(check_path(path).unwrap_err().kind(), ErrorKind::Path, "{path:?}");
        }
    }

    #[test]
    fn prefixes_may_end_anywhere_but_not_escape() {
        for prefix in ["", "a", "a/", "a/b", "a/.", "a/.."] {
            check_prefix(prefix).unwrap();
        }
        for prefix in ["/", "/a", "../", "a/../b", "a//", "a//b", "\0", "a/\0"] {
            assert_eq!(check_prefix(prefix).unwrap_err().kind(), ErrorKind::Path, "{prefix:?}");
        }
    }

    proptest! {
        #[test]
        fn accepted_paths_stay_below_their_root(path in "\\PC{0,40}") {
            if check_path(&path).is_ok() {
                let joined = std::path::Path::new("/root").join(&path);
                let normal = joined.components().skip(1).all(|part| matches!(part, std::path::Component::Normal(_)));
                prop_assert!(normal && joined.starts_with("/root"));
            }
        }

        #[test]
        fn every_beginning_of_a_path_is_a_prefix(path in "[a-c.é]{1,3}(/[a-c.é]{1,3}){0,3}") {
            if check_path(&path).is_ok() {
                for (end, _) in path.char_indices() {
                    prop_assert!(check_prefix(&path[..end]).is_ok(), "{}", &path[..end]);
                }
            }
        }
    }
}
