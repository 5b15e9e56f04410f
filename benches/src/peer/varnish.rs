//! Varnish.

use super::{Place, Started};
use crate::client::Failure;
use crate::process::{Process, free_port, until_listening};

const TEMPLATE: &str = include_str!("../../peers/varnish.vcl");

pub(super) fn start(place: &Place) -> Result<Started, Failure> {
    let http = free_port()?;
    let file = place.write("varnish.vcl", TEMPLATE, &[])?;
    let folder = place.run().join("work").to_string_lossy().into_owned();
    let (address, storage) = (format!("127.0.0.1:{http}"), format!("malloc,{}", place.cache_bytes));
    let mut command = vec!["varnishd", "-F", "-n", &folder, "-f", &file, "-a", &address, "-s", &storage];
    command.extend(["-T", "none", "-j", "none"]);
    for setting in [
        "thread_pools=1",
        "thread_pool_min=100",
        "thread_pool_max=2000",
        "timeout_idle=600",
        "listen_depth=4096",
    ] {
        command.extend(["-p", setting]);
    }
    let mut process = Process::start(&command, place.core, &place.log())?;
    until_listening(&mut process, http)?;
    Ok((http, None, vec![process]))
}
