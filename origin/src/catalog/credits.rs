//! Who is credited, as far as tags say it: lists of names, and `A feat. B`. Names are never split at `&` or commas,
//! which stand in many names.

use super::ids::ArtistId;
use super::mbid::{Mbid, mbid};
use super::tags::{Name, NamedArtist};

/// Credits of one song or album at most.
const MAX_CREDITS: usize = 64;

/// What someone did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    Main,
    Featured,
    Remixer,
    Conductor,
    Composer,
    Lyricist,
}

impl Role {
    /// As the database and the API spell it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Featured => "featured",
            Self::Remixer => "remixer",
            Self::Conductor => "conductor",
            Self::Composer => "composer",
            Self::Lyricist => "lyricist",
        }
    }

    /// The role of that spelling.
    pub(super) fn of(text: &str) -> Option<Self> {
        let all =
            [Self::Main, Self::Featured, Self::Remixer, Self::Conductor, Self::Composer, Self::Lyricist];
        all.into_iter().find(|role| role.as_str() == text)
    }

    /// Whether what someone did in this role stands on their page.
    pub(super) fn is_listed(self) -> bool {
        !matches!(self, Self::Composer | Self::Lyricist)
    }
}

/// The artist that songs with that line stand under.
pub(crate) fn first_artist(line: &str) -> Option<ArtistId> {
    Name::of(line).map(|line| Credits::of(line, &[], &[]).main().id)
}

/// One name of a credit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Credit {
    pub(super) artist: NamedArtist,
    pub(super) mbid: Option<Mbid>,
    pub(super) role: Role,
    /// What stands between this name and the next, or behind the last.
    pub(super) joint: String,
}

/// The line that is shown, and the names in it. There is always one, and the first is a main artist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Credits {
    pub(super) line: Name,
    pub(super) names: Vec<Credit>,
}

impl Credits {
    /// The names of a line. `several` are the names one by one where the tags tell them; `ids` are theirs in order.
    pub(super) fn of(line: Name, several: &[String], ids: &[String]) -> Self {
        let several: Vec<Name> = several.iter().filter_map(|name| Name::of(name)).take(MAX_CREDITS).collect();
        let mut names = if several.len() > 1 { listed(&line.shown, several) } else { split(&line) };
        if names.len() == ids.len() {
            names.iter_mut().zip(ids).for_each(|(credit, id)| credit.mbid = mbid(id));
        }
        Self { line, names }
    }

    /// The artist that the whole stands under.
    pub(super) fn main(&self) -> &NamedArtist {
        &self.names[0].artist
    }

    /// The line and the names without guests, who change from song to song of an album.
    pub(super) fn without_guests(&self) -> Self {
        let hosts = self.names.iter().take_while(|credit| credit.role == Role::Main);
        let mut names: Vec<Credit> = hosts.cloned().collect();
        if names.len() == self.names.iter().filter(|it| it.role <= Role::Featured).count() {
            return Self { line: self.line.clone(), names };
        }
        if let Some(last) = names.last_mut() {
            last.joint.clear();
        }
        let text: String = names.iter().flat_map(|it| [&*it.artist.name.shown, &*it.joint]).collect();
        let line = Name::of(&text).unwrap_or_else(|| self.main().name.clone());
        Self { line, names }
    }

    /// Adds names that do not stand in the line.
    pub(super) fn add(&mut self, role: Role, names: &[String]) {
        let room = MAX_CREDITS.saturating_sub(self.names.len());
        let more = names.iter().filter_map(|name| Name::of(name)).take(room);
        self.names.extend(more.map(|name| credit(name, role, "")));
    }

    /// The artists that list it on their page, each once.
    pub(super) fn listed(&self) -> Vec<ArtistId> {
        let mut ids: Vec<ArtistId> =
            self.names.iter().filter(|it| it.role.is_listed()).map(|it| it.artist.id).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }
}

fn credit(name: Name, role: Role, joint: &str) -> Credit {
    let joint = joint.to_owned();
    Credit { artist: NamedArtist { id: ArtistId::of(&name.folded), name }, mbid: None, role, joint }
}

/// The names of a list, with what stands between them in the line; who stands behind a `feat.` is a guest.
fn listed(line: &str, names: Vec<Name>) -> Vec<Credit> {
    let Some(places) = places(line, &names) else { return guessed(line, names) };
    let ends: Vec<usize> = places.iter().skip(1).map(|place| place.start).chain([line.len()]).collect();
    let mut role = Role::Main;
    let mut credits = Vec::with_capacity(names.len());
    for ((name, place), end) in names.into_iter().zip(&places).zip(ends) {
        let joint = &line[place.end..end];
        credits.push(credit(name, role, joint));
        if joint.split_whitespace().any(is_feat) {
            role = Role::Featured;
        }
    }
    credits
}

/// Where the names stand in the line, one after the other from its beginning, each as a whole word.
fn places(line: &str, names: &[Name]) -> Option<Vec<std::ops::Range<usize>>> {
    let mut from = 0;
    let mut places = Vec::with_capacity(names.len());
    for name in names {
        let start = from + line[from..].find(&name.shown)?;
        let end = start + name.shown.len();
        let inside = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        if inside(line[..start].chars().next_back()) || inside(line[end..].chars().next()) {
            return None;
        }
        places.push(start..end);
        from = end;
    }
    (places[0].start == 0).then_some(places)
}

/// The names of a list that the line spells otherwise: all are hosts, but for those behind its `feat.`.
fn guessed(line: &str, names: Vec<Name>) -> Vec<Credit> {
    let guests = halves(line).map(|halves| super::fold(halves.guest)).unwrap_or_default();
    let (guests, hosts): (Vec<Name>, Vec<Name>) =
        names.into_iter().partition(|name| guests.contains(&name.folded));
    let (hosts, guests) = if hosts.is_empty() { (guests, hosts) } else { (hosts, guests) };
    let (first_guest, count) = (hosts.len(), hosts.len() + guests.len());
    let joint = |at: usize| match at {
        _ if at + 1 == count => "",
        _ if at + 1 == first_guest => " feat. ",
        _ if at + 2 == first_guest || at + 2 == count => " & ",
        _ => ", ",
    };
    let role = |at: usize| if at < first_guest { Role::Main } else { Role::Featured };
    let names = hosts.into_iter().chain(guests).enumerate();
    names.map(|(at, name)| credit(name, role(at), joint(at))).collect()
}

/// `A feat. B` as two names, everything else as one.
fn split(line: &Name) -> Vec<Credit> {
    let halves = halves(&line.shown).and_then(|it| Some((Name::of(it.host)?, Name::of(it.guest)?, it)));
    match halves {
        Some((host, guest, it)) => {
            vec![credit(host, Role::Main, it.joint), credit(guest, Role::Featured, it.rest)]
        }
        None => vec![credit(line.clone(), Role::Main, "")],
    }
}

/// A line taken apart at its `feat.`.
struct Halves<'a> {
    host: &'a str,
    joint: &'a str,
    guest: &'a str,
    rest: &'a str,
}

fn halves(line: &str) -> Option<Halves<'_>> {
    let mut from = 0;
    for word in line.split_whitespace() {
        let start = from + line[from..].find(word)?;
        from = start + word.len();
        if !is_feat(word) {
            continue;
        }
        let host = line[..start].trim_end();
        let tail = &line[from..];
        let guest_start = from + tail.len() - tail.trim_start().len();
        let close = match word.chars().next() {
            Some('(') => ")",
            Some('[') => "]",
            _ => "",
        };
        let guest = &line[guest_start..];
        let guest = guest.strip_suffix(close).unwrap_or(guest).trim_end();
        let rest = &line[guest_start + guest.len()..];
        if !host.is_empty() && !guest.is_empty() {
            return Some(Halves { host, joint: &line[host.len()..guest_start], guest, rest });
        }
    }
    None
}

/// The words that announce a guest. `Feat` and `ft` without a dot stand in names (Little Feat, 6 ft Under).
fn is_feat(word: &str) -> bool {
    let bare = word.trim_start_matches(['(', '[']);
    bare == "feat" || ["feat.", "ft.", "featuring"].iter().any(|mark| bare.eq_ignore_ascii_case(mark))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(line: &str, several: &[&str]) -> Vec<(String, Role, String)> {
        let several: Vec<String> = several.iter().map(|it| (*it).to_owned()).collect();
        let credits = Credits::of(Name::of(line).unwrap(), &several, &[]);
        credits.names.into_iter().map(|it| (it.artist.name.shown, it.role, it.joint)).collect()
    }

    fn main(name: &str, joint: &str) -> (String, Role, String) {
        (name.into(), Role::Main, joint.into())
    }

    fn guest(name: &str, joint: &str) -> (String, Role, String) {
        (name.into(), Role::Featured, joint.into())
    }

    #[test]
    fn guests_are_told_by_the_line() {
        assert_eq!(read("Ann feat. Ben & Cid", &[]), [main("Ann", " feat. "), guest("Ben & Cid", "")]);
        assert_eq!(read("Ann (ft. Ben)", &[]), [main("Ann", " (ft. "), guest("Ben", ")")]);
        for whole in
            ["Simon & Garfunkel", "Crosby, Stills", "Little Feat", "6 ft Under", "feat. Ann", "Ann feat."]
        {
            assert_eq!(read(whole, &[]), [main(whole, "")]);
        }
    }

    #[test]
    fn lists_tell_several_names_apart() {
        let several = read("Ann & Ben feat. Cid, Dan", &["Ann", "Ben", "Cid", "Dan"]);
        assert_eq!(
            several,
            [main("Ann", " & "), main("Ben", " feat. "), guest("Cid", ", "), guest("Dan", "")]
        );
        let otherwise = read("A. feat. Benjamin", &["Ann", "Benjamin"]);
        assert_eq!(otherwise, [main("Ann", " feat. "), guest("Benjamin", "")]);
        assert_eq!(read("Annabel", &["Ann", "Abel"]), [main("Ann", " & "), main("Abel", "")]);
    }

    #[test]
    fn albums_stand_under_the_hosts() {
        let of = |line: &str| Credits::of(Name::of(line).unwrap(), &[], &[]).without_guests();
        assert_eq!((&*of("Ann feat. Ben").line.shown, of("Ann feat. Ben").names.len()), ("Ann", 1));
        assert_eq!(of("Ann & Ben").line.shown, "Ann & Ben");
    }

    proptest! {
        /// Names and what joins them are the line again, whatever it says.
        #[test]
        fn nothing_of_a_line_is_lost(line in "[a-cA (\\[\\])]{0,6}( ?\\(?(feat.|ft.|Featuring)? ?[a-cä )&]{0,8}){0,3}") {
            if let Some(name) = Name::of(&line) {
                let credits = Credits::of(name.clone(), &[], &[]);
                let text: String = credits.names.iter().flat_map(|it| [&*it.artist.name.shown, &*it.joint]).collect();
                prop_assert_eq!(text, name.shown);
                prop_assert_eq!(credits.names[0].role, Role::Main);
                let _ = credits.without_guests();
            }
        }

        #[test]
        fn lists_of_anything_are_taken(line in ".{1,30}", several in proptest::collection::vec(".{0,6}", 0..5)) {
            if let Some(name) = Name::of(&line) {
                let credits = Credits::of(name, &several, &[]);
                prop_assert!(!credits.names.is_empty() && credits.names[0].role == Role::Main);
            }
        }
    }
}
