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
const MANY: i64 = if cfg!(test) { 3 } else { 2000 }; // Tests go both ways with a handful of songs.

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

/// The queries of a list made by the macro `$sql` (condition, order), of which `$folded` is the column with the name,
/// `$order` begins with it, and `$kind` is what its trigram tables are called by.
macro_rules! by_name {
    ($sql:ident, $folded:literal, $order:literal, $kind:literal) => {
        $crate::catalog::ByName {
            all: $sql!(concat!("(", $folded, ", id) > ($2, $3) AND $4 = ''"), $order),
            beginning: $sql!(concat!("(", $folded, ", id) > ($2, $3) AND ", $folded, " < $4"), $order),
            common: $sql!(concat!("(", $folded, ", id) > ($2, $3) AND instr(", $folded, ", $4) > 0"), $order),
            count_sqlite: concat!(
                "SELECT COUNT(*) FROM (SELECT 1 FROM ",
                $kind,
                "_grams WHERE ",
                $kind,
                "_grams MATCH $1 LIMIT $2)"
            ),
            // The signs keep SQLite from walking the index by name.
            rare_sqlite: $sql!(
                concat!(
                    "(+",
                    $folded,
                    ", id) > ($2, $3) AND id IN (SELECT n.id FROM ",
                    $kind,
                    "_grams g JOIN ",
                    $kind,
                    "_names n ON n.place = g.rowid WHERE g.",
                    $kind,
                    "_grams MATCH $4)"
                ),
                concat!("+", $order)
            ),
            postgres: $sql!(concat!("(", $folded, ", id) > ($2, $3) AND ", $folded, " LIKE $4"), $order),
        }
    };
}
pub(crate) use by_name;

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
        let rows = sqlx::query_as(sql).bind(window.rows()).bind(name).bind(&id.0[..]).bind(sought);
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
