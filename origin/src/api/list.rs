//! Query parameters of lists.

use serde::Deserialize;

use crate::catalog::{Window, fold};
use crate::http::Problem;

const DEFAULT_LIMIT: u32 = 50;
const MAX_LIMIT: u32 = 200;
/// Longest filter, characters.
const MAX_NAME: usize = 200;

/// `?limit=&cursor=&name=`, for songs also `?ids=`
#[derive(Debug, Default, Deserialize)]
pub(super) struct ListQuery {
    pub(super) ids: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
    name: Option<String>,
}

/// `?limit=&cursor=` of a list without names.
#[derive(Debug, Default, Deserialize)]
pub(super) struct PageQuery {
    limit: Option<u32>,
    pub(super) cursor: Option<String>,
}

impl PageQuery {
    /// Items at most.
    pub(super) fn limit(&self) -> Result<u32, Problem> {
        limit(self.limit, MAX_LIMIT)
    }
}

/// Items at most, where that many may be asked for.
pub(super) fn limit(given: Option<u32>, most: u32) -> Result<u32, Problem> {
    let limit = given.unwrap_or(DEFAULT_LIMIT);
    if (1..=most).contains(&limit) {
        return Ok(limit);
    }
    Err(Problem::bad_request("bad-query", format!("limit must be 1 to {most}.")))
}

impl ListQuery {
    /// Whether nothing is asked for.
    pub(super) fn is_empty(&self) -> bool {
        self.ids.is_none() && self.limit.is_none() && self.cursor.is_none() && self.name.is_none()
    }

    /// The part of the list that is asked for.
    pub(super) fn window(self) -> Result<Window, Problem> {
        let limit = limit(self.limit, MAX_LIMIT)?;
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
