//! nginx.

use super::{Place, Started};
use crate::client::Failure;
use crate::process::{Process, free_port, until_listening};

const TEMPLATE: &str = include_str!("../../peers/nginx.conf");

pub(super) fn start(place: &Place, lock: bool) -> Result<Started, Failure> {
    let (http, tls) = (free_port()?, free_port()?);
    let lock = if lock { "on" } else { "off" };
    let open_files = if place.keep_open { "max=8000 inactive=10m" } else { "off" };
    let (http_text, tls_text) = (http.to_string(), tls.to_string());
    let values = [("HTTP", &*http_text), ("TLS", &*tls_text), ("LOCK", lock), ("OPEN_FILES", open_files)];
    let file = place.write("nginx.conf", TEMPLATE, &values)?;
    let mut process = Process::start(&["nginx", "-c", &file], place.core, &place.log())?;
    until_listening(&mut process, http)?;
    Ok((http, Some(tls), vec![process]))
}
