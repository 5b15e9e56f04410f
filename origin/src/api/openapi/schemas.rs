//! What bodies and answers look like (JSON Schema 2020-12).

use serde_json::{Value, json};

use super::operation::reference;

/// An object: members that are always there, then members that may be left out.
fn object(required: &[(&str, Value)], optional: &[(&str, Value)]) -> Value {
    let names: Vec<&str> = required.iter().map(|(name, _)| *name).collect();
    let members = required.iter().chain(optional);
    let properties: serde_json::Map<String, Value> =
        members.map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    json!({"type": "object", "required": names, "properties": properties, "additionalProperties": false})
}

fn text() -> Value {
    json!({"type": "string"})
}

fn text_up_to(length: u32) -> Value {
    json!({"type": "string", "maxLength": length})
}

fn flag() -> Value {
    json!({"type": "boolean"})
}

fn count() -> Value {
    json!({"type": "integer", "minimum": 0})
}

fn time() -> Value {
    json!({"type": "string", "format": "date-time"})
}

fn id() -> Value {
    json!({"type": "string", "pattern": "^[0-9a-f]{32}$"})
}

fn list_of(schema: Value) -> Value {
    json!({"type": "array", "items": schema})
}

fn or_null(schema: Value) -> Value {
    json!({"anyOf": [schema, {"type": "null"}]})
}

fn one_of(words: &[&str]) -> Value {
    json!({"enum": words})
}

fn role() -> Value {
    one_of(&["listener", "curator", "administrator"])
}

fn cover() -> Value {
    or_null(json!({"type": "string", "description": "Path of the artwork; `?size=` makes it smaller."}))
}

/// All schemas by name.
pub(super) fn all() -> Value {
    let mut all = service();
    for more in [catalog(), playlists(), library(), accounts()] {
        if let (Some(all), Value::Object(more)) = (all.as_object_mut(), more) {
            all.extend(more);
        }
    }
    all
}

fn service() -> Value {
    json!({
        "Problem": {
            "type": "object",
            "description": "RFC 9457",
            "required": ["type", "title", "status", "detail"],
            "properties": {
                "type": {"type": "string", "description": "Stable; `/problems/` and a word."},
                "title": text(),
                "status": {"type": "integer"},
                "detail": {"type": "string", "description": "What to do about it."},
                "instance": {"type": "string", "description": "This occurrence: `/traces/` and the identifier that the server's log names it by."},
            },
        },
        "Server": object(
            &[
                ("version", text()), ("guests", flag()), ("registration", one_of(&["open", "invitation", "closed"])),
                ("first", flag()), ("user", or_null(reference("Account"))),
            ],
            &[],
        ),
        "Status": object(&[("songs", count()), ("albums", count()), ("artists", count()), ("ingest", or_null(reference("Ingest")))], &[]),
        "Ingest": object(&[("state", one_of(&["running", "idle"])), ("done", count()), ("total", count()), ("failed", count())], &[]),
        "Alive": object(&[("status", one_of(&["alive"]))], &[]),
        "Ready": object(&[("status", one_of(&["ready"])), ("degraded", list_of(one_of(&["redis"])))], &[]),
        "OpenApi": {"type": "object", "required": ["openapi", "paths"]},
        "Keys": {"type": "object", "required": ["keys"]},
        "ImportRequest": object(&[("asset", id()), ("rev", json!({"type": "string", "pattern": "^[0-9a-f]{12}$"}))], &[]),
        "Imported": object(&[("asset", id()), ("rev", text()), ("outcome", one_of(&["added", "moved", "unchanged", "noted"]))], &[]),
    })
}

fn mbid() -> Value {
    or_null(json!({"type": "string", "format": "uuid"}))
}

fn date() -> Value {
    or_null(json!({"type": "string", "description": "YYYY, YYYY-MM or YYYY-MM-DD"}))
}

fn song() -> Vec<(&'static str, Value)> {
    vec![
        ("id", id()),
        ("title", text()),
        ("artist", reference("ArtistName")),
        ("artist_credit", json!({"type": "string", "description": "All who are credited in one line."})),
        ("album", or_null(reference("AlbumName"))),
        ("track_number", or_null(count())),
        ("disc_number", or_null(count())),
        ("duration_ms", count()),
        ("cover", cover()),
        ("renditions", list_of(text())),
        ("isrc", or_null(text())),
        ("added_at", time()),
    ]
}

fn album() -> Vec<(&'static str, Value)> {
    vec![
        ("id", id()),
        ("title", text()),
        ("artist", reference("ArtistName")),
        ("artist_credit", text()),
        ("date", date()),
        ("song_count", count()),
        ("duration_ms", count()),
        ("cover", cover()),
    ]
}

fn artist() -> Vec<(&'static str, Value)> {
    vec![
        ("id", id()),
        ("name", text()),
        ("album_count", count()),
        ("song_count", count()),
        ("cover", cover()),
    ]
}

fn details(of: Vec<(&'static str, Value)>, more: &[(&'static str, Value)]) -> Value {
    object(&[of, more.to_vec()].concat(), &[])
}

fn edited(members: &[&str]) -> Value {
    json!({"type": "array", "items": one_of(members), "description": "Members that a curator set."})
}

fn catalog() -> Value {
    let name = || json!({"type": "string", "minLength": 1, "maxLength": 500});
    let set =
        |schema: Value| json!({"anyOf": [schema, {"type": "null"}], "description": "Null: as the tags say."});
    let number = || json!({"type": "integer", "minimum": 1, "maximum": 9999});
    let day = || json!({"type": "string", "pattern": "^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$"});
    let album_members = || {
        [
            ("title", set(name())),
            ("artist", set(name())),
            ("date", set(day())),
            ("release_group_id", set(id())),
        ]
    };
    json!({
        "ArtistName": object(&[("id", id()), ("name", text())], &[]),
        "AlbumName": object(&[("id", id()), ("title", text())], &[]),
        "Song": object(&song(), &[]),
        "Album": object(&album(), &[]),
        "Artist": object(&artist(), &[]),
        "Credit": object(
            &[
                ("role", one_of(&["main", "featured", "remixer", "conductor", "composer", "lyricist"])),
                ("artist", reference("ArtistName")),
                ("name", json!({"type": "string", "description": "As credited."})),
                ("join", json!({"type": "string", "description": "What stands between this name and the next."})),
            ],
            &[],
        ),
        "SongDetails": details(song(), &[
            ("credits", list_of(reference("Credit"))), ("musicbrainz_id", mbid()),
            ("edited", edited(&["title", "artist", "album_id", "track_number", "disc_number", "isrc"])),
        ]),
        "AlbumDetails": details(album(), &[
            ("credits", list_of(reference("Credit"))), ("disc_total", or_null(count())), ("musicbrainz_id", mbid()),
            ("release_group", reference("ReleaseGroup")),
            ("edited", edited(&["title", "artist", "date", "release_group_id"])),
        ]),
        "ArtistDetails": details(artist(), &[("musicbrainz_id", mbid())]),
        "ReleaseGroup": object(
            &[("id", id()), ("musicbrainz_id", mbid()), ("versions", list_of(reference("AlbumVersion")))],
            &[],
        ),
        "AlbumVersion": object(&[("id", id()), ("title", text()), ("date", date())], &[]),
        "SongChange": object(
            &[],
            &[
                ("title", set(name())), ("artist", set(name())),
                ("album_id", set(json!({"type": "string", "pattern": "^([0-9a-f]{32})?$", "description": "Empty: on no album."}))),
                ("track_number", set(number())), ("disc_number", set(number())), ("isrc", set(text_up_to(20))),
            ],
        ),
        "AlbumChange": object(&[], &album_members()),
        "AlbumRequest": object(&[("title", name()), ("artist", name())], &album_members()[2..]),
        "Takedown": object(&[], &[("reason", text_up_to(500))]),
        "PlayRequest": object(
            &[],
            &[
                ("max_kbps", or_null(json!({"type": "integer", "minimum": 0, "maximum": 4_294_967_295_u32, "description": "Highest bit rate wanted."}))),
                ("event_id", or_null(json!({"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$", "description": "The client's name for this play: the same again starts nothing new."}))),
            ],
        ),
        "Play": object(
            &[
                ("playback_session", id()), ("song", reference("Song")), ("manifest_url", text()),
                ("backup_manifest_urls", list_of(text())), ("expires_at", time()), ("duration_ms", count()),
                ("start", reference("StartPlaylists")),
            ],
            &[],
        ),
        "StartPlaylists": object(
            &[("multivariant", text()), ("media", json!({"type": "object", "additionalProperties": {"type": "string"}}))],
            &[],
        ),
    })
}

fn playlists() -> Value {
    let snapshot = || json!({"type": "string", "pattern": "^v[0-9]+$", "description": "Counts changes; also the entity-tag."});
    let visibility = || one_of(&["public", "unlisted", "private"]);
    let some = || json!({"type": "array", "items": id(), "minItems": 1, "maxItems": 500});
    json!({
        "Person": object(&[("id", id()), ("username", text()), ("name", text())], &[]),
        "Playlist": object(
            &[
                ("id", id()), ("name", text()), ("description", text()), ("visibility", visibility()),
                ("owner", reference("Person")), ("song_count", count()), ("duration_ms", count()), ("cover", cover()),
                ("snapshot", snapshot()), ("editable", flag()), ("created_at", time()), ("updated_at", time()),
            ],
            &[],
        ),
        "PlaylistWords": object(
            &[],
            &[
                ("name", or_null(text_up_to(200))), ("description", or_null(text_up_to(2000))),
                ("visibility", or_null(visibility())),
            ],
        ),
        "PlaylistEntry": object(
            &[("entry_id", id()), ("added_at", time()), ("added_by", or_null(id())), ("song", reference("Song"))],
            &[],
        ),
        "PlaylistAddition": object(&[("songs", some())], &[("before", or_null(id()))]),
        "PlaylistAdded": object(&[("snapshot", snapshot()), ("entries", list_of(id()))], &[]),
        "PlaylistMove": object(&[("entries", some())], &[("before", or_null(id()))]),
        "PlaylistChanged": object(&[("snapshot", snapshot())], &[]),
        "PlaylistFile": {"type": "string", "description": "M3U; or, as application/json, what the export gives."},
        "PlaylistImport": object(
            &[("playlist", reference("Playlist")), ("matched", count()), ("unmatched", list_of(reference("Unmatched")))],
            &[],
        ),
        "Unmatched": object(&[("place", count()), ("text", text()), ("reason", text())], &[]),
        "Collaborator": object(&[("id", id()), ("username", text()), ("name", text()), ("added_at", time())], &[]),
    })
}

fn library() -> Value {
    let songs = || json!({"type": "array", "items": id(), "maxItems": 1000});
    let any = |members: &[(&str, Value)]| {
        let one = |kind: &str, schema: &str| {
            let mut members = members.to_vec();
            members.push((kind, reference(schema)));
            object(&members, &[])
        };
        json!({"anyOf": [one("song", "Song"), one("album", "Album"), one("artist", "Artist")]})
    };
    json!({
        "Progress": object(&[("heard_ms", count())], &[("ended", flag())]),
        "Played": object(
            &[
                ("playback_session", id()), ("started_at", time()), ("heard_ms", count()), ("counted", flag()),
                ("song", reference("Song")),
            ],
            &[],
        ),
        "Recent": object(&[("played_at", time()), ("song", reference("Song"))], &[]),
        "Top": any(&[("plays", count()), ("heard_ms", count())]),
        "Favourite": any(&[("added_at", time())]),
        "Queue": object(
            &[("songs", songs()), ("index", count()), ("position_ms", count()), ("updated_at", or_null(time()))],
            &[],
        ),
        "QueueRequest": object(&[("songs", songs())], &[("index", or_null(count())), ("position_ms", or_null(count()))]),
        "Recommendations": object(
            &[("source", one_of(&["fallback"])), ("items", list_of(reference("Recommendation")))],
            &[],
        ),
        "Recommendation": object(
            &[("reason", one_of(&["recent-artist", "popular", "catalog"])), ("song", reference("Song"))],
            &[],
        ),
    })
}

fn accounts() -> Value {
    let name = || json!({"type": "string", "minLength": 1, "maxLength": 100});
    let username = || json!({"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9._-]{2,31}$"});
    let new_password = || json!({"type": "string", "minLength": 8, "maxLength": 1024});
    json!({
        "Registration": object(
            &[("username", username()), ("email", text_up_to(254)), ("password", new_password())],
            &[("name", or_null(name())), ("phone", text_up_to(32)), ("invitation", or_null(text()))],
        ),
        "Login": object(
            &[("login", json!({"type": "string", "description": "User name or e-mail address."})), ("password", text())],
            &[("device", text_up_to(100)), ("cookie", flag())],
        ),
        "SignIn": object(&[("token", text()), ("expires_at", time()), ("user", reference("Account"))], &[]),
        "Account": object(
            &[
                ("id", id()), ("username", text()), ("name", text()), ("email", text()), ("phone", text()),
                ("role", role()), ("created_at", time()),
            ],
            &[],
        ),
        "PublicAccount": object(&[("id", id()), ("username", text()), ("name", text()), ("created_at", time())], &[]),
        "AnyAccount": {"anyOf": [reference("Account"), reference("PublicAccount")]},
        "AccountChange": object(
            &[],
            &[
                ("username", or_null(username())), ("name", or_null(name())), ("email", or_null(text_up_to(254))),
                ("phone", or_null(text_up_to(32))),
                ("password", or_null(json!({"type": "string", "description": "The present one; needed for another e-mail address."}))),
            ],
        ),
        "Confirmation": object(&[("password", text())], &[]),
        "PasswordChange": object(&[("current", text()), ("new", new_password())], &[]),
        "RoleChange": object(&[("role", role())], &[]),
        "InvitationRequest": object(&[], &[("role", or_null(role()))]),
        "Invitation": object(&[("invitation", text()), ("role", role()), ("expires_at", time())], &[]),
        "Session": object(
            &[
                ("id", id()), ("kind", one_of(&["login", "api"])), ("name", text()), ("created_at", time()),
                ("seen_at", time()), ("expires_at", time()), ("current", flag()),
            ],
            &[],
        ),
        "TokenRequest": object(
            &[("name", text_up_to(100))],
            &[("days", or_null(json!({"type": "integer", "minimum": 1, "maximum": 3650})))],
        ),
        "MadeToken": object(&[("token", text()), ("session", reference("Session"))], &[]),
        "Act": object(
            &[("id", id()), ("at", time()), ("actor", id()), ("act", text()), ("object", text()), ("detail", text())],
            &[],
        ),
        "Export": {
            "type": "object",
            "required": ["account", "sessions", "playlists", "collaborations", "plays", "favourites", "queue"],
            "properties": {"account": reference("Account"), "sessions": list_of(reference("Session")), "queue": reference("Queue")},
        },
    })
}
