//! Caching reverse proxies of one core, all set up alike in front of one origin.

mod ats;
mod haproxy;
mod nginx;
mod place;
mod segue;
mod varnish;

use rustix::process::Signal;

use crate::client::Failure;
use crate::process::Process;

pub use place::Place;
pub use segue::{binary, edge};

/// Which proxy, and how it is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// nginx; requests for what is being fetched wait for it.
    Nginx,
    /// nginx as it comes: every request for what is not there fetches it.
    NginxWithoutLock,
    /// Varnish; it has no TLS.
    Varnish,
    /// Apache Traffic Server.
    Ats,
    /// HAProxy.
    Haproxy,
    /// `segue edge` as a plain caching proxy.
    SegueOpen,
    /// `segue edge` that checks a token for each request.
    Segue,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Nginx,
        Self::NginxWithoutLock,
        Self::Varnish,
        Self::Ats,
        Self::Haproxy,
        Self::SegueOpen,
        Self::Segue,
    ];

    /// Its name in tables and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::NginxWithoutLock => "nginx-nolock",
            Self::Varnish => "varnish",
            Self::Ats => "ats",
            Self::Haproxy => "haproxy",
            Self::SegueOpen => "segue-open",
            Self::Segue => "segue",
        }
    }

    /// Starts it, and waits until it serves.
    ///
    /// # Errors
    /// When it does not.
    pub fn start(self, place: &Place) -> Result<Peer, Failure> {
        let place = &place.within(self.name())?;
        let (http, tls, processes) = match self {
            Self::Nginx => nginx::start(place, true)?,
            Self::NginxWithoutLock => nginx::start(place, false)?,
            Self::Varnish => varnish::start(place)?,
            Self::Ats => ats::start(place)?,
            Self::Haproxy => haproxy::start(place)?,
            Self::SegueOpen => segue::start(place, true)?,
            Self::Segue => segue::start(place, false)?,
        };
        Ok(Peer { kind: self, http, tls, processes, _place: place.clone() })
    }
}

/// A proxy that serves; stopped when dropped.
#[derive(Debug)]
pub struct Peer {
    /// Which.
    pub kind: Kind,
    /// Port for plain HTTP/1.1.
    pub http: u16,
    /// Port for TLS, if it has any.
    pub tls: Option<u16>,
    processes: Vec<Process>,
    /// Its folders must outlive it.
    _place: Place,
}

/// Ports and processes of a started proxy.
type Started = (u16, Option<u16>, Vec<Process>);

impl Peer {
    /// Processor time used so far, user and system, microseconds.
    #[must_use]
    pub fn cpu_us(&self) -> f64 {
        self.processes.iter().map(|process| process.cpu().as_secs_f64() * 1e6).sum()
    }

    /// Bytes of memory.
    #[must_use]
    pub fn memory(&self) -> u64 {
        self.processes.iter().map(Process::memory).sum()
    }

    /// nginx looks at the size of its cache every ten seconds only, in which a measurement may fill it anew. Its cache
    /// manager does so when it starts, and is started again when it ends: so this makes it look now.
    pub fn look_at_size(&self) {
        let processes = self.processes.iter();
        processes.for_each(|process| process.tell_child("nginx: cache manager", Signal::TERM));
    }

    /// Its port for that protocol.
    #[must_use]
    pub fn port(&self, tls: bool) -> Option<u16> {
        if tls { self.tls } else { Some(self.http) }
    }
}
