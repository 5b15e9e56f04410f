//! `GET /openapi.json`: what the API takes and answers (OpenAPI 3.1), built once from tables beside the handlers.

mod accounts;
mod catalog;
mod library;
mod operation;
mod playlists;
mod schemas;
mod service;

use std::sync::LazyLock;

use axum::response::Response;
use serde_json::{Map, Value, json};

use crate::http::{Conditions, Representation};
use operation::Operation;

static DOCUMENT: LazyLock<Representation> = LazyLock::new(|| Representation::json(&document()));

/// `GET /openapi.json`
pub(super) async fn show(conditions: Conditions) -> Response {
    DOCUMENT.answer(&conditions)
}

fn operations() -> impl Iterator<Item = &'static Operation> {
    let all = [
        catalog::OPERATIONS,
        playlists::OPERATIONS,
        library::OPERATIONS,
        accounts::OPERATIONS,
        service::OPERATIONS,
    ];
    all.into_iter().flatten()
}

fn document() -> Value {
    let mut paths = Map::new();
    for operation in operations() {
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method] = operation.to_json();
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Segue origin",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Catalog, accounts and playback of a Segue music server. Lists are paged by cursors; errors are problem details (RFC 9457) whose `type` is stable; times are UTC.",
            "license": {"name": "Apache-2.0 OR MIT", "identifier": "Apache-2.0 OR MIT"},
        },
        "paths": paths,
        "components": {
            "schemas": schemas::all(),
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "From POST /users/login, or an API token from POST /users/{id}/tokens.",
                },
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Paths that are pages and files for browsers, not the API; and media, which edges read by a contract of its own.
    const NOT_DOCUMENTED: [&str; 5] = ["/", "/favicon.ico", "/web/{*path}", "/v1/{*path}", "/docs"];

    /// The routes as the router's source lists them.
    fn routes() -> BTreeSet<(String, String)> {
        let mut found = BTreeSet::new();
        // The private side is no part of the API.
        let (_, routes) = include_str!("../mod.rs").split_once("pub(crate) fn router(").unwrap();
        let source = [routes, include_str!("../playlists/mod.rs")].concat();
        for route in source.split(".route(").skip(1) {
            let path = route.split('"').nth(1).unwrap();
            let handlers = route.split_once(',').unwrap().1.split("\n        .").next().unwrap();
            let handlers = handlers.split("\n}").next().unwrap();
            for method in ["get", "post", "put", "patch", "delete"] {
                if handlers.contains(&format!("{method}(")) && !NOT_DOCUMENTED.contains(&path) {
                    found.insert((method.to_owned(), path.to_owned()));
                }
            }
        }
        found
    }

    #[test]
    fn every_route_is_documented_and_every_operation_routed() {
        let documented = operations().map(|it| (it.method.to_owned(), it.path.to_owned())).collect();
        assert_eq!(routes(), documented);
        assert!(routes().len() > 60, "the source is still read as it is written");
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = document();
        let text = document.to_string();
        for reference in text.split("\"#/components/schemas/").skip(1) {
            let name = reference.split('"').next().unwrap();
            assert!(document["components"]["schemas"][name].is_object(), "{name}");
        }
        for name in document["components"]["schemas"].as_object().unwrap().keys() {
            assert!(text.contains(&format!("\"#/components/schemas/{name}\"")), "{name} is not used");
        }
    }
}
