//! Who may do what: every operation of the API's own document, asked for by everyone.

use http::Method;
use serde_json::{Value, json};

use crate::support::{Origin, Track, origin, tags};

/// Someone who asks, and whether the rule lets them.
const GUEST: usize = 0;
const LISTENER: usize = 1;
const ADMINISTRATOR: usize = 2;

struct Ask {
    method: Method,
    path: String,
    template: String,
    tag: String,
    open: bool,
    guests: bool,
}

impl Ask {
    /// Every documented operation, on objects of `other`.
    async fn all(origin: &Origin, other: &str, song: &str) -> Vec<Self> {
        let document = origin.get("/openapi.json").await.json();
        let mut all = Vec::new();
        for (template, operations) in document["paths"].as_object().unwrap() {
            for (method, operation) in operations.as_object().unwrap() {
                let security = operation["security"].as_array().unwrap();
                let id = if template.starts_with("/users/") { other } else { song };
                let path = template
                    .replace("{id}", id)
                    .replace("{sha256}", &"0".repeat(64))
                    .replace("{kind}", "songs")
                    .replace("{object}", song)
                    .replace("{user}", other)
                    .replace(['{', '}'], "");
                all.push(Self {
                    method: method.to_uppercase().parse().unwrap(),
                    path,
                    template: template.clone(),
                    tag: operation["tags"][0].as_str().unwrap().into(),
                    open: security.is_empty(),
                    guests: security.contains(&json!({})),
                });
            }
        }
        all
    }

    async fn by(&self, origin: &Origin, token: Option<&str>) -> u16 {
        let authorization = token.map(|token| format!("Bearer {token}"));
        let headers: Vec<_> = authorization.iter().map(|it| ("authorization", it.as_str())).collect();
        let body = if self.method == Method::GET { "" } else { "{}" };
        origin.ask(self.method.clone(), &self.path, &headers, body).await.status.as_u16()
    }
}

#[tokio::test]
async fn every_operation_by_everyone() {
    let origin = origin().await;
    let track = Track::new(1, tags("One", "Ann", "First"));
    origin.add(&track).await;
    let (_, administrator) = origin.user("root").await;
    let (_, listener) = origin.user("ann").await;
    let (other, _) = origin.user("ben").await;
    let mut cells = 0;
    for ask in Ask::all(&origin, &other, &track.id()).await {
        // It would end the sign-ins that the rest of the matrix needs; imports have a secret of their own.
        if ["/users/logout", "/imports"].contains(&ask.template.as_str()) {
            assert_eq!(ask.by(&origin, None).await, if ask.template == "/imports" { 403 } else { 401 });
            continue;
        }
        let mut statuses = [0; 3];
        for (who, token) in
            [(GUEST, None), (LISTENER, Some(&*listener)), (ADMINISTRATOR, Some(&*administrator))]
        {
            statuses[who] = ask.by(&origin, token).await;
            cells += 1;
        }
        let place = format!("{} {}: {statuses:?}", ask.method, ask.path);
        assert!(statuses.iter().all(|status| *status < 500), "{place}");
        if !ask.open && !ask.guests {
            assert_eq!(statuses[GUEST], 401, "guests: {place}");
        } else {
            assert!(statuses[GUEST] != 401 || ask.path == "/users/login", "guests: {place}");
        }
        if ["Administration", "Curation"].contains(&ask.tag.as_str()) {
            assert_eq!(statuses[LISTENER], 403, "listeners: {place}");
            assert!(![401, 403].contains(&statuses[ADMINISTRATOR]), "administrators: {place}");
        } else {
            assert_ne!(statuses[LISTENER], 401, "{place}");
        }
        // What belongs to another account is for nobody else; administrators may erase it and end its sign-ins.
        let personal = ask.template.starts_with("/users/{id}") && ask.tag != "Administration" && !ask.guests;
        if personal && ask.template != "/users/{id}" {
            assert!([403, 404].contains(&statuses[LISTENER]), "others' things: {place}");
        }
        if ask.template == "/users/{id}" && ask.method != Method::GET {
            assert_eq!(statuses[LISTENER], 403, "others' accounts: {place}");
        }
    }
    assert!(cells >= 90, "{cells}");
    println!("{cells} cells of the matrix hold");
    // Nothing of it has changed the other account.
    let other =
        origin.as_user(Method::GET, &format!("/users/{other}"), &administrator, &Value::Null).await.json();
    assert_eq!((&other["username"], &other["role"]), (&json!("ben"), &json!("listener")));
}
