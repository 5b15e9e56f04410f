//! Favourites, the queue, what was played most, and recommendations.

use http::Method;
use serde_json::{Value, json};

use crate::plays::track;
use crate::support::{Origin, Track, origin, tags};

async fn with_songs(count: u64) -> (Origin, Vec<String>, String) {
    let origin = origin().await;
    let mut ids = Vec::new();
    for seed in 0..count {
        let song = track(seed, &format!("Song {seed:02}"), &format!("Artist {}", seed % 4));
        origin.add(&song).await;
        ids.push(song.id());
    }
    let (_, token) = origin.user("ann").await;
    (origin, ids, token)
}

fn ids(items: &[Value]) -> Vec<String> {
    items.iter().map(|item| item["song"]["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn favourites_come_go_and_are_paged() {
    let (origin, songs, ann) = with_songs(7).await;
    let put = async |method: Method, path: &str| {
        origin.as_user(method, &format!("/users/me/favourites/{path}"), &ann, &Value::Null).await
    };
    for song in &songs {
        assert_eq!(put(Method::PUT, &format!("songs/{song}")).await.status, 204);
    }
    assert_eq!(put(Method::PUT, &format!("songs/{}", songs[3])).await.status, 204, "again is fine");
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/users/me/favourites/songs?limit=3{cursor}");
        let page = origin.as_user(Method::GET, &path, &ann, &Value::Null).await.json();
        found.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    let times: Vec<&str> = found.iter().map(|it| it["added_at"].as_str().unwrap()).collect();
    assert!(times.is_sorted_by(|a, b| a >= b), "{times:?}");
    let (mut listed, mut expected) = (ids(&found), songs.clone());
    listed.sort();
    expected.sort();
    assert_eq!(listed, expected);

    let one = format!("songs/{}", songs[0]);
    let json = put(Method::GET, &one).await.json();
    assert_eq!(json["song"]["id"], json!(songs[0]));
    for _ in 0..2 {
        assert_eq!(put(Method::DELETE, &one).await.status, 204);
    }
    put(Method::GET, &one).await.assert_problem(404, "not-found");
    assert_eq!(origin.mine(&ann, "favourites/songs").await.len(), 6);

    let artist = origin.get("/artists").await.json()["items"][0]["id"].as_str().unwrap().to_owned();
    let album = origin.get("/albums").await.json()["items"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(put(Method::PUT, &format!("artists/{artist}")).await.status, 204);
    assert_eq!(put(Method::PUT, &format!("albums/{album}")).await.status, 204);
    assert_eq!(origin.mine(&ann, "favourites/artists").await[0]["artist"]["id"], json!(artist));
    assert_eq!(origin.mine(&ann, "favourites/albums").await[0]["album"]["id"], json!(album));

    for bad in ["songs/00000000000000000000000000000000", "songs/x", "things/00", &format!("albums/{artist}")]
    {
        put(Method::PUT, bad).await.assert_problem(404, "not-found");
    }
    for bad in ["x", "1", "1-", "-1", "1-zz", "99999999999999999999-00000000000000000000000000000000"] {
        put(Method::GET, &format!("songs?cursor={bad}")).await.assert_problem(400, "bad-cursor");
    }
    let (ben_id, ben) = origin.user("ben").await;
    assert_eq!(origin.mine(&ben, "favourites/songs").await, [] as [Value; 0]);
    let others = format!("/users/{ben_id}/favourites/songs");
    origin.as_user(Method::GET, &others, &ann, &Value::Null).await.assert_problem(403, "forbidden");
    let export = origin.as_user(Method::GET, "/users/me/export", &ann, &Value::Null).await.json();
    assert_eq!(export["favourites"].as_array().unwrap().len(), 8);
}

#[tokio::test]
async fn an_album_that_is_gone_leaves_the_favourites() {
    let origin = origin().await;
    origin.add(&Track::new(1, tags("One", "Ann", "Old"))).await;
    let (_, ann) = origin.user("ann").await;
    let album = origin.get("/albums").await.json()["items"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/users/me/favourites/albums/{album}");
    assert_eq!(origin.as_user(Method::PUT, &path, &ann, &Value::Null).await.status, 204);
    origin.add(&Track::new(1, tags("One", "Ann", "New"))).await;
    assert_eq!(origin.mine(&ann, "favourites/albums").await, [] as [Value; 0]);
    origin.as_user(Method::GET, &path, &ann, &Value::Null).await.assert_problem(404, "not-found");
    // The same names make the same album.
    origin.add(&Track::new(1, tags("One", "Ann", "Old"))).await;
    assert_eq!(origin.mine(&ann, "favourites/albums").await.len(), 1);
}

#[tokio::test]
async fn the_queue_is_kept_across_devices() {
    let (origin, songs, ann) = with_songs(3).await;
    let empty = origin.as_user(Method::GET, "/users/me/queue", &ann, &Value::Null).await;
    assert_eq!(empty.header("etag"), "\"v0\"");
    let nothing = json!({"songs": [], "index": 0, "position_ms": 0, "updated_at": null});
    assert_eq!(empty.json(), nothing);
    let authorization = format!("Bearer {ann}");
    let put = async |etag: &str, body: Value| {
        let headers = [("authorization", authorization.as_str()), ("if-match", etag)];
        origin.ask(Method::PUT, "/users/me/queue", &headers, body.to_string()).await
    };
    let queue = json!({"songs": songs, "index": 1, "position_ms": 1234});
    put("\"v1\"", queue.clone()).await.assert_problem(412, "stale");
    let kept = put("\"v0\"", queue.clone()).await;
    assert_eq!((kept.status.as_u16(), kept.header("etag")), (200, "\"v1\""));
    put("\"v0\"", queue.clone()).await.assert_problem(412, "stale");
    assert_eq!(put("\"v1\"", json!({"songs": songs, "index": 2})).await.header("etag"), "\"v2\"");
    assert_eq!(put("*", queue.clone()).await.header("etag"), "\"v3\"");
    let read = origin.as_user(Method::GET, "/users/me/queue", &ann, &Value::Null).await;
    assert_eq!(read.header("etag"), "\"v3\"");
    let read = read.json();
    assert_eq!(
        (&read["songs"], &read["index"], &read["position_ms"]),
        (&json!(songs), &json!(1), &json!(1234))
    );
    assert!(read["updated_at"].is_string());

    let many = |count: usize| json!({"songs": vec![&songs[0]; count]});
    assert_eq!(put("*", many(1000)).await.status, 200, "larger than other bodies");
    put("*", many(1001)).await.assert_problem(422, "invalid");
    put("*", many(2000)).await.assert_problem(413, "too-large");
    for bad in [
        json!({}),
        json!({"songs": songs, "index": 3}),
        json!({"songs": [], "index": 1}),
        json!({"songs": songs, "position_ms": u64::MAX}),
    ] {
        put("*", bad).await.assert_problem(422, "invalid");
    }
    put("*", json!({"songs": ["x"]})).await.assert_problem(400, "bad-json");
    let (_, ben) = origin.user("ben").await;
    let other = origin.as_user(Method::GET, "/users/me/queue", &ben, &Value::Null).await.json();
    assert_eq!(other, nothing);
}

#[tokio::test]
async fn the_most_and_the_last_played_are_the_own() {
    let (origin, songs, ann) = with_songs(5).await;
    let (_, ben) = origin.user("ben").await;
    for (song, times) in [(0, 1), (4, 3), (1, 2)] {
        for _ in 0..times {
            let session = origin.begin(&ann, &songs[song], &Value::Null).await;
            assert_eq!(origin.heard(&ann, &session, 9_000).await.status, 204);
        }
    }
    // Not enough to count, but the last one.
    let session = origin.begin(&ann, &songs[2], &Value::Null).await;
    origin.heard(&ann, &session, 100).await;
    for period in ["week", "month", "year", "all"] {
        let tops = origin.mine(&ann, &format!("top/songs?period={period}")).await;
        assert_eq!(ids(&tops), [&songs[4], &songs[1], &songs[0]].map(String::as_str), "{period}");
        assert_eq!((&tops[0]["plays"], &tops[0]["heard_ms"]), (&json!(3), &json!(27_000)));
    }
    assert_eq!(origin.mine(&ann, "top/songs?limit=1").await.len(), 1);
    // Songs 0 and 4 are by the same artist.
    let artists = origin.mine(&ann, "top/artists").await;
    assert_eq!(
        (artists.len(), &artists[0]["artist"]["name"], &artists[0]["plays"]),
        (2, &json!("Artist 0"), &json!(4))
    );
    let recent = origin.mine(&ann, "recent").await;
    assert_eq!(ids(&recent), [&songs[2], &songs[1], &songs[4], &songs[0]].map(String::as_str));
    assert!(recent[0]["played_at"].is_string());
    assert_eq!(origin.mine(&ann, "recent?limit=2").await.len(), 2);
    for path in ["top/songs", "top/artists", "recent"] {
        assert_eq!(origin.mine(&ben, path).await, [] as [Value; 0], "{path}");
    }
    for (path, status, slug) in [
        ("top/songs?period=day", 400, "bad-query"),
        ("top/songs?limit=101", 400, "bad-query"),
        ("recent?limit=0", 400, "bad-query"),
        ("top/albums", 404, "not-found"),
    ] {
        let answer = origin.as_user(Method::GET, &format!("/users/me/{path}"), &ann, &Value::Null).await;
        answer.assert_problem(status, slug);
    }
}

#[tokio::test]
async fn recommendations_name_their_reason() {
    let (origin, songs, ann) = with_songs(12).await;
    let (_, ben) = origin.user("ben").await;
    // Ben makes two songs popular; one of them is by an artist that Ann hears.
    for song in [songs[5].as_str(), &songs[5], &songs[4]] {
        let session = origin.begin(&ben, song, &Value::Null).await;
        assert_eq!(origin.heard(&ben, &session, 9_000).await.status, 204);
    }
    let ask = async |path: &str| {
        let path = format!("/users/me/recommendations{path}");
        let answer = origin.as_user(Method::GET, &path, &ann, &Value::Null).await.json();
        assert_eq!(answer["source"], "fallback");
        answer["items"].as_array().unwrap().clone()
    };
    let reasons = |items: &[Value]| -> Vec<String> {
        items.iter().map(|it| it["reason"].as_str().unwrap().to_owned()).collect()
    };
    let cold = ask("").await;
    assert_eq!(ids(&cold)[..2], [songs[5].as_str(), &songs[4]]);
    assert_eq!(cold.len(), 12);
    assert_eq!(reasons(&cold)[..3], ["popular", "popular", "catalog"]);

    // Artist 0 has the songs 0, 4 and 8.
    origin.begin(&ann, &songs[0], &Value::Null).await;
    let warm = ask("").await;
    assert_eq!(ids(&warm)[..3], [songs[4].as_str(), &songs[8], &songs[5]]);
    assert_eq!(reasons(&warm)[..4], ["recent-artist", "recent-artist", "popular", "catalog"]);
    let mut all = ids(&warm);
    assert_eq!(all.last(), Some(&songs[0]), "what was played lately comes last");
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 12, "each once");
    assert_eq!(ask("").await, warm, "the same again");
    assert_eq!(ask("?limit=2").await, warm[..2]);
    origin.get("/users/me/recommendations").await.assert_problem(401, "sign-in");
}
