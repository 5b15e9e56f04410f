//! Statements about many rows at once.

use std::fmt::Write as _;

use sqlx::{AnyConnection, AssertSqlSafe};

/// Placeholders for that many rows of that many columns, counted from `$1`: `($1, $2), ($3, $4)`.
pub(crate) fn tuples(rows: usize, columns: usize) -> String {
    let row = |row| format!("({})", list(row * columns + 1, columns));
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

/// Placeholders for that many values, counted from `first`: `$2, $3, $4`.
pub(crate) fn list(first: usize, count: usize) -> String {
    let mut text = String::with_capacity(count * 6);
    for n in first..first + count {
        let joint = if n == first { "" } else { ", " };
        write!(text, "{joint}${n}").expect("writing to a string does not fail");
    }
    text
}

/// A statement with many values, for the database behind that connection. SQLite finds a `$n` by its name among all others,
/// which takes longer than the statement itself; a bare `?` is the next one. That is the same when the placeholders
/// stand in the order of their numbers, and only then they are replaced.
pub(crate) fn bound(db: &AnyConnection, sql: String) -> AssertSqlSafe<String> {
    let bare = if db.backend_name() == "SQLite" { bare(&sql) } else { None };
    AssertSqlSafe(bare.unwrap_or(sql))
}

/// The same with bare placeholders; none when they do not stand in order, each once.
fn bare(sql: &str) -> Option<String> {
    let mut parts = sql.split('$');
    let mut text = parts.next()?.to_owned();
    for (at, part) in parts.enumerate() {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = part.split_at(digits);
        if number.parse() != Ok(at + 1) {
            return None;
        }
        text.push('?');
        text.push_str(rest);
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_counted_on() {
        assert_eq!(tuples(2, 3), "($1, $2, $3), ($4, $5, $6)");
        assert_eq!(list(2, 3), "$2, $3, $4");
        assert_eq!(tuples(0, 3), "");
    }

    #[test]
    fn placeholders_in_order_need_no_number() {
        assert_eq!(bare("a ($1, $2), b = $3"), Some("a (?, ?), b = ?".into()));
        assert_eq!(bare("none"), Some("none".into()));
        for other in ["a IN ($2, $3) LIMIT $1", "$1 $1", "$2", "$", "$x"] {
            assert_eq!(bare(other), None, "{other}");
        }
    }
}
