//! Playlists over HTTP: alone, together, and at their limits.

use std::sync::Arc;

use http::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Origin, Track, database, origin, tags};

const NIL: Value = Value::Null;

impl Origin {
    /// Puts songs named 0, 1, 2... into the catalog: their identifiers.
    pub(crate) async fn songs(&self, count: u64) -> Vec<String> {
        let mut ids = Vec::new();
        for seed in 0..count {
            let track = Track::with_segments(seed, tags(&seed.to_string(), "Ann", "First"), &[46]);
            self.add(&track).await;
            ids.push(track.id());
        }
        ids
    }

    /// Makes a playlist: its path.
    pub(crate) async fn playlist(&self, token: &str, body: Value) -> String {
        let made = self.as_user(Method::POST, "/playlists", token, &body).await;
        assert_eq!(made.status, 201, "{made:?}");
        made.header("location").to_owned()
    }

    /// Adds songs: the entries.
    pub(crate) async fn put_songs(&self, token: &str, path: &str, body: Value) -> Vec<String> {
        let added = self.as_user(Method::POST, &format!("{path}/songs"), token, &body).await;
        assert_eq!(added.status, 201, "{added:?}");
        texts(&added.json()["entries"])
    }

    /// The titles in order, page by page.
    pub(crate) async fn order(&self, token: &str, path: &str, limit: u32) -> String {
        let mut titles = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = format!("{path}/songs?limit={limit}&cursor={cursor}");
            let page = self.as_user(Method::GET, &page, token, &NIL).await;
            assert_eq!(page.status, 200, "{page:?}");
            let page = page.json();
            let items = page["items"].as_array().unwrap();
            titles.extend(items.iter().map(|it| it["song"]["title"].as_str().unwrap().to_owned()));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => return titles.join(" "),
            }
        }
    }

    async fn with_match(&self, method: Method, path: &str, token: &str, etag: &str, body: &Value) -> Answer {
        let headers = [("authorization", &*format!("Bearer {token}")), ("if-match", etag)];
        self.ask(method, path, &headers, if body.is_null() { String::new() } else { body.to_string() }).await
    }
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_playlist_is_made_filled_ordered_and_deleted() {
    let origin = origin().await;
    let songs = origin.songs(4).await;
    let (ann, token) = origin.user("ann").await;
    let made = origin.as_user(Method::POST, "/playlists", &token, &json!({"name": " Über Mix "})).await;
    assert_eq!((made.status.as_u16(), made.header("etag")), (201, "\"v1\""));
    let path = made.header("location").to_owned();
    let shown = made.json();
    let at = shown["created_at"].clone();
    assert_eq!(
        shown,
        json!({
            "id": path.strip_prefix("/playlists/").unwrap(), "name": "Über Mix", "description": "",
            "visibility": "private", "owner": {"id": ann, "username": "ann", "name": "ann"}, "song_count": 0,
            "duration_ms": 0, "cover": null, "snapshot": "v1", "editable": true, "created_at": at, "updated_at": at,
        })
    );
    let entries = origin.put_songs(&token, &path, json!({"songs": songs})).await;
    assert_eq!(origin.order(&token, &path, 1).await, "0 1 2 3");
    let again = json!({"songs": [songs[3], songs[0]], "before": entries[1]});
    let more = origin.put_songs(&token, &path, again).await;
    assert_eq!(origin.order(&token, &path, 4).await, "0 3 0 1 2 3");
    let moves = format!("{path}/moves");
    let moved = json!({"entries": [entries[3], more[0]], "before": entries[0]});
    assert_eq!(origin.as_user(Method::POST, &moves, &token, &moved).await.json(), json!({"snapshot": "v4"}));
    assert_eq!(origin.order(&token, &path, 200).await, "3 3 0 0 1 2");
    let moved = json!({"entries": [entries[0]], "before": null});
    assert_eq!(origin.as_user(Method::POST, &moves, &token, &moved).await.status, 200);
    assert_eq!(origin.order(&token, &path, 2).await, "3 3 0 1 2 0");

    let entry = origin.as_user(Method::GET, &format!("{path}/songs?limit=1"), &token, &NIL).await.json();
    let entry = &entry["items"][0];
    assert_eq!((&entry["entry_id"], &entry["added_by"]), (&json!(entries[3]), &json!(ann)));
    assert_eq!(entry["song"], origin.get(&format!("/songs?ids={}", songs[3])).await.json()["items"][0]);

    let gone = format!("{path}/entries/{}", entries[3]);
    assert_eq!(origin.as_user(Method::DELETE, &gone, &token, &NIL).await.header("etag"), "\"v6\"");
    origin.as_user(Method::DELETE, &gone, &token, &NIL).await.assert_problem(404, "not-found");
    let all_of_it = format!("{path}/songs/{}", songs[0]);
    assert_eq!(
        origin.as_user(Method::DELETE, &all_of_it, &token, &NIL).await.json(),
        json!({"snapshot": "v7"})
    );
    assert_eq!(origin.order(&token, &path, 2).await, "3 1 2");
    let now = origin.as_user(Method::GET, &path, &token, &NIL).await.json();
    let length = origin.get(&format!("/songs/{}", songs[0])).await.json()["duration_ms"].as_u64().unwrap();
    assert_eq!((now["song_count"].as_u64(), now["duration_ms"].as_u64()), (Some(3), Some(3 * length)));

    assert_eq!(origin.as_user(Method::DELETE, &path, &token, &NIL).await.status, 204);
    origin.as_user(Method::GET, &path, &token, &NIL).await.assert_problem(404, "not-found");
    origin.get("/songs").await.titles();
}

#[tokio::test]
async fn snapshots_guard_and_validate() {
    let origin = origin().await;
    let songs = origin.songs(1).await;
    let (_, token) = origin.user("ann").await;
    let path = origin.playlist(&token, json!({"name": "Mix", "visibility": "public"})).await;
    let first = origin.get(&path).await;
    assert_eq!(
        (first.header("cache-control"), first.json()["editable"].as_bool()),
        ("private, no-cache", Some(false))
    );
    let etag = first.header("etag").to_owned();
    let known = origin.get_with(&path, &[("if-none-match", &etag)]).await;
    assert_eq!((known.status.as_u16(), known.body.len()), (304, 0));
    let entry = origin.put_songs(&token, &path, json!({"songs": songs})).await.remove(0);
    assert_eq!(origin.get_with(&path, &[("if-none-match", &etag)]).await.status, 200);

    let (adding, moving) = (json!({"songs": songs}), json!({"entries": [entry]}));
    let writes = [
        (Method::PATCH, path.clone(), json!({"name": "Other"})),
        (Method::POST, format!("{path}/songs"), adding),
        (Method::POST, format!("{path}/moves"), moving),
        (Method::DELETE, format!("{path}/songs/{}", songs[0]), NIL),
        (Method::DELETE, format!("{path}/entries/{entry}"), NIL),
        (Method::DELETE, path.clone(), NIL),
    ];
    for (method, target, body) in &writes {
        let stale = origin.with_match(method.clone(), target, &token, &etag, body).await;
        stale.assert_problem(412, "stale");
    }
    let mut etag = origin.get(&path).await.header("etag").to_owned();
    for (method, target, body) in &writes[..4] {
        let done = origin.with_match(method.clone(), target, &token, &etag, body).await;
        assert!(done.status.is_success(), "{method} {target}: {done:?}");
        etag = done.header("etag").to_owned();
    }
    assert_eq!(origin.get(&path).await.json()["snapshot"], "v6");
}

#[tokio::test]
async fn who_sees_and_who_may() {
    let origin = origin().await;
    let songs = origin.songs(2).await;
    let (_, ann) = origin.user("ann").await;
    let (ben_id, ben) = origin.user("ben").await;
    let (_, cem) = origin.user("cem").await;
    let path = origin.playlist(&ann, json!({"name": "Mix"})).await;
    let entry = origin.put_songs(&ann, &path, json!({"songs": [songs[0]]})).await.remove(0);
    let list = format!("{path}/songs");
    let others = format!("{path}/collaborators");
    // What is private does not exist for others, whatever they try.
    let writes = [
        (Method::PATCH, path.clone(), json!({"name": "x"})),
        (Method::DELETE, path.clone(), NIL),
        (Method::POST, list.clone(), json!({"songs": songs})),
        (Method::POST, format!("{path}/moves"), json!({"entries": [entry]})),
        (Method::DELETE, format!("{path}/entries/{entry}"), NIL),
        (Method::PUT, format!("{others}/{ben_id}"), NIL),
        (Method::GET, others.clone(), NIL),
    ];
    for (method, target, body) in &writes {
        origin.as_user(method.clone(), target, &cem, body).await.assert_problem(404, "not-found");
        origin.ask(method.clone(), target, &[], "").await.assert_problem(401, "sign-in");
    }
    origin.get(&path).await.assert_problem(404, "not-found");
    origin.get(&list).await.assert_problem(404, "not-found");

    let invite = format!("{others}/{ben_id}");
    assert_eq!(origin.as_user(Method::PUT, &invite, &ann, &NIL).await.json(), json!({"snapshot": "v3"}));
    assert_eq!(origin.as_user(Method::PUT, &invite, &ann, &NIL).await.json(), json!({"snapshot": "v3"}));
    origin.as_user(Method::PUT, &format!("{others}/me"), &ann, &NIL).await.assert_problem(422, "invalid");
    let nobody = format!("{others}/{}", "0".repeat(32));
    origin.as_user(Method::PUT, &nobody, &ann, &NIL).await.assert_problem(404, "not-found");
    origin.put_songs(&ben, &path, json!({"songs": [songs[1]]})).await;
    let seen = origin.as_user(Method::GET, &path, &ben, &NIL).await.json();
    assert_eq!((&seen["editable"], &seen["owner"]["username"]), (&json!(true), &json!("ann")));
    let listed = origin.as_user(Method::GET, "/users/me/playlists", &ben, &NIL).await.json();
    assert_eq!(listed["items"], json!([seen]));
    let both = origin.as_user(Method::GET, &others, &ben, &NIL).await.json();
    assert_eq!(both["items"][0]["username"], "ben");
    for (method, target, body) in [&writes[0], &writes[1], &writes[5]] {
        origin.as_user(method.clone(), target, &ben, body).await.assert_problem(403, "forbidden");
    }

    let public = json!({"visibility": "unlisted"});
    assert_eq!(origin.as_user(Method::PATCH, &path, &ann, &public).await.status, 200);
    assert_eq!(origin.get(&path).await.json()["editable"], false);
    assert_eq!(origin.order(&cem, &path, 9).await, "0 1");
    for (method, target, body) in &writes {
        origin.as_user(method.clone(), target, &cem, body).await.assert_problem(403, "forbidden");
    }
    assert_eq!(origin.as_user(Method::DELETE, &format!("{others}/me"), &ben, &NIL).await.status, 200);
    origin
        .as_user(Method::POST, &list, &ben, &json!({"songs": songs}))
        .await
        .assert_problem(403, "forbidden");
    let listed = origin.as_user(Method::GET, "/users/me/playlists", &ben, &NIL).await.json();
    assert_eq!(listed, json!({"items": [], "next_cursor": null}));
}

#[tokio::test]
async fn lists_show_what_is_public() {
    let origin = origin().await;
    let (ann, token) = origin.user("ann").await;
    for (name, visibility) in
        [("Blaue Stunde", "public"), ("Äther", "public"), ("Secret blau", "private"), ("By link", "unlisted")]
    {
        origin.playlist(&token, json!({"name": name, "visibility": visibility})).await;
    }
    assert_eq!(origin.get("/playlists").await.titles(), ["Äther", "Blaue Stunde"]);
    assert_eq!(origin.get("/playlists?name=a").await.titles(), ["Äther"]);
    assert_eq!(origin.get("/playlists?name=BLAU").await.titles(), ["Blaue Stunde"]);
    assert_eq!(origin.walk("/playlists?limit=1", async |_| ()).await.len(), 2);
    let of = format!("/users/{ann}/playlists");
    assert_eq!(origin.get(&of).await.titles(), ["Äther", "Blaue Stunde"], "the newest first");
    assert_eq!(origin.walk(&format!("{of}?limit=1"), async |_| ()).await.len(), 2);
    let own = origin.as_user(Method::GET, &of, &token, &NIL).await;
    assert_eq!(own.titles(), ["By link", "Secret blau", "Äther", "Blaue Stunde"]);
    let page = origin.as_user(Method::GET, &format!("{of}?limit=3"), &token, &NIL).await.json();
    let next = format!("{of}?cursor={}", page["next_cursor"].as_str().unwrap());
    assert_eq!(origin.as_user(Method::GET, &next, &token, &NIL).await.titles(), ["Blaue Stunde"]);
    origin.get(&next).await.assert_problem(400, "bad-cursor");
    origin.get("/users/me/playlists").await.assert_problem(401, "sign-in");
    origin.get(&format!("/users/{}/playlists", "0".repeat(32))).await.assert_problem(404, "not-found");

    // Names are found as they are now.
    let path = origin.playlist(&token, json!({"name": "Morgen", "visibility": "public"})).await;
    origin.as_user(Method::PATCH, &path, &token, &json!({"name": "Abend"})).await;
    assert!(origin.get("/playlists?name=morgen").await.titles().is_empty());
    assert_eq!(origin.get("/playlists?name=abend").await.titles(), ["Abend"]);
    origin.as_user(Method::PATCH, &path, &token, &json!({"visibility": "private"})).await;
    assert!(origin.get("/playlists?name=abend").await.titles().is_empty());
}

#[tokio::test]
async fn what_cannot_be_taken_is_named() {
    let origin = origin().await;
    let songs = origin.songs(1).await;
    let (_, token) = origin.user("ann").await;
    let path = origin.playlist(&token, json!({"name": "Mix"})).await;
    let long = "x".repeat(2001);
    for body in [json!({}), json!({"name": " "}), json!({"name": "x".repeat(101)}), json!({"name": "a\u{7}"})]
    {
        origin.as_user(Method::POST, "/playlists", &token, &body).await.assert_problem(422, "invalid");
    }
    for body in [json!({"description": long}), json!({"description": "a\u{7}b"})] {
        origin.as_user(Method::PATCH, &path, &token, &body).await.assert_problem(422, "invalid");
    }
    for body in [json!({"visibility": "all"}), json!({"owner": "x"}), json!({"name": 7})] {
        origin.as_user(Method::PATCH, &path, &token, &body).await.assert_problem(400, "bad-json");
    }
    let list = format!("{path}/songs");
    let unknown = "f".repeat(32);
    let answer = origin.as_user(Method::POST, &list, &token, &json!({"songs": [songs[0], unknown]})).await;
    answer.assert_problem(422, "unknown-songs");
    assert!(answer.json()["detail"].as_str().unwrap().contains(&unknown), "{answer:?}");
    assert_eq!(origin.as_user(Method::GET, &path, &token, &NIL).await.json()["song_count"], 0);
    for body in [json!({}), json!({"songs": []}), json!({"songs": vec![&songs[0]; 501]})] {
        origin.as_user(Method::POST, &list, &token, &body).await.assert_problem(422, "invalid");
    }
    let nowhere = json!({"songs": songs, "before": unknown});
    origin.as_user(Method::POST, &list, &token, &nowhere).await.assert_problem(422, "unknown-entries");
    let entries = origin.put_songs(&token, &path, json!({"songs": [songs[0], songs[0]]})).await;
    let moves = format!("{path}/moves");
    for (body, slug) in [
        (json!({"entries": [entries[0], entries[0]]}), "invalid"),
        (json!({"entries": [entries[0]], "before": entries[0]}), "invalid"),
        (json!({"entries": [entries[0], unknown]}), "unknown-entries"),
        (json!({"entries": [entries[0]], "before": unknown}), "unknown-entries"),
    ] {
        origin.as_user(Method::POST, &moves, &token, &body).await.assert_problem(422, slug);
    }
    assert_eq!(origin.order(&token, &path, 9).await, "0 0");
    for cursor in ["x", "W10"] {
        let page = format!("{list}?cursor={cursor}");
        origin.as_user(Method::GET, &page, &token, &NIL).await.assert_problem(400, "bad-cursor");
    }
}

#[tokio::test]
async fn a_playlist_holds_ten_thousand_and_no_more() {
    let origin = origin().await;
    let songs = origin.songs(2).await;
    let (_, token) = origin.user("ann").await;
    let path = origin.playlist(&token, json!({"name": "Mix"})).await;
    let mut last = String::new();
    for _ in 0..20 {
        last = origin.put_songs(&token, &path, json!({"songs": vec![&songs[0]; 500]})).await.remove(499);
    }
    let more = json!({"songs": [songs[1]]});
    origin.as_user(Method::POST, &format!("{path}/songs"), &token, &more).await.assert_problem(409, "full");
    let gone = format!("{path}/entries/{last}");
    assert_eq!(origin.as_user(Method::DELETE, &gone, &token, &NIL).await.status, 200);
    origin.put_songs(&token, &path, more).await;
    let order = origin.order(&token, &path, 200).await;
    assert_eq!((order.len(), order.ends_with("0 1")), (19_999, true));
    let all = format!("{path}/songs/{}", songs[0]);
    assert_eq!(origin.as_user(Method::DELETE, &all, &token, &NIL).await.status, 200);
    assert_eq!(origin.order(&token, &path, 9).await, "1");
}

#[tokio::test]
async fn fifty_at_once_lose_nothing() {
    let origin = Arc::new(origin().await);
    let songs = origin.songs(50).await;
    let (_, token) = origin.user("ann").await;
    let path = origin.playlist(&token, json!({"name": "Mix"})).await;
    let first = origin.put_songs(&token, &path, json!({"songs": [songs[0]]})).await.remove(0);
    let adding: Vec<_> = songs
        .iter()
        .enumerate()
        .map(|(at, song)| {
            // Some at the end, some all before the same entry.
            let body = if at % 2 == 0 {
                json!({"songs": [song, song]})
            } else {
                json!({"songs": [song, song], "before": first})
            };
            let (origin, token, path) = (Arc::clone(&origin), token.clone(), path.clone());
            tokio::spawn(async move { origin.put_songs(&token, &path, body).await })
        })
        .collect();
    for task in adding {
        assert_eq!(task.await.unwrap().len(), 2);
    }
    let now = origin.as_user(Method::GET, &path, &token, &NIL).await.json();
    assert_eq!((&now["song_count"], &now["snapshot"]), (&json!(101), &json!("v52")));
    let order = origin.order(&token, &path, 7).await;
    let order: Vec<&str> = order.split(' ').collect();
    assert_eq!(order.len(), 101);
    // What was added together stands together.
    let at = 50;
    assert!(
        order[..at].chunks(2).chain(order[at + 1..].chunks(2)).all(|pair| pair[0] == pair[1]),
        "{order:?}"
    );
}

#[tokio::test]
async fn songs_and_accounts_that_go_take_their_traces_along() {
    let origin = origin().await;
    let songs = origin.songs(2).await;
    let (_, ann) = origin.user("ann").await;
    let (ben_id, ben) = origin.user("ben").await;
    let path = origin.playlist(&ann, json!({"name": "Mix"})).await;
    let bens = origin.playlist(&ben, json!({"name": "Ben's", "visibility": "public"})).await;
    origin.put_songs(&ben, &bens, json!({"songs": songs})).await;
    let invite = format!("{path}/collaborators/{ben_id}");
    assert_eq!(origin.as_user(Method::PUT, &invite, &ann, &NIL).await.status, 200);
    origin.put_songs(&ben, &path, json!({"songs": [songs[0], songs[1], songs[0]]})).await;
    let export = origin.as_user(Method::GET, "/users/me/export", &ben, &NIL).await.json();
    assert_eq!(export["playlists"][0]["name"], "Ben's");

    let password = json!({"password": "correct horse"});
    assert_eq!(origin.as_user(Method::DELETE, "/users/me", &ben, &password).await.status, 204);
    origin.get(&bens).await.assert_problem(404, "not-found");
    let entries = origin.as_user(Method::GET, &format!("{path}/songs"), &ann, &NIL).await.json();
    assert_eq!((entries["items"].as_array().unwrap().len(), &entries["items"][0]["added_by"]), (3, &NIL));

    let pool = sqlx::AnyPool::connect(&address(&origin).await).await.unwrap();
    let id: Vec<u8> = (0..16).map(|at| u8::from_str_radix(&songs[1][at * 2..][..2], 16).unwrap()).collect();
    sqlx::query("UPDATE songs SET duration_ms = duration_ms + 1000 WHERE id = $1")
        .bind(&id)
        .execute(&pool)
        .await
        .unwrap();
    let length = origin.get(&format!("/songs/{}", songs[0])).await.json()["duration_ms"].as_u64().unwrap();
    let now = origin.as_user(Method::GET, &path, &ann, &NIL).await.json();
    assert_eq!(now["duration_ms"].as_u64(), Some(3 * length + 1000));
    sqlx::query("DELETE FROM songs WHERE id = $1").bind(&id).execute(&pool).await.unwrap();
    let now = origin.as_user(Method::GET, &path, &ann, &NIL).await.json();
    assert_eq!((now["song_count"].as_u64(), now["duration_ms"].as_u64()), (Some(2), Some(2 * length)));
    assert_eq!(origin.order(&ann, &path, 9).await, "0 0");
}

#[tokio::test]
async fn going_to_and_fro_keeps_order_and_positions_short() {
    let origin = origin().await;
    let songs = origin.songs(3).await;
    let (_, token) = origin.user("ann").await;
    let path = origin.playlist(&token, json!({"name": "Mix"})).await;
    let mut order = origin.put_songs(&token, &path, json!({"songs": songs})).await;
    for turn in 0..300 {
        // The outer ones in turn between the other two: the same gap is halved again and again.
        let moved = order.remove(if turn % 2 == 0 { 0 } else { 2 });
        let body = json!({"entries": [moved], "before": order[1]});
        let answer = origin.as_user(Method::POST, &format!("{path}/moves"), &token, &body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        order.insert(1, moved);
    }
    let page = origin.as_user(Method::GET, &format!("{path}/songs"), &token, &NIL).await.json();
    let now: Vec<&str> =
        page["items"].as_array().unwrap().iter().map(|it| it["entry_id"].as_str().unwrap()).collect();
    assert_eq!(now, order);
    let pool = sqlx::AnyPool::connect(&address(&origin).await).await.unwrap();
    let longest: (i64,) =
        sqlx::query_as("SELECT CAST(MAX(length(position)) AS BIGINT) FROM playlist_entries")
            .fetch_one(&pool)
            .await
            .unwrap();
    assert!(longest.0 <= 200, "{longest:?}");
}

async fn address(origin: &Origin) -> String {
    let address = database(&origin.dir).await;
    if address.starts_with("postgres") { address } else { format!("sqlite://{address}") }
}
