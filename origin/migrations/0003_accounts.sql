-- Accounts, their sign-ins and what administrators did. Times are milliseconds since the Unix epoch.
-- No table but users has a key of e-mail or name: everything else that belongs to an account names it by user_id, so
-- that it can be distributed by it.

CREATE TABLE users (
    id            BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    username      TEXT    NOT NULL,
    -- Names that look alike have the same key (see src/accounts/names.rs).
    username_key  TEXT    NOT NULL,
    name          TEXT    NOT NULL,
    email         TEXT    NOT NULL,
    email_key     TEXT    NOT NULL,
    phone         TEXT    NOT NULL DEFAULT '',
    -- PHC string of Argon2id.
    password      TEXT    NOT NULL,
    role          TEXT    NOT NULL CHECK (role IN ('listener', 'curator', 'administrator')),
    created_at    INTEGER NOT NULL,
    -- Counts changes: the entity-tag of the account.
    version       INTEGER NOT NULL DEFAULT 1
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX users_by_username ON users (username_key);
CREATE UNIQUE INDEX users_by_email ON users (email_key);
CREATE INDEX users_by_age ON users (created_at, id);

-- Sign-ins and API tokens. The secret itself is never stored.
CREATE TABLE sessions (
    user_id     BLOB    NOT NULL REFERENCES users (id),
    id          BLOB    NOT NULL CHECK (length(id) = 16),
    secret_hash BLOB    NOT NULL CHECK (length(secret_hash) = 32),
    kind        TEXT    NOT NULL CHECK (kind IN ('login', 'api')),
    name        TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    seen_at     INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    PRIMARY KEY (user_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_end ON sessions (expires_at);

CREATE TABLE invitations (
    code_hash  BLOB    NOT NULL PRIMARY KEY CHECK (length(code_hash) = 32),
    role       TEXT    NOT NULL,
    made_by    BLOB    NOT NULL,
    made_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What administrators and curators did. It names accounts that may be gone.
CREATE TABLE audit (
    id     BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    at     INTEGER NOT NULL,
    actor  BLOB    NOT NULL,
    act    TEXT    NOT NULL,
    object TEXT    NOT NULL,
    detail TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
