//! Pressing play: choose edges, mint a token, record the play, answer with all that a player needs to start.

mod batch;
mod begin;
mod counts;
mod edges;
mod heard;
mod keys;
mod popularity;
mod progress;
mod recorder;
mod revoke;
pub(crate) mod upkeep;
mod warm;

use std::collections::BTreeMap;
use std::sync::Arc;

use segue_manifests::playlists::{self, Form};
use segue_manifests::token::{self, Claims, Method, SKEW};
use segue_manifests::{Descriptor, MediaPath, Rev};
use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::accounts::UserId;
use crate::catalog::{Catalog, SongId};
use crate::clock;
use crate::database::{Database, DatabaseError};
use crate::http::{Problem, identity};
use crate::ids::{chance, timed_id};
use crate::media::{Media, MediaError};
use crate::metrics::Metrics;
use crate::store::StoreError;

pub(crate) use edges::{BadHost, Edges, host_of};
pub(crate) use keys::KeyRing;
pub use keys::KeysFileError;
pub(crate) use recorder::Report;
use recorder::{Play, RecordError, Recorder};
pub(crate) use revoke::{LIFE_MS, Revocations};
pub(crate) use warm::Warm;

/// Why nothing plays.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlayError {
    #[error("no such song")]
    Unknown,
    #[error("no edges are configured")]
    NoEdges,
    #[error(transparent)]
    Host(#[from] BadHost),
    #[error("the lowest rendition has {0} kbit/s")]
    TooLow(u32),
    #[error(transparent)]
    Media(#[from] MediaError),
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error(transparent)]
    Record(#[from] RecordError),
}

impl From<PlayError> for Problem {
    fn from(error: PlayError) -> Self {
        match error {
            PlayError::Unknown => Self::not_found("There is no song of this identifier."),
            PlayError::NoEdges => Self::internal(&"no edges are configured: set `edges`"),
            PlayError::Host(error) => Self::bad_request("bad-host", format!("{error}.")),
            PlayError::TooLow(lowest) => Self::bad_request(
                "no-rendition",
                format!("No rendition stays within max_kbps; the lowest has {lowest} kbit/s."),
            ),
            // The catalog has the song, so its media should be there.
            PlayError::Media(error @ (MediaError::Unknown | MediaError::Store(StoreError::NotFound(_)))) => {
                Self::damaged("The song's media is missing from the store. Publish the track again.", &error)
            }
            PlayError::Media(error) => error.into(),
            PlayError::Database(error) => error.into(),
            PlayError::Record(RecordError::UnknownSong) => {
                Self::not_found("There is no song of this identifier.")
            }
            PlayError::Record(RecordError::UnknownSession) => {
                Self::not_found("There is no playback session of this identifier.")
            }
            PlayError::Record(RecordError::UnknownUser) => identity::sign_in(),
            PlayError::Record(RecordError::EventUsed) => {
                let detail = "This event_id stands for a play of another song. Give every play an event_id of its own.";
                Self::conflict("event-used", detail)
            }
            PlayError::Record(error) => {
                Self::unavailable("The play could not be recorded at the moment. Try again.", &error)
            }
        }
    }
}

/// What a player needs to start.
#[derive(Debug)]
pub(crate) struct Start {
    playback_session: String,
    manifest_url: String,
    backup_manifest_urls: Vec<String>,
    expires_at: String,
    ready: Arc<Ready>,
}

impl Serialize for Start {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("Start", 7)?;
        out.serialize_field("playback_session", &self.playback_session)?;
        out.serialize_field("song", &self.ready.song)?;
        out.serialize_field("manifest_url", &self.manifest_url)?;
        out.serialize_field("backup_manifest_urls", &self.backup_manifest_urls)?;
        out.serialize_field("expires_at", &self.expires_at)?;
        out.serialize_field("duration_ms", &self.ready.duration_ms)?;
        out.serialize_field("start", &self.ready.playlists)?;
        out.end()
    }
}

/// The playlists that the player would fetch first; their URIs are relative to `manifest_url`.
#[derive(Debug, Serialize)]
struct StartPlaylists {
    multivariant: String,
    media: BTreeMap<String, String>,
}

impl Start {
    /// The signed address of the multivariant playlist.
    pub(crate) fn manifest_url(&self) -> &str {
        &self.manifest_url
    }
}

/// What is to be played, for whom.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) user: UserId,
    pub(crate) song: SongId,
    /// The name by which the listener reached the origin.
    pub(crate) host: Option<&'a str>,
    /// Highest bit rate, kbit/s.
    pub(crate) max_kbps: Option<u32>,
    /// The client's own name for this play.
    pub(crate) event: Option<&'a str>,
}

/// What all who start a song are given, as JSON already.
#[derive(Debug)]
struct Ready {
    asset: SongId,
    rev: Rev,
    duration_ms: u64,
    song: Box<RawValue>,
    playlists: Box<RawValue>,
}

/// Bytes of JSON that are kept ready.
const READY_BYTES: u64 = 32 << 20;

/// What is kept belongs to one generation of the catalog: a song and the highest bit rate, kbit/s.
type ReadyKey = (i64, SongId, Option<u32>);

/// Starts playback sessions.
pub(crate) struct Playback {
    pub(crate) catalog: Catalog,
    pub(crate) media: Arc<Media>,
    pub(crate) keys: Arc<KeyRing>,
    issuer: String,
    edges: Edges,
    database: Database,
    ready: moka::sync::Cache<ReadyKey, Arc<Ready>>,
    recorder: Recorder,
    warm: Warm,
    metrics: Arc<Metrics>,
}

impl Playback {
    /// Plays songs of that catalog.
    pub(crate) fn new(
        database: Database,
        media: Arc<Media>,
        keys: Arc<KeyRing>,
        (edges, warm): (Edges, Warm),
        issuer: String,
        metrics: Arc<Metrics>,
    ) -> Self {
        let catalog = Catalog::new(database.clone());
        let weigh = |_: &ReadyKey, it: &Arc<Ready>| {
            u32::try_from(it.song.get().len() + it.playlists.get().len()).unwrap_or(u32::MAX)
        };
        let ready = moka::sync::Cache::builder().max_capacity(READY_BYTES).weigher(weigh).build();
        let recorder = Recorder::start(database.clone());
        Self { catalog, media, keys, issuer, edges, database, ready, recorder, warm, metrics }
    }

    /// Starts a playback session: when this returns, the play is on the disk. An event that is known already answers
    /// with the session that it began.
    pub(crate) async fn play(&self, wanted: &Wanted<'_>) -> Result<Start, PlayError> {
        let (ready, edges) = self.prepare(wanted).await?;
        self.warm.tell(self.edges.best(ready.asset), ready.asset, ready.rev);
        let now_ms = clock::now_ms();
        let play = Play::new(wanted.user, wanted.song, now_ms, wanted.event.map(str::to_owned));
        let recorded = self.recorder.record(play).await?;
        let playback_session = hex::encode(recorded.session);
        if recorded.new {
            self.metrics.plays.inc();
            tracing::debug!(song.id = %wanted.song, %playback_session, "playback session started");
        }
        Ok(self.start(ready, edges, playback_session, wanted.max_kbps, now_ms / 1000))
    }

    /// Where the manifest of a song would be, without starting anything.
    pub(crate) async fn preview(&self, wanted: &Wanted<'_>) -> Result<Start, PlayError> {
        let (ready, edges) = self.prepare(wanted).await?;
        let now_ms = clock::now_ms();
        Ok(self.start(ready, edges, hex::encode(timed_id(now_ms)), wanted.max_kbps, now_ms / 1000))
    }

    /// Gathers everything that may be missing.
    async fn prepare(&self, wanted: &Wanted<'_>) -> Result<(Arc<Ready>, Vec<String>), PlayError> {
        let edges = self.edges.choose(wanted.song, wanted.host)?;
        let ready = self.ready(wanted).await?;
        if edges.is_empty() { Err(PlayError::NoEdges) } else { Ok((ready, edges)) }
    }

    async fn ready(&self, wanted: &Wanted<'_>) -> Result<Arc<Ready>, PlayError> {
        // Before anything is read: what is written meanwhile belongs to the next generation.
        let key = (self.database.catalog_generation(), wanted.song, wanted.max_kbps);
        if let Some(ready) = self.ready.get(&key) {
            return Ok(ready);
        }
        let song = self.catalog.song(wanted.song).await?.ok_or(PlayError::Unknown)?;
        let descriptor = self.media.descriptor(song.id, song.rev).await?;
        let ready = Arc::new(Ready {
            asset: song.id,
            rev: song.rev,
            duration_ms: song.duration_ms,
            song: raw(&song),
            playlists: raw(&start_playlists(&descriptor, wanted.max_kbps)?),
        });
        self.ready.insert(key, Arc::clone(&ready));
        Ok(ready)
    }

    fn start(
        &self,
        ready: Arc<Ready>,
        edges: Vec<String>,
        session: String,
        max_kbps: Option<u32>,
        now: u64,
    ) -> Start {
        let claims = self.claims(&ready, &session, max_kbps, now);
        let token = token::mint(&claims, &self.keys.current().signing);
        let path = MediaPath::Multivariant { asset: ready.asset, rev: ready.rev }.path();
        let signed = path.replacen("/v1/", &format!("/v1/~{token}/"), 1);
        let mut urls = edges.into_iter().map(|edge| format!("{edge}{signed}"));
        Start {
            playback_session: session,
            manifest_url: urls.next().unwrap_or_default(),
            backup_manifest_urls: urls.collect(),
            expires_at: clock::iso(claims.expires),
            ready,
        }
    }

    /// Notes how much of a playback session was heard so far.
    pub(crate) async fn report(&self, report: Report) -> Result<(), PlayError> {
        Ok(self.recorder.report(report).await?)
    }

    fn claims(&self, it: &Ready, session: &str, max_kbps: Option<u32>, now: u64) -> Claims {
        Claims {
            issuer: self.issuer.clone(),
            subject: None,
            expires: now + token::session_lifetime(it.duration_ms),
            // An edge whose clock is behind must take the token too.
            not_before: now.saturating_sub(SKEW),
            issued: now,
            token_id: chance(),
            path_prefix: MediaPath::token_prefix(it.asset, it.rev),
            methods: vec![Method::Get, Method::Head],
            playback_session: Some(session.to_owned()),
            max_kbps,
        }
    }

    /// Waits until every play taken so far is recorded; later ones are refused.
    pub(crate) async fn close(&self) {
        self.recorder.close().await;
    }
}

fn raw(value: &impl Serialize) -> Box<RawValue> {
    serde_json::value::to_raw_value(value).expect("answers have only string keys")
}

fn start_playlists(descriptor: &Descriptor, max_kbps: Option<u32>) -> Result<StartPlaylists, PlayError> {
    let within = |kbps: u32| max_kbps.is_none_or(|most| kbps <= most);
    let mut multivariant = playlists::multivariant(descriptor);
    multivariant.variants.retain(|variant| {
        variant
            .stable_variant_id
            .parse()
            .is_ok_and(|name: segue_manifests::RenditionName| within(name.kbps()))
    });
    let allowed = descriptor.renditions.iter().filter(|packed| within(packed.name.kbps()));
    let media: BTreeMap<String, String> = allowed
        .filter_map(|packed| {
            let playlist = playlists::media(descriptor, &packed.name, Form::PerSegment)?;
            Some((packed.name.to_string(), playlist.to_text()))
        })
        .collect();
    if media.is_empty() {
        let lowest = descriptor.renditions.iter().map(|packed| packed.name.kbps()).min();
        return Err(PlayError::TooLow(lowest.unwrap_or(0)));
    }
    Ok(StartPlaylists { multivariant: multivariant.to_text(), media })
}

#[cfg(test)]
mod tests;
