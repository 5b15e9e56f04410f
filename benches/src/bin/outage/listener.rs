//! A listener: signs in, starts a song, fills a buffer and empties it in real time, and has the next song ready before this
//! one ends, as players do.

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use http::Method;
use segue_benches::client::{Client, Failure};
use segue_manifests::playlists::{MediaPlaylist, MultivariantPlaylist};
use serde_json::{Value, json};

use crate::pathways::Pathways;
use crate::report::Board;

/// Time for one answer of the origin, and until it is asked again.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(500);

/// What the origin is asked.
pub(crate) struct Desk {
    client: Client,
    board: Arc<Board>,
    songs: Arc<Vec<String>>,
}

impl Desk {
    /// Signs in.
    pub(crate) async fn enter(
        origin: &str,
        (login, password): (&str, &str),
        board: Arc<Board>,
        songs: Arc<Vec<String>>,
    ) -> Result<Self, Failure> {
        let body = json!({"login": login, "password": password});
        let signed_in = Client::new(origin, None).json(Method::POST, "/users/login", Some(&body)).await?;
        let token = signed_in["token"].as_str().ok_or("no token")?;
        Ok(Self { client: Client::new(origin, Some(token)), board, songs })
    }

    /// Starts a song, however often that must be tried: where it may be had, and its path there.
    async fn begin(&self, mut rng: Rng) -> (Vec<String>, String) {
        let body = json!({});
        loop {
            let song = &self.songs[rng.usize(..self.songs.len())];
            let path = format!("/play/{song}");
            let asked = self.client.ask(Method::POST, &path, Some(&body));
            let seen = match tokio::time::timeout(PATIENCE, asked).await {
                Ok(Ok((200, body))) => match serde_json::from_slice(&body).ok().and_then(|it| places(&it)) {
                    Some(places) => {
                        self.board.note(|tally| tally.songs += 1);
                        return places;
                    }
                    None => "play: no address".to_owned(),
                },
                Ok(Ok((status, _))) => format!("play: {status}"),
                Ok(Err(_)) => "play: no answer".to_owned(),
                Err(_) => "play: no answer in time".to_owned(),
            };
            self.board.note(|tally| *tally.failed.entry(seen).or_default() += 1);
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// The hosts of the manifest and of its backups, and the path that they share.
fn places(play: &Value) -> Option<(Vec<String>, String)> {
    let backups = play["backup_manifest_urls"].as_array().into_iter().flatten();
    let urls: Vec<&str> =
        [&play["manifest_url"]].into_iter().chain(backups).filter_map(Value::as_str).collect();
    let path = urls.first()?.find("/v1/")?;
    let path = urls.first()?.get(path..)?.to_owned();
    let hosts = urls.iter().filter_map(|url| url.strip_suffix(&path)).map(str::to_owned).collect();
    Some((hosts, path))
}

/// One listener.
pub(crate) struct Listener {
    pub(crate) number: usize,
    pub(crate) desk: Arc<Desk>,
    pub(crate) board: Arc<Board>,
    pub(crate) pathways: Pathways,
    pub(crate) rng: Rng,
    /// How much is fetched ahead, milliseconds.
    pub(crate) ahead_ms: i64,
    /// Until when there is something to play.
    pub(crate) until_ms: Option<i64>,
}

impl Listener {
    /// Listens for ever.
    pub(crate) async fn listen(mut self) {
        let mut song = self.desk.begin(self.rng.fork()).await;
        loop {
            let (desk, rng) = (self.desk.clone(), self.rng.fork());
            let next = tokio::spawn(async move { desk.begin(rng).await });
            self.play(song).await;
            let Ok(began) = next.await else { return };
            song = began;
        }
    }

    async fn play(&mut self, (hosts, path): (Vec<String>, String)) {
        self.pathways.lead_to(hosts);
        let Some(multivariant) = self.text(&path, MultivariantPlaylist::parse).await else { return };
        let variant = &multivariant.variants[self.rng.usize(..multivariant.variants.len())];
        let media_path = resolve(&path, &variant.uri);
        let Some(playlist) = self.text(&media_path, MediaPlaylist::parse).await else { return };
        self.pathways.fetch(&resolve(&media_path, &playlist.map.uri)).await;
        for segment in playlist.segments {
            self.wait_for_room().await;
            self.pathways.fetch(&resolve(&media_path, &segment.uri)).await;
            self.append(i64::try_from(segment.duration_us / 1000).unwrap_or(0));
        }
    }

    /// A playlist; its bytes were compared already, so it can be read.
    async fn text<T, E>(&mut self, path: &str, read: impl Fn(&str) -> Result<T, E>) -> Option<T> {
        let body = self.pathways.fetch(path).await;
        read(std::str::from_utf8(&body).ok()?).ok()
    }

    async fn wait_for_room(&self) {
        let ahead = self.until_ms.map_or(0, |until| until - self.board.now_ms());
        if let Ok(more) = u64::try_from(ahead - self.ahead_ms) {
            tokio::time::sleep(Duration::from_millis(more)).await;
        }
    }

    /// Puts a segment behind what is there. Where nothing was left, the music had stopped.
    fn append(&mut self, duration_ms: i64) {
        let now = self.board.now_ms();
        let from = self.until_ms.unwrap_or(now);
        if let Ok(late @ 1..) = u64::try_from(now - from) {
            self.board.note(|tally| {
                tally.stalls += 1;
                tally.stalled += Duration::from_millis(late);
            });
        }
        let until = from.max(now) + duration_ms;
        self.until_ms = Some(until);
        self.board.buffered(self.number, until);
    }
}

/// The path that a playlist means (RFC 3986 5.2, as far as Segue's playlists go).
fn resolve(base: &str, reference: &str) -> String {
    match (reference.starts_with('/'), base.rsplit_once('/')) {
        (false, Some((folder, _))) => format!("{folder}/{reference}"),
        _ => reference.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        let play = json!({
            "manifest_url": "http://a:1/v1/~t/a/x/mv.m3u8",
            "backup_manifest_urls": ["http://b:2/v1/~t/a/x/mv.m3u8"],
        });
        let (hosts, path) = places(&play).unwrap();
        assert_eq!(
            (hosts, path.as_str()),
            (vec!["http://a:1".into(), "http://b:2".into()], "/v1/~t/a/x/mv.m3u8")
        );
        assert!(places(&json!({})).is_none());
        assert_eq!(resolve(&path, "aac-128/media.m3u8"), "/v1/~t/a/x/aac-128/media.m3u8");
        assert_eq!(resolve(&path, "/v1/i/0.mp4"), "/v1/i/0.mp4");
    }
}
