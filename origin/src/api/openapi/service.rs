//! The server itself, and what other parts of Segue ask of it.

use super::operation::{Access, Answer, Operation, Section};

const SERVICE: Section = Section { tag: "Service", access: Access::Open, problems: &[] };

const fn service(path: &'static str, summary: &'static str, answer: Answer) -> Operation {
    SERVICE.on("get", path, summary, 200, answer)
}

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        problems: &[401],
        ..service("/server", "What a player needs to know before anyone signs in", Answer::Json("Server"))
    },
    Operation {
        access: Access::Guest,
        ..service("/status", "How much there is, and how far an ingest has come", Answer::Json("Status"))
    },
    service("/openapi.json", "This document", Answer::Json("OpenApi")),
    service("/healthz", "The process answers", Answer::Json("Alive")),
    service(
        "/readyz",
        "Database and store answer too; `degraded` names what the server does without for now",
        Answer::Json("Ready"),
    ),
    service("/.well-known/segue-keys.json", "The public signing keys", Answer::Json("Keys")),
    Operation {
        method: "post",
        access: Access::Administrator,
        body: Some("ImportRequest"),
        problems: &[404, 422],
        ..service(
            "/imports",
            "Imports a published packaging; the bearer token is the server's admin_secret",
            Answer::Json("Imported"),
        )
    },
];
