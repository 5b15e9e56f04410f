//! The S3 backend against a real server: what the contract suite does not reach.
#![allow(clippy::unwrap_used)] // helpers of tests are tests too

mod support;

use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use segue_storage::{ErrorKind, RetryPolicy, Retrying, S3, S3Credentials, S3Options, Storage, open};
use support::{ACCESS_KEY, BUCKET, S3Server, SECRET_KEY, noise, paths, read};

const TYPE: &str = "audio/mp4";

#[tokio::test]
async fn prefixes_do_not_see_each_other() {
    let server = S3Server::start().await;
    let (one, other) = (server.store("store").await, server.store("storeroom").await);
    one.put("a", "one".into(), TYPE).await.unwrap();
    other.put("a", "other".into(), TYPE).await.unwrap();
    other.put("b", "other".into(), TYPE).await.unwrap();
    assert_eq!(paths(&one, "").await.unwrap(), ["a"]);
    assert_eq!(read(&one, "a").await.unwrap(), b"one");
    assert_eq!(one.head("b").await.unwrap_err().kind(), ErrorKind::NotFound);
    let all = server.store("").await;
    assert_eq!(paths(&all, "").await.unwrap(), ["store/a", "storeroom/a", "storeroom/b"]);
}

#[tokio::test]
async fn a_path_that_only_the_prefix_makes_too_long_is_refused() {
    let server = S3Server::start().await;
    let store = server.store("a/b").await;
    let path = vec!["x".repeat(250); 4].join("/");
    let longer = format!("{path}/{}", "y".repeat(20));
    assert_eq!(store.get(&longer, None).await.unwrap_err().kind(), ErrorKind::Path);
    assert_eq!(store.get(&path, None).await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn wrong_credentials_and_buckets_are_told_apart() {
    let server = S3Server::start().await;
    let credentials = S3Credentials { access_key_id: ACCESS_KEY.into(), secret_access_key: "wrong".into() };
    let options = S3Options { credentials: Some(credentials), ..server.options() };
    let store = S3::open(options).await.unwrap();
    let error = store.put("a", "x".into(), TYPE).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied, "{error}");
    assert!(!format!("{error:?}").contains("wrong"), "no secrets in errors");

    let store = S3::open(S3Options { bucket: "nothere".into(), ..server.options() }).await.unwrap();
    let error = paths(&store, "").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Other, "{error}");
    assert!(error.to_string().contains("bucket does not exist"), "{error}");
}

#[tokio::test]
async fn nobody_listening_is_unavailable_and_retried_until_the_end() {
    let vacated = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let credentials = S3Credentials { access_key_id: "a".into(), secret_access_key: "b".into() };
    let options = S3Options::new(BUCKET).at(format!("http://{vacated}"));
    let store = S3::open(S3Options { credentials: Some(credentials), ..options }).await.unwrap();
    let error = store.head("a").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");

    let policy = RetryPolicy { attempts: 3, first_pause: Duration::from_millis(1), ..RetryPolicy::default() };
    let store = Retrying::new(std::sync::Arc::new(store), policy);
    assert_eq!(store.head("a").await.unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(paths(&store, "").await.unwrap_err().kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn small_objects_take_one_request_and_large_ones_one_per_part() {
    let server = S3Server::start().await;
    let store = S3::open(S3Options { part_bytes: 5 << 20, ..server.options() }).await.unwrap();
    store.put("small", noise(10 << 20, 1).into(), TYPE).await.unwrap();
    assert_eq!(server.requests(), 1);
    let large = noise((10 << 20) + 1, 2);
    store.put("large", large.clone().into(), TYPE).await.unwrap();
    assert_eq!(server.requests(), 1 + 1 + 3 + 1, "begin, three parts, complete");
    assert!(read(&store, "large").await.unwrap() == large);
}

/// A server that fails the first `times` requests whose query has `part`, with `status`.
async fn failing(part: &'static str, times: u64, status: u16) -> S3Server {
    let left = AtomicU64::new(times);
    let take = move || left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
    S3Server::start_with_fault(move |_, query| (query.contains(part) && take().is_ok()).then_some(status))
        .await
}

#[tokio::test]
async fn a_part_that_fails_is_sent_again_alone() {
    let server = failing("partNumber=2", 2, 503).await;
    let store = S3::open(S3Options { part_bytes: 5 << 20, ..server.options() }).await.unwrap();
    let content = noise(11 << 20, 1);
    store.put("large", content.clone().into(), TYPE).await.unwrap();
    assert_eq!(server.requests(), 1 + 3 + 2 + 1);
    assert!(read(&store, "large").await.unwrap() == content);
}

#[tokio::test]
async fn a_failed_large_upload_is_given_up() {
    for (broken, status, kind) in [
        ("partNumber=2", 403, ErrorKind::Denied),
        ("partNumber=3", 507, ErrorKind::Full),
        ("partNumber=1", 500, ErrorKind::Unavailable),
    ] {
        let server = failing(broken, u64::MAX, status).await;
        let store = S3::open(S3Options { part_bytes: 5 << 20, ..server.options() }).await.unwrap();
        let error = store.put("large", noise(11 << 20, 1).into(), TYPE).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert_eq!(server.open_uploads(), [""; 0], "given up before the error arrives");
        assert_eq!(paths(&store, "").await.unwrap(), [""; 0]);
    }
}

#[tokio::test]
async fn a_page_that_fails_is_asked_for_again() {
    let server = failing("list-type=2", 2, 500).await;
    let store = server.store("").await;
    store.put("a", "x".into(), TYPE).await.unwrap();
    assert_eq!(paths(&store, "").await.unwrap(), ["a"]);
}

#[tokio::test]
async fn a_cancelled_large_upload_is_given_up() {
    let server = S3Server::start().await;
    let store = S3::open(S3Options { part_bytes: 5 << 20, ..server.options() }).await.unwrap();
    let content = noise(60 << 20, 1);
    let mut put = store.put("large", content.into(), TYPE);
    while server.open_uploads().is_empty() {
        assert!(
            tokio::time::timeout(Duration::from_millis(1), &mut put).await.is_err(),
            "too fast to cancel"
        );
    }
    drop(put);
    server.no_open_uploads().await;
    assert_eq!(paths(&store, "").await.unwrap(), [""; 0]);
}

/// Credentials and region from the environment, everything else from the URL. The environment of a test
/// process cannot be changed safely, so this one runs itself again.
#[tokio::test]
async fn opens_by_url_with_credentials_from_the_environment() {
    const URL: &str = "SEGUE_STORAGE_TEST_URL";
    let test = "opens_by_url_with_credentials_from_the_environment";
    if let Ok(url) = std::env::var(URL) {
        let store = open(&url).await.unwrap();
        store.put("by/url", "x".into(), TYPE).await.unwrap();
        assert_eq!(read(&*store, "by/url").await.unwrap(), b"x");
        return;
    }
    let server = S3Server::start().await;
    let url = format!("s3://{BUCKET}/deep/store?endpoint={}", server.endpoint);
    let run = |key: &'static str| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", test]).env(URL, &url);
        command.env("AWS_ACCESS_KEY_ID", key).env("AWS_SECRET_ACCESS_KEY", SECRET_KEY);
        // A machine without certificate authorities must do for plain HTTP.
        command.env("AWS_EC2_METADATA_DISABLED", "true").env("SSL_CERT_FILE", "/dev/null");
        command.env("SSL_CERT_DIR", "/nonexistent");
        tokio::task::spawn_blocking(move || command.output().unwrap())
    };
    let done = run(ACCESS_KEY).await.unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
    assert!(server.bucket().join("deep/store/by/url").exists());
    assert!(!run("somebody-else").await.unwrap().status.success());
}
