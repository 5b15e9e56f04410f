//! Tokens of strangers: never a panic, never accepted. The bytes are tried as text and as what base64url hides.
#![no_main]

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use libfuzzer_sys::fuzz_target;
use segue_manifests::token::{Access, KeySet, Method, SigningKeys, verify};

static KEYS: LazyLock<KeySet> = LazyLock::new(|| SigningKeys::generate(0).public());

fuzz_target!(|bytes: &[u8]| {
    let access = Access { path: "/v1/a/x/y/z", method: Method::Get, kbps: Some(128) };
    // The fuzzer cannot know the key id: it is put where a token has it.
    let mut keyed = bytes.to_vec();
    if let Some(at) = keyed.windows(8).position(|w| w == b"KEYIDKEY") {
        keyed[at..at + 8].copy_from_slice(&KEYS.keys[0].kid.0);
    }
    assert!(verify(&URL_SAFE_NO_PAD.encode(keyed), &access, &KEYS, 1000).is_err());
    if let Ok(text) = std::str::from_utf8(bytes) {
        assert!(verify(text, &access, &KEYS, 1000).is_err());
    }
});
