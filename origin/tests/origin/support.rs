//! Starting an origin, publishing fake tracks, asking over HTTP.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use segue_manifests::{
    AssetId, Cover, Descriptor, InitSegment, ObjectKey, Packed, Rev, Sha256, Source, Tags, VERSION,
};
use segue_origin::{Config, Registration, Running};
use segue_storage::testing::{Chaos, Faults};
use segue_storage::{Memory, Storage};
use serde_json::Value;
use sqlx::migrate::MigrateDatabase as _;

/// A track as the transcoder would publish it, with noise for audio.
pub(crate) struct Track {
    pub(crate) descriptor: Descriptor,
    pub(crate) packed: Vec<Vec<u8>>,
    pub(crate) cover: Option<Vec<u8>>,
}

/// Bytes that look random and are the same every time.
pub(crate) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    })
    .take(length)
    .collect()
}

pub(crate) fn tags(title: &str, artist: &str, album: &str) -> Tags {
    Tags { title: title.into(), artist: artist.into(), album: album.into(), ..Tags::default() }
}

impl Track {
    /// A track whose audio follows from `seed`, and whose rev follows from its tags.
    pub(crate) fn new(seed: u64, tags: Tags) -> Self {
        Self::with_segments(seed, tags, &[46, 86, 172, 172, 172, 100])
    }

    pub(crate) fn with_segments(seed: u64, tags: Tags, frames: &[u32]) -> Self {
        let mut asset = AssetId([0; 16]);
        asset.0.copy_from_slice(&Sha256::of(&seed.to_be_bytes()).0[..16]);
        let mut rev = Rev([0; 6]);
        rev.0.copy_from_slice(&Sha256::of(&serde_json::to_vec(&tags).unwrap()).0[..6]);
        let (renditions, packed) =
            [128, 256, 320].map(|kbps| rendition(seed, kbps, frames)).into_iter().unzip();
        let coded: u64 = frames.iter().map(|&n| u64::from(n) * 1024).sum();
        let descriptor = Descriptor {
            version: VERSION,
            asset,
            rev,
            sample_rate: 44_100,
            channels: 2,
            samples: coded - 1600 - 100,
            encoder_delay: 1600,
            frame_samples: 1024,
            segment_frames: frames.to_vec(),
            renditions,
            tags,
            cover: None,
            loudness: None,
            source: Source::default(),
            encoder: "test".into(),
        };
        Self { descriptor, packed, cover: None }
    }

    pub(crate) fn with_cover(mut self, png: Vec<u8>) -> Self {
        let (size, sha256) = (png.len() as u32, Sha256::of(&png));
        self.descriptor.cover = Some(Cover { extension: "png".into(), size, sha256, width: 1, height: 1 });
        self.cover = Some(png);
        self
    }

    pub(crate) fn id(&self) -> String {
        self.descriptor.asset.to_string()
    }

    /// `/v1/a/<asset>/<rev>`
    pub(crate) fn base(&self) -> String {
        format!("/v1/a/{}/{}", self.descriptor.asset, self.descriptor.rev)
    }

    pub(crate) fn packed_key(&self, rendition: usize) -> String {
        let (asset, rev) = (self.descriptor.asset, self.descriptor.rev);
        ObjectKey::Packed { asset, rev, rendition: self.descriptor.renditions[rendition].name.clone() }.path()
    }

    /// The bytes of a segment.
    pub(crate) fn segment(&self, rendition: usize, index: usize) -> &[u8] {
        let place = self.descriptor.renditions[rendition].segment(index).unwrap();
        &self.packed[rendition][place.offset as usize..place.offset as usize + place.size as usize]
    }

    /// Puts everything into the store, the descriptor last.
    pub(crate) async fn publish(&self, store: &dyn Storage) {
        let (asset, rev) = (self.descriptor.asset, self.descriptor.rev);
        for (packed, bytes) in self.descriptor.renditions.iter().zip(&self.packed) {
            let init = bytes[..packed.init.size as usize].to_vec();
            put(store, &ObjectKey::Init { sha256: packed.init.sha256 }, init).await;
            let rendition = packed.name.clone();
            put(store, &ObjectKey::Packed { asset, rev, rendition }, bytes.clone()).await;
        }
        if let Some(cover) = &self.cover {
            put(store, &ObjectKey::Cover { asset, rev, extension: "png".into() }, cover.clone()).await;
        }
        put(store, &ObjectKey::Descriptor { asset, rev }, self.descriptor.to_json()).await;
    }
}

pub(crate) async fn put(store: &dyn Storage, object: &ObjectKey, bytes: Vec<u8>) {
    store.put(&object.path(), bytes.into(), object.content_type()).await.unwrap();
}

fn rendition(seed: u64, kbps: u32, frames: &[u32]) -> (Packed, Vec<u8>) {
    let init = format!("init of {kbps}").into_bytes();
    let init_segment = InitSegment { size: init.len() as u32, sha256: Sha256::of(&init) };
    let mut bytes = init;
    let (mut segment_sizes, mut segment_sha256) = (Vec::new(), Vec::new());
    for (index, &count) in frames.iter().enumerate() {
        // 1024 samples at 44.1 kHz.
        let size = (u64::from(count) * u64::from(kbps) * 125 * 1024 / 44_100).max(1) as usize;
        let segment = noise(seed ^ u64::from(kbps) << 32 ^ (index as u64) << 48, size);
        segment_sizes.push(size as u32);
        segment_sha256.push(Sha256::of(&segment));
        bytes.extend(segment);
    }
    let packed = Packed {
        name: format!("aac-{kbps}").parse().unwrap(),
        codec: "mp4a.40.2".into(),
        bit_rate: kbps * 1000,
        init: init_segment,
        segment_sizes,
        segment_sha256,
    };
    (packed, bytes)
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name} in {self:?}")).to_str().unwrap()
    }

    /// Checks that this is a problem with that status and type.
    pub(crate) fn assert_problem(&self, status: u16, slug: &str) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), "application/problem+json");
        let json = self.json();
        assert_eq!(json["type"], format!("/problems/{slug}"), "{json}");
        assert_eq!(json["status"], status);
        assert!(json["title"].is_string() && json["detail"].as_str().is_some_and(|it| !it.is_empty()));
    }

    pub(crate) fn titles(&self) -> Vec<String> {
        let json = self.json();
        let items = json["items"].as_array().unwrap_or_else(|| panic!("no items: {json}"));
        items.iter().map(|item| item.get("title").unwrap_or(&item["name"]).as_str().unwrap().into()).collect()
    }
}

/// A running origin over a memory store that can be made to fail.
pub(crate) struct Origin {
    pub(crate) running: Running,
    pub(crate) store: Arc<Chaos>,
    pub(crate) dir: Arc<tempfile::TempDir>,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Deref for Origin {
    type Target = Running;

    fn deref(&self) -> &Running {
        &self.running
    }
}

/// The database that belongs to the folder: a file there, or, where `SEGUE_TEST_POSTGRES` names a server, one of its
/// own on it.
pub(crate) async fn database(dir: &tempfile::TempDir) -> String {
    let Ok(server) = std::env::var("SEGUE_TEST_POSTGRES") else {
        return dir.path().join("catalog.db").to_string_lossy().into_owned();
    };
    sqlx::any::install_default_drivers();
    let name = Sha256::of(dir.path().as_os_str().as_encoded_bytes()).to_string();
    let address = format!("{server}/test_{}", &name[..16]);
    if !sqlx::Any::database_exists(&address).await.unwrap() {
        sqlx::Any::create_database(&address).await.unwrap();
    }
    address
}

/// The Redis of `SEGUE_TEST_REDIS`, if it names one, and names there that belong to the folder.
pub(crate) fn redis(dir: &tempfile::TempDir) -> (String, String) {
    let prefix = Sha256::of(dir.path().as_os_str().as_encoded_bytes()).to_string();
    (std::env::var("SEGUE_TEST_REDIS").unwrap_or_default(), format!("test-{}:", &prefix[..16]))
}

/// Settings for tests: free port, database and keys in `dir`, no scan but the one at start.
pub(crate) async fn config(dir: &tempfile::TempDir) -> Config {
    let (redis, redis_prefix) = redis(dir);
    Config {
        listen: "127.0.0.1:0".into(),
        admin_listen: "127.0.0.1:0".into(),
        redis,
        redis_prefix,
        // Generous: busy machines are not what is tested.
        redis_timeout_ms: 5000,
        database: database(dir).await,
        keys_file: dir.path().join("keys.json").to_string_lossy().into_owned(),
        scan_seconds: 0,
        guests: true,
        registration: Registration::Open,
        rate_per_second: 0,
        ..Config::default()
    }
}

pub(crate) fn memory() -> Arc<Chaos> {
    Arc::new(Chaos::new(Arc::new(Memory::default()), Faults::default(), 1))
}

pub(crate) async fn origin() -> Origin {
    origin_with(|_| ()).await
}

pub(crate) async fn origin_with(change: impl FnOnce(&mut Config)) -> Origin {
    start(Arc::new(tempfile::tempdir().unwrap()), memory(), change).await
}

pub(crate) async fn start(
    dir: Arc<tempfile::TempDir>,
    store: Arc<Chaos>,
    change: impl FnOnce(&mut Config),
) -> Origin {
    let mut config = config(&dir).await;
    change(&mut config);
    let running = segue_origin::start_with(config, store.clone()).await.unwrap();
    let client = Client::builder(TokioExecutor::new()).build_http();
    Origin { running, store, dir, client }
}

impl Origin {
    /// Publishes and imports.
    pub(crate) async fn add(&self, track: &Track) {
        track.publish(&*self.store).await;
        self.import(track.descriptor.asset, track.descriptor.rev).await.unwrap();
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, &[], "").await
    }

    pub(crate) async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.ask(Method::GET, path, headers, "").await
    }

    pub(crate) async fn post(&self, path: &str, body: impl Into<Bytes>) -> Answer {
        self.ask(Method::POST, path, &[], body).await
    }

    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("http://{}{path}", self.addr()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body.into())).unwrap();
        let asking = async {
            let (parts, body) = self.client.request(request).await.unwrap().into_parts();
            Answer {
                status: parts.status,
                headers: parts.headers,
                body: body.collect().await.unwrap().to_bytes(),
            }
        };
        tokio::time::timeout(Duration::from_secs(60), asking).await.expect("an answer within a minute")
    }

    /// Follows cursors to the end; `each` runs between pages.
    pub(crate) async fn walk(&self, path: &str, mut each: impl AsyncFnMut(usize)) -> Vec<Value> {
        let mut items = Vec::new();
        let mut cursor = String::new();
        for page in 0.. {
            let joint = if path.contains('?') { '&' } else { '?' };
            let answer = self.get(&format!("{path}{joint}cursor={cursor}")).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            let json = answer.json();
            items.extend(json["items"].as_array().unwrap().iter().cloned());
            match json["next_cursor"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => break,
            }
            each(page).await;
        }
        items
    }

    /// The metrics page of the admin listener.
    pub(crate) async fn metrics(&self) -> String {
        let at = self.admin_addr().unwrap();
        let request = Request::get(format!("http://{at}/metrics")).body(Full::default()).unwrap();
        let body = self.client.request(request).await.unwrap().into_body();
        String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap()
    }

    /// A counter from the metrics page; 0 where it has not been touched.
    pub(crate) async fn metric(&self, line: &str) -> u64 {
        let text = self.metrics().await;
        let found = text.lines().find_map(|it| it.strip_prefix(line)?.strip_prefix(' ')?.parse().ok());
        found.unwrap_or(0)
    }
}

/// Tries until it holds, for what happens in the background.
pub(crate) async fn eventually(mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..600 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it never came to hold");
}
