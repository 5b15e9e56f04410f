//! Query parameters of lists.

use serde::Deserialize;

use crate::catalog::{Window, fold};
use crate::http::Problem;

const DEFAULT_LIMIT: u32 = 50;
const MAX_LIMIT: u32 = 200;
/// Longest filter, characters.
const MAX_NAME: usize = 200;

/// `?limit=&cursor=&name=`
#[derive(Debug, Default, Deserialize)]
pub(super) struct ListQuery {
    limit: Option<u32>,
    cursor: Option<String>,
    name: Option<String>,
}

impl ListQuery {
    /// The part of the list that is asked for.
    pub(super) fn window(self) -> Result<Window, Problem> {
        let limit = self.limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            return Err(Problem::bad_request("bad-query", format!("limit must be 1 to {MAX_LIMIT}.")));
        }
        let name = self.name.unwrap_or_default();
        if name.chars().count() > MAX_NAME {
            return Err(Problem::bad_request(
                "bad-query",
                format!("name is longer than {MAX_NAME} characters."),
            ));
        }
        let filter = fold(&name);
        if filter.is_empty() && !name.trim().is_empty() {
            return Err(Problem::bad_request("bad-query", "name has no letter, digit or sign to look for."));
        }
        let cursor = self.cursor.filter(|cursor| !cursor.is_empty());
        Ok(Window { limit, cursor, filter })
    }
}
