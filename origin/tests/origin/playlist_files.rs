//! Playlists as files: M3U and JSON, out and in.

use http::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Origin, Track, origin, tags};

const NIL: Value = Value::Null;

impl Origin {
    async fn import_file(
        &self,
        token: &str,
        query: &str,
        kind: &str,
        file: impl Into<bytes::Bytes>,
    ) -> Answer {
        let headers = [("authorization", &*format!("Bearer {token}")), ("content-type", kind)];
        self.ask(Method::POST, &format!("/playlists/import{query}"), &headers, file).await
    }
}

#[tokio::test]
async fn exports_come_back_as_they_were() {
    let origin = origin().await;
    let songs = origin.songs(3).await;
    let (_, token) = origin.user("ann").await;
    let body = json!({"name": "Über Mix", "description": "Two\nlines", "visibility": "unlisted"});
    let path = origin.playlist(&token, body).await;
    origin.put_songs(&token, &path, json!({"songs": [songs[2], songs[0], songs[2]]})).await;

    let m3u = origin.get(&format!("{path}/export?format=m3u8")).await;
    assert_eq!(m3u.header("content-type"), "audio/mpegurl; charset=utf-8");
    assert_eq!(m3u.header("content-disposition"), "attachment; filename=\"uber-mix.m3u8\"");
    let text = String::from_utf8(m3u.body.to_vec()).unwrap();
    let song = origin.get(&format!("/songs/{}", songs[2])).await.json();
    let seconds = (song["duration_ms"].as_u64().unwrap() + 500) / 1000;
    let id = &songs[2];
    assert!(
        text.starts_with(&format!(
            "#EXTM3U\n#PLAYLIST:Über Mix\n#EXTINF:{seconds},Ann - 2\n#SEGUE-ID:{id}\n/stream/{id}\n"
        )),
        "{text}"
    );
    let exported = origin.get(&format!("{path}/export")).await;
    for (kind, file) in [("audio/x-mpegurl; charset=utf-8", m3u.body), ("application/json", exported.body)] {
        let back = origin.import_file(&token, "?visibility=public", kind, file).await;
        assert_eq!(back.status, 201, "{back:?}");
        let json = back.json();
        assert_eq!((&json["matched"], &json["unmatched"]), (&json!(3), &json!([])));
        assert_eq!(json["playlist"]["visibility"], "public");
        assert_eq!(
            (&json["playlist"]["name"], &json["playlist"]["song_count"]),
            (&json!("Über Mix"), &json!(3))
        );
        assert_eq!(origin.order(&token, back.header("location"), 2).await, "2 0 2");
    }
    origin.get(&format!("{path}/export?format=xml")).await.assert_problem(400, "bad-query");
}

#[tokio::test]
async fn foreign_lists_are_matched_by_name() {
    let origin = origin().await;
    let add = async |seed: u64, title: &str, artist: &str, frames: &[u32]| {
        let track = Track::with_segments(seed, tags(title, artist, ""), frames);
        origin.add(&track).await;
        track.id()
    };
    add(1, "Jóga", "Björk", &[46]).await;
    let (short, long) = (add(2, "Live", "Ann", &[400]).await, add(3, "Live", "Ann", &[900]).await);
    let (_, token) = origin.user("ann").await;
    let file = b"#EXTM3U\r\n#EXTINF:1,BJ\xd6RK - Joga\r\nx.mp3\r\n#EXTINF:21,Ann - Live\r\nx.mp3\r\n\
                 #EXTINF:9,Ann - Live\r\nx.mp3\r\n#EXTINF:99,Ann - Live\r\nx.mp3\r\nmusic/Nobody/None/01 Nothing.mp3\r\nx\r\n";
    let answer = origin.import_file(&token, "?name=Latin", "text/plain", &file[..]).await;
    let json = answer.json();
    assert_eq!((&json["matched"], &json["playlist"]["name"]), (&json!(3), &json!("Latin")), "{json}");
    let missing: Vec<_> =
        json["unmatched"].as_array().unwrap().iter().map(|it| (&it["place"], &it["text"])).collect();
    assert_eq!(
        json!(missing),
        json!([[9, "Ann - Live"], [10, "music/Nobody/None/01 Nothing.mp3"], [11, "x"]])
    );
    assert!(json["unmatched"][0]["reason"].as_str().unwrap().contains("several"));
    let path = answer.header("location");
    let entries = origin.as_user(Method::GET, &format!("{path}/songs"), &token, &NIL).await.json();
    let ids: Vec<_> =
        entries["items"].as_array().unwrap().iter().map(|it| it["song"]["id"].clone()).collect();
    assert_eq!(ids[1..], [json!(long), json!(short)]);
}

#[tokio::test]
async fn files_that_cannot_be_taken_are_refused() {
    let origin = origin().await;
    let (_, token) = origin.user("ann").await;
    let import = async |kind: &str, file: Vec<u8>| origin.import_file(&token, "", kind, file).await;
    import("image/png", b"x".into()).await.assert_problem(415, "unsupported-media-type");
    import("application/json", b"{\"songs\":".into()).await.assert_problem(400, "bad-json");
    import("text/plain", b"\n\n".into()).await.assert_problem(422, "invalid");
    import("text/plain", b"x\n".repeat(10_001)).await.assert_problem(422, "invalid");
    import("text/plain", vec![b'x'; (2 << 20) + 1]).await.assert_problem(413, "too-large");
    origin.import_file(&token, "?name=%20", "text/plain", "x").await.assert_problem(422, "invalid");
    origin.import_file(&token, "?visibility=x", "text/plain", "x").await.assert_problem(400, "bad-query");
    origin
        .ask(Method::POST, "/playlists/import", &[("content-type", "text/plain")], "x")
        .await
        .assert_problem(401, "sign-in");
    // What is only strange is taken.
    let strange =
        import("text/plain", [b"#PLAYLIST:\0\n".to_vec(), b"\xff - \0\n".repeat(10_000)].concat()).await;
    assert_eq!(strange.status, 201, "{}", strange.status);
    let json = strange.json();
    assert_eq!(
        (&json["playlist"]["name"], json["unmatched"].as_array().unwrap().len()),
        (&json!("Imported playlist"), 10_000)
    );
    let long = import("text/plain", b" - ".repeat(600_000)).await;
    assert_eq!(long.json()["matched"], 0);
}
