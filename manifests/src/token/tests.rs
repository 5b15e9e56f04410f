use aws_lc_rs::signature::Ed25519KeyPair;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use proptest::prelude::*;

use super::*;

const NOW: u64 = 1_800_000_000;
const PREFIX: &str = "/v1/a/00112233445566778899aabbccddeeff/0a1b2c3d4e5f/";

fn claims() -> Claims {
    Claims {
        issuer: "segue".into(),
        subject: Some("listener".into()),
        expires: NOW + 900,
        not_before: NOW,
        issued: NOW,
        token_id: [7; 16],
        path_prefix: PREFIX.into(),
        methods: vec![Method::Get, Method::Head],
        playback_session: Some("session".into()),
        max_kbps: Some(256),
    }
}

fn path() -> String {
    format!("{PREFIX}aac-256/0.m4s")
}

fn check(token: &str, keys: &KeySet, now: u64) -> Result<Claims, Refusal> {
    verify(token, &Access { path: &path(), method: Method::Get, kbps: Some(256) }, keys, now)
}

#[test]
fn a_minted_token_verifies() {
    let keys = SigningKeys::generate(NOW);
    let token = mint(&claims(), &keys);
    assert_eq!(check(&token, &keys.public(), NOW), Ok(claims()));
    assert!(token.len() < 400, "{} characters in every URL", token.len());
    let minimal = Claims { subject: None, playback_session: None, max_kbps: None, ..claims() };
    assert_eq!(check(&mint(&minimal, &keys), &keys.public(), NOW), Ok(minimal));
}

#[test]
fn every_refusal_has_its_reason() {
    let keys = SigningKeys::generate(NOW);
    let public = keys.public();
    let token = mint(&claims(), &keys);
    let other = SigningKeys::generate(NOW);
    let own = path();
    let get = |path: &str, kbps| {
        verify(&token, &Access { path, method: Method::Get, kbps: Some(kbps) }, &public, NOW)
    };
    assert_eq!(check("", &public, NOW), Err(Refusal::Missing));
    assert_eq!(check(&"A".repeat(MAX_TOKEN + 1), &public, NOW), Err(Refusal::TooLong));
    for broken in [
        "A",
        "====",
        "AAAA",
        &token[..token.len() - 4],
        &format!("{token}AAAA"),
        &token.replace(['-', '_'], "+"),
    ] {
        if *broken != *token {
            assert_eq!(check(broken, &public, NOW), Err(Refusal::Malformed), "{broken}");
        }
    }
    assert_eq!(check(&mint(&claims(), &other), &public, NOW), Err(Refusal::UnknownKey));
    assert_eq!(check(&token, &public, NOW - SKEW - 1), Err(Refusal::NotYetValid));
    assert!(check(&token, &public, NOW - SKEW).is_ok());
    assert_eq!(check(&token, &public, NOW + 900 + SKEW + 1), Err(Refusal::Expired));
    assert!(check(&token, &public, NOW + 900 + SKEW).is_ok());
    assert_eq!(get("/v1/a/ff112233445566778899aabbccddeeff/0a1b2c3d4e5f/mv.m3u8", 128), Err(Refusal::Path));
    assert_eq!(get(&own, 320), Err(Refusal::Rendition));
    assert_eq!(get(&own, u32::MAX), Err(Refusal::Rendition));
    let head_only = mint(&Claims { methods: vec![Method::Head], ..claims() }, &keys);
    assert_eq!(check(&head_only, &public, NOW), Err(Refusal::Method));
    let endless = mint(&Claims { expires: NOW + MAX_LIFETIME + 1, ..claims() }, &keys);
    assert_eq!(check(&endless, &public, NOW), Err(Refusal::Malformed));
}

#[test]
fn algorithm_is_bound_to_the_key() {
    let keys = SigningKeys::generate(NOW);
    let (kid, pair) = keys.active();
    for alg in [0, -7, 5, -257, i64::MIN] {
        let confused = cose::sign_as(&claims().to_cbor(), alg, kid, pair);
        assert_eq!(check(&confused, &keys.public(), NOW), Err(Refusal::Algorithm), "{alg}");
    }
}

#[test]
fn a_forger_who_names_our_key_is_refused() {
    let keys = SigningKeys::generate(NOW);
    let forger = Ed25519KeyPair::from_seed_unchecked(&[1; 32]).unwrap();
    let forged = cose::sign(&claims().to_cbor(), keys.active_kid(), &forger);
    assert_eq!(check(&forged, &keys.public(), NOW), Err(Refusal::Signature));
}

#[test]
fn unknown_claims_are_refused() {
    let keys = SigningKeys::generate(NOW);
    let (kid, pair) = keys.active();
    let mut payload = claims().to_cbor();
    payload[0] += 1; // one more pair in the map
    payload.extend([0x19, 0x01, 0x3c, 0x61, b'x']); // 316 (geography): "x"
    assert_eq!(check(&cose::sign(&payload, kid, pair), &keys.public(), NOW), Err(Refusal::Malformed));
}

#[test]
fn keys_rotate_retire_and_are_revoked() {
    let mut keys = SigningKeys::generate(NOW);
    let first = keys.active_kid();
    let token = mint(&claims(), &keys);
    assert_eq!(keys.rotate(NOW + 10, 300), Err(KeysError::TooSoon(290)));
    let second = keys.rotate(NOW + 300, 300).unwrap();
    assert_ne!(first, second);
    assert!(check(&token, &keys.public(), NOW + 300).is_ok(), "a retiring key is accepted");
    let published = keys.public();
    let old = Claims { not_before: NOW + 22_000, expires: NOW + 23_000, ..claims() };
    let late = NOW + 300 + MAX_LIFETIME + SKEW + 1;
    let (seed_only, _) = (SigningKeys::from_json(&keys.to_json()).unwrap(), old);
    assert_eq!(seed_only.public(), published, "the file keeps everything");
    assert_eq!(check(&token, &published, late), Err(Refusal::RetiredKey));
    keys.revoke(second, NOW + 400).unwrap();
    let revoked = mint_with(&published_pair(&keys, second));
    assert_eq!(check(&revoked, &keys.public(), NOW + 400), Err(Refusal::RevokedKey));
    assert_ne!(keys.active_kid(), second);
    let third = keys.active_kid();
    keys.rotate(late + 400, 0).unwrap();
    let kids: Vec<_> = keys.public().keys.iter().map(|key| key.kid).collect();
    assert!(!kids.contains(&first) && !kids.contains(&second) && kids.contains(&third), "{kids:?}");
}

/// The token that was minted before its key was revoked.
fn mint_with((kid, pair): &(KeyId, Ed25519KeyPair)) -> String {
    cose::sign(&claims().to_cbor(), *kid, pair)
}

fn published_pair(keys: &SigningKeys, kid: KeyId) -> (KeyId, Ed25519KeyPair) {
    let file: serde_json::Value = serde_json::from_slice(&keys.to_json()).unwrap();
    let at = keys.public().keys.iter().position(|key| key.kid == kid).unwrap();
    let seed = URL_SAFE_NO_PAD.decode(file["keys"][at]["seed"].as_str().unwrap()).unwrap();
    (kid, Ed25519KeyPair::from_seed_unchecked(&seed).unwrap())
}

#[test]
fn key_files_show_no_secret_when_they_fail() {
    for bad in [
        "",
        "{}",
        r#"{"version":2,"keys":[]}"#,
        r#"{"version":1,"keys":[{"seed":"c2VjcmV0","state":"active","since":1}]}"#,
    ] {
        let error = SigningKeys::from_json(bad.as_bytes()).unwrap_err().to_string();
        assert!(!error.contains("c2VjcmV0"), "{error}");
    }
    assert_eq!(SigningKeys::from_json(br#"{"version":1,"keys":[]}"#).unwrap_err(), KeysError::NoneActive);
    assert!(!format!("{:?}", SigningKeys::generate(NOW)).contains("seed"));
}

#[test]
fn key_sets_read_back() {
    let set = SigningKeys::generate(NOW).public();
    assert_eq!(KeySet::from_json(&set.to_json()), Ok(set.clone()));
    assert!(KeySet::from_json(b"{}").is_err());
    let many = KeySet { keys: vec![set.keys[0].clone(); KeySet::MAX_KEYS + 1], ..set };
    assert!(KeySet::from_json(&many.to_json()).is_err());
}

#[test]
fn lifetimes_follow_the_track() {
    assert_eq!(session_lifetime(0), MIN_LIFETIME);
    assert_eq!(session_lifetime(240_000), 900);
    assert_eq!(session_lifetime(3_600_000), 5_100);
    assert_eq!(session_lifetime(u64::MAX), MAX_LIFETIME);
}

proptest! {
    #[test]
    fn claims_survive_the_trip(
        issuer in "[a-z]{0,20}", subject in proptest::option::of("\\PC{0,20}"), life in 0..=MAX_LIFETIME,
        token_id: [u8; 16], max_kbps in proptest::option::of(256u32..), session in proptest::option::of("[a-z0-9]{0,40}"),
    ) {
        let keys = SigningKeys::generate(NOW);
        let wanted = Claims { issuer, subject, expires: NOW + life, token_id, max_kbps, playback_session: session, ..claims() };
        prop_assert_eq!(check(&mint(&wanted, &keys), &keys.public(), NOW), Ok(wanted));
    }

    #[test]
    fn any_flipped_bit_is_refused(at in 0usize..200, bit in 0u8..8) {
        let keys = SigningKeys::generate(NOW);
        let mut bytes = URL_SAFE_NO_PAD.decode(mint(&claims(), &keys)).unwrap();
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        prop_assert!(check(&URL_SAFE_NO_PAD.encode(bytes), &keys.public(), NOW).is_err());
    }

    #[test]
    fn noise_is_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let keys = SigningKeys::generate(NOW).public();
        prop_assert!(check(&URL_SAFE_NO_PAD.encode(bytes), &keys, NOW).is_err());
    }
}
