//! One operation of the API and how OpenAPI writes it.

use serde_json::{Map, Value, json};

/// Who may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Anyone.
    Open,
    /// Anyone where guests are let in, else accounts.
    Guest,
    /// Accounts.
    Account,
    /// Curators and administrators.
    Curator,
    /// Administrators.
    Administrator,
}

/// What a successful answer holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Answer {
    Nothing,
    /// JSON of that schema.
    Json(&'static str),
    /// A page of that schema.
    Page(&'static str),
    /// Bytes of these types.
    Bytes(&'static [&'static str]),
}

/// One method of one path.
pub(super) struct Operation {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) tag: &'static str,
    pub(super) summary: &'static str,
    pub(super) access: Access,
    /// Query parameters, by the names in [`query`].
    pub(super) query: &'static [&'static str],
    /// Schema of the body.
    pub(super) body: Option<&'static str>,
    pub(super) status: u16,
    pub(super) answer: Answer,
    /// Statuses of problems besides those that any request may meet.
    pub(super) problems: &'static [u16],
}

/// What the operations of one kind have in common.
pub(super) struct Section {
    pub(super) tag: &'static str,
    pub(super) access: Access,
    pub(super) problems: &'static [u16],
}

impl Section {
    /// One method of one path, without query and body.
    pub(super) const fn on(
        &self,
        method: &'static str,
        path: &'static str,
        summary: &'static str,
        status: u16,
        answer: Answer,
    ) -> Operation {
        let Self { tag, access, problems } = *self;
        Operation { method, path, tag, summary, access, query: &[], body: None, status, answer, problems }
    }
}

impl Operation {
    pub(super) fn to_json(&self) -> Value {
        let mut it = json!({
            "tags": [self.tag],
            "summary": self.summary,
            "operationId": self.id(),
            "responses": self.responses(),
        });
        let parameters: Vec<Value> = self.parameters().collect();
        if !parameters.is_empty() {
            it["parameters"] = parameters.into();
        }
        if let Some(schema) = self.body {
            let kind = if schema == "PlaylistFile" { "text/plain" } else { "application/json" };
            it["requestBody"] = json!({"content": {kind: {"schema": reference(schema)}}});
        }
        it["security"] = match self.access {
            Access::Open => json!([]),
            Access::Guest => json!([{}, {"token": []}]),
            Access::Account | Access::Curator | Access::Administrator => json!([{"token": []}]),
        };
        it
    }

    /// `GET /albums/{id}/songs` is `get_albums_id_songs`.
    fn id(&self) -> String {
        let words = self.path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        std::iter::once(self.method).chain(words).collect::<Vec<_>>().join("_")
    }

    fn parameters(&self) -> impl Iterator<Item = Value> {
        let names = self.path.split('{').skip(1).filter_map(|rest| rest.split('}').next());
        let path = names.map(
            |name| json!({"name": name, "in": "path", "required": true, "schema": in_path(name, self.path)}),
        );
        path.chain(self.query.iter().map(|name| query(name)))
    }

    fn responses(&self) -> Value {
        let mut responses = Map::new();
        let mut success = json!({"description": description(self.status)});
        match self.answer {
            Answer::Nothing => {}
            Answer::Json(schema) => {
                success["content"] = json!({"application/json": {"schema": reference(schema)}})
            }
            Answer::Page(schema) => {
                success["content"] = json!({"application/json": {"schema": page(schema)}});
            }
            Answer::Bytes(types) => {
                success["content"] =
                    types.iter().map(|it| ((*it).to_owned(), json!({}))).collect::<Map<_, _>>().into();
            }
        }
        responses.insert(self.status.to_string(), success);
        if self.method == "get" && self.status == 200 {
            responses.insert("304".into(), json!({"description": description(304)}));
        }
        for status in self.problem_statuses() {
            responses.insert(
                status.to_string(),
                json!({
                    "description": description(status),
                    "content": {"application/problem+json": {"schema": reference("Problem")}},
                }),
            );
        }
        responses.into()
    }

    fn problem_statuses(&self) -> Vec<u16> {
        let mut statuses = vec![400, 429, 500, 503];
        statuses.extend(match self.access {
            Access::Open => &[][..],
            Access::Guest | Access::Account => &[401],
            Access::Curator | Access::Administrator => &[401, 403],
        });
        if self.body.is_some() {
            statuses.push(413);
        }
        if self.path.contains('{') {
            statuses.push(404);
        }
        statuses.extend(self.problems);
        statuses.sort_unstable();
        statuses.dedup();
        statuses
    }
}

pub(super) fn reference(schema: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{schema}")})
}

fn page(schema: &str) -> Value {
    json!({
        "type": "object",
        "required": ["items", "next_cursor"],
        "properties": {
            "items": {"type": "array", "items": reference(schema)},
            "next_cursor": {"type": ["string", "null"], "description": "Where the next page begins; null on the last one."},
        },
    })
}

fn in_path(name: &str, path: &str) -> Value {
    let id = json!({"type": "string", "pattern": "^[0-9a-f]{32}$"});
    match name {
        "kind" if path.contains("/top/") => json!({"enum": ["songs", "artists"]}),
        "kind" => json!({"enum": ["songs", "albums", "artists"]}),
        "sha256" => json!({"type": "string", "pattern": "^[0-9a-f]{64}$"}),
        "id" if path.starts_with("/users/") => json!({
            "type": "string",
            "pattern": "^([0-9a-f]{32}|me)$",
            "description": "`me` is the account that asks.",
        }),
        _ => id,
    }
}

fn query(name: &str) -> Value {
    let (schema, description) = match name {
        "limit" => {
            (json!({"type": "integer", "minimum": 1, "maximum": 200, "default": 50}), "Items at most.")
        }
        "cursor" => (json!({"type": "string"}), "`next_cursor` of the page before."),
        "ids" => (
            json!({"type": "string", "pattern": "^[0-9a-f]{32}(,[0-9a-f]{32}){0,199}$"}),
            "Songs by identifier, up to 200, parted by commas: answered in this order, without what is not there. Stands alone.",
        ),
        "name" => (
            json!({"type": "string", "maxLength": 200}),
            "Part of the name: any three characters or more, or one or two that it begins with. Case and accents do not matter.",
        ),
        "size" => (
            json!({"type": "integer", "minimum": 1, "maximum": 4_294_967_295_u32}),
            "Edge of the square that the cover is fitted into, pixels; the next size that is kept.",
        ),
        "max_kbps" => (
            json!({"type": "integer", "minimum": 0, "maximum": 4_294_967_295_u32}),
            "Highest bit rate wanted, kbit/s.",
        ),
        "period" => (
            json!({"enum": ["week", "month", "year", "all"], "default": "month"}),
            "The days that are looked at.",
        ),
        "top_limit" => {
            (json!({"type": "integer", "minimum": 1, "maximum": 100, "default": 50}), "Items at most.")
        }
        "playlist_name" => (json!({"type": "string"}), "Name of the playlist; else what the file says."),
        "visibility" => {
            (json!({"enum": ["public", "unlisted", "private"], "default": "private"}), "Who sees it.")
        }
        "format" => (json!({"enum": ["json", "m3u8"], "default": "json"}), "Kind of file."),
        _ => unreachable!("a query parameter without a description: {name}"),
    };
    let name = ["top_", "playlist_"].iter().find_map(|list| name.strip_prefix(list)).unwrap_or(name);
    json!({"name": name, "in": "query", "schema": schema, "description": description})
}

fn description(status: u16) -> &'static str {
    match status {
        200 => "As asked.",
        201 => "Made.",
        204 => "Done.",
        303 => "Elsewhere.",
        304 => "The copy that the client has is still right.",
        400 => "The request cannot be read.",
        401 => "An account is needed, or the token is not valid.",
        403 => "Not with this account.",
        404 => "There is no such thing.",
        410 => "Taken down.",
        409 => "At odds with what is there.",
        412 => "Changed since it was read.",
        413 => "The body is too long.",
        415 => "This kind of file is not taken.",
        422 => "A member of the body cannot be taken.",
        429 => "Too often. Retry-After says how long to wait.",
        500 => "A fault of the server.",
        502 => "The object store holds something damaged.",
        503 => "Not at the moment. Retry-After says how long to wait.",
        _ => unreachable!("a status without a description: {status}"),
    }
}
