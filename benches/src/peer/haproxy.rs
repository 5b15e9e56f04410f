//! HAProxy.

use super::{Place, Started};
use crate::client::Failure;
use crate::process::{Process, free_port, until_listening};

const TEMPLATE: &str = include_str!("../../peers/haproxy.cfg");

pub(super) fn start(place: &Place) -> Result<Started, Failure> {
    let (http, tls) = (free_port()?, free_port()?);
    let values = [("HTTP", &*http.to_string()), ("TLS", &*tls.to_string())];
    let file = place.write("haproxy.cfg", TEMPLATE, &values)?;
    let mut process = Process::start(&["haproxy", "-db", "-f", &file], place.core, &place.log())?;
    until_listening(&mut process, http)?;
    Ok((http, Some(tls), vec![process]))
}
