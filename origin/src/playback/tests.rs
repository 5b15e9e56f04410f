//! Recording over a real database, at chosen times.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::future::join_all;
use segue_manifests::AssetId;

use super::popularity;
use super::recorder::{Play, RecordError, Recorder, Report};
use crate::accounts::UserId;
use crate::database::Database;
use crate::database::testing::{Place, add_song, add_user};

/// 2026-01-01, milliseconds since the Unix epoch.
const NOW: u64 = 1_767_225_600_000;
const DAY: i64 = 20_454;
const SONG: AssetId = AssetId([1; 16]);
const DURATION: u64 = 200_000;

struct Fixture {
    database: Database,
    recorder: Arc<Recorder>,
    place: Place,
}

async fn fixture() -> Fixture {
    let place = Place::new().await;
    let database = place.open().await;
    for n in 1..=5 {
        add_song(&database, n, DURATION).await;
    }
    Fixture { recorder: Arc::new(Recorder::start(database.clone())), database, place }
}

impl Fixture {
    async fn begin(&self, user: UserId, at_ms: u64) -> [u8; 16] {
        self.recorder.record(Play::new(user, SONG, at_ms, None)).await.unwrap().session
    }

    /// Reports after a minute.
    async fn hear(&self, user: UserId, session: [u8; 16], heard_ms: u64) -> Result<(), RecordError> {
        let at_ms = NOW + 60_000;
        self.recorder.report(Report { session, user, heard_ms, ended: false, at_ms }).await
    }

    async fn number(&self, sql: &'static str) -> i64 {
        sqlx::query_as::<_, (i64,)>(sql).fetch_one(self.database.fresh()).await.unwrap().0
    }

    async fn everyone(&self) -> Vec<(String, i64, i64, i64)> {
        sqlx::query_as("SELECT kind, day, plays, heard_ms FROM play_counts ORDER BY kind, object_id, day")
            .fetch_all(self.database.fresh())
            .await
            .unwrap()
    }
}

#[tokio::test]
async fn a_play_counts_once_however_often_it_is_reported() {
    let it = fixture().await;
    let ann = add_user(&it.database, 9).await;
    let session = it.begin(ann, NOW).await;
    it.hear(ann, session, 29_999).await.unwrap();
    assert_eq!(it.everyone().await, []);
    let reports = join_all((0..100).map(|n| it.hear(ann, session, 30_000 + n % 7 * 1000))).await;
    assert!(reports.iter().all(Result::is_ok), "{reports:?}");
    let rows = it.everyone().await;
    let expected = ["album", "artist", "song"].map(|kind| (kind.to_owned(), DAY, 1, 36_000));
    assert_eq!(rows, expected);
    it.hear(ann, session, 50_000).await.unwrap();
    it.hear(ann, session, 10_000).await.unwrap();
    assert_eq!(it.number("SELECT heard_ms FROM plays").await, 50_000);
    assert_eq!(it.number("SELECT heard_ms FROM play_counts WHERE kind = 'song'").await, 50_000);
    assert_eq!(it.number("SELECT heard_ms FROM user_counts WHERE kind = 'artist'").await, 50_000);
    assert_eq!(it.number("SELECT CAST(SUM(plays) AS BIGINT) FROM user_counts").await, 2);
    let (score,): (f64,) =
        sqlx::query_as("SELECT score FROM popularity").fetch_one(it.database.fresh()).await.unwrap();
    assert!((score - popularity::one_play(NOW)).abs() < 1e-9);
}

#[tokio::test]
async fn sessions_are_reported_by_whose_they_are() {
    let it = fixture().await;
    let (ann, ben) = (add_user(&it.database, 9).await, add_user(&it.database, 8).await);
    let (own, guests) = (it.begin(ann, NOW).await, it.begin(UserId::GUEST, NOW).await);
    for stranger in [ben, UserId::GUEST] {
        assert_eq!(it.hear(stranger, own, 40_000).await, Err(RecordError::UnknownSession));
    }
    assert_eq!(it.hear(ann, [7; 16], 40_000).await, Err(RecordError::UnknownSession));
    assert_eq!(it.everyone().await, []);
    // A guest who has signed in meanwhile goes on.
    it.hear(ben, guests, 40_000).await.unwrap();
    assert_eq!(it.number("SELECT plays FROM play_counts WHERE kind = 'song'").await, 1);
    assert_eq!(it.number("SELECT COUNT(*) FROM user_counts").await, 0, "guests have no counts");
}

#[tokio::test]
async fn a_clock_that_goes_backwards_does_no_harm() {
    let it = fixture().await;
    let session = it.begin(UserId::GUEST, NOW).await;
    it.hear(UserId::GUEST, session, 40_000).await.unwrap();
    let earlier =
        Report { session, user: UserId::GUEST, heard_ms: 90_000, ended: true, at_ms: NOW - 3_600_000 };
    it.recorder.report(earlier).await.unwrap();
    assert_eq!(it.number("SELECT heard_ms FROM plays").await, 40_000);
    let before_the_epoch = it.begin(UserId::GUEST, 0).await;
    it.hear(UserId::GUEST, before_the_epoch, 40_000).await.unwrap();
    assert_eq!(it.number("SELECT CAST(SUM(plays) AS BIGINT) FROM play_counts WHERE kind = 'song'").await, 2);
}

#[tokio::test]
async fn repeated_events_begin_one_session() {
    let it = fixture().await;
    let ann = add_user(&it.database, 9).await;
    let play = |n: usize| {
        let user = if n.is_multiple_of(2) { ann } else { UserId::GUEST };
        Play::new(user, SONG, NOW, Some(format!("event-{}", n % 100)))
    };
    let recorded = join_all((0..500).map(|n| it.recorder.record(play(n)))).await;
    let sessions: Vec<[u8; 16]> = recorded.iter().map(|it| it.as_ref().unwrap().session).collect();
    assert_eq!(sessions.iter().collect::<BTreeSet<_>>().len(), 100);
    assert!((0..500).all(|n| sessions[n] == sessions[n % 100]));
    assert_eq!(recorded.iter().filter(|it| it.as_ref().unwrap().new).count(), 100);
    assert_eq!(it.number("SELECT COUNT(*) FROM plays").await, 100);
    let other = Play::new(ann, AssetId([2; 16]), NOW, Some("event-0".into()));
    assert_eq!(it.recorder.record(other).await, Err(RecordError::EventUsed));
    // Accounts have names of their own.
    let own = Play::new(UserId::GUEST, AssetId([2; 16]), NOW, Some("event-0".into()));
    assert!(it.recorder.record(own).await.unwrap().new);
}

#[tokio::test]
async fn bad_items_do_not_spoil_the_batch() {
    let it = fixture().await;
    let recorded = join_all((0..90u8).map(|n| {
        let (user, song) = match n % 3 {
            0 => (UserId::GUEST, SONG),
            1 => (UserId::GUEST, AssetId([99; 16])),
            _ => (UserId::from([77; 16]), SONG),
        };
        it.recorder.record(Play::new(user, song, NOW, Some(format!("e{n}"))))
    }))
    .await;
    for (n, outcome) in recorded.iter().enumerate() {
        match n % 3 {
            0 => assert!(outcome.as_ref().is_ok_and(|it| it.new)),
            1 => assert_eq!(outcome, &Err(RecordError::UnknownSong)),
            _ => assert_eq!(outcome, &Err(RecordError::UnknownUser)),
        }
    }
    assert_eq!(it.number("SELECT COUNT(*) FROM plays").await, 30);
    assert_eq!(it.number("SELECT COUNT(*) FROM play_events").await, 30);
}

#[tokio::test]
async fn origins_that_write_the_same_counts_lose_nothing() {
    let it = fixture().await;
    let ann = add_user(&it.database, 9).await;
    let recorders: Vec<_> =
        join_all((0..3).map(|_| it.place.open())).await.into_iter().map(Recorder::start).collect();
    let listen = async |n: usize| {
        let recorder = &recorders[n % 3];
        let song = AssetId([1 + (n % 5) as u8; 16]);
        let user = if n.is_multiple_of(4) { ann } else { UserId::GUEST };
        let session = recorder.record(Play::new(user, song, NOW, None)).await.unwrap().session;
        // The reports of one session reach any origin.
        for (at, heard_ms) in [35_000, 40_000].into_iter().enumerate() {
            let report = Report { session, user, heard_ms, ended: false, at_ms: NOW + 60_000 };
            recorders[(n + at) % 3].report(report).await.unwrap();
        }
    };
    join_all((0..300).map(listen)).await;
    assert_eq!(it.number("SELECT COUNT(*) FROM plays WHERE heard_ms = 40000 AND counted = 1").await, 300);
    let sums: Vec<(String, i64, i64)> = sqlx::query_as(
        "SELECT kind, CAST(SUM(plays) AS BIGINT), CAST(SUM(heard_ms) AS BIGINT) FROM play_counts
         GROUP BY kind ORDER BY kind",
    )
    .fetch_all(it.database.fresh())
    .await
    .unwrap();
    assert_eq!(sums, ["album", "artist", "song"].map(|kind| (kind.to_owned(), 300, 12_000_000)));
    assert_eq!(it.number("SELECT CAST(SUM(plays) AS BIGINT) FROM user_counts WHERE kind = 'song'").await, 75);
    let scores: Vec<(f64,)> =
        sqlx::query_as("SELECT score FROM popularity").fetch_all(it.database.fresh()).await.unwrap();
    let expected = popularity::one_play(NOW) + 60f64.log2();
    assert!(scores.len() == 5 && scores.iter().all(|(score,)| (score - expected).abs() < 1e-6), "{scores:?}");
}
