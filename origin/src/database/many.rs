//! Statements about many rows at once.

use std::fmt::Write as _;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_counted_on() {
        assert_eq!(tuples(2, 3), "($1, $2, $3), ($4, $5, $6)");
        assert_eq!(list(2, 3), "$2, $3, $4");
        assert_eq!(tuples(0, 3), "");
    }
}
