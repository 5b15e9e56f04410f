//! The catalog over a real database file.

mod histories;

use proptest::prelude::*;
use segue_manifests::{AssetId, Cover, Descriptor, InitSegment, Packed, Rev, Sha256, Source, Tags, VERSION};

use super::*;
use crate::database::Dialect;
use crate::database::testing::Place;

struct Fixture {
    catalog: Catalog,
    _place: Place,
}

async fn fixture() -> Fixture {
    let place = Place::new().await;
    Fixture { catalog: Catalog::new(place.open().await), _place: place }
}

fn tags(title: &str, artist: &str, album: &str) -> Tags {
    Tags { title: title.into(), artist: artist.into(), album: album.into(), ..Tags::default() }
}

fn descriptor(asset: u8, rev: u8, tags: Tags) -> Descriptor {
    let packed = Packed {
        name: "aac-128".parse().unwrap(),
        codec: "mp4a.40.2".into(),
        bit_rate: 128_000,
        init: InitSegment { size: 1, sha256: Sha256([0; 32]) },
        segment_sizes: vec![1],
        segment_sha256: vec![Sha256([0; 32])],
    };
    Descriptor {
        version: VERSION,
        asset: AssetId([asset; 16]),
        rev: Rev([rev; 6]),
        sample_rate: 44_100,
        channels: 2,
        samples: 44_100,
        encoder_delay: 0,
        frame_samples: 1024,
        segment_frames: vec![44],
        renditions: vec![packed],
        tags,
        cover: None,
        loudness: None,
        source: Source::default(),
        encoder: "test".into(),
    }
}

async fn knows(it: &Fixture, descriptor: &Descriptor) -> bool {
    let packaging = (descriptor.asset, descriptor.rev);
    it.catalog.known(&[packaging]).await.unwrap().contains(&packaging)
}

fn all() -> Window {
    Window { limit: 200, ..Window::default() }
}

impl Fixture {
    async fn apply(&self, asset: u8, rev: u8, tags: Tags) -> Change {
        self.catalog.apply(&descriptor(asset, rev, tags), Trigger::Named, 1).await.unwrap()
    }

    async fn names(&self) -> (Vec<String>, Vec<String>, Vec<String>) {
        let songs = self.catalog.songs(&all()).await.unwrap().items;
        let albums = self.catalog.albums(&all()).await.unwrap().items;
        let artists = self.catalog.artists(&all()).await.unwrap().items;
        (
            songs.into_iter().map(|it| it.title).collect(),
            albums.into_iter().map(|it| it.title).collect(),
            artists.into_iter().map(|it| it.name).collect(),
        )
    }

    /// All songs, albums and artists with all that is known of them.
    async fn contents(&self) -> Vec<serde_json::Value> {
        let mut all_of_it = Vec::new();
        let catalog = &self.catalog;
        for song in catalog.songs(&all()).await.unwrap().items {
            all_of_it.push(serde_json::to_value(catalog.song_details(song.id).await.unwrap()).unwrap());
        }
        for album in catalog.albums(&all()).await.unwrap().items {
            all_of_it.push(serde_json::to_value(catalog.album_details(album.id).await.unwrap()).unwrap());
        }
        for artist in catalog.artists(&all()).await.unwrap().items {
            all_of_it.push(serde_json::to_value(catalog.artist_details(artist.id).await.unwrap()).unwrap());
        }
        all_of_it
    }

    /// Rows whose counts differ from a fresh count, and rows that nothing names: always none.
    async fn miscounted(&self) -> Vec<(String, i64)> {
        let checks = [
            ("songs of artists", "SELECT COUNT(*) FROM artists a WHERE song_count <>
                 (SELECT COUNT(DISTINCT s.id) FROM song_credits c JOIN songs s ON s.id = c.song_id
                  WHERE c.artist_id = a.id AND s.taken_down_at IS NULL AND c.role NOT IN ('composer', 'lyricist'))"),
            ("albums of artists", "SELECT COUNT(*) FROM artists a WHERE album_count <>
                 (SELECT COUNT(DISTINCT b.id) FROM album_credits c JOIN albums b ON b.id = c.album_id
                  WHERE c.artist_id = a.id AND (b.made = 1 OR EXISTS
                      (SELECT 1 FROM songs WHERE album_id = b.id AND taken_down_at IS NULL)))"),
            ("lists of songs", "SELECT COUNT(*) FROM artist_songs l JOIN songs s ON s.id = l.song_id
                 WHERE l.title_folded <> s.title_folded OR s.taken_down_at IS NOT NULL"),
            ("lengths of lists", "SELECT COUNT(*) FROM artists a WHERE
                 song_count <> (SELECT COUNT(*) FROM artist_songs WHERE artist_id = a.id)
                 OR album_count <> (SELECT COUNT(*) FROM artist_albums WHERE artist_id = a.id)"),
            ("lists of albums", "SELECT COUNT(*) FROM artist_albums l JOIN albums a ON a.id = l.album_id
                 WHERE l.title_folded <> a.title_folded"),
            ("songs of albums", "SELECT COUNT(*) FROM albums a WHERE
                 song_count <> (SELECT COUNT(*) FROM songs WHERE album_id = a.id AND taken_down_at IS NULL)
                 OR duration_ms <> COALESCE(
                     (SELECT SUM(duration_ms) FROM songs WHERE album_id = a.id AND taken_down_at IS NULL), 0)"),
            ("first artists", "SELECT (SELECT COUNT(*) FROM songs s WHERE NOT EXISTS (SELECT 1 FROM song_credits c
                 WHERE c.song_id = s.id AND c.place = 0 AND c.role = 'main' AND c.artist_id = s.artist_id))
                 + (SELECT COUNT(*) FROM albums a WHERE NOT EXISTS (SELECT 1 FROM album_credits c
                 WHERE c.album_id = a.id AND c.place = 0 AND c.role = 'main' AND c.artist_id = a.artist_id))"),
            ("nameless artists", "SELECT COUNT(*) FROM artists a WHERE
                 NOT EXISTS (SELECT 1 FROM song_credits WHERE artist_id = a.id)
                 AND NOT EXISTS (SELECT 1 FROM album_credits WHERE artist_id = a.id)"),
            ("empty albums", "SELECT COUNT(*) FROM albums a WHERE made = 0
                 AND NOT EXISTS (SELECT 1 FROM songs WHERE album_id = a.id)"),
            ("empty groups", "SELECT COUNT(*) FROM release_groups g WHERE
                 NOT EXISTS (SELECT 1 FROM albums WHERE release_group_id = g.id)"),
        ];
        let mut wrong = Vec::new();
        for (what, sql) in checks {
            let (count,): (i64,) =
                sqlx::query_as(sql).fetch_one(self.catalog.database.fresh()).await.unwrap();
            if count > 0 {
                wrong.push((what.to_owned(), count));
            }
        }
        wrong
    }

    async fn take_down(&self, asset: u8, down: bool) -> bool {
        let mut tx = self.catalog.database.begin_alone(crate::database::Alone::Catalog).await.unwrap();
        let found = Catalog::take_down(&mut tx, AssetId([asset; 16]), down, 1).await.unwrap();
        tx.commit().await.unwrap();
        found
    }
}

#[tokio::test]
async fn retagging_moves_a_song_and_sweeps_up_behind_it() {
    let it = fixture().await;
    assert_eq!(it.apply(1, 1, tags("One", "Ann", "First")).await, Change::Added);
    assert_eq!(it.apply(1, 1, tags("One", "Ann", "First")).await, Change::Unchanged);
    let before = it.catalog.song(AssetId([1; 16])).await.unwrap().unwrap();
    assert_eq!(it.apply(1, 2, tags("Uno", "Ben", "Second")).await, Change::Moved);
    let after = it.catalog.song(AssetId([1; 16])).await.unwrap().unwrap();
    assert_eq!((before.id, before.added_at), (after.id, after.added_at));
    assert_eq!(it.names().await, (vec!["Uno".into()], vec!["Second".into()], vec!["Ben".into()]));
    assert_eq!(
        it.apply(1, 1, tags("One", "Ann", "First")).await,
        Change::Moved,
        "named again: current again"
    );
    assert_eq!(it.apply(1, 3, tags("One", "", "")).await, Change::Moved);
    assert_eq!(it.names().await, (vec!["One".into()], vec![], vec!["Unknown artist".into()]));
    assert_eq!(it.miscounted().await, []);
}

#[tokio::test]
async fn a_scan_does_not_undo_what_was_named_meanwhile() {
    let it = fixture().await;
    let (old, new) = (descriptor(1, 1, tags("Old", "A", "")), descriptor(1, 2, tags("New", "A", "")));
    it.catalog.apply(&new, Trigger::Named, 50).await.unwrap();
    assert_eq!(it.catalog.apply(&old, Trigger::Scan { began: 40 }, 60).await.unwrap(), Change::Noted);
    assert!(knows(&it, &old).await);
    assert_eq!(it.catalog.apply(&old, Trigger::Scan { began: 70 }, 80).await.unwrap(), Change::Noted);
    let newest = descriptor(1, 3, tags("Newest", "A", ""));
    assert_eq!(it.catalog.apply(&newest, Trigger::Scan { began: 70 }, 80).await.unwrap(), Change::Moved);
    assert_eq!(it.names().await.0, ["Newest"]);
}

#[tokio::test]
async fn spellings_that_fold_alike_are_one_artist() {
    let it = fixture().await;
    it.apply(1, 1, tags("a", "Beyoncé", "X")).await;
    it.apply(2, 1, tags("b", "BEYONCE", "x")).await;
    assert_eq!(it.names().await.2, ["Beyoncé"], "the first spelling stays");
    it.apply(2, 2, tags("b", "Beyonce", "x")).await;
    assert_eq!(it.names().await.2, ["Beyonce"], "a retag spells anew");
    assert_eq!(it.catalog.albums(&all()).await.unwrap().items[0].song_count, 2);
    assert_eq!(it.miscounted().await, []);
}

#[tokio::test]
async fn an_album_is_ordered_by_disc_number_title() {
    let it = fixture().await;
    let numbered = |disc, track, title: &str| Tags {
        disc_number: disc,
        track_number: track,
        ..tags(title, "A", "Album")
    };
    it.apply(1, 1, numbered(Some(2), Some(1), "e")).await;
    it.apply(2, 1, numbered(None, Some(10), "c")).await;
    it.apply(3, 1, numbered(Some(1), Some(2), "b")).await;
    it.apply(4, 1, numbered(Some(1), None, "d")).await;
    it.apply(5, 1, numbered(None, Some(2), "a")).await;
    let album = it.catalog.albums(&all()).await.unwrap().items[0].id;
    let mut titles = String::new();
    let mut window = Window { limit: 2, ..Window::default() };
    loop {
        let page = it.catalog.songs_of_album(album, &window).await.unwrap();
        titles.extend(page.items.into_iter().map(|song| song.title));
        window.cursor = page.next_cursor;
        if window.cursor.is_none() {
            break;
        }
    }
    assert_eq!(titles, "abcde");
}

#[tokio::test]
async fn covers_of_songs_show_on_albums_and_artists() {
    let it = fixture().await;
    let mut with_cover = descriptor(1, 1, tags("a", "A", "X"));
    let sha256 = Sha256([7; 32]);
    with_cover.cover = Some(Cover { extension: "png".into(), size: 1, sha256, width: 1, height: 1 });
    it.catalog.apply(&with_cover, Trigger::Named, 1).await.unwrap();
    let shown = Some(CoverRef(sha256));
    assert_eq!(it.catalog.songs(&all()).await.unwrap().items[0].cover, shown);
    assert_eq!(it.catalog.albums(&all()).await.unwrap().items[0].cover, shown);
    assert_eq!(it.catalog.artists(&all()).await.unwrap().items[0].cover, shown);
    let places = it.catalog.cover_places(sha256).await.unwrap();
    assert_eq!((places.len(), places[0].asset, &*places[0].extension), (1, with_cover.asset, "png"));
}

#[tokio::test]
async fn pages_walk_indexes() {
    let it = fixture().await;
    if it.catalog.database.dialect() != Dialect::Sqlite {
        return;
    }
    for (query, index) in [
        (songs::BY_TITLE.all, "COVERING INDEX songs_by_title "),
        (songs::BY_TITLE.beginning, "COVERING INDEX songs_by_title "),
        (songs::BY_TITLE.common, "COVERING INDEX songs_by_title "),
        (songs::OF_ARTIST, "artist_songs USING PRIMARY KEY (artist_id=? AND (title_folded,song_id)>(?,?))"),
        (songs::OF_ALBUM, "COVERING INDEX songs_by_album "),
        (albums::BY_TITLE.all, "COVERING INDEX albums_by_title "),
        (
            albums::OF_ARTIST,
            "artist_albums USING PRIMARY KEY (artist_id=? AND (title_folded,album_id)>(?,?))",
        ),
        (artists::BY_NAME.all, "COVERING INDEX artists_by_name "),
    ] {
        let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {query}"));
        let mut rows = sqlx::query_as::<_, (i64, i64, i64, String)>(explain);
        for _ in 0..7 {
            rows = rows.bind(1i64);
        }
        let plan = rows.fetch_all(it.catalog.database.readers()).await.unwrap();
        let plan: Vec<String> = plan.into_iter().map(|row| row.3).collect();
        assert!(plan.iter().any(|step| step.contains(index)), "{index}: {plan:?}");
        let walks = ["SCAN songs", "SCAN albums", "SCAN artists"];
        assert!(!plan.iter().any(|step| walks.iter().any(|walk| step.starts_with(walk))), "{plan:?}");
    }
}

#[tokio::test]
async fn credits_of_tags_stand_everywhere() {
    let it = fixture().await;
    let tags = Tags {
        composers: vec!["Dan".into()],
        mb_artists: vec![
            "f27ec8db-af05-4f36-916e-3d57f91ecf5e".into(),
            "0383dadf-2a4e-4d10-a46a-e9e041da8eb3".into(),
        ],
        artists: vec!["Ann".into(), "Ben".into()],
        isrc: "USRC17607839".into(),
        ..tags("One", "Ann feat. Ben", "First")
    };
    it.apply(1, 1, tags).await;
    let song = it.catalog.song_details(AssetId([1; 16])).await.unwrap().unwrap();
    let json = serde_json::to_value(&song).unwrap();
    assert_eq!((&json["artist"]["name"], &json["artist_credit"]), (&"Ann".into(), &"Ann feat. Ben".into()));
    let credits: Vec<_> =
        json["credits"].as_array().unwrap().iter().map(|it| (&it["name"], &it["role"])).collect();
    assert_eq!(
        credits,
        [
            (&"Ann".into(), &"main".into()),
            (&"Ben".into(), &"featured".into()),
            (&"Dan".into(), &"composer".into()),
        ]
    );
    assert_eq!(json["isrc"], "USRC17607839");
    let ben = it.catalog.artist_details(ArtistId::of("ben")).await.unwrap().unwrap();
    assert_eq!((ben.artist.song_count, ben.artist.album_count), (1, 0));
    assert_eq!(serde_json::to_value(&ben).unwrap()["musicbrainz_id"], "0383dadf-2a4e-4d10-a46a-e9e041da8eb3");
    assert_eq!(it.catalog.songs_of_artist(ArtistId::of("ben"), &all()).await.unwrap().items.len(), 1);
    assert_eq!(it.names().await.2, ["Ann", "Ben"], "who only wrote it has no page in the list");
}

#[tokio::test]
async fn editions_are_albums_of_one_group() {
    let it = fixture().await;
    let edition = |release: &str, disc_total| Tags {
        mb_release: format!("{release}0000000-af05-4f36-916e-3d57f91ecf5e"),
        mb_release_group: "0383dadf-2a4e-4d10-a46a-e9e041da8eb3".into(),
        disc_total,
        ..tags("One", "Ann", "First")
    };
    it.apply(1, 1, edition("1", None)).await;
    it.apply(2, 1, edition("2", Some(2))).await;
    it.apply(3, 1, tags("Two", "Ann", "First")).await;
    let first = AlbumId::of(ArtistId::of("ann"), "first");
    let albums = it.catalog.albums(&all()).await.unwrap().items;
    assert_eq!(albums.len(), 2);
    let one = it.catalog.album_details(first).await.unwrap().unwrap();
    assert_eq!(one.album.song_count, 2, "tags that name no release stand under the first");
    let json = serde_json::to_value(&one).unwrap();
    let other = albums.iter().find(|album| album.id != first).unwrap().id;
    assert_eq!(json["release_group"]["versions"][0]["id"], other.to_string());
    assert_eq!(it.apply(1, 2, edition("1", Some(1))).await, Change::Moved);
    assert_eq!(
        it.catalog.album(first).await.unwrap().unwrap().song_count,
        2,
        "retagging keeps the identifier"
    );
    assert_eq!(it.miscounted().await, []);
}

#[tokio::test]
async fn songs_read_in_an_earlier_way_are_read_again() {
    let it = fixture().await;
    let descriptor = descriptor(1, 1, tags("One", "Ann feat. Ben", "First"));
    it.catalog.apply(&descriptor, Trigger::Named, 50).await.unwrap();
    let mut tx = it.catalog.database.begin_write().await.unwrap();
    sqlx::query("UPDATE songs SET read_as = 0").execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    assert!(!knows(&it, &descriptor).await);
    let scan = Trigger::Scan { began: 40 };
    assert_eq!(it.catalog.apply(&descriptor, scan, 60).await.unwrap(), Change::Moved);
    assert!(knows(&it, &descriptor).await);
    assert_eq!(it.catalog.apply(&descriptor, scan, 60).await.unwrap(), Change::Unchanged);
    assert_eq!(it.miscounted().await, []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Pages of any size hold every song once, in order, also with a filter.
    #[test]
    fn pages_are_complete(titles in proptest::collection::vec("[aAäb ]{0,6}", 0..20), limit in 1u32..7) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let it = fixture().await;
            for (asset, title) in titles.iter().enumerate() {
                it.apply(asset as u8 + 1, 1, tags(title, "A", "")).await;
            }
            for filter in ["", "a", "aa", "aba", "aaa"] {
                let mut window = Window { limit, filter: filter.into(), ..Window::default() };
                let mut seen = Vec::new();
                loop {
                    let page = it.catalog.songs(&window).await.unwrap();
                    seen.extend(page.items.into_iter().map(|song| (song.title_folded, song.id)));
                    window.cursor = page.next_cursor;
                    if window.cursor.is_none() {
                        break;
                    }
                }
                assert!(seen.is_sorted());
                // A title that is nothing becomes "Untitled", which has no "a". Short filters look at beginnings.
                let short = filter.len() < 3;
                let matches = |title: &str| if short { title.starts_with(filter) } else { title.contains(filter) };
                let matching = titles.iter().filter(|title| matches(&fold(title))).count();
                assert_eq!(seen.len(), matching, "{filter} in {titles:?}: {seen:?}");
            }
        });
    }
}
