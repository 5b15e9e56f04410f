//! Finding names by a part of them, page by page in order, with an index behind every way.
//!
//! One or two characters name beginnings: a stretch of the ordered index. Longer parts stand in trigram indexes.
//! What few names hold is looked up there and sorted; what many hold is met soon on a walk along the ordered index.

use segue_manifests::AssetId;
use sqlx::FromRow;
use sqlx::any::AnyRow;

use super::Window;
use super::cursor::NamePlace;
use crate::database::{Database, DatabaseError, Dialect};

/// From this many names on, walking in order meets a page sooner than looking up and sorting all.
const MANY: i64 = if cfg!(test) { 3 } else { 5000 }; // Tests go both ways with a handful of songs.

/// The queries of one list that is ordered by name. Parameters: rows at most; name and identifier to go on behind;
/// and one more that says what is looked for.
pub(crate) struct ByName {
    /// Everything; the last parameter is empty.
    pub(crate) all: &'static str,
    /// The last parameter is where the beginning ends.
    pub(crate) beginning: &'static str,
    /// The last parameter is the part.
    pub(crate) common: &'static str,
    /// How many hold the phrase `$1`, counted to `$2`.
    pub(crate) count_sqlite: &'static str,
    /// The last parameter is the phrase.
    pub(crate) rare_sqlite: &'static str,
    /// The last parameter is a pattern; PostgreSQL's planner chooses the way.
    pub(crate) postgres: &'static str,
}

/// The queries of a list. The macro `$sql` shows what a query for identifiers chooses; `$from` names the table and a
/// condition that goes before others, `$folded` is the column with the name, and `$kind` is what its trigram tables are
/// called by.
macro_rules! by_name {
    ($sql:ident, $from:literal, $folded:literal, $kind:literal) => {
        $crate::catalog::ByName {
            all: $sql!($crate::catalog::in_order!($from, $folded, "$4 = ''")),
            beginning: $sql!($crate::catalog::in_order!($from, $folded, concat!($folded, " < $4"))),
            common: $sql!($crate::catalog::in_order!(
                $from,
                $folded,
                concat!("instr(", $folded, ", $4) > 0")
            )),
            count_sqlite: concat!(
                "SELECT COUNT(*) FROM (SELECT 1 FROM ",
                $kind,
                "_grams WHERE ",
                $kind,
                "_grams MATCH $1 LIMIT $2)"
            ),
            rare_sqlite: $sql!(concat!(
                "SELECT n.id FROM ",
                $kind,
                "_grams g JOIN ",
                $kind,
                "_names n ON n.place = g.rowid WHERE g.",
                $kind,
                "_grams MATCH $4 AND (n.folded, n.id) > ($2, $3) ORDER BY n.folded, n.id LIMIT $1"
            )),
            postgres: $sql!($crate::catalog::in_order!($from, $folded, concat!($folded, " LIKE $4"))),
        }
    };
}
pub(crate) use by_name;

/// Identifiers in the order of names, behind name `$2` and identifier `$3`.
macro_rules! in_order {
    ($from:literal, $folded:literal, $condition:expr) => {
        concat!(
            "SELECT id FROM ",
            $from,
            " (",
            $folded,
            ", id) > ($2, $3) AND ",
            $condition,
            " ORDER BY ",
            $folded,
            ", id LIMIT $1"
        )
    };
}
pub(crate) use in_order;

impl ByName {
    /// A page behind that place.
    pub(crate) async fn read<R>(
        &self,
        database: &Database,
        window: &Window,
        NamePlace(name, id): NamePlace,
    ) -> Result<Vec<R>, DatabaseError>
    where
        R: for<'r> FromRow<'r, AnyRow> + Send + Unpin,
    {
        let part = &window.filter;
        let (sql, name, id, sought) = match part.chars().count() {
            0 => (self.all, name, id, String::new()),
            1..3 if name >= *part => (self.beginning, name, id, format!("{part}\u{10ffff}")),
            1..3 => (self.beginning, part.clone(), AssetId([0; 16]), format!("{part}\u{10ffff}")),
            _ if database.dialect() == Dialect::Postgres => (self.postgres, name, id, pattern(part)),
            _ if self.is_common(database, part).await? => (self.common, name, id, part.clone()),
            _ => (self.rare_sqlite, name, id, phrase(part)),
        };
        // Which way is the better hangs on the part: PostgreSQL must not plan for parts in general.
        let kept = part.is_empty() || database.dialect() == Dialect::Sqlite;
        let rows =
            sqlx::query_as(sql).persistent(kept).bind(window.rows()).bind(name).bind(&id.0[..]).bind(sought);
        Ok(rows.fetch_all(database.readers()).await?)
    }

    async fn is_common(&self, database: &Database, part: &str) -> Result<bool, DatabaseError> {
        let (count,): (i64,) = sqlx::query_as(self.count_sqlite)
            .bind(phrase(part))
            .bind(MANY)
            .fetch_one(database.readers())
            .await?;
        Ok(count >= MANY)
    }
}

/// As FTS5 takes text word for word.
fn phrase(part: &str) -> String {
    format!("\"{}\"", part.replace('"', "\"\""))
}

/// As LIKE takes text word for word.
fn pattern(part: &str) -> String {
    let mut pattern = String::from("%");
    for letter in part.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_mean_themselves() {
        assert_eq!(phrase("say \"hi\" OR"), "\"say \"\"hi\"\" OR\"");
        assert_eq!(pattern("100%_\\"), "%100\\%\\_\\\\%");
    }
}
