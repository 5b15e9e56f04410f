//! Accounts and what administrators do.

use super::operation::{Access, Answer, Operation};

const fn account(
    method: &'static str,
    path: &'static str,
    summary: &'static str,
    body: Option<&'static str>,
    status: u16,
    answer: Answer,
    problems: &'static [u16],
) -> Operation {
    Operation {
        method,
        path,
        tag: "Accounts",
        summary,
        access: Access::Account,
        query: &[],
        body,
        status,
        answer,
        problems,
    }
}

const fn open(it: Operation) -> Operation {
    Operation { access: Access::Open, ..it }
}

const fn administrators(it: Operation) -> Operation {
    Operation { access: Access::Administrator, tag: "Administration", ..it }
}

const fn paged(it: Operation) -> Operation {
    Operation { query: &["limit", "cursor"], ..it }
}

use Answer::{Json, Nothing, Page};

pub(super) const OPERATIONS: &[Operation] = &[
    open(account(
        "post",
        "/users/register",
        "Makes an account",
        Some("Registration"),
        201,
        Json("Account"),
        &[401, 403, 409, 422],
    )),
    open(account(
        "post",
        "/users/login",
        "Signs in: a token for the password",
        Some("Login"),
        200,
        Json("SignIn"),
        &[401, 403, 422],
    )),
    account("post", "/users/logout", "Ends the sign-in that asks", None, 204, Nothing, &[403]),
    Operation {
        access: Access::Guest,
        ..account(
            "get",
            "/users/{id}",
            "An account: the own one whole, others as everyone sees them",
            None,
            200,
            Json("AnyAccount"),
            &[],
        )
    },
    account(
        "patch",
        "/users/{id}",
        "Changes the own account; with If-Match only if it is still the same",
        Some("AccountChange"),
        200,
        Json("Account"),
        &[403, 409, 412, 422],
    ),
    account(
        "delete",
        "/users/{id}",
        "Erases an account and everything that belongs to it",
        Some("Confirmation"),
        204,
        Nothing,
        &[403, 409, 422],
    ),
    account(
        "get",
        "/users/{id}/export",
        "Everything that is kept about the own account",
        None,
        200,
        Json("Export"),
        &[403],
    ),
    account(
        "put",
        "/users/{id}/password",
        "Sets another password; every other sign-in ends",
        Some("PasswordChange"),
        204,
        Nothing,
        &[403, 422],
    ),
    account(
        "get",
        "/users/{id}/sessions",
        "Sign-ins and API tokens, the newest first",
        None,
        200,
        Page("Session"),
        &[403],
    ),
    account(
        "delete",
        "/users/{id}/sessions/{session}",
        "Ends a sign-in or API token",
        None,
        204,
        Nothing,
        &[403],
    ),
    account(
        "post",
        "/users/{id}/tokens",
        "Makes an API token; its secret is shown this once",
        Some("TokenRequest"),
        201,
        Json("MadeToken"),
        &[403, 409, 422],
    ),
    administrators(account(
        "put",
        "/users/{id}/role",
        "Gives an account another role",
        Some("RoleChange"),
        200,
        Json("Account"),
        &[409, 422],
    )),
    administrators(paged(account(
        "get",
        "/users",
        "All accounts, the oldest first",
        None,
        200,
        Page("Account"),
        &[],
    ))),
    administrators(account(
        "post",
        "/invitations",
        "A code that one account can be made with",
        Some("InvitationRequest"),
        201,
        Json("Invitation"),
        &[],
    )),
    administrators(paged(account(
        "get",
        "/audit",
        "What was done with power, the latest first",
        None,
        200,
        Page("Act"),
        &[],
    ))),
];
