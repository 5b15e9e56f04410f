//! Curators set what tags do not say; it stays, whatever the tags say later, until it is withdrawn.

use http::Method;
use segue_manifests::Tags;
use serde_json::{Value, json};

use crate::support::{Answer, Origin, Track, origin, tags};

struct Curation {
    origin: Origin,
    token: String,
}

async fn curation() -> Curation {
    let origin = origin().await;
    let (_, token) = origin.user("root").await;
    Curation { origin, token }
}

impl Curation {
    async fn ask(&self, method: Method, path: &str, body: Value) -> Answer {
        self.origin.as_user(method, path, &self.token, &body).await
    }

    async fn patch(&self, path: &str, body: Value) -> Answer {
        self.ask(Method::PATCH, path, body).await
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.origin.get(path).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    async fn audited(&self, act: &str, object: &str, detail: &str) {
        let audit = self.ask(Method::GET, "/audit?limit=1", Value::Null).await.json();
        let last = &audit["items"][0];
        assert_eq!(
            (&last["act"], &last["object"], &last["detail"]),
            (&json!(act), &json!(object), &json!(detail))
        );
    }
}

#[tokio::test]
async fn what_is_set_for_a_song_survives_its_tags() {
    let it = curation().await;
    it.origin.add(&Track::new(1, tags("One", "Ann feat. Ben", "First"))).await;
    it.origin.add(&Track::new(2, tags("Two", "Ann", "First"))).await;
    let id = Track::new(1, Tags::default()).id();
    let path = format!("/songs/{id}");
    let change =
        json!({"title": "Uno", "artist": "Cid (feat. Dan)", "track_number": 7, "isrc": "us-rc1-76-07839"});
    let answer = it.patch(&path, change).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let song = answer.json();
    assert_eq!(
        (&song["title"], &song["artist"]["name"], &song["isrc"]),
        (&json!("Uno"), &json!("Cid"), &json!("USRC17607839"))
    );
    assert_eq!(
        (&song["artist_credit"], &song["credits"][1]["role"]),
        (&json!("Cid (feat. Dan)"), &json!("featured"))
    );
    assert_eq!(song["edited"], json!(["title", "artist", "track_number", "isrc"]));
    assert_eq!(song["album"]["title"], "First", "the album is where the tags say");
    it.audited("edit-song", &id, "title, artist, track_number, isrc").await;
    assert_eq!(
        it.origin.get("/artists").await.titles(),
        ["Ann", "Cid", "Dan"],
        "Ben is credited nowhere any more"
    );

    // The same file again, and one with other tags.
    it.origin.add(&Track::new(1, tags("One", "Ann feat. Ben", "First"))).await;
    it.origin.add(&Track::new(1, tags("Eins", "Eve", "Second"))).await;
    let song = it.get(&path).await;
    assert_eq!((&song["title"], &song["artist"]["name"]), (&json!("Uno"), &json!("Cid")));
    assert_eq!(song["album"]["title"], "Second", "the rest follows the tags");
    let song = it.patch(&path, json!({"title": null, "artist": null, "isrc": null})).await.json();
    assert_eq!(
        (&song["title"], &song["artist"]["name"], &song["isrc"]),
        (&json!("Eins"), &json!("Eve"), &Value::Null)
    );
    assert_eq!(song["edited"], json!(["track_number"]));
}

#[tokio::test]
async fn only_curators_and_only_what_was_seen() {
    let it = curation().await;
    it.origin.add(&Track::new(1, tags("One", "Ann", "First"))).await;
    let (_, listener) = it.origin.user("ann").await;
    let path = format!("/songs/{}", Track::new(1, Tags::default()).id());
    let body = json!({"title": "Uno"});
    it.origin.as_user(Method::PATCH, &path, &listener, &body).await.assert_problem(403, "forbidden");
    it.origin.ask(Method::PATCH, &path, &[], body.to_string()).await.assert_problem(401, "sign-in");
    let seen = it.origin.get(&path).await.header("etag").to_owned();
    let authorization = format!("Bearer {}", it.token);
    let change = async |etag: &str, title: &str| {
        let headers = [("authorization", authorization.as_str()), ("if-match", etag)];
        it.origin.ask(Method::PATCH, &path, &headers, json!({"title": title}).to_string()).await
    };
    let changed = change(&seen, "Uno").await;
    assert_eq!(changed.status, 200);
    assert_eq!(changed.header("etag"), it.origin.get(&path).await.header("etag"));
    change(&seen, "Eins").await.assert_problem(412, "stale");
    for (member, value) in [
        ("title", json!("")),
        ("title", json!(" x")),
        ("title", json!("a\nb")),
        ("title", json!("x".repeat(501))),
        ("artist", json!("\u{301}")),
        ("album_id", json!("no")),
        ("album_id", json!("0".repeat(32))),
        ("track_number", json!(0)),
        ("disc_number", json!(10_000)),
        ("isrc", json!("x")),
    ] {
        it.patch(&path, json!({member: value})).await.assert_problem(422, "invalid");
    }
    it.patch(&path, json!({"rev": "x"})).await.assert_problem(400, "bad-json");
    it.patch(&format!("/songs/{}", "0".repeat(32)), json!({})).await.assert_problem(404, "not-found");
    assert_eq!(it.ask(Method::PUT, &format!("{path}/takedown"), json!({})).await.status, 204);
    it.patch(&path, json!({"title": "x"})).await.assert_problem(410, "taken-down");
}

#[tokio::test]
async fn an_album_is_made_filled_renamed_and_deleted() {
    let it = curation().await;
    for (seed, title) in [(1, "One"), (2, "Two")] {
        it.origin.add(&Track::new(seed, tags(title, "Ann", "First"))).await;
    }
    let made = it
        .ask(Method::POST, "/albums", json!({"title": "Best of", "artist": "Ann & Ben", "date": "2026-05"}))
        .await;
    assert_eq!(made.status, 201, "{made:?}");
    let album = made.json()["id"].as_str().unwrap().to_owned();
    let path = format!("/albums/{album}");
    assert_eq!(made.header("location"), path);
    it.audited("make-album", &album, "Best of").await;
    assert_eq!(it.origin.get("/albums").await.titles(), ["Best of", "First"], "also while it is empty");
    it.ask(Method::POST, "/albums", json!({"title": "x"})).await.assert_problem(422, "invalid");
    it.patch(&path, json!({"title": null})).await;

    let song = |seed| format!("/songs/{}", Track::new(seed, Tags::default()).id());
    for seed in [1, 2] {
        let placed = it.patch(&song(seed), json!({"album_id": album, "track_number": 3 - seed})).await;
        assert_eq!(placed.status, 200, "{placed:?}");
    }
    assert_eq!(it.origin.get("/albums").await.titles(), ["Best of"], "the other one is empty and gone");
    assert_eq!(it.origin.get(&format!("{path}/songs")).await.titles(), ["Two", "One"]);

    // Importing it again does not move the songs back.
    it.origin.add(&Track::new(1, tags("One!", "Ann", "First"))).await;
    let renamed = it.patch(&path, json!({"title": "The best", "artist": "Ben"})).await.json();
    assert_eq!((&renamed["id"], &renamed["song_count"]), (&json!(album), &json!(2)));
    assert_eq!(renamed["edited"], json!(["title", "artist"]));
    it.patch(&path, json!({"title": null})).await.assert_problem(409, "no-tags");

    let listener = it.origin.user("ann").await.1;
    it.origin.as_user(Method::DELETE, &path, &listener, &Value::Null).await.assert_problem(403, "forbidden");
    assert_eq!(it.ask(Method::DELETE, &path, Value::Null).await.status, 204);
    it.audited("delete-album", &album, "The best").await;
    it.origin.get(&path).await.assert_problem(404, "not-found");
    assert_eq!(it.get(&song(1)).await["album"], Value::Null, "a single now");
    assert_eq!(it.origin.get("/artists").await.titles(), ["Ann"]);
    let back = it.patch(&song(1), json!({"album_id": null})).await.json();
    assert_eq!(back["album"]["title"], "First", "back to what the tags say");
    it.ask(Method::DELETE, &path, Value::Null).await.assert_problem(404, "not-found");
}

#[tokio::test]
async fn a_renamed_album_keeps_its_songs_and_takes_new_ones() {
    let it = curation().await;
    it.origin.add(&Track::new(1, tags("One", "Ann", "First"))).await;
    let album = it.get("/albums").await["items"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/albums/{album}");
    let renamed = it.patch(&path, json!({"title": "Debut", "date": "1999"})).await;
    assert_eq!(renamed.status, 200, "{renamed:?}");
    it.origin.add(&Track::new(2, tags("Two", "Ann", "First"))).await;
    it.origin.add(&Track::new(1, Tags { date: "2001".into(), ..tags("One", "Ann", "First") })).await;
    let shown = it.get(&path).await;
    assert_eq!(
        (&shown["title"], &shown["date"], &shown["song_count"]),
        (&json!("Debut"), &json!("1999"), &json!(2))
    );
    assert_eq!(it.origin.get("/albums?name=debut").await.titles(), ["Debut"]);
    let back = it.patch(&path, json!({"title": null, "date": null})).await.json();
    assert_eq!(
        (&back["title"], &back["date"], &back["edited"]),
        (&json!("First"), &json!("2001"), &json!([]))
    );
}

#[tokio::test]
async fn songs_are_asked_for_at_once() {
    let it = curation().await;
    let tracks: Vec<Track> = (1..4).map(|n| Track::new(n, tags(&format!("Song {n}"), "Ann", ""))).collect();
    for track in &tracks {
        it.origin.add(track).await;
    }
    assert_eq!(
        it.ask(Method::PUT, &format!("/songs/{}/takedown", tracks[1].id()), json!({})).await.status,
        204
    );
    let ids = [tracks[2].id(), "0".repeat(32), tracks[1].id(), tracks[0].id(), tracks[2].id()].join(",");
    let page = it.origin.get(&format!("/songs?ids={ids}")).await;
    assert_eq!(page.titles(), ["Song 3", "Song 1", "Song 3"]);
    assert_eq!(page.json()["next_cursor"], Value::Null);
    assert_eq!(it.origin.get("/songs?ids=").await.titles(), Vec::<String>::new());
    for bad in ["x".to_owned(), format!("{ids}&limit=3"), vec!["0".repeat(32); 201].join(",")] {
        it.origin.get(&format!("/songs?ids={bad}")).await.assert_problem(400, "bad-query");
    }
    let most = vec![tracks[0].id(); 200].join(",");
    assert_eq!(it.origin.get(&format!("/songs?ids={most}")).await.titles().len(), 200);
}

#[tokio::test]
async fn what_is_taken_down_is_counted_nowhere() {
    let it = curation().await;
    it.origin.add(&Track::new(1, tags("One", "Ann feat. Ben", "First"))).await;
    it.origin.add(&Track::new(2, tags("Two", "Ann", "First"))).await;
    let counts = async || {
        let albums = it.get("/albums").await;
        let artists = it.get("/artists").await;
        let artists = artists["items"].as_array().unwrap();
        let artists: Vec<_> =
            artists.iter().map(|it| (it["name"].clone(), it["song_count"].clone())).collect();
        (albums["items"][0]["song_count"].clone(), artists, it.get("/status").await["songs"].clone())
    };
    let takedown = |seed| format!("/songs/{}/takedown", Track::new(seed, Tags::default()).id());
    for _ in 0..2 {
        assert_eq!(it.ask(Method::PUT, &takedown(1), json!({})).await.status, 204);
        let (albums, artists, _) = counts().await;
        assert_eq!((albums, artists), (json!(1), vec![(json!("Ann"), json!(1))]), "twice is once");
    }
    it.origin.add(&Track::new(1, tags("Uno", "Ann feat. Cid", "First"))).await;
    assert_eq!(counts().await.0, json!(1), "importing it again does not count it in");
    assert_eq!(it.ask(Method::PUT, &takedown(2), json!({})).await.status, 204);
    for list in ["/songs", "/albums", "/artists"] {
        assert_eq!(it.origin.get(list).await.titles(), Vec::<String>::new(), "{list}");
    }
    for seed in [1, 2] {
        assert_eq!(it.ask(Method::DELETE, &takedown(seed), Value::Null).await.status, 204);
    }
    let (albums, artists, _) = counts().await;
    assert_eq!((albums, artists), (json!(2), vec![(json!("Ann"), json!(2)), (json!("Cid"), json!(1))]));
}

#[tokio::test]
async fn playlists_find_recordings_by_their_code() {
    let it = curation().await;
    let song = |title: &str, isrc: &str| Tags { isrc: isrc.into(), ..tags(title, "Ann & Ben", "") };
    it.origin.add(&Track::new(1, song("One", "USRC17607839"))).await;
    it.origin.add(&Track::new(2, song("Two", ""))).await;
    let file = json!({"songs": [
        {"isrc": "US-RC1-76-07839", "title": "Another name", "artist": "Nobody"},
        {"title": "Two", "artist": "Ann & Ben"},
        {"isrc": "USRC17607830", "title": "Three", "artist": "Ann & Ben"},
    ]});
    let headers = [("authorization", &*format!("Bearer {}", it.token)), ("content-type", "application/json")];
    let made = it.origin.ask(Method::POST, "/playlists/import", &headers, file.to_string()).await;
    assert_eq!((made.status.as_u16(), &made.json()["matched"]), (201, &json!(2)), "{made:?}");
}
