//! `/users`

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{ETAG, LOCATION, SET_COOKIE};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};

use super::list::PageQuery;
use crate::accounts::{Account, Change, Identity, Kind, NewAccount, PublicAccount, Role, UserId};
use crate::app::App;
use crate::catalog::{Page, Time};
use crate::clock;
use crate::http::extract::id;
use crate::http::gateway::COOKIE_NAME;
use crate::http::{
    Administrator, Caller, JsonBody, PathText, PathTexts, Problem, QueryOf, SignedIn, client, etag, identity,
    if_match, needed, private,
};
use crate::playback::LIFE_MS;

/// Body of `POST /users/register`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RegisterRequest {
    username: Option<String>,
    email: Option<String>,
    password: Option<String>,
    name: Option<String>,
    #[serde(default)]
    phone: String,
    invitation: Option<String>,
}

/// Body of `POST /users/login`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LoginRequest {
    login: Option<String>,
    password: Option<String>,
    #[serde(default)]
    device: String,
    /// Whether the token is also set as a cookie, for pages of this origin.
    #[serde(default)]
    cookie: bool,
}

/// Body of `PATCH /users/{id}`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeRequest {
    username: Option<String>,
    name: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    /// The present password; needed for another e-mail address.
    password: Option<String>,
}

/// Body of `PUT /users/{id}/password`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PasswordRequest {
    current: Option<String>,
    new: Option<String>,
}

/// Body of `DELETE /users/{id}`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EraseRequest {
    password: Option<String>,
}

/// Body of `PUT /users/{id}/role` and `POST /invitations`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RoleRequest {
    role: Option<Role>,
}

/// Body of `POST /users/{id}/tokens`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TokenRequest {
    name: Option<String>,
    days: Option<u32>,
}

#[derive(Serialize)]
struct SignIn {
    token: String,
    expires_at: Time,
    user: Account,
}

const MAX_TOKEN_DAYS: u32 = 3650;

/// `POST /users/register`: makes an account.
pub(super) async fn register(
    State(app): State<App>,
    JsonBody(body): JsonBody<RegisterRequest>,
) -> Result<Response, Problem> {
    let new = NewAccount {
        username: needed(body.username, "username")?,
        email: needed(body.email, "email")?,
        password: needed(body.password, "password")?,
        name: body.name,
        phone: body.phone,
        invitation: body.invitation,
    };
    let user = app.accounts.register(&new, clock::now_ms()).await?;
    let account = find(&app, user).await?;
    Ok((StatusCode::CREATED, [(LOCATION, format!("/users/{user}"))], private(&account)).into_response())
}

/// `POST /users/login`: shows the password, gets a token.
pub(super) async fn login(
    State(app): State<App>,
    from: client::Address,
    secure: client::Secure,
    JsonBody(body): JsonBody<LoginRequest>,
) -> Result<Response, Problem> {
    let (login, password) = (needed(body.login, "login")?, needed(body.password, "password")?);
    let (user, made) =
        app.accounts.login(login.trim(), &password, &body.device, from.0, clock::now_ms()).await?;
    let cookie = body.cookie.then(|| cookie(secure, &made.token, app.login_seconds));
    let expires_at = made.session.expires_at;
    let answer = SignIn { token: made.token, expires_at, user: find(&app, user).await? };
    let mut response = private(&answer);
    if let Some(cookie) = cookie {
        response.headers_mut().insert(SET_COOKIE, cookie?);
    }
    Ok(response)
}

/// `POST /users/logout`: ends the sign-in that asks.
pub(super) async fn logout(
    State(app): State<App>,
    SignedIn(it): SignedIn,
    secure: client::Secure,
) -> Result<Response, Problem> {
    app.accounts.revoke(it.user, it.session).await?;
    let gone = cookie(secure, "", 0)?;
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, gone)]).into_response())
}

/// `GET /users`: all accounts, for administrators.
pub(super) async fn list(
    State(app): State<App>,
    Administrator(_): Administrator,
    QueryOf(query): QueryOf<PageQuery>,
) -> Result<Response, Problem> {
    let limit = query.limit()?;
    let behind = match &query.cursor {
        Some(cursor) => read_place(cursor)?,
        None => (0, UserId::GUEST),
    };
    let items = app.accounts.list(behind, i64::from(limit) + 1).await?;
    Ok(private(&Page::cut(items, limit, |it| format!("{}-{}", it.created_at.0, it.id))))
}

fn read_place(cursor: &str) -> Result<(u64, UserId), Problem> {
    let read = cursor.split_once('-').and_then(|(at, id)| Some((at.parse().ok()?, id.parse().ok()?)));
    read.filter(|(at, _)| i64::try_from(*at).is_ok()).ok_or_else(Problem::bad_cursor)
}

/// `GET /users/{id}`: the own account whole, others as everyone sees them.
pub(super) async fn one(
    State(app): State<App>,
    Caller(caller): Caller,
    PathText(text): PathText,
) -> Result<Response, Problem> {
    let user = user_of(&text, caller.as_ref())?;
    let account = find(&app, user).await?;
    let whole = caller.is_some_and(|it| it.user == user || it.role == Role::Administrator);
    if !whole {
        return Ok(private(&PublicAccount::from(account)));
    }
    let etag = etag(account.version);
    Ok(([(ETAG, etag)], private(&account)).into_response())
}

/// `PATCH /users/{id}`
pub(super) async fn change(
    State(app): State<App>,
    SignedIn(it): SignedIn,
    PathText(text): PathText,
    from: client::Address,
    headers: HeaderMap,
    JsonBody(body): JsonBody<ChangeRequest>,
) -> Result<Response, Problem> {
    let user = own(&text, &it)?;
    if body.email.is_some() {
        let password = needed(body.password, "password")?;
        app.accounts.confirm(user, &password, from.0).await?;
    }
    let change = Change { username: body.username, name: body.name, email: body.email, phone: body.phone };
    let account = app.accounts.change(user, &change, if_match(&headers)?).await?;
    Ok(([(ETAG, etag(account.version))], private(&account)).into_response())
}

/// `DELETE /users/{id}`: erases the account; the owner confirms with the password. What it plays ends.
pub(super) async fn erase(
    State(app): State<App>,
    SignedIn(it): SignedIn,
    PathText(text): PathText,
    from: client::Address,
    JsonBody(body): JsonBody<EraseRequest>,
) -> Result<Response, Problem> {
    let user = own_or_administrator(&text, &it)?;
    let password = needed(body.password, "password")?;
    app.accounts.confirm(it.user, &password, from.0).await?;
    let now = clock::now_ms();
    let sessions = app.accounts.erase(&it, user, now.saturating_sub(LIFE_MS), now).await?;
    app.revocations.sessions(&sessions);
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `GET /users/{id}/export`: everything that is kept about the account.
pub(super) async fn export(
    State(app): State<App>,
    SignedIn(it): SignedIn,
    PathText(text): PathText,
) -> Result<Response, Problem> {
    let user = own(&text, &it)?;
    Ok(private(&app.accounts.export(user, clock::now_ms()).await?))
}

/// `PUT /users/{id}/password`: sets another password; every other sign-in ends.
pub(super) async fn set_password(
    State(app): State<App>,
    SignedIn(it): SignedIn,
    PathText(text): PathText,
    from: client::Address,
    JsonBody(body): JsonBody<PasswordRequest>,
) -> Result<Response, Problem> {
    let user = own(&text, &it)?;
    let (current, new) = (needed(body.current, "current")?, needed(body.new, "new")?);
    app.accounts.confirm(user, &current, from.0).await?;
    app.accounts.set_password(&it, &new).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `PUT /users/{id}/role`, for administrators.
pub(super) async fn set_role(
    State(app): State<App>,
    Administrator(it): Administrator,
    PathText(text): PathText,
    JsonBody(body): JsonBody<RoleRequest>,
) -> Result<Response, Problem> {
    let user = user_of(&text, Some(&it))?;
    let role = needed(body.role, "role")?;
    Ok(private(&app.accounts.set_role(&it, user, role, clock::now_ms()).await?))
}

/// `GET /users/{id}/sessions`: sign-ins and API tokens, the newest first.
pub(super) async fn sessions(
    State(app): State<App>,
    SignedIn(it): SignedIn,
    PathText(text): PathText,
) -> Result<Response, Problem> {
    let user = own(&text, &it)?;
    let items = app.accounts.sessions(user, it.session, clock::now_ms()).await?;
    Ok(private(&Page::whole(items)))
}

/// `DELETE /users/{id}/sessions/{session}`
pub(super) async fn revoke(
    State(app): State<App>,
    SignedIn(it): SignedIn,
    PathTexts([user, session]): PathTexts<2>,
) -> Result<Response, Problem> {
    let user = own_or_administrator(&user, &it)?;
    let session: UserId = id(&session, "session")?;
    let session = session.bytes().try_into().expect("identifiers have 16 bytes");
    if !app.accounts.revoke(user, session).await? {
        return Err(Problem::not_found("There is no session of this identifier."));
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `POST /users/{id}/tokens`: makes an API token. Its secret is shown this once.
pub(super) async fn make_token(
    State(app): State<App>,
    SignedIn(it): SignedIn,
    PathText(text): PathText,
    JsonBody(body): JsonBody<TokenRequest>,
) -> Result<Response, Problem> {
    let user = own(&text, &it)?;
    let name = needed(body.name, "name")?;
    let days = body.days.unwrap_or(365);
    if !(1..=MAX_TOKEN_DAYS).contains(&days) {
        return Err(Problem::invalid("days: 1 to 3650."));
    }
    let made = app.accounts.make_session(user, Kind::Api { days }, &name, clock::now_ms()).await?;
    Ok((StatusCode::CREATED, private(&made)).into_response())
}

/// `POST /invitations`, for administrators: a code that one account can be made with.
pub(super) async fn invite(
    State(app): State<App>,
    Administrator(it): Administrator,
    JsonBody(body): JsonBody<RoleRequest>,
) -> Result<Response, Problem> {
    #[derive(Serialize)]
    struct Invitation {
        invitation: String,
        role: Role,
        expires_at: Time,
    }
    let role = body.role.unwrap_or(Role::Listener);
    let (invitation, expires) = app.accounts.invite(&it, role, clock::now_ms()).await?;
    let answer = Invitation { invitation, role, expires_at: Time(expires) };
    Ok((StatusCode::CREATED, private(&answer)).into_response())
}

/// `GET /audit`, for administrators: what was done with power, the latest first.
pub(super) async fn audit(
    State(app): State<App>,
    Administrator(_): Administrator,
    QueryOf(query): QueryOf<PageQuery>,
) -> Result<Response, Problem> {
    let limit = query.limit()?;
    let before = match &query.cursor {
        Some(cursor) => {
            let place: UserId = cursor.parse().map_err(|_| Problem::bad_cursor())?;
            place.bytes().try_into().expect("identifiers have 16 bytes")
        }
        None => [0xff; 16],
    };
    let items = app.accounts.acts(before, i64::from(limit) + 1).await?;
    Ok(private(&Page::cut(items, limit, |act| act.id.clone())))
}

async fn find(app: &App, user: UserId) -> Result<Account, Problem> {
    app.accounts.account(user).await?.ok_or_else(no_user)
}

fn no_user() -> Problem {
    Problem::not_found("There is no user of this identifier.")
}

/// `me` is whoever asks.
pub(super) fn user_of(text: &str, caller: Option<&Identity>) -> Result<UserId, Problem> {
    match text {
        "me" => caller.map(|it| it.user).ok_or_else(identity::sign_in),
        text => id(text, "user"),
    }
}

/// The caller's own account; others' are forbidden.
pub(super) fn own(text: &str, it: &Identity) -> Result<UserId, Problem> {
    match user_of(text, Some(it))? {
        user if user == it.user => Ok(user),
        _ => Err(identity::forbidden()),
    }
}

fn own_or_administrator(text: &str, it: &Identity) -> Result<UserId, Problem> {
    match user_of(text, Some(it))? {
        user if user == it.user || it.role == Role::Administrator => Ok(user),
        _ => Err(identity::forbidden()),
    }
}

/// The cookie: not for scripts, not for other sites, and not in clear where the page came by TLS.
fn cookie(secure: client::Secure, token: &str, seconds: u64) -> Result<HeaderValue, Problem> {
    let secure = if secure.0 { "; Secure" } else { "" };
    let text = format!("{COOKIE_NAME}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::from_str(&text).map_err(|error| Problem::internal(&error))
}
