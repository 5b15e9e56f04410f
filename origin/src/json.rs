//! What is asked of JSON from outside.

use serde_json::Value;

/// Whether any text in it holds the character U+0000: no name does, and PostgreSQL takes no text with it.
pub(crate) fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_nul),
        Value::Object(members) => members.iter().any(|(name, value)| name.contains('\0') || holds_nul(value)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_found_at_any_depth() {
        for json in [r#""\u0000""#, r#"{"a": [1, {"b": "x\u0000"}]}"#, r#"{"\u0000": 1}"#] {
            assert!(holds_nul(&serde_json::from_str(json).unwrap()), "{json}");
        }
        for json in [r#""\\u0000""#, r#"{"a": [0, null, "0"]}"#] {
            assert!(!holds_nul(&serde_json::from_str(json).unwrap()), "{json}");
        }
    }
}
