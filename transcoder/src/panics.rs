//! Panics of code that works on foreign bytes, caught so that one broken file never ends a batch.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The text of a panic.
pub(crate) fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().map(str::to_owned);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}

/// Runs `work`; a panic becomes its text.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    // What `work` was touching is thrown away with it.
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| message(&*panic))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_both_kinds() {
        assert_eq!(caught(|| 1), Ok(1));
        assert_eq!(caught(|| panic!("plain")), Err::<(), _>("plain".to_owned()));
        let number = 7;
        assert_eq!(caught(|| panic!("frame {number}")), Err::<(), _>("frame 7".to_owned()));
    }
}
