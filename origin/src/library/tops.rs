//! What an account has played most.

use serde::{Deserialize, Serialize};

use super::Library;
use crate::accounts::UserId;
use crate::catalog::{Kind, Object, ObjectId, fixed};
use crate::clock;
use crate::database::DatabaseError;

/// The days that are looked at, today among them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Period {
    Week,
    #[default]
    Month,
    Year,
    All,
}

/// A song or an artist and how much of it was heard.
#[derive(Debug, Serialize)]
pub(crate) struct Top {
    plays: u64,
    heard_ms: u64,
    #[serde(flatten)]
    object: Object,
}

impl Period {
    /// Its first day, counted since the Unix epoch; `now` in milliseconds since then.
    fn first_day(self, now: u64) -> i64 {
        let days = match self {
            Self::Week => 7,
            Self::Month => 30,
            Self::Year => 365,
            Self::All => return 0,
        };
        clock::day(now) - days + 1
    }
}

impl Library {
    /// What was played most in the period, most plays first.
    pub(crate) async fn tops(
        &self,
        user: UserId,
        kind: Kind,
        period: Period,
        limit: i64,
        now: u64,
    ) -> Result<Vec<Top>, DatabaseError> {
        let rows: Vec<(Vec<u8>, i64, i64)> = sqlx::query_as(
            "SELECT object_id, CAST(SUM(plays) AS BIGINT), CAST(SUM(heard_ms) AS BIGINT) FROM user_counts
             WHERE user_id = $1 AND kind = $2 AND day >= $3
             GROUP BY object_id ORDER BY 2 DESC, 3 DESC, object_id LIMIT $4",
        )
        .bind(user.bytes())
        .bind(kind.as_str())
        .bind(period.first_day(now))
        .bind(limit)
        .fetch_all(self.database.fresh())
        .await?;
        let ids = rows.iter().map(|row| fixed(&row.0, "object_id")).collect::<Result<Vec<ObjectId>, _>>()?;
        let objects = self.catalog.objects(kind, &ids).await?;
        let top = |((_, plays, heard), id): (&(Vec<u8>, i64, i64), &ObjectId)| {
            let object = objects.get(id)?.clone();
            Some(Top { plays: *plays as u64, heard_ms: *heard as u64, object })
        };
        Ok(rows.iter().zip(&ids).filter_map(top).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_end_today() {
        let now = 20_000 * 24 * 3600 * 1000 + 5;
        let first = [Period::Week, Period::Month, Period::Year, Period::All].map(|it| it.first_day(now));
        assert_eq!(first, [19_994, 19_971, 19_636, 0]);
    }
}
