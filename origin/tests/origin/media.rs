//! The media endpoint: what edges pull.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::Method;
use segue_manifests::{ObjectKey, Sha256};
use segue_storage::Storage as _;

use crate::support::{Track, origin, origin_with, put, tags};

fn repr_digest(bytes: &[u8]) -> String {
    format!("sha-256=:{}:", STANDARD.encode(Sha256::of(bytes).0))
}

#[tokio::test]
async fn segments_come_whole_in_parts_and_as_heads() {
    let origin = origin().await;
    let track = Track::new(1, tags("One", "Ann", "First"));
    track.publish(&*origin.store).await;
    let path = format!("{}/aac-256/2.m4s", track.base());
    let bytes = track.segment(1, 2);
    let whole = origin.get(&path).await;
    assert_eq!((whole.status.as_u16(), &whole.body[..]), (200, bytes));
    assert_eq!(whole.header("content-type"), "audio/mp4");
    assert_eq!(whole.header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(whole.header("repr-digest"), repr_digest(bytes));
    assert_eq!(whole.header("accept-ranges"), "bytes");
    let (asset, rev) = (track.descriptor.asset, track.descriptor.rev);
    assert_eq!(whole.header("surrogate-key"), format!("asset-{asset} rev-{asset}-{rev}"));
    let etag = whole.header("etag").to_owned();
    assert!(etag.starts_with('"'), "strong: {etag}");

    let part = origin.get_with(&path, &[("range", "bytes=10-19")]).await;
    assert_eq!((part.status.as_u16(), &part.body[..]), (206, &bytes[10..20]));
    assert_eq!(part.header("content-range"), format!("bytes 10-19/{}", bytes.len()));
    let beyond = origin.get_with(&path, &[("range", "bytes=9999999-")]).await;
    beyond.assert_problem(416, "range-not-satisfiable");
    assert_eq!(beyond.header("content-range"), format!("bytes */{}", bytes.len()));
    let kept = origin.get_with(&path, &[("if-none-match", &etag)]).await;
    assert_eq!((kept.status.as_u16(), kept.body.len(), kept.header("etag")), (304, 0, &*etag));
    let head = origin.ask(Method::HEAD, &path, &[], "").await;
    assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), bytes.len().to_string());
    assert_eq!(head.header("etag"), etag);
}

#[tokio::test]
async fn playlists_and_inits_fit_together() {
    let origin = origin().await;
    let track = Track::new(1, tags("One", "Ann", "First"));
    track.publish(&*origin.store).await;
    let multivariant = origin.get(&format!("{}/mv.m3u8", track.base())).await;
    assert_eq!(multivariant.header("content-type"), "application/vnd.apple.mpegurl");
    assert_eq!(multivariant.header("cache-control"), "public, max-age=60");
    assert!(multivariant.header("cdn-cache-control").starts_with("max-age=86400"));
    assert_eq!(multivariant.header("repr-digest"), repr_digest(&multivariant.body));
    let text = std::str::from_utf8(&multivariant.body).unwrap();
    let uris: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(uris, ["aac-128/media.m3u8", "aac-256/media.m3u8", "aac-320/media.m3u8"]);
    let media = origin.get(&format!("{}/{}", track.base(), uris[0])).await;
    let text = std::str::from_utf8(&media.body).unwrap();
    let init = text.split("URI=\"").nth(1).unwrap().split('"').next().unwrap();
    let init = origin.get(init).await;
    assert_eq!((init.status.as_u16(), &init.body[..]), (200, &b"init of 128"[..]));
    let packed = &track.descriptor.renditions[0];
    assert_eq!(init.header("surrogate-key"), format!("init-{}", packed.init.sha256));
    for (index, uri) in text.lines().filter(|line| !line.starts_with('#')).enumerate() {
        let segment = origin.get(&format!("{}/aac-128/{uri}", track.base())).await;
        assert_eq!(&segment.body[..], track.segment(0, index), "{uri}");
    }
}

#[tokio::test]
async fn playlists_are_compressed_for_those_who_take_it() {
    let origin = origin().await;
    let track = Track::with_segments(1, tags("One", "Ann", "First"), &[172; 60]);
    track.publish(&*origin.store).await;
    let path = format!("{}/aac-128/media.m3u8", track.base());
    let plain = origin.get(&path).await;
    let packed = origin.get_with(&path, &[("accept-encoding", "gzip")]).await;
    assert_eq!(packed.header("content-encoding"), "gzip");
    assert_eq!(packed.header("vary"), "accept-encoding");
    assert_eq!(packed.header("repr-digest"), repr_digest(&packed.body));
    assert_ne!(packed.header("etag"), plain.header("etag"));
    let mut text = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&packed.body[..]), &mut text).unwrap();
    assert_eq!(text.as_bytes(), plain.body);
    let kept = origin
        .get_with(&path, &[("accept-encoding", "gzip"), ("if-none-match", packed.header("etag"))])
        .await;
    assert_eq!(kept.status, 304);
}

#[tokio::test]
async fn one_read_brings_the_segments_behind() {
    let origin = origin().await;
    let track = Track::new(1, tags("One", "Ann", "First"));
    track.publish(&*origin.store).await;
    let reads =
        async || origin.metric("segue_origin_store_reads_total{object=\"packed\",outcome=\"ok\"}").await;
    for index in 0..6 {
        let segment = origin.get(&format!("{}/aac-128/{index}.m4s", track.base())).await;
        assert_eq!(&segment.body[..], track.segment(0, index));
    }
    assert_eq!(reads().await, 1, "the whole rendition is shorter than the read-ahead");
    let ahead = origin.metric("segue_origin_segments_total{outcome=\"read-ahead\"}").await;
    let joined = origin.metric("segue_origin_segments_total{outcome=\"joined\"}").await;
    assert_eq!(ahead + joined, 5);
    origin.get(&format!("{}/aac-128/0.m4s", track.base())).await;
    assert_eq!(origin.metric("segue_origin_segments_total{outcome=\"hit\"}").await, 1);
}

#[tokio::test]
async fn many_who_want_the_same_share_one_read() {
    let origin = origin_with(|config| config.read_ahead_bytes = 0).await;
    let track = Track::new(1, tags("One", "Ann", "First"));
    track.publish(&*origin.store).await;
    let path = format!("{}/aac-320/3.m4s", track.base());
    let answers = futures_util::future::join_all((0..40).map(|_| origin.get(&path))).await;
    assert!(answers.iter().all(|answer| answer.body == track.segment(2, 3)));
    let reads = origin.metric("segue_origin_store_reads_total{object=\"packed\",outcome=\"ok\"}").await;
    assert_eq!(reads, 1);
}

#[tokio::test]
async fn damaged_bytes_never_leave() {
    let origin = origin().await;
    let mut track = Track::new(1, tags("One", "Ann", "First"));
    let place = track.descriptor.renditions[0].segment(1).unwrap();
    track.packed[0][place.offset as usize + 5] ^= 1;
    track.publish(&*origin.store).await;
    origin.get(&format!("{}/aac-128/1.m4s", track.base())).await.assert_problem(502, "damaged");
    for sound in [0, 2] {
        assert_eq!(origin.get(&format!("{}/aac-128/{sound}.m4s", track.base())).await.status, 200);
    }
    // Cut in the middle of the last segment.
    let cut = track.packed[1][..track.packed[1].len() - 10].to_vec();
    origin.store.put(&track.packed_key(1), cut.into(), "audio/mp4").await.unwrap();
    assert_eq!(origin.get(&format!("{}/aac-256/4.m4s", track.base())).await.status, 200);
    origin.get(&format!("{}/aac-256/5.m4s", track.base())).await.assert_problem(502, "damaged");
    origin.store.delete(&track.packed_key(2)).await.unwrap();
    origin.get(&format!("{}/aac-320/0.m4s", track.base())).await.assert_problem(502, "damaged");
    let init = ObjectKey::Init { sha256: track.descriptor.renditions[0].init.sha256 };
    put(&*origin.store, &init, b"something else".to_vec()).await;
    let sha256 = track.descriptor.renditions[0].init.sha256;
    origin.get(&format!("/v1/i/{sha256}.mp4")).await.assert_problem(502, "damaged");
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let origin = origin().await;
    let track = Track::new(1, tags("One", "Ann", "First"));
    track.publish(&*origin.store).await;
    let asset = track.descriptor.asset;
    for path in [
        format!("/v1/a/{asset}/000000000000/mv.m3u8"),
        format!("{}/aac-64/media.m3u8", track.base()),
        format!("{}/aac-64/0.m4s", track.base()),
        format!("{}/aac-128/6.m4s", track.base()),
        format!("{}/aac-128/4294967295.m4s", track.base()),
        format!("{}/aac-128/01.m4s", track.base()),
        format!("{}/asset.json", track.base()),
        format!("/v1/~token/a/{asset}/{}/mv.m3u8", track.descriptor.rev),
        format!("/v1/i/{}.mp4", "0".repeat(64)),
        "/v1/x".into(),
    ] {
        origin.get(&path).await.assert_problem(404, "not-found");
    }
    for path in ["/v1/a/../../etc/passwd", "/v1/a/%2e%2e/x", "/v1/a//x", "/v1/a%2fx", "/v1/a/%252e"] {
        origin.get(path).await.assert_problem(400, "bad-path");
    }
}

#[tokio::test]
async fn a_secret_shuts_the_endpoint() {
    let origin = origin_with(|config| config.media_secret = "hush".into()).await;
    let track = Track::new(1, tags("One", "Ann", "First"));
    origin.add(&track).await;
    let path = format!("{}/mv.m3u8", track.base());
    let refused = origin.get(&path).await;
    refused.assert_problem(401, "no-secret");
    assert!(refused.header("www-authenticate").starts_with("Bearer"));
    origin.get_with(&path, &[("authorization", "Bearer husx")]).await.assert_problem(401, "wrong-secret");
    assert_eq!(origin.get_with(&path, &[("authorization", "Bearer hush")]).await.status, 200);
    assert_eq!(origin.get("/songs").await.status, 200, "the catalog is not behind it");
}
