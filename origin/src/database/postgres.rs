//! PostgreSQL: one writer, any number of replicas that read.

use std::str::FromStr as _;
use std::sync::Arc;

use sqlx::any::AnyConnectOptions;
use sqlx::{AnyConnection, AnyPool, Connection as _};

use super::{Database, DatabaseError, Dialect, Reader, pool, schema};

/// Said to each new connection: nothing waits for ever.
const SETTINGS: &str = "SET lock_timeout = '5s'; SET statement_timeout = '20s'";

/// Connects to the server and to its replicas.
pub(super) async fn open(
    address: &str,
    replicas: &[String],
    connections: u32,
) -> Result<Database, DatabaseError> {
    let writer = connect(address, connections).await?;
    schema::migrator(Dialect::Postgres).run(&writer).await?;
    let mut readers = Vec::new();
    for replica in replicas {
        readers.push(Reader::replica(connect(replica, connections).await?));
    }
    let (dialect, fresh) = (Dialect::Postgres, writer.clone());
    Ok(Database { dialect, fresh, writer, readers, generation: Arc::default() })
}

async fn connect(address: &str, connections: u32) -> Result<AnyPool, DatabaseError> {
    let refused = |error: sqlx::Error| DatabaseError::Open {
        place: without_password(address),
        reason: match &error {
            sqlx::Error::Configuration(_) => {
                "the address cannot be read; write postgres://user:password@host:5432/name".to_owned()
            }
            sqlx::Error::PoolTimedOut => "the server does not answer within 5 s".to_owned(),
            error => error.to_string(),
        },
    };
    let options = AnyConnectOptions::from_str(address).map_err(refused)?;
    // Alone first: a pool would try again and again.
    AnyConnection::connect_with(&options).await.map_err(refused)?.close().await.map_err(refused)?;
    let connections = pool(connections).after_connect(|connection, _| {
        Box::pin(async move {
            sqlx::raw_sql(SETTINGS).execute(connection).await?;
            Ok(())
        })
    });
    connections.connect_with(options).await.map_err(refused)
}

/// The address as it may be shown.
fn without_password(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return "<unreadable>".into() };
    // A password may hold any sign when it was not written as it should be.
    let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
    let place = place.split(['?', '#']).next().unwrap_or_default();
    format!("{scheme}://{place}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        let table = [
            ("postgres://me:hush@db.example:5432/segue?password=hush", "postgres://db.example:5432/segue"),
            ("postgresql://me:hu@sh@db/segue", "postgresql://db/segue"),
            ("postgres://me:hu?sh#@db/segue", "postgres://db/segue"),
            ("postgres://db", "postgres://db"),
            ("postgres://me:hush/x@db/segue", "postgres://db/segue"),
        ];
        for (address, shown) in table {
            assert_eq!(without_password(address), shown);
        }
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_named() {
        let error = Database::open("postgres://me:hush@127.0.0.1:1/segue", &[], 1).await.unwrap_err();
        let text = error.to_string();
        assert!(text.contains("127.0.0.1:1/segue") && !text.contains("hush"), "{text}");
    }
}
