//! Accounts and the gateway, over HTTP.

use http::Method;
use segue_origin::Registration;
use serde_json::{Value, json};

use crate::support::{Answer, Origin, Track, origin, origin_with, tags};

const PASSWORD: &str = "correct horse";

pub(crate) fn account(username: &str) -> Value {
    json!({"username": username, "email": format!("{username}@example.org"), "password": PASSWORD})
}

impl Origin {
    /// Asks with a bearer token.
    pub(crate) async fn as_user(&self, method: Method, path: &str, token: &str, body: &Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.ask(method, path, &[("authorization", &format!("Bearer {token}"))], body).await
    }

    /// Makes an account and signs in: identifier and token.
    pub(crate) async fn user(&self, username: &str) -> (String, String) {
        let made = self.post("/users/register", account(username).to_string()).await;
        assert_eq!(made.status, 201, "{made:?}");
        let login = json!({"login": username, "password": PASSWORD}).to_string();
        let login = self.post("/users/login", login).await;
        assert_eq!(login.status, 200, "{login:?}");
        let json = login.json();
        (json["user"]["id"].as_str().unwrap().into(), json["token"].as_str().unwrap().into())
    }
}

#[tokio::test]
async fn an_account_is_made_used_and_erased() {
    let origin = origin().await;
    let made = origin.post("/users/register", account("ann").to_string()).await;
    assert_eq!(made.status, 201);
    let ann = made.json();
    assert_eq!((&ann["role"], &ann["name"]), (&json!("administrator"), &json!("ann")), "the first");
    assert!(!String::from_utf8_lossy(&made.body).contains("password"));
    let (ben, token) = origin.user("ben").await;
    let me = origin.as_user(Method::GET, "/users/me", &token, &Value::Null).await;
    assert_eq!(me.json()["role"], "listener");
    let etag = me.header("etag").to_owned();

    // Others see the public part alone.
    let other = origin.get(&format!("/users/{ben}")).await.json();
    assert_eq!(
        other.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["created_at", "id", "name", "username"]
    );

    let path = format!("/users/{ben}");
    let authorization = format!("Bearer {token}");
    let patch = async |etag: &str, body: Value| {
        let headers = [("authorization", authorization.as_str()), ("if-match", etag)];
        origin.ask(Method::PATCH, &path, &headers, body.to_string()).await
    };
    let renamed = patch(&etag, json!({"name": "Ben B.", "phone": "+49 30 123456"})).await;
    assert_eq!((renamed.status.as_u16(), &renamed.json()["name"]), (200, &json!("Ben B.")));
    patch(&etag, json!({"name": "Other"})).await.assert_problem(412, "stale");
    patch("*", json!({"email": "new@example.org"})).await.assert_problem(422, "invalid");
    let moved = patch("*", json!({"email": "new@example.org", "password": PASSWORD})).await;
    assert_eq!(moved.json()["email"], "new@example.org");
    // No member that is not for the asking.
    patch("*", json!({"role": "administrator"})).await.assert_problem(400, "bad-json");
    patch("*", json!({"username": "ANN"})).await.assert_problem(409, "taken");

    let export = origin.as_user(Method::GET, "/users/me/export", &token, &Value::Null).await.json();
    assert_eq!(export["account"]["email"], "new@example.org");
    assert_eq!(export["sessions"].as_array().unwrap().len(), 1);

    let erase = async |password: &str| {
        origin.as_user(Method::DELETE, &path, &token, &json!({"password": password})).await
    };
    erase("wrong password").await.assert_problem(403, "wrong-password");
    assert_eq!(erase(PASSWORD).await.status, 204);
    origin.get(&path).await.assert_problem(404, "not-found");
    origin.as_user(Method::GET, "/users/me", &token, &Value::Null).await.assert_problem(401, "bad-token");
    // The name is free again.
    origin.user("ben").await;
}

#[tokio::test]
async fn what_is_wrong_with_a_registration_is_said() {
    let origin = origin().await;
    origin.user("moon").await;
    let with = |member: &str, value: Value| {
        let mut body = account("someone");
        body[member] = value;
        body.to_string()
    };
    for (member, value) in [
        ("username", json!("a")),
        ("username", json!("аnn")),
        ("email", json!("nonsense")),
        ("password", json!("short")),
        ("name", json!("\u{202e}x")),
        ("phone", json!("call me")),
    ] {
        let answer = origin.post("/users/register", with(member, value)).await;
        answer.assert_problem(422, "invalid");
        assert!(answer.json()["detail"].as_str().unwrap().starts_with(member), "{answer:?}");
    }
    origin.post("/users/register", "{}").await.assert_problem(422, "invalid");
    origin
        .post("/users/register", with("role", json!("administrator")))
        .await
        .assert_problem(400, "bad-json");
    for taken in [with("username", json!("M00N")), with("email", json!("Moon@Example.org"))] {
        origin.post("/users/register", taken).await.assert_problem(409, "taken");
    }
}

#[tokio::test]
async fn sign_ins_are_listed_revoked_and_ended_by_a_new_password() {
    let origin = origin().await;
    let (_, first) = origin.user("ann").await;
    let login = |login: &str, password: &str| {
        json!({"login": login, "password": password, "device": "phone"}).to_string()
    };
    let second = origin.post("/users/login", login("ANN@example.org", PASSWORD)).await.json();
    let second = second["token"].as_str().unwrap().to_owned();
    let made = json!({"name": "script", "days": 3});
    let made = origin.as_user(Method::POST, "/users/me/tokens", &first, &made).await;
    assert_eq!(made.status, 201);
    let script = made.json()["token"].as_str().unwrap().to_owned();
    let listed = origin.as_user(Method::GET, "/users/me/sessions", &first, &Value::Null).await.json();
    let items = listed["items"].as_array().unwrap();
    assert_eq!(items.len(), 3);
    assert_eq!(items.iter().filter(|it| it["current"] == true).count(), 1);
    assert!(!listed.to_string().contains("secret"));

    let new = json!({"current": PASSWORD, "new": "battery staple"});
    assert_eq!(origin.as_user(Method::PUT, "/users/me/password", &first, &new).await.status, 204);
    let status =
        async |token: &str| origin.as_user(Method::GET, "/users/me", token, &Value::Null).await.status;
    assert_eq!([status(&first).await, status(&second).await, status(&script).await], [200, 401, 200]);
    origin.post("/users/login", login("ann", PASSWORD)).await.assert_problem(403, "wrong-password");
    assert_eq!(origin.post("/users/login", login("ann", "battery staple")).await.status, 200);

    let token_id = items.iter().find(|it| it["kind"] == "api").unwrap()["id"].as_str().unwrap();
    let path = format!("/users/me/sessions/{token_id}");
    assert_eq!(origin.as_user(Method::DELETE, &path, &first, &Value::Null).await.status, 204);
    assert_eq!(status(&script).await, 401);
    origin.as_user(Method::DELETE, &path, &first, &Value::Null).await.assert_problem(404, "not-found");
    assert_eq!(origin.as_user(Method::POST, "/users/logout", &first, &Value::Null).await.status, 204);
    assert_eq!(status(&first).await, 401);
}

#[tokio::test]
async fn administrators_rule_and_leave_a_trace() {
    let origin = origin_with(|config| config.registration = Registration::Invitation).await;
    let (ann, admin) = origin.user("ann").await;
    origin.post("/users/register", account("ben").to_string()).await.assert_problem(403, "invitation-needed");
    let invited = origin.as_user(Method::POST, "/invitations", &admin, &json!({"role": "curator"})).await;
    let code = invited.json()["invitation"].clone();
    let mut ben = account("ben");
    ben["invitation"] = code.clone();
    let made = origin.post("/users/register", ben.to_string()).await.json();
    assert_eq!(made["role"], "curator");
    let ben = made["id"].as_str().unwrap();
    let mut again = account("cem");
    again["invitation"] = code;
    origin.post("/users/register", again.to_string()).await.assert_problem(403, "invitation-needed");

    let login = json!({"login": "ben", "password": PASSWORD}).to_string();
    let token = origin.post("/users/login", login).await.json()["token"].as_str().unwrap().to_owned();
    for path in ["/users", "/audit"] {
        origin.as_user(Method::GET, path, &token, &Value::Null).await.assert_problem(403, "forbidden");
        origin.get(path).await.assert_problem(401, "sign-in");
    }
    let role = json!({"role": "administrator"});
    let path = format!("/users/{ben}/role");
    origin.as_user(Method::PUT, &path, &token, &role).await.assert_problem(403, "forbidden");
    let demote = json!({"role": "listener"});
    let own = format!("/users/{ann}/role");
    origin.as_user(Method::PUT, &own, &admin, &demote).await.assert_problem(409, "last-administrator");
    assert_eq!(origin.as_user(Method::PUT, &path, &admin, &role).await.status, 200);
    // It holds at once.
    assert_eq!(
        origin.as_user(Method::GET, "/users", &token, &Value::Null).await.json()["items"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(origin.as_user(Method::PUT, &own, &token, &demote).await.status, 200);

    let audit = origin.as_user(Method::GET, "/audit", &token, &Value::Null).await.json();
    let acts: Vec<_> =
        audit["items"].as_array().unwrap().iter().map(|it| it["act"].as_str().unwrap()).collect();
    assert_eq!(acts, ["set-role", "set-role", "invite"]);
    let first = origin.as_user(Method::GET, "/users?limit=1", &token, &Value::Null).await.json();
    let cursor = first["next_cursor"].as_str().unwrap();
    let second =
        origin.as_user(Method::GET, &format!("/users?cursor={cursor}"), &token, &Value::Null).await.json();
    assert_eq!((second["items"].as_array().unwrap().len(), &second["next_cursor"]), (1, &Value::Null));
}

#[tokio::test]
async fn of_many_first_accounts_one_is_the_administrators() {
    let origin = origin().await;
    let names: Vec<String> = ["ann", "ben", "cem", "dora", "emil", "fay"].map(str::to_owned).into();
    let made = names.iter().map(|name| origin.post("/users/register", account(name).to_string()));
    let made = futures_util::future::join_all(made).await;
    let administrators = made.iter().filter(|it| it.json()["role"] == "administrator").count();
    assert_eq!((made.iter().filter(|it| it.status == 201).count(), administrators), (names.len(), 1));
}

#[tokio::test]
async fn guests_come_in_only_where_they_may() {
    let origin = origin_with(|config| config.guests = false).await;
    let track = Track::new(1, tags("One", "Ann", "First"));
    origin.add(&track).await;
    for path in ["/songs", "/albums", "/artists", "/status", "/nothing"] {
        origin.get(path).await.assert_problem(401, "sign-in");
    }
    origin.post(&format!("/play/{}", track.id()), "").await.assert_problem(401, "sign-in");
    assert_eq!(origin.get("/healthz").await.status, 200);
    let server = origin.get("/server").await.json();
    assert_eq!(
        (&server["guests"], &server["first"], &server["user"]),
        (&false.into(), &true.into(), &Value::Null)
    );
    let (_, token) = origin.user("ann").await;
    let server = origin.as_user(Method::GET, "/server", &token, &Value::Null).await.json();
    assert_eq!((&server["first"], &server["user"]["username"]), (&false.into(), &"ann".into()));
    assert_eq!(origin.get("/server").await.json()["first"], false);
    assert_eq!(origin.as_user(Method::GET, "/songs", &token, &Value::Null).await.titles(), ["One"]);
    let wrong = format!("{}x", &token[..token.len() - 1]);
    origin.as_user(Method::GET, "/songs", &wrong, &Value::Null).await.assert_problem(401, "bad-token");
}

#[tokio::test]
async fn cookies_are_for_the_own_pages() {
    let origin = origin().await;
    origin.user("ann").await;
    let login = json!({"login": "ann", "password": PASSWORD, "cookie": true}).to_string();
    let login = origin.post("/users/login", login).await;
    let cookie = login.header("set-cookie").to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap();
    let me = origin.get_with("/users/me", &[("cookie", cookie)]).await;
    assert_eq!(me.json()["username"], "ann");
    let body = json!({"name": "Evil"}).to_string();
    let patch = async |more: (&str, &str)| {
        origin.ask(Method::PATCH, "/users/me", &[("cookie", cookie), more], body.clone()).await
    };
    patch(("origin", "https://evil.example")).await.assert_problem(403, "cross-site");
    patch(("sec-fetch-site", "cross-site")).await.assert_problem(403, "cross-site");
    patch(("x-nothing", "said")).await.assert_problem(403, "cross-site");
    assert_eq!(patch(("sec-fetch-site", "same-origin")).await.status, 200);
}

#[tokio::test]
async fn guesses_at_once_are_no_more_than_guesses_one_by_one() {
    let origin = origin().await;
    origin.user("ann").await;
    let attempts = (0..30).map(|n| {
        let password = if n == 29 { PASSWORD.to_owned() } else { format!("wrong password {n}") };
        origin.post("/users/login", json!({"login": "ann", "password": password}).to_string())
    });
    let answers = futures_util::future::join_all(attempts).await;
    let with = |status: u16| answers.iter().filter(|it| it.status == status).count();
    assert!(with(403) <= 10 && with(403) + with(429) + with(200) == 30, "{answers:?}");
}

#[tokio::test]
async fn guessing_passwords_is_stopped_and_rates_are_limited() {
    let origin = origin_with(|config| {
        config.rate_per_second = 1;
        config.rate_burst = 40;
    })
    .await;
    let (_, token) = origin.user("ann").await;
    let guess = json!({"login": "ann", "password": "wrong password"}).to_string();
    for _ in 0..10 {
        origin.post("/users/login", guess.clone()).await.assert_problem(403, "wrong-password");
    }
    let stopped = origin.post("/users/login", guess).await;
    stopped.assert_problem(429, "too-many-attempts");
    assert_eq!(stopped.header("retry-after"), "900");

    let songs = origin.get("/songs").await;
    assert!(songs.header("ratelimit").starts_with("\"default\";r="), "{songs:?}");
    assert_eq!(songs.header("ratelimit-policy"), "\"default\";q=40;w=40");
    let mut last = songs;
    for _ in 0..60 {
        last = origin.get("/songs").await;
        if last.status == 429 {
            break;
        }
    }
    last.assert_problem(429, "too-many-requests");
    assert!(last.header("retry-after").parse::<u64>().unwrap() >= 1);
    assert_eq!(origin.get("/healthz").await.status, 200, "not counted");
    // Accounts have buckets of their own.
    assert_eq!(origin.as_user(Method::GET, "/songs", &token, &Value::Null).await.status, 200);
}
