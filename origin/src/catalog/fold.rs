//! Names as people type them: without case, marks and stray spaces.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Folds a name for finding, sorting and telling names apart: compatibility decomposition (Unicode NFKD),
/// marks stripped, lowercase, letters without a decomposition spelled out (`ø` as `o`, `ß` as `ss`), runs of
/// white space as one space. Folding twice changes nothing.
pub(crate) fn fold(name: &str) -> String {
    let letters = name
        .nfkd()
        .filter(|c| !is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .nfkd()
        .filter(|c| !is_combining_mark(*c));
    let mut out = String::with_capacity(name.len());
    for letter in letters {
        match spelled_out(letter) {
            Some(text) => out.push_str(text),
            None if letter.is_whitespace() || letter.is_control() => push_space(&mut out),
            None => out.push(letter),
        }
    }
    out.truncate(out.trim_end().len());
    out
}

fn push_space(out: &mut String) {
    if !out.is_empty() && !out.ends_with(' ') {
        out.push(' ');
    }
}

/// Letters that Unicode does not decompose, and punctuation that keyboards lack.
fn spelled_out(letter: char) -> Option<&'static str> {
    Some(match letter {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'đ' | 'ð' => "d",
        'þ' => "th",
        'ł' => "l",
        'ħ' => "h",
        'ı' => "i",
        'ŋ' => "n",
        'ς' => "σ",
        '\u{2018}' | '\u{2019}' | '\u{2bc}' => "'",
        '\u{201c}' | '\u{201d}' => "\"",
        '\u{2010}'..='\u{2015}' => "-",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_meet_their_spellings() {
        let table = [
            ("Beyoncé", "beyonce"),
            ("Motörhead", "motorhead"),
            ("BJÖRK", "bjork"),
            ("Sigur Rós", "sigur ros"),
            ("MØ", "mo"),
            ("Straße", "strasse"),
            ("  Two \t  spaces ", "two spaces"),
            ("Ｆｕｌｌ　ｗｉｄｔｈ", "full width"),
            ("ﬁne", "fine"),
            ("İstanbul", "istanbul"),
            ("Ὀδυσσεύς", "οδυσσευσ"),
            ("Don\u{2019}t", "don't"),
            ("東京", "東京"),
            ("!!!", "!!!"),
            ("", ""),
            ("\u{301}", ""),
        ];
        for (name, folded) in table {
            assert_eq!(fold(name), folded, "{name}");
        }
    }

    proptest! {
        #[test]
        fn folding_twice_changes_nothing(name in "\\PC{0,40}") {
            let once = fold(&name);
            prop_assert_eq!(fold(&once), once);
        }

        #[test]
        fn any_text_folds(name in any::<String>()) {
            let once = fold(&name);
            prop_assert!(!once.starts_with(' ') && !once.ends_with(' ') && !once.contains("  "));
        }
    }
}
