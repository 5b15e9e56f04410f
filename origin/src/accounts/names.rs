//! What people call themselves: what is taken, and when two names are the same.

use crate::catalog::fold;

const MAX_NAME: usize = 100;
/// Longest address that mail servers take (RFC 5321 4.5.3.1.3), octets.
const MAX_EMAIL: usize = 254;
const MIN_PASSWORD: usize = 8;
/// Longer ones are refused, so that nobody can make hashing slow. Bytes.
const MAX_PASSWORD: usize = 1024;

/// A member of a request that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{member}: {reason}")]
pub(crate) struct Invalid {
    pub(crate) member: &'static str,
    pub(crate) reason: &'static str,
}

fn unless(fine: bool, member: &'static str, reason: &'static str) -> Result<(), Invalid> {
    if fine { Ok(()) } else { Err(Invalid { member, reason }) }
}

/// ASCII only: names in other scripts can look like anything; the display name is free.
pub(crate) fn check_username(username: &str) -> Result<(), Invalid> {
    let letters = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    let fine = (3..=32).contains(&username.len())
        && username.bytes().all(letters)
        && username.as_bytes()[0].is_ascii_alphabetic();
    unless(fine, "username", "3 to 32 letters, digits, dots, dashes or underscores, a letter first")?;
    unless(!username.eq_ignore_ascii_case("guest"), "username", "this name has a meaning of its own")
}

/// The same for names that look alike: case, `0` and `o`, `1`, `i` and `l`, `rn` and `m`, and what stands between.
pub(crate) fn username_key(username: &str) -> String {
    let letters = username.to_ascii_lowercase().replace("rn", "m").replace("vv", "w");
    letters
        .chars()
        .filter_map(|c| match c {
            '.' | '_' | '-' => None,
            '0' => Some('o'),
            '1' | 'i' => Some('l'),
            '5' => Some('s'),
            c => Some(c),
        })
        .collect()
}

/// One `@` with something before it and a domain behind it; whether mail arrives, only mail can tell.
pub(crate) fn check_email(email: &str) -> Result<(), Invalid> {
    let shaped = email.rsplit_once('@').is_some_and(|(user, domain)| {
        !user.is_empty()
            && user.len() <= 64
            && domain.split('.').count() >= 2
            && domain
                .split('.')
                .all(|label| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-'))
    });
    let plain = email.chars().all(|c| !c.is_whitespace() && !c.is_control());
    unless(shaped && plain && email.len() <= MAX_EMAIL, "email", "an e-mail address, as ann@example.org")
}

/// Two spellings of one mailbox are taken for the same.
pub(crate) fn email_key(email: &str) -> String {
    email.to_lowercase()
}

/// The name that is shown, cleaned.
pub(crate) fn display_name(name: &str) -> Result<String, Invalid> {
    let clean = name.trim();
    let fine = !fold(clean).is_empty()
        && clean.chars().count() <= MAX_NAME
        && !clean.chars().any(|c| c.is_control() || is_directing(c));
    unless(fine, "name", "1 to 100 characters, at least one of them visible")?;
    Ok(clean.to_owned())
}

/// Marks that turn the direction of text around: they make one name look like another.
fn is_directing(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Empty, or digits as in E.164 with what people put between them.
pub(crate) fn check_phone(phone: &str) -> Result<(), Invalid> {
    let digits = phone.bytes().filter(u8::is_ascii_digit).count();
    let rest = phone.strip_prefix('+').unwrap_or(phone);
    let fine = rest.bytes().all(|b| b.is_ascii_digit() || b" -()/.".contains(&b))
        && (3..=15).contains(&digits)
        && phone.len() <= 32;
    unless(phone.is_empty() || fine, "phone", "a telephone number, as +49 30 1234567, or empty")
}

/// Length counts, not kinds of characters (NIST SP 800-63B 3.1.1.2).
pub(crate) fn check_password(password: &str, username: &str, email: &str) -> Result<(), Invalid> {
    unless(password.chars().count() >= MIN_PASSWORD, "password", "at least 8 characters")?;
    unless(password.len() <= MAX_PASSWORD, "password", "at most 1024 bytes")?;
    let mut letters: Vec<char> = password.chars().collect();
    letters.dedup();
    unless(letters.len() > 2, "password", "more than the same character again and again")?;
    let known = [username, email].iter().any(|name| name.eq_ignore_ascii_case(password));
    unless(!known && !password.eq_ignore_ascii_case("password"), "password", "something harder to guess")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_that_look_alike_are_the_same() {
        for (one, other) in
            [("Ann", "ANN"), ("bill", "b1ll"), ("moon", "m00n"), ("a.b-c", "abc"), ("modern", "modem")]
        {
            assert_eq!(username_key(one), username_key(other), "{one} {other}");
        }
        assert_ne!(username_key("ann"), username_key("anna"));
    }

    #[test]
    fn what_is_taken() {
        for good in ["ann", "Ann.Lee-2_x", &"a".repeat(32)] {
            assert_eq!(check_username(good), Ok(()), "{good}");
        }
        for bad in ["", "an", "1ann", "änn", "ann lee", "ann\n", "guest", "Guest", "аnn", &"a".repeat(33)] {
            assert!(check_username(bad).is_err(), "{bad}");
        }
        for good in ["a@b.co", "ann+x@mail.example.org", "å@exämple.org"] {
            assert_eq!(check_email(good), Ok(()), "{good}");
        }
        for bad in ["", "a", "@b.co", "a@b", "a@.co", "a b@c.de", "a@b..c", "a@b.c\r\nBcc: x@y.z"] {
            assert!(check_email(bad).is_err(), "{bad}");
        }
        for good in ["", "+49 30 1234567", "(030) 123-45"] {
            assert_eq!(check_phone(good), Ok(()), "{good}");
        }
        for bad in ["call me", "12", "+1+2+3", "1234567890123456"] {
            assert!(check_phone(bad).is_err(), "{bad}");
        }
        assert_eq!(display_name(" Ann  Lee "), Ok("Ann  Lee".into()));
        for bad in ["", "  ", "\u{202e}nnA", "a\u{0}b", "\u{301}"] {
            assert!(display_name(bad).is_err(), "{bad}");
        }
        assert_eq!(check_password("correct horse", "ann", "a@b.co"), Ok(()));
        for bad in ["short", "aaaaaaaaaa", "Annabella", "PassWord", &"xy".repeat(600)] {
            assert!(check_password(bad, "annabella", "a@b.co").is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn keys_of_keys_are_the_same(name in "[A-Za-z][A-Za-z0-9._-]{2,31}") {
            let key = username_key(&name);
            prop_assert!(!key.contains(|c: char| "._-015i".contains(c)));
        }
    }
}
