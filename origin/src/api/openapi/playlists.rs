//! Playlists.

use super::operation::{Access, Answer, Operation, Section};
use Answer::{Json, Nothing, Page};

const PLAYLISTS: Section =
    Section { tag: "Playlists", access: Access::Account, problems: &[403, 409, 412, 422] };

const fn read(path: &'static str, summary: &'static str, answer: Answer) -> Operation {
    Operation { access: Access::Guest, problems: &[], ..PLAYLISTS.on("get", path, summary, 200, answer) }
}

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        query: &["limit", "cursor", "name"],
        ..read("/playlists", "Public playlists, by name", Page("Playlist"))
    },
    Operation {
        body: Some("PlaylistWords"),
        ..PLAYLISTS.on("post", "/playlists", "Makes a playlist", 201, Json("Playlist"))
    },
    Operation {
        body: Some("PlaylistFile"),
        query: &["playlist_name", "visibility"],
        problems: &[409, 415, 422],
        ..PLAYLISTS.on(
            "post",
            "/playlists/import",
            "Makes a playlist of an M3U or JSON file",
            201,
            Json("PlaylistImport"),
        )
    },
    Operation {
        query: &["format"],
        ..read(
            "/playlists/{id}/export",
            "The playlist as a file",
            Answer::Bytes(&["application/json", "audio/mpegurl"]),
        )
    },
    read("/playlists/{id}", "One playlist", Json("Playlist")),
    Operation {
        body: Some("PlaylistWords"),
        ..PLAYLISTS.on(
            "patch",
            "/playlists/{id}",
            "Renames, describes, shows or hides it",
            200,
            Json("Playlist"),
        )
    },
    PLAYLISTS.on("delete", "/playlists/{id}", "Deletes it", 204, Nothing),
    Operation {
        query: &["limit", "cursor"],
        ..read("/playlists/{id}/songs", "Its entries in order", Page("PlaylistEntry"))
    },
    Operation {
        body: Some("PlaylistAddition"),
        ..PLAYLISTS.on("post", "/playlists/{id}/songs", "Adds songs", 201, Json("PlaylistAdded"))
    },
    PLAYLISTS.on(
        "delete",
        "/playlists/{id}/songs/{song}",
        "Removes every entry of a song",
        200,
        Json("PlaylistChanged"),
    ),
    PLAYLISTS.on(
        "delete",
        "/playlists/{id}/entries/{entry}",
        "Removes one entry",
        200,
        Json("PlaylistChanged"),
    ),
    Operation {
        body: Some("PlaylistMove"),
        ..PLAYLISTS.on(
            "post",
            "/playlists/{id}/moves",
            "Moves entries, in the order given",
            200,
            Json("PlaylistChanged"),
        )
    },
    Operation {
        query: &["limit", "cursor"],
        problems: &[403],
        ..PLAYLISTS.on(
            "get",
            "/playlists/{id}/collaborators",
            "Who works on it besides the owner",
            200,
            Page("Collaborator"),
        )
    },
    PLAYLISTS.on("put", "/playlists/{id}/collaborators/{user}", "Lets someone work on it", 204, Nothing),
    PLAYLISTS.on(
        "delete",
        "/playlists/{id}/collaborators/{user}",
        "Lets someone work on it no more",
        204,
        Nothing,
    ),
    Operation {
        query: &["limit", "cursor"],
        ..read(
            "/users/{id}/playlists",
            "The own playlists and those worked on; of others the public ones",
            Page("Playlist"),
        )
    },
];
