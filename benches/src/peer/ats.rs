//! Apache Traffic Server.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::{Place, Started};
use crate::client::Failure;
use crate::process::{Process, free_port, until_listening};

const TEMPLATES: [(&str, &str); 6] = [
    ("runroot.yaml", include_str!("../../peers/ats/runroot.yaml")),
    ("etc/records.config", include_str!("../../peers/ats/records.config")),
    ("etc/remap.config", include_str!("../../peers/ats/remap.config")),
    ("etc/ssl_multicert.config", include_str!("../../peers/ats/ssl_multicert.config")),
    ("etc/storage.config", include_str!("../../peers/ats/storage.config")),
    ("etc/ip_allow.yaml", include_str!("../../peers/ats/ip_allow.yaml")),
];
/// Texts of errors, without which it does not start.
const ERROR_TEXTS: &str = "/etc/trafficserver/body_factory";

pub(super) fn start(place: &Place) -> Result<Started, Failure> {
    let (http, tls) = (free_port()?, free_port()?);
    for (file, template) in TEMPLATES {
        place.write(file, template, &[("HTTP", &http.to_string()), ("TLS", &tls.to_string())])?;
    }
    let run = place.run();
    for folder in ["run", "log", "data"] {
        fs::create_dir(run.join(folder))?;
        fs::set_permissions(run.join(folder), fs::Permissions::from_mode(0o777))?;
    }
    copy(Path::new(ERROR_TEXTS), &run.join("etc/body_factory"))?;
    let root = format!("--run-root={}", run.join("runroot.yaml").display());
    let mut process = Process::start(&["traffic_server", &root], place.core, &place.log())?;
    until_listening(&mut process, http)?;
    Ok((http, Some(tls), vec![process]))
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)?.flatten() {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() { copy(&from, &to)? } else { fs::copy(&from, &to).map(drop)? }
    }
    Ok(())
}
