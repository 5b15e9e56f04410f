//! Descriptors of strangers: no panic in reading nor in the playlists that follow from them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use segue_manifests::Descriptor;
use segue_manifests::playlists::{Form, media, multivariant};

fuzz_target!(|bytes: &[u8]| {
    let Ok(descriptor) = Descriptor::from_json(bytes) else { return };
    assert_eq!(Descriptor::from_json(&descriptor.to_json()).as_ref(), Ok(&descriptor));
    let _ = multivariant(&descriptor).to_text();
    for packed in &descriptor.renditions {
        let _ = media(&descriptor, &packed.name, Form::PerSegment).map(|playlist| playlist.to_text());
    }
});
