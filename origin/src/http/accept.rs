//! Which content coding a client prefers (RFC 9110 12.5.3).

use http::HeaderMap;
use http::header::ACCEPT_ENCODING;

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    /// As it is.
    Identity,
    Gzip,
    Zstd,
}

impl Coding {
    /// From the most to the least wanted where a client has no preference: zstd is smaller and faster to unpack.
    pub(crate) const ALL: [Self; 3] = [Self::Zstd, Self::Gzip, Self::Identity];

    /// Name in `Content-Encoding`, which has none for what is as it is.
    pub(crate) fn name(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
            Self::Zstd => Some("zstd"),
        }
    }

    fn is_named(self, name: &str) -> bool {
        match self {
            Self::Identity => name.eq_ignore_ascii_case("identity"),
            Self::Gzip => name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip"),
            Self::Zstd => name.eq_ignore_ascii_case("zstd"),
        }
    }
}

/// The weights that a client gives the codings, in thousandths; 0 rules out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Accepted {
    zstd: u16,
    gzip: u16,
    identity: u16,
}

impl Accepted {
    /// Reads the field. A client that sends none gets no coding: it may not know of any.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let fields = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
        let members: Vec<(&str, u16)> = fields.flat_map(|field| field.split(',')).map(weighted).collect();
        let weight = |coding: Coding| {
            let named = members.iter().find(|(name, _)| coding.is_named(name));
            named.or_else(|| members.iter().find(|(name, _)| *name == "*")).map(|(_, weight)| *weight)
        };
        Self {
            zstd: weight(Coding::Zstd).unwrap_or(0),
            gzip: weight(Coding::Gzip).unwrap_or(0),
            // Acceptable unless ruled out, and less wanted than whatever is named.
            identity: weight(Coding::Identity).unwrap_or(1),
        }
    }

    /// The best of the codings that there are. Without one that is accepted it is identity.
    pub(crate) fn best(&self, there: impl Fn(Coding) -> bool) -> Coding {
        let mut best = (Coding::Identity, 0);
        for coding in Coding::ALL {
            let weight = self.weight(coding);
            if weight > best.1 && there(coding) {
                best = (coding, weight);
            }
        }
        best.0
    }

    fn weight(&self, coding: Coding) -> u16 {
        match coding {
            Coding::Identity => self.identity,
            Coding::Gzip => self.gzip,
            Coding::Zstd => self.zstd,
        }
    }
}

/// A coding and its weight in thousandths. A weight that cannot be read counts as none given: 1.
fn weighted(member: &str) -> (&str, u16) {
    let mut parts = member.split(';');
    let name = parts.next().unwrap_or_default().trim();
    let given = parts
        .filter_map(|part| part.split_once('='))
        .find(|(parameter, _)| parameter.trim().eq_ignore_ascii_case("q"))
        .and_then(|(_, value)| value.trim().parse::<f32>().ok());
    (name, given.filter(|weight| weight.is_finite()).map_or(1000, thousandths))
}

fn thousandths(weight: f32) -> u16 {
    let rounded = (weight.clamp(0.0, 1.0) * 1000.0).round() as u16;
    // What is above zero is not ruled out.
    if weight > 0.0 { rounded.max(1) } else { rounded }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use proptest::prelude::*;

    fn accepted(field: &str) -> Accepted {
        Accepted::of(&HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_str(field).unwrap())]))
    }

    #[test]
    fn the_heaviest_is_taken() {
        let table = [
            ("gzip", "gzip"),
            ("deflate, GZIP;q=0.5", "gzip"),
            ("gzip, deflate, br, zstd", "zstd"),
            ("zstd;q=0.5, gzip", "gzip"),
            ("gzip;q=0.5, identity", ""),
            ("gzip;q=0.5, zstd;q=0.500", "zstd"),
            ("*", "zstd"),
            ("*, zstd;q=0", "gzip"),
            ("*;q=0", ""),
            ("gzip;q=0, zstd;q=0, *", ""),
            ("gzip; q = 0.0", ""),
            ("identity;q=0, x-gzip", "gzip"),
            ("gzip;level=9;q=0.1", "gzip"),
            ("gzip;q=x", "gzip"),
            ("gzip;q=0.0001", "gzip"),
            ("br", ""),
            ("identity", ""),
            ("", ""),
        ];
        for (field, expected) in table {
            assert_eq!(accepted(field).best(|_| true).name().unwrap_or(""), expected, "{field}");
        }
        assert_eq!(Accepted::of(&HeaderMap::new()).best(|_| true), Coding::Identity);
        assert_eq!(accepted("zstd, gzip;q=0.1").best(|it| it != Coding::Zstd), Coding::Gzip);
    }

    proptest! {
        #[test]
        fn what_is_ruled_out_is_never_taken(
            weights in prop::collection::vec((0usize..5, 0u16..=1000), 0..6), noise in "[ -~]{0,40}",
        ) {
            let names = ["gzip", "zstd", "identity", "*", "br"];
            let members: Vec<String> =
                weights.iter().map(|(name, weight)| format!("{};q={}", names[*name], f64::from(*weight) / 1000.0)).collect();
            let found = accepted(&members.join(", "));
            let best = found.best(|_| true);
            prop_assert!(best == Coding::Identity || found.weight(best) > 0);
            for coding in Coding::ALL {
                prop_assert!(found.weight(best) >= found.weight(coding) || found.weight(coding) == 0);
            }
            accepted(&noise).best(|_| true);
        }
    }
}
