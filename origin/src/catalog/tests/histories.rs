//! Any history of imports, edits and takedowns leaves the counts right.

use super::*;

fn by() -> curate::By {
    let who = crate::accounts::Identity {
        user: crate::accounts::UserId::from([9; 16]),
        role: crate::accounts::Role::Curator,
        session: [0; 16],
    };
    curate::By { who, now: 1 }
}

/// A part of a history.
#[derive(Debug, Clone)]
enum Step {
    /// Asset, rev, artist, album, release.
    Import(Vec<(u8, u8, usize, usize, usize)>),
    TakeDown(u8, bool),
    /// Asset; artist, title, and album to set: 0 leaves out, 1 withdraws.
    EditSong(u8, usize, usize, usize),
    MakeAlbum(usize),
    /// Which of the albums; title and artist to set: 0 leaves out, 1 withdraws.
    EditAlbum(usize, usize, usize),
    DeleteAlbum(usize),
}

fn packaging(&(asset, rev, artist, album, release): &(u8, u8, usize, usize, usize)) -> Descriptor {
    let mut tags = tags("t", ARTISTS[artist], ["", "X", "Y"][album]);
    if artist == 5 {
        tags.artists = vec!["A".into(), "B".into()];
    }
    tags.composers = vec![ARTISTS[5 - artist].into()];
    if release > 0 {
        tags.mb_release = format!("{release}0000000-af05-4f36-916e-3d57f91ecf5e");
    }
    descriptor(asset, rev, tags)
}

fn step() -> impl Strategy<Value = Step> {
    let import = (0u8..5, 0u8..4, 0usize..6, 0usize..3, 0usize..3);
    prop_oneof![
        4 => proptest::collection::vec(import, 1..5).prop_map(Step::Import),
        2 => (0u8..5, any::<bool>()).prop_map(|(asset, down)| Step::TakeDown(asset, down)),
        3 => (0u8..5, 0usize..5, 0usize..3, 0usize..5)
            .prop_map(|(asset, artist, title, album)| Step::EditSong(asset, artist, title, album)),
        1 => (0usize..6).prop_map(Step::MakeAlbum),
        2 => (0usize..9, 0usize..4, 0usize..4).prop_map(|(at, title, artist)| Step::EditAlbum(at, title, artist)),
        1 => (0usize..9).prop_map(Step::DeleteAlbum),
    ]
}

const ARTISTS: [&str; 6] = ["", "A", "B", "C", "A feat. B", "A & B"];

fn set<T>(which: usize, values: &[T]) -> Member<T>
where
    T: Clone,
{
    match which {
        0 => None,
        1 => Some(None),
        n => Some(values.get((n - 2) % values.len()).cloned()),
    }
}

/// What is current and taken down, besides the catalog.
#[derive(Default)]
struct History {
    current: std::collections::BTreeMap<u8, Descriptor>,
    down: std::collections::BTreeSet<u8>,
    albums: Vec<AlbumId>,
}

impl History {
    async fn take(&mut self, it: &Fixture, step: &Step) {
        match step {
            Step::Import(these) => {
                let these: Vec<Descriptor> = these.iter().map(packaging).collect();
                let changes = it.catalog.apply_all(&these, Trigger::Named, 1).await.unwrap();
                for (descriptor, change) in these.into_iter().zip(changes) {
                    if change != Change::Unchanged {
                        self.current.insert(descriptor.asset.0[0], descriptor);
                    }
                }
            }
            Step::TakeDown(asset, down) => {
                assert_eq!(it.take_down(*asset, *down).await, self.current.contains_key(asset));
                if *down && self.current.contains_key(asset) {
                    self.down.insert(*asset);
                } else {
                    self.down.remove(asset);
                }
            }
            Step::EditSong(asset, artist, title, album) => {
                let Some(descriptor) = self.current.get(asset) else { return };
                let on: Vec<_> = self.albums.iter().map(|id| Placement::On(*id)).collect();
                let on: Vec<_> = on.into_iter().chain([Placement::Single]).collect();
                let change = SongChange {
                    artist: set(*artist, &["D".into(), "A ft. D".into(), "B".into()]),
                    title: set(*title, &["new".into()]),
                    album: set(*album, &on),
                    ..SongChange::default()
                };
                match it.catalog.edit_song(by(), descriptor, &change, |_| true).await {
                    Ok(_) => assert!(!self.down.contains(asset)),
                    Err(curate::CurateError::Unknown(_)) => assert!(self.down.contains(asset)),
                    Err(curate::CurateError::Nothing("album_id")) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            Step::MakeAlbum(artist) => {
                let new = curate::NewAlbum {
                    title: "X".into(),
                    artist: ARTISTS[(*artist).max(1)].into(),
                    date: String::new(),
                    release_group: None,
                };
                self.albums.push(it.catalog.make_album(by(), &new).await.unwrap().album.id);
            }
            Step::EditAlbum(at, title, artist) => {
                let Some(id) = self.some_album(it, *at).await else { return };
                let change = AlbumChange {
                    title: set(*title, &["renamed".into(), "y".into()]),
                    artist: set(*artist, &["E".into(), "A feat. E".into()]),
                    ..AlbumChange::default()
                };
                let source = it.catalog.source_of_album(id, &change).await.unwrap();
                let source = source.map(|(asset, _)| self.current[&asset.0[0]].clone());
                match it.catalog.edit_album(by(), id, source.as_ref(), &change, |_| true).await {
                    Ok(album) => assert_eq!(album.album.id, id),
                    Err(curate::CurateError::NoTags) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            Step::DeleteAlbum(at) => {
                let Some(id) = self.some_album(it, *at).await else { return };
                it.catalog.delete_album(by(), id, |_| true).await.unwrap();
            }
        }
    }

    async fn some_album(&self, it: &Fixture, at: usize) -> Option<AlbumId> {
        let albums = it.catalog.albums(&all()).await.unwrap().items;
        albums.get(at % albums.len().max(1)).map(|album| album.id)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Any history of imports, edits and takedowns leaves counts that are right, and nothing empty.
    #[test]
    fn counts_follow_any_history(steps in proptest::collection::vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let it = fixture().await;
            let mut history = History::default();
            for step in &steps {
                history.take(&it, step).await;
                assert_eq!(it.miscounted().await, [], "{step:?} of {steps:?}");
            }
            let shown = history.current.len() - history.down.len();
            assert_eq!(it.catalog.totals().await.unwrap().songs as usize, shown);
        });
    }

    /// Songs that come together are the same songs, albums and artists as when they come one by one.
    #[test]
    fn a_batch_is_its_songs_one_by_one(
        rest in proptest::collection::vec((0u8..4, 0usize..6, 0usize..3, 0usize..3), 1..12),
    ) {
        let number = |(asset, (rev, artist, album, release))| packaging(&(asset, rev, artist, album, release));
        let these: Vec<Descriptor> = (0..).zip(rest).map(number).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (together, alone) = (fixture().await, fixture().await);
            together.catalog.apply_all(&these, Trigger::Scan { began: 0 }, 1).await.unwrap();
            for descriptor in &these {
                alone.catalog.apply(descriptor, Trigger::Scan { began: 0 }, 1).await.unwrap();
            }
            assert_eq!(together.contents().await, alone.contents().await);
            assert_eq!(together.miscounted().await, []);
            let again = together.catalog.apply_all(&these, Trigger::Scan { began: 0 }, 2).await.unwrap();
            assert!(again.iter().all(|change| *change == Change::Unchanged));
        });
    }
}
