//! Playlists over a real database.

use super::finding::names_sql;
use super::read::{ENTRIES, OWN, PUBLIC, SHOWN};
use crate::database::Dialect;
use crate::database::testing::Place;

#[tokio::test]
async fn pages_walk_indexes() {
    let place = Place::new().await;
    let database = place.open().await;
    if database.dialect() != Dialect::Sqlite {
        return;
    }
    let names = names_sql(2);
    for (query, steps) in [
        (&*names, &["SEARCH l USING PRIMARY KEY (artist_id=? AND title_folded=?)"][..]),
        (PUBLIC.all, &["SEARCH playlists USING COVERING INDEX public_playlists_by_name"]),
        (PUBLIC.beginning, &["SEARCH playlists USING COVERING INDEX public_playlists_by_name"]),
        (PUBLIC.common, &["SEARCH playlists USING COVERING INDEX public_playlists_by_name"]),
        (SHOWN, &["SEARCH playlists USING INDEX public_playlists_by_owner"]),
        (
            OWN,
            &["INDEX playlists_by_owner (owner_id=? AND id<?)", "PRIMARY KEY (user_id=? AND playlist_id<?)"],
        ),
        (ENTRIES, &["PRIMARY KEY (playlist_id=? AND (position,entry_id)>(?,?))"]),
    ] {
        let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {query}"));
        let mut rows = sqlx::query_as::<_, (i64, i64, i64, String)>(explain);
        for _ in 0..4 {
            rows = rows.bind(1i64);
        }
        let plan = rows.fetch_all(database.readers()).await.unwrap();
        let plan: Vec<String> = plan.into_iter().map(|row| row.3).collect();
        for step in steps {
            assert!(plan.iter().any(|it| it.contains(step)), "{step}: {plan:#?}");
        }
        assert!(
            !plan.iter().any(|it| it.starts_with("SCAN playlist") || it.starts_with("SCAN s")),
            "{plan:#?}"
        );
    }
}
