//! What a request costs in the shared contract: tokens, paths, playlists, descriptors.
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use segue_benches::descriptor;
use segue_manifests::path::{normalise, split_token};
use segue_manifests::playlists::{Form, media, multivariant};
use segue_manifests::token::{Access, Claims, Method, SigningKeys, authorise, mint, verify};
use segue_manifests::{Descriptor, MediaPath, ObjectKey};

const NOW: u64 = 1_800_000_000;

fn claims(path_prefix: String) -> Claims {
    Claims {
        issuer: "segue".into(),
        subject: None,
        expires: NOW + 900,
        not_before: NOW,
        issued: NOW,
        token_id: [7; 16],
        path_prefix,
        methods: vec![Method::Get, Method::Head],
        playback_session: Some("0123456789abcdef".into()),
        max_kbps: Some(320),
    }
}

fn tokens(c: &mut Criterion) {
    let descriptor = descriptor();
    let prefix = MediaPath::token_prefix(descriptor.asset, descriptor.rev);
    let keys = SigningKeys::generate(NOW);
    let (claims, public) = (claims(prefix.clone()), keys.public());
    let token = mint(&claims, &keys);
    let path = format!("{prefix}aac-256/7.m4s");
    let access = Access { path: &path, method: Method::Get, kbps: Some(256) };
    c.bench_function("token/mint", |b| b.iter(|| mint(black_box(&claims), &keys)));
    c.bench_function("token/verify", |b| b.iter(|| verify(black_box(&token), &access, &public, NOW)));
    c.bench_function("token/authorise", |b| b.iter(|| authorise(black_box(&claims), &access, NOW)));
    let full = format!("/v1/~{token}{}", &path[3..]);
    c.bench_function("path/normalise+split+parse", |b| {
        b.iter(|| {
            let path = normalise(black_box(&full)).ok()?;
            let (_, cache_path) = split_token(&path);
            MediaPath::parse(&cache_path)
        });
    });
}

fn texts(c: &mut Criterion) {
    let descriptor = descriptor();
    let json = descriptor.to_json();
    let name = &descriptor.renditions[1].name;
    c.bench_function("playlist/media", |b| {
        b.iter(|| media(&descriptor, name, Form::PerSegment).map(|p| p.to_text()))
    });
    c.bench_function("playlist/multivariant", |b| b.iter(|| multivariant(&descriptor).to_text()));
    c.bench_function("descriptor/read", |b| b.iter(|| Descriptor::from_json(black_box(&json))));
    let object_key = ObjectKey::Descriptor { asset: descriptor.asset, rev: descriptor.rev };
    c.bench_function("object_key/path", |b| b.iter(|| object_key.path()));
}

criterion_group!(benches, tokens, texts);
criterion_main!(benches);
