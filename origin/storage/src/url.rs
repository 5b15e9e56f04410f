//! Which store a URL means.

use std::path::PathBuf;
use std::sync::Arc;

use percent_encoding::percent_decode_str;

use crate::error::{Error, ErrorKind};
use crate::{Folder, Memory, RetryPolicy, Retrying, S3, S3Options, StorageRef};

/// A store's address, read but not opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// `file:///dir`, or a plain path.
    Folder(PathBuf),
    /// `s3://bucket/prefix?endpoint=https://host&region=…&path-style=true`; all parameters are optional.
    S3(S3Options),
    /// `memory:`, a new empty store each time.
    Memory,
}

/// Opens the store at `url` (see [`Location`]), with retries and deadlines.
///
/// A folder is made when it is not there. A bucket must exist; it is not contacted yet. Credentials come from
/// the usual chain (environment, profile, instance), never from the URL.
///
/// # Errors
/// For a URL that means no store, and for a folder that cannot be made.
pub async fn open(url: &str) -> Result<StorageRef, Error> {
    let store: StorageRef = match Location::parse(url)? {
        Location::Folder(path) => Arc::new(Folder::open(path).await?),
        Location::S3(options) => Arc::new(S3::open(options).await?),
        Location::Memory => Arc::new(Memory::new()),
    };
    Ok(Arc::new(Retrying::new(store, RetryPolicy::default())))
}

/// The same for a store that is only read: a folder must be there already.
///
/// # Errors
/// As [`open`], and [`ErrorKind::NotFound`] for a folder that does not exist.
pub async fn open_existing(url: &str) -> Result<StorageRef, Error> {
    if let Location::Folder(path) = Location::parse(url)?
        && matches!(tokio::fs::metadata(&path).await, Err(error) if error.kind() == std::io::ErrorKind::NotFound)
    {
        let place = format!("folder open {}", path.display());
        let reason = "there is no such folder; correct the address, or publish something into it first";
        return Err(Error::new(ErrorKind::NotFound, place, reason));
    }
    open(url).await
}

impl Location {
    /// Reads a store's URL.
    ///
    /// # Errors
    /// [`ErrorKind::Other`], saying what is wrong with it and what would be right.
    pub fn parse(url: &str) -> Result<Self, Error> {
        if url == "memory:" {
            return Ok(Location::Memory);
        }
        match url.split_once("://") {
            Some(("s3", rest)) => s3(rest).map(Location::S3),
            Some(("file", rest)) => folder(rest).map(Location::Folder),
            Some((scheme, _)) if is_scheme(scheme) => wrong(&format!(
                "stores of the kind {scheme} are not known; use file:///dir, s3://bucket or memory:"
            )),
            _ if url.is_empty() || url.contains('\0') => wrong("it is empty or has a zero byte"),
            _ if url.starts_with("file:") || url.starts_with("s3:") => {
                wrong("two slashes are missing after the colon; write file:///dir or s3://bucket")
            }
            _ => Ok(Location::Folder(PathBuf::from(url))),
        }
    }
}

fn is_scheme(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

fn folder(rest: &str) -> Result<PathBuf, Error> {
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    if !path.starts_with('/') {
        return wrong("a file URL needs an absolute path and no host; write file:///dir");
    }
    if path.contains(['?', '#']) {
        return wrong("a file URL has no parameters; write %3F for a question mark and %23 for a hash");
    }
    let path = decode(path)?;
    match path.contains('\0') {
        true => wrong("it has a zero byte"),
        false => Ok(PathBuf::from(path)),
    }
}

fn s3(rest: &str) -> Result<S3Options, Error> {
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
    if bucket.contains(['@', ':']) {
        return wrong(
            "credentials do not belong into a URL; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        );
    }
    let mut options = S3Options::new(bucket);
    options.prefix = decode(prefix.trim_end_matches('/'))?;
    let mut path_style = None;
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let value = decode(value)?;
        match name {
            "endpoint" => options = options.at(value),
            "region" => options.region = Some(value),
            "path-style" => path_style = Some(flag(&value)?),
            _ => return wrong(&format!("{name} is no parameter; there are endpoint, region and path-style")),
        }
    }
    options.path_style = path_style.unwrap_or(options.path_style);
    options.check()?;
    Ok(options)
}

fn flag(value: &str) -> Result<bool, Error> {
    match value {
        "" | "true" => Ok(true),
        "false" => Ok(false),
        _ => wrong("path-style is either true or false"),
    }
}

fn decode(text: &str) -> Result<String, Error> {
    match percent_decode_str(text).decode_utf8() {
        Ok(decoded) => Ok(decoded.into_owned()),
        Err(_) => wrong("its percent-encoding is not UTF-8"),
    }
}

/// The URL itself is not repeated: it could hold credentials that do not belong there.
fn wrong<T>(reason: &str) -> Result<T, Error> {
    Err(Error::new(ErrorKind::Other, "store URL", reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders() {
        let cases = [
            ("file:///srv/store", "/srv/store"),
            ("file://localhost/srv", "/srv"),
            ("file:///srv/a%20b%3F", "/srv/a b?"),
            ("/srv/a%20b", "/srv/a%20b"),
            ("store", "store"),
            ("./s3", "./s3"),
            ("音楽", "音楽"),
        ];
        for (url, path) in cases {
            assert_eq!(Location::parse(url).unwrap(), Location::Folder(path.into()), "{url}");
        }
    }

    #[test]
    fn buckets() {
        let parsed = |url: &str| match Location::parse(url).unwrap() {
            Location::S3(options) => options,
            other => panic!("{url}: {other:?}"),
        };
        assert_eq!(parsed("s3://music"), S3Options::new("music"));
        assert_eq!(parsed("s3://music/"), S3Options::new("music"));
        let full = parsed("s3://music/live/store/?endpoint=http%3A%2F%2Flocalhost:9000&region=garage");
        assert_eq!(full.prefix, "live/store");
        assert_eq!(full.endpoint.as_deref(), Some("http://localhost:9000"));
        assert_eq!(full.region.as_deref(), Some("garage"));
        assert!(full.path_style, "compatible servers get path-style addresses unless told otherwise");
        assert!(!parsed("s3://music?path-style=false&endpoint=https://s3.example.org").path_style);
        assert!(parsed("s3://music?path-style=true").path_style);
    }

    #[tokio::test]
    async fn readers_do_not_make_folders() {
        let dir = tempfile::tempdir().unwrap();
        let missing = dir.path().join("typo");
        let error = open_existing(missing.to_str().unwrap()).await.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.to_string().contains("typo") && !missing.exists(), "{error}");
        open(missing.to_str().unwrap()).await.unwrap();
        open_existing(missing.to_str().unwrap()).await.unwrap();
    }

    #[tokio::test]
    async fn files_are_no_stores() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for url in [file.path().to_path_buf(), file.path().join("below")] {
            let error = open(url.to_str().unwrap()).await.err().unwrap().to_string();
            assert!(error.contains("is a file, not a folder"), "{error}");
        }
    }

    #[test]
    fn wrong_urls_say_what_would_be_right() {
        let cases = [
            ("", "empty"),
            ("gs://bucket", "file:///dir, s3://bucket or memory:"),
            ("s3://", "bucket"),
            ("s3:music", "slashes"),
            ("file:/srv", "slashes"),
            ("s3://name:word@bucket", "credentials"),
            ("s3://music/../x", "object path"),
            ("s3://music?endpoint=localhost:9000", "http://"),
            ("s3://music?path-style=maybe", "true or false"),
            ("s3://music?colour=red", "no parameter"),
            ("s3://music/%ff", "UTF-8"),
            ("file://host/srv", "no host"),
            ("file:///srv?x=1", "no parameters"),
            ("file:///a%00b", "zero byte"),
        ];
        for (url, hint) in cases {
            let message = Location::parse(url).unwrap_err().to_string();
            assert!(message.contains(hint), "{url}: {message}");
            assert!(!message.contains("word"), "{message}");
        }
    }
}
