//! Lists, details, filters and pages.

use serde_json::json;

use crate::support::{Track, origin, tags};

#[tokio::test]
async fn a_song_reads_as_the_contract_says() {
    let origin = origin().await;
    let mut tags = tags("Überlänge", "Ann", "First");
    tags.track_number = Some(3);
    tags.date = "2026-05-01".into();
    let track = Track::new(1, tags);
    origin.add(&track).await;
    let song = origin.get(&format!("/songs/{}", track.id())).await.json();
    let (artist, album) = (song["artist"]["id"].clone(), song["album"]["id"].clone());
    let added = song["added_at"].as_str().unwrap();
    let credits =
        json!([{"role": "main", "artist": {"id": artist, "name": "Ann"}, "name": "Ann", "join": ""}]);
    assert!(added.len() == 20 && added.ends_with('Z'), "{added}");
    assert_eq!(
        song,
        json!({
            "id": track.id(), "title": "Überlänge", "artist": {"id": artist, "name": "Ann"}, "artist_credit": "Ann",
            "album": {"id": album, "title": "First"}, "track_number": 3, "disc_number": null,
            "duration_ms": track.descriptor.duration_ms(), "cover": null,
            "renditions": ["aac-128", "aac-256", "aac-320"], "isrc": null, "added_at": added,
            "credits": credits, "musicbrainz_id": null, "edited": [],
        })
    );
    let shown = origin.get(&format!("/albums/{}", album.as_str().unwrap())).await.json();
    assert_eq!(
        shown,
        json!({
            "id": album, "title": "First", "artist": {"id": artist, "name": "Ann"}, "artist_credit": "Ann",
            "date": "2026-05-01", "song_count": 1, "duration_ms": track.descriptor.duration_ms(), "cover": null,
            "credits": credits, "disc_total": null, "musicbrainz_id": null, "edited": [],
            "release_group": {"id": album, "musicbrainz_id": null, "versions": []},
        })
    );
    let shown = origin.get(&format!("/artists/{}", artist.as_str().unwrap())).await.json();
    assert_eq!(
        shown,
        json!({
            "id": artist, "name": "Ann", "album_count": 1, "song_count": 1, "cover": null, "musicbrainz_id": null,
        })
    );
    let status = origin.get("/status").await.json();
    assert_eq!(status["ingest"], json!(null));
}

#[tokio::test]
async fn lists_lead_to_one_another() {
    let origin = origin().await;
    for (seed, (title, artist, album)) in
        [("b", "Ann", "First"), ("a", "Ann", "First"), ("c", "Ben", "Other"), ("d", "Ann", "")]
            .into_iter()
            .enumerate()
    {
        origin.add(&Track::new(seed as u64, tags(title, artist, album))).await;
    }
    assert_eq!(origin.get("/songs").await.titles(), ["a", "b", "c", "d"]);
    assert_eq!(origin.get("/albums").await.titles(), ["First", "Other"]);
    let artists = origin.get("/artists").await;
    assert_eq!(artists.titles(), ["Ann", "Ben"]);
    let ann = artists.json()["items"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(origin.get(&format!("/artists/{ann}/songs")).await.titles(), ["a", "b", "d"]);
    let albums = origin.get(&format!("/artists/{ann}/albums")).await;
    assert_eq!(albums.titles(), ["First"]);
    let first = albums.json()["items"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(origin.get(&format!("/albums/{first}/songs")).await.titles(), ["a", "b"]);
    assert_eq!(origin.get(&format!("/albums/{first}/songs?name=B")).await.titles(), ["b"]);
}

#[tokio::test]
async fn filters_fold() {
    let origin = origin().await;
    for (seed, title) in ["Björk's Song", "100% Wolf_Man", "straße", "東京の夜"].into_iter().enumerate()
    {
        origin.add(&Track::new(seed as u64, tags(title, "A", ""))).await;
    }
    for (filter, found) in [
        ("bjork", vec!["Björk's Song"]),
        ("BJ%C3%96RK%E2%80%99S", vec!["Björk's Song"]),
        ("0%25%20W", vec!["100% Wolf_Man"]),
        ("olf_m", vec!["100% Wolf_Man"]),
        ("olfxm", vec![]),
        ("10", vec!["100% Wolf_Man"]),
        ("0%25", vec![]), // one or two characters name beginnings
        ("STRASSE", vec!["straße"]),
        ("%E6%9D%B1", vec!["東京の夜"]),
        ("%E4%BA%AC%E3%81%AE%E5%A4%9C", vec!["東京の夜"]),
        ("%22", vec![]),
        ("a%22b%22c", vec![]),
        ("nothing", vec![]),
        ("%27%20OR%201=1--", vec![]),
    ] {
        assert_eq!(origin.get(&format!("/songs?name={filter}")).await.titles(), found, "{filter}");
    }
    assert_eq!(
        origin.get("/songs?name=%20%20").await.titles().len(),
        4,
        "nothing but spaces filters nothing"
    );
}

#[tokio::test]
async fn pages_stay_complete_while_songs_come() {
    let origin = origin().await;
    let title = |n: usize| format!("{:02}", (n * 37) % 40);
    for n in 0..40 {
        origin.add(&Track::new(n as u64, tags(&title(n), "A", "Album"))).await;
    }
    let items = origin
        .walk("/songs?limit=7", async |page| {
            // One before, one behind the place that the walk has come to.
            for (half, title) in ["00 new", "39 new"].into_iter().enumerate() {
                let seed = 1000 + page as u64 * 2 + half as u64;
                origin.add(&Track::new(seed, tags(title, "A", "Album"))).await;
            }
        })
        .await;
    let titles: Vec<&str> = items.iter().map(|item| item["title"].as_str().unwrap()).collect();
    assert!(titles.is_sorted(), "{titles:?}");
    for n in 0..40 {
        assert_eq!(titles.iter().filter(|it| **it == title(n)).count(), 1, "{n} in {titles:?}");
    }
    let ids: std::collections::HashSet<_> = items.iter().map(|item| item["id"].to_string()).collect();
    assert_eq!(ids.len(), items.len(), "none twice");
}

#[tokio::test]
async fn lists_are_validated_and_compressed() {
    let origin = origin().await;
    for n in 0..10 {
        origin.add(&Track::new(n, tags("Song", "A", "Album"))).await;
    }
    let plain = origin.get("/songs").await;
    let packed = origin.get_with("/songs", &[("accept-encoding", "br, gzip")]).await;
    assert_eq!(packed.header("content-encoding"), "gzip");
    assert!(packed.body.len() * 2 < plain.body.len());
    let again = origin.get_with("/songs", &[("if-none-match", plain.header("etag"))]).await;
    assert_eq!((again.status.as_u16(), again.body.len()), (304, 0));
    origin.add(&Track::new(99, tags("Song", "A", "Album"))).await;
    let changed = origin.get_with("/songs", &[("if-none-match", plain.header("etag"))]).await;
    assert_eq!(changed.status, 200);
}
