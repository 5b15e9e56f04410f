//! What an account plays, likes and keeps.

use super::operation::{Access, Answer, Operation, Section};
use Answer::{Json, Nothing, Page};

const OWN: Section = Section { tag: "Library", access: Access::Account, problems: &[403] };

const PAGED: &[&str] = &["limit", "cursor"];

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        access: Access::Guest,
        body: Some("Progress"),
        problems: &[422],
        ..OWN.on(
            "post",
            "/plays/{session}/progress",
            "Tells how much of a playback session was really heard so far",
            204,
            Nothing,
        )
    },
    Operation {
        access: Access::Guest,
        query: &["max_kbps"],
        problems: &[410, 502],
        ..OWN.on(
            "get",
            "/stream/{id}",
            "For players that take nothing but an address: leads to the signed manifest",
            303,
            Nothing,
        )
    },
    Operation {
        query: PAGED,
        ..OWN.on("get", "/users/{id}/history", "Plays, the newest first", 200, Page("Played"))
    },
    OWN.on("delete", "/users/{id}/history", "Forgets what was played", 204, Nothing),
    Operation {
        query: PAGED,
        ..OWN.on("get", "/users/{id}/recent", "Songs played lately, each once", 200, Page("Recent"))
    },
    Operation {
        query: &["period", "top_limit"],
        ..OWN.on(
            "get",
            "/users/{id}/top/{kind}",
            "The songs or artists that were played most",
            200,
            Page("Top"),
        )
    },
    Operation {
        query: PAGED,
        ..OWN.on(
            "get",
            "/users/{id}/favourites/{kind}",
            "Favourites, the newest first",
            200,
            Page("Favourite"),
        )
    },
    OWN.on(
        "get",
        "/users/{id}/favourites/{kind}/{object}",
        "Whether and since when it is a favourite",
        200,
        Json("Favourite"),
    ),
    OWN.on("put", "/users/{id}/favourites/{kind}/{object}", "Makes it a favourite", 204, Nothing),
    OWN.on("delete", "/users/{id}/favourites/{kind}/{object}", "Makes it no favourite", 204, Nothing),
    OWN.on("get", "/users/{id}/queue", "The queue kept across devices", 200, Json("Queue")),
    Operation {
        body: Some("QueueRequest"),
        problems: &[403, 409, 412, 422],
        ..OWN.on(
            "put",
            "/users/{id}/queue",
            "Keeps a queue; with If-Match only if it is still the same",
            200,
            Json("Queue"),
        )
    },
    Operation {
        query: PAGED,
        ..OWN.on(
            "get",
            "/users/{id}/recommendations",
            "Songs that might be liked",
            200,
            Json("Recommendations"),
        )
    },
];
