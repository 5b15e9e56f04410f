//! The processes: each has an address of its own, and can be killed and started again there.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;

use segue_benches::client::Failure;
use segue_benches::peer::binary;
use segue_benches::process::{Process, until_listening_at};
use tempfile::TempDir;

/// Between edges, shield and origin; and of the admin listeners.
const MEDIA_SECRET: &str = "media-secret-of-this-run";
const ADMIN_SECRET: &str = "admin-secret-of-this-run";
/// At the S3 server.
const ACCESS: [&str; 2] = ["AWS_ACCESS_KEY_ID=outage", "AWS_SECRET_ACCESS_KEY=secret-of-this-run"];
const BUCKET: &str = "music";
/// Room in an edge: less than there is to play, so that they go on asking those behind them.
const EDGE_BYTES: u64 = 24 << 20;

/// What can be killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    EdgeA,
    EdgeB,
    Shield,
    Origin,
    Store,
}

impl Role {
    /// In the order in which they are killed.
    pub(crate) const ALL: [Self; 5] = [Self::EdgeA, Self::EdgeB, Self::Shield, Self::Origin, Self::Store];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::EdgeA => "edge A",
            Self::EdgeB => "edge B",
            Self::Shield => "shield",
            Self::Origin => "origin",
            Self::Store => "S3",
        }
    }

    /// 127.0.0.2 and on.
    fn host(self) -> IpAddr {
        IpAddr::from(Ipv4Addr::new(127, 0, 0, 2 + self as u8))
    }
}

/// All processes and where they are.
pub(crate) struct Fleet {
    folder: TempDir,
    segue: PathBuf,
    s3: PathBuf,
    /// Public address and that of the admin listener, by role.
    places: Vec<(SocketAddr, SocketAddr)>,
    processes: Vec<Option<Process>>,
    starts: usize,
}

impl Fleet {
    pub(crate) fn new() -> Result<Self, Failure> {
        let s3 = std::env::current_exe()?.with_file_name("s3");
        if !s3.is_file() {
            return Err(format!("{} is not there; build it: cargo build --bins", s3.display()).into());
        }
        let place = |role: Role| Ok::<_, Failure>((free(role.host())?, free(role.host())?));
        let places = Role::ALL.into_iter().map(place).collect::<Result<_, _>>()?;
        let folder = tempfile::tempdir()?;
        std::fs::create_dir_all(folder.path().join("s3").join(BUCKET))?;
        let processes = Role::ALL.map(|_| None).into();
        Ok(Self { folder, segue: binary()?, s3, places, processes, starts: 0 })
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The folder in which the S3 server keeps the objects.
    pub(crate) fn bucket(&self) -> PathBuf {
        self.folder().join("s3").join(BUCKET)
    }

    pub(crate) fn origin(&self) -> String {
        url(self.at(Role::Origin))
    }

    fn at(&self, role: Role) -> SocketAddr {
        self.places[role as usize].0
    }

    fn admin(&self, role: Role) -> SocketAddr {
        self.places[role as usize].1
    }

    fn file(&self, name: &str) -> String {
        self.folder().join(name).display().to_string()
    }

    fn store(&self) -> String {
        format!("s3://{BUCKET}?endpoint={}&region=us-east-1", url(self.at(Role::Store)))
    }

    /// Publishes a folder of music with `segue transcode`.
    pub(crate) fn publish(&self, music: &Path) -> Result<(), Failure> {
        let mut command = Command::new("env");
        command.args(ACCESS).arg(&self.segue).arg("transcode").arg(music).args([
            "--to",
            &self.store(),
            "--strict",
        ]);
        match command.status()?.success() {
            true => Ok(()),
            false => Err("the music was not published".into()),
        }
    }

    /// Starts a process, and waits until it listens.
    pub(crate) fn start(&mut self, role: Role) -> Result<(), Failure> {
        let mut words: Vec<String> = ["env"].into_iter().chain(ACCESS).map(str::to_owned).collect();
        words.extend(self.command(role));
        self.starts += 1;
        let log = self.folder().join(format!("{}.{}.log", role.name(), self.starts));
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut process = Process::start(&words, None, &log)?;
        until_listening_at(&mut process, self.at(role))?;
        self.processes[role as usize] = Some(process);
        Ok(())
    }

    /// Kills a process without notice.
    pub(crate) fn kill(&mut self, role: Role) {
        if let Some(process) = self.processes[role as usize].take() {
            process.kill();
        }
    }

    /// Panics in what all processes have said so far.
    pub(crate) fn panics(&self) -> usize {
        let files = std::fs::read_dir(self.folder()).into_iter().flatten().flatten();
        let logs = files.filter(|file| file.path().extension().is_some_and(|it| it == "log"));
        let texts = logs.filter_map(|file| std::fs::read(file.path()).ok());
        texts.map(|text| String::from_utf8_lossy(&text).matches("panicked").count()).sum()
    }

    fn command(&self, role: Role) -> Vec<String> {
        let mut words = vec![self.segue.display().to_string()];
        match role {
            Role::Store => {
                let folder = self.file("s3");
                return vec![self.s3.display().to_string(), self.at(role).to_string(), folder];
            }
            Role::Origin => {
                words.push("origin".into());
                words.extend(self.origin_settings());
            }
            Role::EdgeA | Role::EdgeB | Role::Shield => {
                words.push("edge".into());
                words.extend(self.edge_settings(role));
            }
        }
        words.extend(["--listen".into(), self.at(role).to_string()]);
        words.extend(["--admin-listen".into(), self.admin(role).to_string()]);
        words
    }

    fn origin_settings(&self) -> Vec<String> {
        let edges = [Role::EdgeA, Role::EdgeB];
        flags(&[
            ("database", self.file("catalog.db")),
            ("keys-file", self.file("keys.json")),
            ("store", self.store()),
            ("edges", edges.map(|edge| url(self.at(edge))).join(",")),
            ("edge-admins", edges.map(|edge| url(self.admin(edge))).join(",")),
            ("shield-admins", url(self.admin(Role::Shield))),
            ("edge-admin-secret", ADMIN_SECRET.into()),
            ("media-secret", MEDIA_SECRET.into()),
            ("registration", "open".into()),
            // All listeners come from one address.
            ("rate-per-second", "0".into()),
            ("scan-seconds", "5".into()),
        ])
    }

    fn edge_settings(&self, role: Role) -> Vec<String> {
        let mut settings = flags(&[
            ("name", role.name().replace(' ', "-")),
            ("upstreams", self.origin()),
            ("store", self.store()),
            ("media-secret", MEDIA_SECRET.into()),
            ("admin-secret", ADMIN_SECRET.into()),
            ("key-set-file", self.file(&format!("{}.keys.json", role.name()))),
            ("first-byte-timeout-ms", "3000".into()),
            ("connect-timeout-ms", "1000".into()),
        ]);
        settings.extend(match role {
            Role::Shield => flags(&[("downstream-secret", MEDIA_SECRET.into())]),
            _ => flags(&[("shields", url(self.at(Role::Shield))), ("cache-bytes", EDGE_BYTES.to_string())]),
        });
        settings
    }
}

fn flags(settings: &[(&str, String)]) -> Vec<String> {
    settings.iter().flat_map(|(name, value)| [format!("--{name}"), value.clone()]).collect()
}

fn url(address: SocketAddr) -> String {
    format!("http://{address}")
}

/// A port of that address that is free now.
fn free(host: IpAddr) -> std::io::Result<SocketAddr> {
    TcpListener::bind((host, 0))?.local_addr()
}
