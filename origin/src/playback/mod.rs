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
pub(crate) mod upkeep;

use std::collections::BTreeMap;
use std::sync::Arc;

use segue_manifests::playlists::{self, Form};
use segue_manifests::token::{self, Claims, Method, SKEW};
use segue_manifests::{Descriptor, MediaPath};
use serde::Serialize;

use crate::accounts::UserId;
use crate::catalog::{Catalog, Song, SongId};
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
#[derive(Debug, Serialize)]
pub(crate) struct Start {
    playback_session: String,
    song: Song,
    manifest_url: String,
    backup_manifest_urls: Vec<String>,
    expires_at: String,
    duration_ms: u64,
    start: StartPlaylists,
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

/// Everything for a start but the session.
struct Ready {
    song: Song,
    edges: Vec<String>,
    descriptor: Arc<Descriptor>,
    playlists: StartPlaylists,
}

/// Starts playback sessions.
pub(crate) struct Playback {
    pub(crate) catalog: Catalog,
    pub(crate) media: Arc<Media>,
    pub(crate) keys: Arc<KeyRing>,
    issuer: String,
    edges: Edges,
    recorder: Recorder,
    metrics: Arc<Metrics>,
}

impl Playback {
    /// Plays songs of that catalog.
    pub(crate) fn new(
        database: Database,
        media: Arc<Media>,
        keys: Arc<KeyRing>,
        edges: Edges,
        issuer: String,
        metrics: Arc<Metrics>,
    ) -> Self {
        let catalog = Catalog::new(database.clone());
        Self { catalog, media, keys, issuer, edges, recorder: Recorder::start(database), metrics }
    }

    /// Starts a playback session: when this returns, the play is on the disk. An event that is known already answers
    /// with the session that it began.
    pub(crate) async fn play(&self, wanted: &Wanted<'_>) -> Result<Start, PlayError> {
        let ready = self.prepare(wanted).await?;
        let now_ms = clock::now_ms();
        let play = Play::new(wanted.user, wanted.song, now_ms, wanted.event.map(str::to_owned));
        let recorded = self.recorder.record(play).await?;
        let playback_session = hex::encode(recorded.session);
        if recorded.new {
            self.metrics.plays.inc();
            tracing::debug!(song.id = %wanted.song, %playback_session, "playback session started");
        }
        Ok(self.start(ready, playback_session, wanted.max_kbps, now_ms / 1000))
    }

    /// Where the manifest of a song would be, without starting anything.
    pub(crate) async fn preview(&self, wanted: &Wanted<'_>) -> Result<Start, PlayError> {
        let ready = self.prepare(wanted).await?;
        let now_ms = clock::now_ms();
        Ok(self.start(ready, hex::encode(timed_id(now_ms)), wanted.max_kbps, now_ms / 1000))
    }

    /// Gathers everything that may be missing.
    async fn prepare(&self, wanted: &Wanted<'_>) -> Result<Ready, PlayError> {
        let song = self.catalog.song(wanted.song).await?.ok_or(PlayError::Unknown)?;
        let edges = self.edges.choose(song.id, wanted.host)?;
        if edges.is_empty() {
            return Err(PlayError::NoEdges);
        }
        let descriptor = self.media.descriptor(song.id, song.rev).await?;
        let playlists = start_playlists(&descriptor, wanted.max_kbps)?;
        Ok(Ready { song, edges, descriptor, playlists })
    }

    fn start(&self, ready: Ready, session: String, max_kbps: Option<u32>, now: u64) -> Start {
        let Ready { song, edges, descriptor, playlists } = ready;
        let claims = self.claims(&descriptor, &session, max_kbps, now);
        let token = token::mint(&claims, &self.keys.current().signing);
        let path = MediaPath::Multivariant { asset: song.id, rev: song.rev }.path();
        let signed = path.replacen("/v1/", &format!("/v1/~{token}/"), 1);
        let mut urls = edges.into_iter().map(|edge| format!("{edge}{signed}"));
        Start {
            playback_session: session,
            manifest_url: urls.next().unwrap_or_default(),
            backup_manifest_urls: urls.collect(),
            expires_at: clock::iso(claims.expires),
            duration_ms: song.duration_ms,
            start: playlists,
            song,
        }
    }

    /// Notes how much of a playback session was heard so far.
    pub(crate) async fn report(&self, report: Report) -> Result<(), PlayError> {
        Ok(self.recorder.report(report).await?)
    }

    fn claims(&self, it: &Descriptor, session: &str, max_kbps: Option<u32>, now: u64) -> Claims {
        Claims {
            issuer: self.issuer.clone(),
            subject: None,
            expires: now + token::session_lifetime(it.duration_ms()),
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
