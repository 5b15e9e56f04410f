use std::fs;
use std::path::Path;

use lofty::file::{AudioFile, TaggedFileExt};
use lofty::tag::{Accessor, ItemKey};

use crate::demo::{DemoError, compose, compose_piece, pieces};

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap();
    let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn tags_and_cover_read_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = compose_piece(dir.path(), 5).unwrap();
    let file = lofty::read_from_path(&path).unwrap();
    assert_eq!(file.properties().sample_rate(), Some(44_100));
    assert_eq!((file.properties().channels(), file.properties().bit_depth()), (Some(2), Some(16)));
    assert!((60..120).contains(&file.properties().duration().as_secs()));
    let tag = file.primary_tag().or(file.first_tag()).unwrap();
    assert_eq!(tag.title().as_deref(), Some("Lanterns"));
    assert_eq!(tag.artist().as_deref(), Some("Segue"));
    assert_eq!(tag.album().as_deref(), Some("First Light"));
    assert_eq!(tag.genre().as_deref(), Some("Classical"));
    assert_eq!((tag.track(), tag.track_total()), (Some(6), Some(6)));
    assert_eq!(tag.get_string(ItemKey::AlbumArtist), Some("Segue"));
    assert_eq!(tag.get_string(ItemKey::RecordingDate), Some("2026"));
    let picture = image::load_from_memory(tag.pictures()[0].data()).unwrap();
    assert_eq!((picture.width(), picture.height()), (1000, 1000));
}

#[test]
fn the_second_start_composes_nothing_and_repairs_what_is_broken() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("music/demo");
    let paths = compose(&folder).unwrap();
    assert_eq!(paths.len(), pieces());
    assert_eq!(names(&folder).len(), pieces(), "nothing else is left: {:?}", names(&folder));
    let stamp = |i: usize| fs::metadata(&paths[i]).unwrap().modified().unwrap();
    let whole = fs::read(&paths[1]).unwrap();
    fs::File::options().write(true).open(&paths[1]).unwrap().set_len(1_000_000).unwrap();
    fs::write(folder.join(".segue-demo-0.0.part"), b"left behind").unwrap();
    let before: Vec<_> = (0..pieces()).map(stamp).collect();
    assert_eq!(compose(&folder).unwrap(), paths);
    for i in (0..pieces()).filter(|i| *i != 1) {
        assert_eq!(stamp(i), before[i], "{} was written again", paths[i].display());
    }
    assert!(fs::read(&paths[1]).unwrap() == whole, "the broken file is whole again, to the byte");
    assert_eq!(names(&folder).len(), pieces(), "the leftover is gone");
}

#[test]
fn errors_name_the_place() {
    let dir = tempfile::tempdir().unwrap();
    let error = compose_piece(dir.path(), 6).unwrap_err();
    assert_eq!(error.to_string(), "demo: there is no piece 6; the album has 6 of them, counted from 0");
    fs::write(dir.path().join("file"), b"").unwrap();
    let error = compose(&dir.path().join("file")).unwrap_err();
    assert!(matches!(error, DemoError::Folder { .. }), "{error}");
}
