//! The catalog over a real database file.

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

    /// Rows whose counts differ from a fresh count: always none.
    async fn miscounted(&self) -> i64 {
        let (wrong,): (i64,) = sqlx::query_as(
            "SELECT (SELECT COUNT(*) FROM artists a WHERE
                 song_count <> (SELECT COUNT(*) FROM songs WHERE artist_id = a.id)
                 OR album_count <> (SELECT COUNT(*) FROM albums WHERE artist_id = a.id)
                 OR song_count + album_count = 0)
             + (SELECT COUNT(*) FROM albums a WHERE song_count = 0
                 OR song_count <> (SELECT COUNT(*) FROM songs WHERE album_id = a.id)
                 OR duration_ms <> (SELECT SUM(duration_ms) FROM songs WHERE album_id = a.id))",
        )
        .fetch_one(self.catalog.database.readers())
        .await
        .unwrap();
        wrong
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
    assert_eq!(it.miscounted().await, 0);
}

#[tokio::test]
async fn a_scan_does_not_undo_what_was_named_meanwhile() {
    let it = fixture().await;
    let (old, new) = (descriptor(1, 1, tags("Old", "A", "")), descriptor(1, 2, tags("New", "A", "")));
    it.catalog.apply(&new, Trigger::Named, 50).await.unwrap();
    assert_eq!(it.catalog.apply(&old, Trigger::Scan { began: 40 }, 60).await.unwrap(), Change::Noted);
    assert!(it.catalog.knows(old.asset, old.rev).await.unwrap());
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
    assert_eq!(it.miscounted().await, 0);
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
        (songs::BY_TITLE.all, "songs_by_title"),
        (songs::BY_TITLE.beginning, "songs_by_title"),
        (songs::BY_TITLE.common, "songs_by_title"),
        (songs::OF_ARTIST, "songs_by_artist"),
        (songs::OF_ALBUM, "songs_by_album"),
        (albums::BY_TITLE.all, "albums_by_title"),
        (albums::OF_ARTIST, "albums_by_artist"),
        (artists::BY_NAME.all, "artists_by_name"),
    ] {
        let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {query}"));
        let mut rows = sqlx::query_as::<_, (i64, i64, i64, String)>(explain);
        for _ in 0..7 {
            rows = rows.bind(1i64);
        }
        let plan = rows.fetch_all(it.catalog.database.readers()).await.unwrap();
        let plan: Vec<String> = plan.into_iter().map(|row| row.3).collect();
        assert!(plan.iter().any(|step| step.contains(&format!("COVERING INDEX {index} "))), "{plan:?}");
        let walks = ["SCAN songs", "SCAN albums", "SCAN artists"];
        assert!(!plan.iter().any(|step| walks.iter().any(|walk| step.starts_with(walk))), "{plan:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Any history of imports leaves counts that are right, and nothing empty.
    #[test]
    fn counts_follow_any_history(steps in proptest::collection::vec((0u8..5, 0u8..4, 0usize..4, 0usize..3), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let it = fixture().await;
            let mut songs = std::collections::HashSet::new();
            for (asset, rev, artist, album) in steps {
                let tags = tags("t", ["", "A", "B", "C"][artist], ["", "X", "Y"][album]);
                it.apply(asset, rev, tags).await;
                songs.insert(asset);
            }
            assert_eq!(it.miscounted().await, 0);
            assert_eq!(it.catalog.totals().await.unwrap().songs as usize, songs.len());
        });
    }

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
