//! Request paths of strangers: what passes is stable, safe, and reads back the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use segue_manifests::path::{normalise, split_token};
use segue_manifests::{MediaPath, ObjectKey};

fuzz_target!(|raw: &str| {
    if let Some(object_key) = ObjectKey::parse(raw) {
        assert_eq!(object_key.path(), raw);
    }
    let Ok(path) = normalise(raw) else { return };
    assert_eq!(normalise(&path).as_deref(), Ok(&*path));
    assert!(!path.split('/').any(|segment| segment == ".." || segment == "."));
    let (_, cache_path) = split_token(&path);
    if let Some(media) = MediaPath::parse(&cache_path) {
        assert_eq!(media.path(), cache_path);
    }
});
