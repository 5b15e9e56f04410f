//! What every route shares: problems, representations with validators, extractors, and the layers around them.

pub(crate) mod accept;
pub(crate) mod answer;
pub(crate) mod cached;
pub(crate) mod client;
pub(crate) mod conditional;
pub(crate) mod extract;
pub(crate) mod gateway;
pub(crate) mod identity;
pub(crate) mod layers;
pub(crate) mod problem;
pub(crate) mod range;
pub(crate) mod rates;
pub(crate) mod representation;
pub(crate) mod secret;
pub(crate) mod trace;

pub(crate) use answer::{etag, if_match, if_match_text, personal, private};
pub(crate) use extract::{Conditions, JsonBody, PathText, PathTexts, QueryOf, needed};
pub(crate) use identity::{Administrator, Caller, Curator, SignedIn};
pub(crate) use problem::Problem;
pub(crate) use representation::{Representation, Variant};
