//! Two origins on one database and one Redis, and what happens when Redis goes away.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use http::{Method, StatusCode};
use redis::AsyncCommands as _;
use segue_origin::Config;
use serde_json::{Value, json};

use crate::support::{Origin, Track, eventually, memory, redis, start, tags};

/// Two origins on one database; `None`, and a word about it, where `SEGUE_TEST_REDIS` names no Redis.
async fn two(change: impl Fn(&mut Config)) -> Option<[Origin; 2]> {
    let (dir, store) = (Arc::new(tempfile::tempdir().unwrap()), memory());
    if redis(&dir).0.is_empty() {
        eprintln!("skipped: SEGUE_TEST_REDIS names no Redis");
        return None;
    }
    let one = start(dir.clone(), store.clone(), &change).await;
    Some([one, start(dir, store, &change).await])
}

impl Origin {
    async fn me(&self, token: &str) -> (StatusCode, Value) {
        let me = self.as_user(Method::GET, "/users/me", token, &Value::Null).await;
        (me.status, me.json()["role"].clone())
    }

    async fn until_unknown(&self, token: &str) {
        eventually(async || self.me(token).await.0 == 401).await;
    }

    /// What the origin says that it does without.
    async fn degraded(&self) -> Value {
        let ready = self.get("/readyz").await;
        assert_eq!(ready.status, 200, "{ready:?}");
        assert_eq!(ready.json()["status"], "ready");
        ready.json()["degraded"].clone()
    }

    /// How many more requests that address may make, after this one.
    async fn remaining(&self, from: &str) -> u64 {
        let songs = self.get_with("/songs", &[("x-forwarded-for", from)]).await;
        assert_eq!(songs.status, 200, "{songs:?}");
        let (_, rest) = songs.header("ratelimit").split_once("r=").unwrap();
        rest.split(';').next().unwrap().parse().unwrap()
    }
}

#[tokio::test]
async fn what_one_origin_revokes_no_origin_takes() {
    let Some([one, other]) = two(|_| ()).await else { return };
    let (_, admin) = one.user("ann").await;
    let (ben, token) = one.user("ben").await;
    let login = json!({"login": "ben", "password": "correct horse"}).to_string();
    let second = other.post("/users/login", login).await.json()["token"].as_str().unwrap().to_owned();
    for origin in [&one, &other] {
        assert_eq!(origin.me(&token).await, (StatusCode::OK, json!("listener")));
        assert_eq!(origin.me(&second).await.0, 200);
    }
    let role = json!({"role": "curator"});
    let set = one.as_user(Method::PUT, &format!("/users/{ben}/role"), &admin, &role).await;
    assert_eq!(set.status, 200);
    assert_eq!(one.me(&token).await.1, "curator", "at once where it was done");
    eventually(async || other.me(&token).await.1 == "curator").await;

    let new = json!({"current": "correct horse", "new": "battery staple"});
    let set = other.as_user(Method::PUT, "/users/me/password", &second, &new).await;
    assert_eq!(set.status, 204);
    assert_eq!(other.me(&token).await.0, 401);
    one.until_unknown(&token).await;
    assert_eq!(one.me(&second).await.0, 200);
    assert_eq!(one.as_user(Method::POST, "/users/logout", &second, &Value::Null).await.status, 204);
    assert_eq!(one.me(&second).await.0, 401);
    other.until_unknown(&second).await;
}

#[tokio::test]
async fn no_secret_lies_in_redis() {
    let Some([one, other]) = two(|config| config.rate_per_second = 1000).await else { return };
    let (ann, token) = one.user("ann").await;
    assert_eq!(other.me(&token).await.0, 200);
    let (address, prefix) = redis(&one.dir);
    let client = redis::Client::open(address).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let names: Vec<String> = connection.keys(format!("{prefix}*")).await.unwrap();
    assert!(names.iter().any(|name| name.contains("session:")), "{names:?}");
    let secret = &token[token.len() - 43..];
    for name in &names {
        let value: String = connection.get(name).await.unwrap();
        let lasts: i64 = connection.pttl(name).await.unwrap();
        assert!(lasts > 0, "{name} stays for ever");
        assert!(!format!("{name} {value}").contains(secret), "{name} {value}");
    }
    let values: Vec<Option<String>> = connection.mget(&names).await.unwrap();
    assert!(values.iter().flatten().any(|value| value.contains(&ann)), "{values:?}");
}

#[tokio::test]
async fn rates_and_failed_sign_ins_count_together() {
    const BURST: u32 = 60;
    let limited = |config: &mut Config| {
        config.rate_per_second = 1;
        config.rate_burst = BURST;
        config.trusted_proxies = vec!["127.0.0.1".into()];
    };
    let Some([one, other]) = two(limited).await else { return };
    one.user("ann").await;
    let guess = json!({"login": "ann", "password": "wrong password"}).to_string();
    for _ in 0..5 {
        for origin in [&one, &other] {
            origin.post("/users/login", guess.clone()).await.assert_problem(403, "wrong-password");
        }
    }
    for origin in [&one, &other] {
        origin.post("/users/login", guess.clone()).await.assert_problem(429, "too-many-attempts");
    }

    let started = std::time::Instant::now();
    let mut allowed = 0;
    for _ in 0..BURST {
        for origin in [&one, &other] {
            let answer = origin.get_with("/songs", &[("x-forwarded-for", "192.0.2.7")]).await;
            allowed += u32::from(answer.status == 200);
        }
    }
    let leaked = started.elapsed().as_secs() as u32 + 1;
    assert!((BURST..=BURST + leaked).contains(&allowed), "{allowed} of {BURST}, {leaked} more for the time");
}

#[tokio::test]
async fn a_takedown_is_noticed_by_the_other_origin() {
    let Some([one, other]) = two(|_| ()).await else { return };
    let (_, admin) = one.user("ann").await;
    let track = Track::new(1, tags("One", "Ann", "First"));
    one.add(&track).await;
    let path = format!("/songs/{}/takedown", track.id());
    let reason = json!({"reason": "a letter"});
    assert_eq!(one.as_user(Method::PUT, &path, &admin, &reason).await.status, 204);
    eventually(async || other.post(&format!("/play/{}", track.id()), "").await.status == 410).await;
}

/// A Redis of the test's own, to be hurt.
struct Server {
    folder: tempfile::TempDir,
    process: Child,
}

impl Server {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let process = Self::run(&folder);
        Self { folder, process }
    }

    fn run(folder: &tempfile::TempDir) -> Child {
        let mut command = Command::new("redis-server");
        command.args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"]);
        command.arg(Self::socket(folder)).current_dir(folder).stdout(Stdio::null());
        command.spawn().expect("redis-server is installed")
    }

    fn socket(folder: &tempfile::TempDir) -> PathBuf {
        folder.path().join("redis.sock")
    }

    fn address(&self) -> String {
        format!("redis+unix://{}", Self::socket(&self.folder).display())
    }

    fn signal(&self, name: &str) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    }

    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Two origins with a Redis of their own, up and limiting.
async fn two_on(server: &Server, timeout_ms: u64) -> Option<[Origin; 2]> {
    let address = server.address();
    let origins = two(|config| {
        config.redis.clone_from(&address);
        config.redis_timeout_ms = timeout_ms;
        config.rate_per_second = 1;
        config.rate_burst = 1000;
        config.trusted_proxies = vec!["127.0.0.1".into()];
    });
    let [one, other] = origins.await?;
    until(&[&one, &other], &json!([])).await;
    Some([one, other])
}

async fn until(origins: &[&Origin], degraded: &Value) {
    for origin in origins {
        eventually(async || origin.degraded().await == *degraded).await;
    }
}

/// How many requests the second origin allows an address that has made fifty at the first one.
async fn left_after_fifty(one: &Origin, other: &Origin, from: &str) -> u64 {
    for _ in 0..50 {
        one.remaining(from).await;
    }
    other.remaining(from).await
}

#[tokio::test]
async fn requests_go_on_while_redis_dies_and_comes_back() {
    if redis(&tempfile::tempdir().unwrap()).0.is_empty() {
        return eprintln!("skipped: SEGUE_TEST_REDIS names no Redis");
    }
    let mut server = Server::start();
    let Some([one, other]) = two_on(&server, 5000).await else { return };
    let (_, token) = one.user("ann").await;
    assert!(left_after_fifty(&one, &other, "192.0.2.1").await < 990, "counted together");

    let asking = async {
        for round in 0..200 {
            let origin = if round % 2 == 0 { &one } else { &other };
            origin.remaining("192.0.2.2").await;
            assert_eq!(origin.me(&token).await.0, 200);
        }
    };
    let dying = async {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        server.kill();
    };
    tokio::join!(asking, dying);
    until(&[&one, &other], &json!(["redis"])).await;
    assert_eq!(one.metric("segue_origin_redis_up").await, 0);
    assert!(left_after_fifty(&one, &other, "192.0.2.3").await >= 999, "each by itself");
    // A revocation still holds at once where it is done, and soon at the other.
    assert_eq!(one.as_user(Method::POST, "/users/logout", &token, &Value::Null).await.status, 204);
    assert_eq!(one.me(&token).await.0, 401);
    other.until_unknown(&token).await;

    server.process = Server::run(&server.folder);
    until(&[&one, &other], &json!([])).await;
    assert!(left_after_fifty(&one, &other, "192.0.2.4").await < 990, "counted together again");
    assert_eq!([one.me(&token).await.0, other.me(&token).await.0], [401, 401]);
}

#[tokio::test]
async fn requests_do_not_wait_for_a_redis_that_stands_still() {
    if redis(&tempfile::tempdir().unwrap()).0.is_empty() {
        return eprintln!("skipped: SEGUE_TEST_REDIS names no Redis");
    }
    let server = Server::start();
    let Some([one, other]) = two_on(&server, 50).await else { return };
    server.signal("-STOP");
    for _ in 0..20 {
        // Without a deadline these would wait for ever.
        one.remaining("192.0.2.1").await;
    }
    assert!(one.metric("segue_origin_redis_errors_total{reason=\"late\"}").await >= 1);
    until(&[&one, &other], &json!(["redis"])).await;
    server.signal("-CONT");
    until(&[&one, &other], &json!([])).await;
    assert_eq!(one.metric("segue_origin_redis_up").await, 1);
}
