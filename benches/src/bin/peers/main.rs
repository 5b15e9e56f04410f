//! `segue edge` beside nginx, Varnish, Apache Traffic Server and HAProxy, all with one core, over loopback. Prints tables;
//! `benches/README.md` has them. To be started by `benches/peers/run`, which sees to cores, packages and the network.
//!
//! ```sh
//! benches/peers/run hits        # processor time of a request, by protocol and size
//! benches/peers/run tail        # p99.9 over 512 connections
//! benches/peers/run idle        # memory of an idle connection
//! benches/peers/run coalesce    # 500 clients on one cold segment
//! ```
#![forbid(unsafe_code)]
// What it found goes to standard output.
#![allow(clippy::print_stdout)]

mod coalesce;
mod hits;
mod idle;
mod load;
mod stage;
mod tail;

use clap::{Arg, ArgMatches, Command, value_parser};
use segue_benches::client::Failure;
use segue_benches::peer::Kind;

const CELLS: &str = "h1:700,h1:64k,h1:160k,tls1:64k,tls1:160k,h2:700,h2:64k,h2:160k,handshake:700";

fn command() -> Command {
    let number = |name: &'static str, default: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_parser(value_parser!(usize)).default_value(default).help(help)
    };
    let text = |name: &'static str, default: &'static str, help: &'static str| {
        Arg::new(name).long(name).default_value(default).help(help)
    };
    Command::new("peers")
        .arg(Arg::new("what").required(true).value_parser(["hits", "tail", "idle", "coalesce"]))
        .arg(text("peers", "nginx,varnish,ats,haproxy,segue-open,segue", "Which, in this order"))
        .arg(text(
            "cells",
            CELLS,
            "hits: protocols (h1, tls1, h2, handshake) and sizes (700, 20k, 64k, 160k)",
        ))
        .arg(text("size", "64k", "tail: of the segments"))
        .arg(number("rate", "0", "tail: requests a second; 0: half of what the first of the peers can"))
        .arg(number("rounds", "5", "Measurements of each proxy"))
        .arg(number("seconds", "2", "Of one measurement"))
        .arg(number("connections", "8000", "idle: how many"))
        .arg(number("clients", "500", "coalesce: how many"))
        .arg(number("server-core", "0", "The core that proxies are bound to"))
}

fn kinds(args: &ArgMatches) -> Result<Vec<Kind>, Failure> {
    let named = |name: &str| Kind::ALL.into_iter().find(|kind| kind.name() == name);
    let names = text(args, "peers").split(',').filter(|name| !name.is_empty());
    names.map(|name| named(name).ok_or_else(|| format!("no proxy {name}").into())).collect()
}

fn text<'a>(args: &'a ArgMatches, name: &str) -> &'a str {
    args.get_one::<String>(name).map_or("", String::as_str)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let args = command().get_matches();
    let number = |name: &str| args.get_one::<usize>(name).copied().unwrap_or_default();
    let (kinds, core, rounds) = (kinds(&args)?, number("server-core"), number("rounds").max(1));
    let seconds = number("seconds").max(1) as u64;
    match text(&args, "what") {
        "hits" => {
            let cells = text(&args, "cells").split(',').map(str::to_owned).collect();
            hits::hits(&kinds, core, &hits::Plan { cells, rounds, seconds }).await
        }
        "tail" => {
            let (size, rate) = (text(&args, "size").to_owned(), number("rate") as u64);
            tail::tail(&kinds, core, &tail::Plan { size, rate, rounds, seconds }).await
        }
        "idle" => idle::idle(&kinds, core, number("connections")).await,
        _ => coalesce::coalesce(&kinds, core, number("clients"), rounds).await,
    }
}
