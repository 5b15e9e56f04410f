//! List, page by page.

use std::sync::Arc;

use aws_sdk_s3::config::Config;
use aws_sdk_s3::types::Object as Listed;
use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt};

use super::options::quick_retries;
use super::{Bucket, fault};
use crate::ObjectMeta;
use crate::error::Error;
use crate::path::{check_path, check_prefix};

/// Attempts for one page: beginning a long listing anew for one lost page would be a waste.
const PAGE_ATTEMPTS: u32 = 4;

pub(super) fn list(bucket: Arc<Bucket>, prefix: &str) -> BoxStream<'static, Result<ObjectMeta, Error>> {
    if let Err(error) = check_prefix(prefix) {
        return stream::iter([Err(error)]).boxed();
    }
    let prefix = format!("{}{prefix}", bucket.prefix);
    let pages = stream::try_unfold(Next::First, move |next| {
        let (bucket, prefix) = (Arc::clone(&bucket), prefix.clone());
        async move { page(&bucket, &prefix, next).await }
    });
    pages.map_ok(|page| stream::iter(page).map(Ok)).try_flatten().boxed()
}

/// Which page comes next.
enum Next {
    First,
    After(String),
    None,
}

async fn page(bucket: &Bucket, prefix: &str, next: Next) -> Result<Option<(Vec<ObjectMeta>, Next)>, Error> {
    let token = match next {
        Next::First => None,
        Next::After(token) => Some(token),
        Next::None => return Ok(None),
    };
    let request = bucket.client.list_objects_v2().bucket(&bucket.name).prefix(prefix);
    let retrying = Config::builder().retry_config(quick_retries(PAGE_ATTEMPTS));
    let sending = request.set_continuation_token(token).customize().config_override(retrying).send();
    let place = || format!("s3 list {}/{prefix}", bucket.name);
    let answer = Box::pin(sending).await.map_err(|error| fault::sort(&place(), error))?;
    let next = match (answer.is_truncated(), answer.next_continuation_token) {
        (Some(true), Some(token)) => Next::After(token),
        _ => Next::None,
    };
    let found = answer.contents.unwrap_or_default();
    let found = found.into_iter().filter_map(|listed| meta(&bucket.prefix, listed)).collect();
    Ok(Some((found, next)))
}

/// An object of this store; `None` for what no path can name, such as folder markers of other tools.
fn meta(prefix: &str, listed: Listed) -> Option<ObjectMeta> {
    let path = listed.key.as_deref()?.strip_prefix(prefix)?;
    check_path(path).ok()?;
    let size = u64::try_from(listed.size?).ok()?;
    Some(ObjectMeta { path: path.to_owned(), size, etag: listed.e_tag })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skips_what_no_path_can_name() {
        let listed = |key: &str| Listed::builder().key(key).size(3).e_tag("\"x\"").build();
        let found = meta("store/", listed("store/a/b")).unwrap();
        assert_eq!(found, ObjectMeta { path: "a/b".into(), size: 3, etag: Some("\"x\"".into()) });
        for foreign in ["store/", "store/a/", "store//a", "storeroom/a", "other"] {
            assert_eq!(meta("store/", listed(foreign)), None, "{foreign}");
        }
        assert_eq!(meta("", Listed::builder().key("a").size(-1).build()), None);
    }
}
