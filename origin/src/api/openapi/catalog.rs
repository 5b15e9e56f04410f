//! Songs, albums, artists, covers, playback.

use super::operation::{Access, Answer, Operation, Section};

const LIST: &[&str] = &["limit", "cursor", "name"];

const fn list(path: &'static str, tag: &'static str, summary: &'static str, item: &'static str) -> Operation {
    Operation {
        method: "get",
        path,
        tag,
        summary,
        access: Access::Guest,
        query: LIST,
        body: None,
        status: 200,
        answer: Answer::Page(item),
        problems: &[],
    }
}

const fn one(path: &'static str, tag: &'static str, summary: &'static str, item: &'static str) -> Operation {
    Operation { query: &[], answer: Answer::Json(item), ..list(path, tag, summary, item) }
}

const CURATION: Section = Section { tag: "Curation", access: Access::Curator, problems: &[] };

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        query: &["limit", "cursor", "name", "ids"],
        ..list("/songs", "Songs", "All songs, by title; or those of some identifiers", "Song")
    },
    Operation { problems: &[410], ..one("/songs/{id}", "Songs", "One song", "SongDetails") },
    Operation {
        body: Some("SongChange"),
        problems: &[404, 410, 412, 422],
        ..CURATION.on(
            "patch",
            "/songs/{id}",
            "Sets what its tags do not say, or say wrong; null goes back to the tags",
            200,
            Answer::Json("SongDetails"),
        )
    },
    Operation {
        method: "put",
        path: "/songs/{id}/takedown",
        tag: "Curation",
        summary: "Takes a song down: nobody can play it any more, here or at an edge",
        access: Access::Curator,
        query: &[],
        body: Some("Takedown"),
        status: 204,
        answer: Answer::Nothing,
        problems: &[422],
    },
    Operation {
        method: "delete",
        path: "/songs/{id}/takedown",
        tag: "Curation",
        summary: "Puts a song back",
        access: Access::Curator,
        query: &[],
        body: None,
        status: 204,
        answer: Answer::Nothing,
        problems: &[],
    },
    list("/albums", "Albums", "All albums, by title", "Album"),
    Operation {
        body: Some("AlbumRequest"),
        problems: &[422],
        ..CURATION.on("post", "/albums", "Makes an album without songs", 201, Answer::Json("AlbumDetails"))
    },
    one("/albums/{id}", "Albums", "One album", "AlbumDetails"),
    Operation {
        body: Some("AlbumChange"),
        problems: &[409, 412, 422],
        ..CURATION.on(
            "patch",
            "/albums/{id}",
            "Sets what its tags do not say, or say wrong; null goes back to the tags",
            200,
            Answer::Json("AlbumDetails"),
        )
    },
    Operation {
        problems: &[412],
        ..CURATION.on("delete", "/albums/{id}", "Deletes it; its songs become singles", 204, Answer::Nothing)
    },
    list("/albums/{id}/songs", "Albums", "The songs of an album, by disc and number", "Song"),
    list("/artists", "Artists", "All artists, by name", "Artist"),
    one("/artists/{id}", "Artists", "One artist", "ArtistDetails"),
    list("/artists/{id}/albums", "Artists", "The albums of an artist, by title", "Album"),
    list(
        "/artists/{id}/songs",
        "Artists",
        "The songs that an artist is credited on, guests too, by title",
        "Song",
    ),
    Operation {
        method: "post",
        path: "/play/{id}",
        tag: "Playback",
        summary: "Starts a playback session: a signed manifest URL and all that a player needs to start",
        access: Access::Guest,
        query: &[],
        body: Some("PlayRequest"),
        status: 200,
        answer: Answer::Json("Play"),
        problems: &[410, 422, 502],
    },
    Operation {
        method: "get",
        path: "/covers/{sha256}",
        tag: "Covers",
        summary: "Artwork, perhaps made smaller",
        access: Access::Open,
        query: &["size"],
        body: None,
        status: 200,
        answer: Answer::Bytes(&["image/jpeg", "image/png"]),
        problems: &[502],
    },
];
