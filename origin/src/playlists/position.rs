//! Positions in a playlist: text that sorts by its bytes, with room for more between any two.
//!
//! A position is a row of whole numbers, compared one by one, a beginning before what goes on from it. Behind the
//! last and before the first, and behind or before the same neighbour again and again, a number counts on; where two
//! neighbours leave no number between them, one more is put behind. So keys stay short for everything that people
//! and scripts do to playlists; only going to and fro into the same gap lengthens them, by a character a time.
//!
//! As text, a number is a letter that says its sign and length, then its digits to the base 62, in ASCII order:
//! `a0` is 0, `a1` is 1, `b10` is 62, `Zz` is -1.

/// Longest text of a position, bytes. What would need more is spread out anew (see `playlists::place`).
pub(super) const MAX_TEXT: usize = 200;

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Enough for any number of 63 bits.
const MAX_DIGITS: usize = 11;

/// A place in a playlist. Never empty.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position(Vec<i64>);

impl Position {
    /// As the database keeps it: sorts by its bytes as positions do.
    pub(super) fn text(&self) -> String {
        let mut out = Vec::with_capacity(self.0.len() * 2);
        self.0.iter().for_each(|&number| write(number, &mut out));
        String::from_utf8(out).expect("digits are ASCII")
    }

    /// Reads [`Position::text`]; `None` for anything else.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut rest = text.as_bytes();
        let mut numbers = Vec::new();
        while !rest.is_empty() {
            numbers.push(read(&mut rest)?);
        }
        (!numbers.is_empty()).then_some(Self(numbers))
    }
}

/// `count` positions in order, strictly behind `after` and before `before`; `None` is where nothing is. `after` must
/// lie before `before`.
pub(super) fn between(after: Option<&Position>, before: Option<&Position>, count: usize) -> Vec<Position> {
    let count = count as i64;
    let (beginning, first) = match (after, before) {
        (None, None) => (&[][..], 0),
        (Some(after), None) => (&[][..], after.0[0] + 1),
        (None, Some(before)) => (&[][..], before.0[0] - count),
        (Some(after), Some(before)) => room(&after.0, &before.0, count),
    };
    (first..first + count).map(|last| Position([beginning, &[last]].concat())).collect()
}

/// What `count` positions between the two begin with, and the last number of the first of them.
fn room<'a>(after: &'a [i64], before: &'a [i64], count: i64) -> (&'a [i64], i64) {
    debug_assert!(after < before);
    let same = after.iter().zip(before).take_while(|(one, other)| one == other).count();
    match (after.get(same), before.get(same)) {
        // What goes on from `after` below what `before` goes on with.
        (None, Some(number)) => (after, number - count),
        (Some(low), Some(high)) if high.saturating_sub(*low) > count => (&after[..same], low + 1),
        // Beside the number behind the one that differs; without one, `after` gets it.
        _ => match after.get(same + 1) {
            Some(number) => (&after[..=same], number + 1),
            None => (after, 0),
        },
    }
}

/// The digits of a number that is not negative, and how many of them count.
fn digits(mut number: i64) -> ([usize; MAX_DIGITS], usize) {
    let mut digits = [0; MAX_DIGITS];
    let mut length = 0;
    loop {
        length += 1;
        digits[MAX_DIGITS - length] = (number % 62) as usize;
        number /= 62;
        if number == 0 {
            return (digits, length);
        }
    }
}

fn write(number: i64, out: &mut Vec<u8>) {
    // -1 is written like 0 upside down.
    let negative = number < 0;
    let (digits, length) = digits(if negative { -1 - number } else { number });
    out.push(if negative { b'Z' + 1 - length as u8 } else { b'a' - 1 + length as u8 });
    let upside = |digit: usize| if negative { 61 - digit } else { digit };
    out.extend(digits[MAX_DIGITS - length..].iter().map(|&digit| DIGITS[upside(digit)]));
}

fn read(rest: &mut &[u8]) -> Option<i64> {
    let (&head, tail) = rest.split_first()?;
    let (negative, length) = match head {
        b'a'..=b'k' => (false, usize::from(head - b'a') + 1),
        b'P'..=b'Z' => (true, usize::from(b'Z' - head) + 1),
        _ => return None,
    };
    let (own, tail) = tail.split_at_checked(length)?;
    let mut number = 0_i64;
    for digit in own {
        let digit = DIGITS.binary_search(digit).ok()? as i64;
        number = number.checked_mul(62)?.checked_add(if negative { 61 - digit } else { digit })?;
    }
    *rest = tail;
    // Written with as few digits as it needs, or it would sort wrong.
    (length == digits(number).1).then_some(if negative { -1 - number } else { number })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn one(after: Option<&Position>, before: Option<&Position>) -> Position {
        between(after, before, 1).remove(0)
    }

    #[test]
    fn numbers_are_written_as_the_description_says() {
        for (number, text) in
            [(0, "a0"), (1, "a1"), (61, "az"), (62, "b10"), (-1, "Zz"), (-62, "Z0"), (-63, "Yyz")]
        {
            assert_eq!(Position(vec![number]).text(), text);
        }
        for bad in ["", "a", "b00", "Yzz", "a0b", "a-", "l00000000000", "ä0", "kzzzzzzzzzzz", "a0\0"] {
            assert_eq!(Position::read(bad), None, "{bad}");
        }
    }

    #[test]
    fn one_direction_stays_short() {
        // At the end, at the beginning, always before the same, always behind the same.
        let (low, high) = (Position(vec![5]), Position(vec![6]));
        type Ends = fn(Position, Position, Position) -> (Position, Position);
        let on: [(Option<Position>, Option<Position>, Ends); 2] = [
            (Some(low.clone()), Some(high.clone()), |_, new, high| (new, high)),
            (Some(low), Some(high), |low, new, _| (low, new)),
        ];
        for (low, high, next) in on {
            let (mut low, mut high) = (low.unwrap(), high.unwrap());
            for _ in 0..10_000 {
                let new = one(Some(&low), Some(&high));
                assert!(low < new && new < high && new.text().len() <= 6, "{new:?}");
                (low, high) = next(low, new, high);
            }
        }
        let (mut first, mut last) = (Position(vec![0]), Position(vec![0]));
        for _ in 0..10_000 {
            first = one(None, Some(&first));
            last = one(Some(&last), None);
        }
        assert_eq!((first.text().len(), last.text().len()), (4, 4));
    }

    #[test]
    fn to_and_fro_lengthens_by_a_character_a_time() {
        let (mut low, mut high) = (Position(vec![0]), Position(vec![1]));
        for turn in 0..100 {
            let new = one(Some(&low), Some(&high));
            assert!(new.text().len() <= turn + 6, "{turn}: {new:?}");
            if turn % 2 == 0 { low = new } else { high = new }
        }
    }

    proptest! {
        #[test]
        fn text_sorts_as_positions_do(
            one in proptest::collection::vec(any::<i64>(), 1..4),
            other in proptest::collection::vec(-100_i64..100, 1..4),
            third in proptest::collection::vec(-2_i64..3, 1..4),
            fourth in proptest::collection::vec(-2_i64..3, 1..4),
        ) {
            let all = [one, other, third, fourth].map(Position);
            for one in &all {
                prop_assert_eq!(Position::read(&one.text()), Some(one.clone()));
                for other in &all {
                    prop_assert_eq!(one.cmp(other), one.text().as_bytes().cmp(other.text().as_bytes()));
                }
            }
        }

        #[test]
        fn what_is_read_is_written_the_same(text in "[0-9A-Za-z]{0,12}|\\PC{0,8}") {
            if let Some(position) = Position::read(&text) {
                prop_assert_eq!(position.text(), text);
            }
        }

        /// Any history of putting things anywhere keeps the order that was asked for.
        #[test]
        fn whatever_is_put_where_stays_in_order(steps in proptest::collection::vec((any::<u16>(), 1_usize..40), 1..60)) {
            let mut list: Vec<Position> = Vec::new();
            for (at, count) in steps {
                let at = usize::from(at) % (list.len() + 1);
                let after = at.checked_sub(1).map(|at| &list[at]);
                let new = between(after, list.get(at), count);
                prop_assert_eq!(new.len(), count);
                list.splice(at..at, new);
                prop_assert!(list.is_sorted_by(|one, next| one < next), "{:?}", list);
            }
            prop_assert!(list.iter().all(|it| it.text().len() <= 40), "{:?}", list);
        }
    }
}
