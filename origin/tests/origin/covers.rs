//! Artwork in sizes.

use std::io::Cursor;

use segue_manifests::ObjectKey;
use segue_storage::Storage as _;

use crate::support::{Track, origin, put, tags};

fn png(width: u32, height: u32) -> Vec<u8> {
    let image = image::RgbImage::from_fn(width, height, |x, y| image::Rgb([x as u8, y as u8, 90]));
    let mut out = Cursor::new(Vec::new());
    image.write_to(&mut out, image::ImageFormat::Png).unwrap();
    out.into_inner()
}

#[tokio::test]
async fn covers_come_in_sizes_and_as_published() {
    let origin = origin().await;
    let original = png(600, 300);
    let track = Track::new(1, tags("One", "Ann", "First")).with_cover(original.clone());
    origin.add(&track).await;
    let song = origin.get(&format!("/songs/{}", track.id())).await.json();
    let path = song["cover"].as_str().unwrap().to_owned();
    let whole = origin.get(&path).await;
    assert_eq!((whole.header("content-type"), &whole.body[..]), ("image/png", &original[..]));
    for (size, expected) in [("96", (96, 48)), ("100", (96, 48)), ("384", (384, 192)), ("9999", (600, 300))] {
        let small = origin.get(&format!("{path}?size={size}")).await;
        assert_eq!(small.header("content-type"), "image/jpeg");
        assert_eq!(small.header("cache-control"), "public, max-age=31536000, immutable");
        let image = image::load_from_memory(&small.body).unwrap();
        assert_eq!((image.width(), image.height()), expected, "{size}");
        let kept =
            origin.get_with(&format!("{path}?size={size}"), &[("if-none-match", small.header("etag"))]).await;
        assert_eq!(kept.status, 304);
    }
    origin.get(&format!("{path}?size=big")).await.assert_problem(400, "bad-query");
    origin.get(&format!("/covers/{}", "0".repeat(64))).await.assert_problem(404, "not-found");
    origin.get("/covers/x").await.assert_problem(404, "not-found");
}

#[tokio::test]
async fn many_who_want_a_size_share_the_work() {
    let origin = origin().await;
    let track = Track::new(1, tags("One", "Ann", "First")).with_cover(png(500, 500));
    origin.add(&track).await;
    let path = format!("/covers/{}?size=192", track.descriptor.cover.as_ref().unwrap().sha256);
    let answers = futures_util::future::join_all((0..20).map(|_| origin.get(&path))).await;
    assert!(answers.iter().all(|answer| answer.status == 200 && answer.body == answers[0].body));
    assert_eq!(origin.metric("segue_origin_store_reads_total{object=\"cover\",outcome=\"ok\"}").await, 1);
}

#[tokio::test]
async fn broken_artwork_is_a_clean_error() {
    let origin = origin().await;
    let track =
        Track::new(1, tags("One", "Ann", "First")).with_cover(b"\x89PNG\r\n\x1a\nnot really".to_vec());
    origin.add(&track).await;
    let sha256 = track.descriptor.cover.as_ref().unwrap().sha256;
    origin.get(&format!("/covers/{sha256}?size=96")).await.assert_problem(502, "damaged");

    let whole = Track::new(2, tags("Two", "Ann", "First")).with_cover(png(100, 100));
    origin.add(&whole).await;
    let (asset, rev) = (whole.descriptor.asset, whole.descriptor.rev);
    let sha256 = whole.descriptor.cover.as_ref().unwrap().sha256;
    let object = ObjectKey::Cover { asset, rev, extension: "png".into() };
    put(&*origin.store, &object, png(100, 101)).await;
    origin.get(&format!("/covers/{sha256}")).await.assert_problem(502, "damaged");
    // Another packaging has a sound copy of the same artwork.
    origin.add(&Track::new(3, tags("Three", "Ann", "First")).with_cover(png(100, 100))).await;
    assert_eq!(origin.get(&format!("/covers/{sha256}")).await.status, 200);
    origin.store.delete(&object.path()).await.unwrap();
    assert_eq!(origin.get(&format!("/covers/{sha256}?size=96")).await.status, 200);
}
