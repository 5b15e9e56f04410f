//! Plays of accounts: events, reports, histories, and players that take nothing but an address.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use http::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Origin, Track, database, memory, origin, origin_with, start, tags};

/// 17 s long: half of it is less than the grace that reports have.
pub(crate) fn track(seed: u64, title: &str, artist: &str) -> Track {
    Track::new(seed, tags(title, artist, "Album"))
}

impl Origin {
    /// Starts a song; the playback session.
    pub(crate) async fn begin(&self, token: &str, song: &str, body: &Value) -> String {
        let answer = self.as_user(Method::POST, &format!("/play/{song}"), token, body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["playback_session"].as_str().unwrap().to_owned()
    }

    /// Says how much of it was heard.
    pub(crate) async fn heard(&self, token: &str, session: &str, ms: u64) -> Answer {
        let path = format!("/plays/{session}/progress");
        self.as_user(Method::POST, &path, token, &json!({"heard_ms": ms})).await
    }

    /// The items of a list that belongs to the account.
    pub(crate) async fn mine(&self, token: &str, path: &str) -> Vec<Value> {
        let answer = self.as_user(Method::GET, &format!("/users/me/{path}"), token, &Value::Null).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("cache-control")),
            (200, "private, no-cache"),
            "{answer:?}"
        );
        answer.json()["items"].as_array().unwrap().clone()
    }
}

#[tokio::test]
async fn what_was_heard_is_in_the_own_history_alone() {
    let origin = origin().await;
    let songs = [track(1, "One", "Ann"), track(2, "Two", "Ben")];
    for song in &songs {
        origin.add(song).await;
    }
    let ((_, ann), (ben_id, ben)) = (origin.user("ann").await, origin.user("ben").await);
    let first = origin.begin(&ann, &songs[0].id(), &Value::Null).await;
    let second = origin.begin(&ann, &songs[1].id(), &Value::Null).await;
    assert_eq!(origin.heard(&ann, &first, 9_000).await.status, 204);
    assert_eq!(origin.heard(&ann, &second, 3_000).await.status, 204);

    let history = origin.mine(&ann, "history").await;
    let members: Vec<_> = history[0].as_object().unwrap().keys().collect();
    assert_eq!(members, ["counted", "heard_ms", "playback_session", "song", "started_at"]);
    assert_eq!(history[0]["playback_session"], json!(second));
    assert_eq!((&history[0]["heard_ms"], &history[0]["counted"]), (&json!(3_000), &json!(false)));
    assert_eq!((&history[1]["heard_ms"], &history[1]["counted"]), (&json!(9_000), &json!(true)));
    assert_eq!(
        history[1]["song"],
        origin.get(&format!("/songs?ids={}", songs[0].id())).await.json()["items"][0]
    );

    assert_eq!(origin.mine(&ben, "history").await, [] as [Value; 0]);
    let others = format!("/users/{ben_id}/history");
    origin.as_user(Method::GET, &others, &ann, &Value::Null).await.assert_problem(403, "forbidden");
    origin.as_user(Method::DELETE, &others, &ann, &Value::Null).await.assert_problem(403, "forbidden");
    origin.get("/users/me/history").await.assert_problem(401, "sign-in");
    origin.heard(&ben, &first, 9_000).await.assert_problem(404, "not-found");
    let guest = origin.post(&format!("/plays/{first}/progress"), r#"{"heard_ms": 1}"#).await;
    guest.assert_problem(404, "not-found");

    let path = format!("/users/me/history?limit=1&cursor={second}");
    let page = origin.as_user(Method::GET, &path, &ann, &Value::Null).await.json();
    assert_eq!((&page["items"][0]["playback_session"], &page["next_cursor"]), (&json!(first), &Value::Null));
    let bad = origin.as_user(Method::GET, "/users/me/history?cursor=x", &ann, &Value::Null).await;
    bad.assert_problem(400, "bad-cursor");

    let export = origin.as_user(Method::GET, "/users/me/export", &ann, &Value::Null).await.json();
    assert_eq!(export["plays"].as_array().unwrap().len(), 2);
    let clear = origin.as_user(Method::DELETE, "/users/me/history", &ann, &Value::Null).await;
    assert_eq!(clear.status, 204);
    for path in ["history", "recent", "top/songs?period=all", "top/artists"] {
        assert_eq!(origin.mine(&ann, path).await, [] as [Value; 0], "{path}");
    }
    origin.heard(&ann, &first, 9_000).await.assert_problem(404, "not-found");
}

#[tokio::test]
async fn guests_report_what_they_started() {
    let origin = origin().await;
    let song = track(1, "One", "Ann");
    origin.add(&song).await;
    let play = origin.post(&format!("/play/{}", song.id()), "").await.json();
    let path = format!("/plays/{}/progress", play["playback_session"].as_str().unwrap());
    assert_eq!(origin.post(&path, r#"{"heard_ms": 1000, "ended": true}"#).await.status, 204);
    origin.post(&path, "").await.assert_problem(422, "invalid");
    origin.post(&path, r#"{"heard_ms": -1}"#).await.assert_problem(400, "bad-json");
    origin.post(&path, r#"{"heard_ms": 1, "x": 1}"#).await.assert_problem(400, "bad-json");
    assert_eq!(origin.post(&path, format!(r#"{{"heard_ms": {}}}"#, u64::MAX)).await.status, 204);
    for unknown in ["00000000000000000000000000000000", "nonsense"] {
        let path = format!("/plays/{unknown}/progress");
        origin.post(&path, r#"{"heard_ms": 1}"#).await.assert_problem(404, "not-found");
    }
}

#[tokio::test]
async fn repeated_events_start_one_session_and_all_outlive_a_crash() {
    let (dir, store) = (std::sync::Arc::new(tempfile::tempdir().unwrap()), memory());
    let origin = start(dir.clone(), store.clone(), |_| ()).await;
    let songs = [track(1, "One", "Ann"), track(2, "Two", "Ann")];
    for song in &songs {
        origin.add(song).await;
    }
    let (_, ann) = origin.user("ann").await;
    let id = songs[0].id();
    let play = async |n: usize| {
        let event = json!({"event_id": format!("phone_1.{}", n % 250)});
        origin.begin(&ann, &id, &event).await
    };
    let sessions = join_all((0..500).map(play)).await;
    let distinct: BTreeSet<&String> = sessions.iter().collect();
    assert_eq!(distinct.len(), 250);
    assert!((0..500).all(|n| sessions[n] == sessions[n % 250]));
    assert_eq!(origin.metric("segue_origin_plays_total").await, 250);
    let path = format!("/play/{}", songs[1].id());
    let other = origin.as_user(Method::POST, &path, &ann, &json!({"event_id": "phone_1.0"})).await;
    other.assert_problem(409, "event-used");
    for bad in ["", "a b", "\u{fc}", &"x".repeat(65)] {
        let answer = origin.as_user(Method::POST, &path, &ann, &json!({"event_id": bad})).await;
        answer.assert_problem(422, "invalid");
    }

    // No drain: as after a crash, the files are what was acknowledged.
    let crashed = std::sync::Arc::new(tempfile::tempdir().unwrap());
    let address = database(&dir).await;
    let again = if address.starts_with("postgres") {
        drop(origin);
        start(dir, store, |_| ()).await
    } else {
        for file in ["catalog.db", "catalog.db-wal"] {
            std::fs::copy(dir.path().join(file), crashed.path().join(file)).unwrap();
        }
        start(crashed, store, |_| ()).await
    };
    let again_session = again.begin(&ann, &id, &json!({"event_id": "phone_1.7"})).await;
    assert_eq!(again_session, sessions[7]);
    let mut recorded = BTreeSet::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/users/me/history?limit=200{cursor}");
        let page = again.as_user(Method::GET, &path, &ann, &Value::Null).await.json();
        for item in page["items"].as_array().unwrap() {
            assert!(recorded.insert(item["playback_session"].as_str().unwrap().to_owned()), "twice");
        }
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(recorded.iter().collect::<BTreeSet<_>>(), distinct);
}

#[tokio::test]
async fn an_address_is_all_that_some_players_take() {
    let origin = origin_with(|config| config.edges = vec!["http://{host}:9001".into()]).await;
    let song = track(1, "One", "Ann");
    origin.add(&song).await;
    let path = format!("/stream/{}?max_kbps=256", song.id());
    let answer = origin.get(&path).await;
    assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (303, "no-store"));
    let location = answer.header("location");
    assert!(location.starts_with("http://127.0.0.1:9001/v1/~"), "{location}");
    assert!(location.ends_with("/mv.m3u8"), "{location}");
    let head = origin.ask(Method::HEAD, &path, &[], "").await;
    assert_eq!(head.status, 303);
    assert_eq!(origin.metric("segue_origin_plays_total").await, 1, "looking starts nothing");
    let low = origin.get(&format!("/stream/{}?max_kbps=1", song.id())).await;
    low.assert_problem(400, "no-rendition");
    origin.get(&format!("/stream/{}?max_kbps=x", song.id())).await.assert_problem(400, "bad-query");
    origin.get("/stream/nonsense").await.assert_problem(404, "not-found");
}

#[tokio::test]
async fn an_account_that_is_erased_leaves_no_plays() {
    let origin = origin().await;
    let song = track(1, "One", "Ann");
    origin.add(&song).await;
    origin.user("ann").await;
    let (ben_id, ben) = origin.user("ben").await;
    let session = origin.begin(&ben, &song.id(), &json!({"event_id": "e"})).await;
    assert_eq!(origin.heard(&ben, &session, 9_000).await.status, 204);
    let liked = format!("/users/me/favourites/songs/{}", song.id());
    assert_eq!(origin.as_user(Method::PUT, &liked, &ben, &Value::Null).await.status, 204);
    let queue = json!({"songs": [song.id()]});
    assert_eq!(origin.as_user(Method::PUT, "/users/me/queue", &ben, &queue).await.status, 200);
    let password = json!({"password": "correct horse"});
    let path = format!("/users/{ben_id}");
    assert_eq!(origin.as_user(Method::DELETE, &path, &ben, &password).await.status, 204);

    let mut address = database(&origin.dir).await;
    if !address.starts_with("postgres") {
        address = format!("sqlite://{address}");
    }
    let pool = sqlx::AnyPool::connect(&address).await.unwrap();
    for table in ["plays", "play_events", "user_counts", "favourites", "favourite_counts", "queues"] {
        let sql = sqlx::AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
        let (left,): (i64,) = sqlx::query_as(sql).fetch_one(&pool).await.unwrap();
        assert_eq!(left, 0, "{table}");
    }
    let (counted,): (i64,) =
        sqlx::query_as("SELECT plays FROM play_counts WHERE kind = 'song'").fetch_one(&pool).await.unwrap();
    assert_eq!(counted, 1, "counts name nobody");
}
