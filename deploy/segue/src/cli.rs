//! The command line.

use clap::{Arg, ArgAction, Command};

use crate::settings::add_args;

/// The whole command tree.
pub(crate) fn command() -> Command {
    Command::new("segue")
        .version(env!("CARGO_PKG_VERSION"))
        .about("The open music-streaming CDN: transcoder, origin and edge in one binary")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(up())
        .subcommand(transcode())
        .subcommand(server("origin", "Serve the catalog, signed manifests and the web player"))
        .subcommand(server("edge", "Serve segments from memory, fetching what is missing from upstream"))
        .subcommand(token())
        .subcommand(
            Command::new("config").about("Print the sample configuration: every setting with its default"),
        )
}

fn up() -> Command {
    let command =
        Command::new("up").about("Everything on one machine: ingest music, serve it, play it in a browser");
    add_args(command, &["up", "log", "transcoder", "origin", "edge"])
}

fn server(name: &'static str, about: &'static str) -> Command {
    add_args(Command::new(name).about(about), &[name, "log"])
}

fn transcode() -> Command {
    let command = Command::new("transcode")
        .about("Pack music files and folders into HLS renditions in a store")
        .arg(
            Arg::new("paths")
                .value_name("PATH")
                .required(true)
                .num_args(1..)
                .help("Music files, or folders to walk"),
        )
        .arg(
            Arg::new("to")
                .long("to")
                .value_name("STORE")
                .required(true)
                .help("Folder, file:///dir or s3://bucket/prefix?endpoint=URL"),
        )
        .arg(
            Arg::new("journal")
                .long("journal")
                .value_name("FILE")
                .help("Remembers unchanged files, so that the next run need not read them"),
        )
        .arg(flag("json", "Print one JSON event per line instead of a progress bar"))
        .arg(flag("strict", "Exit with failure when any file failed, not only when all did"));
    add_args(command, &["transcoder", "log"])
}

fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
}

fn token() -> Command {
    let keys_file = || {
        Arg::new("keys").long("keys").value_name("FILE").required(true).help("Signing key file of the origin")
    };
    let inspect = Command::new("inspect")
        .about("Show what a token or a signed URL says; with --keys also whether it is accepted")
        .arg(
            Arg::new("token").required(true).value_name("TOKEN|URL|-").help("- reads it from standard input"),
        )
        .arg(keys_file().required(false))
        .arg(
            Arg::new("at")
                .long("at")
                .value_name("SECONDS")
                .value_parser(clap::value_parser!(u64))
                .help("Unix time to check for; now if not given"),
        );
    let mint = Command::new("mint")
        .about("Mint a token for an asset or a path prefix")
        .arg(keys_file())
        .arg(
            Arg::new("prefix")
                .long("path")
                .value_name("PREFIX")
                .required(true)
                .help("Path that it covers, e.g. /v1/a/<asset>/<rev>/"),
        )
        .arg(
            Arg::new("lifetime")
                .long("lifetime")
                .value_name("SECONDS")
                .value_parser(clap::value_parser!(u64).range(1..=segue_manifests::token::MAX_LIFETIME))
                .default_value("900"),
        )
        .arg(
            Arg::new("max-kbps")
                .long("max-kbps")
                .value_name("KBPS")
                .value_parser(clap::value_parser!(u32))
                .help("Highest rendition that it covers"),
        );
    let keys = Command::new("keys")
        .about("Make, list, rotate and revoke signing keys")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(Command::new("new").about("Make a key file").arg(keys_file()))
        .subcommand(Command::new("list").about("List key ids and states, never secrets").arg(keys_file()))
        .subcommand(Command::new("public").about("Print the key set that edges poll").arg(keys_file()))
        .subcommand(
            Command::new("rotate").about("Retire the active key and activate the next").arg(keys_file()).arg(
                Arg::new("min-published")
                    .long("min-published")
                    .value_name("SECONDS")
                    .value_parser(clap::value_parser!(u64))
                    .default_value("300")
                    .help("How long the next key must have been public; 0 to force"),
            ),
        )
        .subcommand(
            Command::new("revoke")
                .about("Refuse a key's tokens from now on")
                .arg(keys_file())
                .arg(Arg::new("kid").required(true).value_name("KEY_ID")),
        );
    Command::new("token")
        .about("Inspect and mint tokens, manage signing keys")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands([inspect, mint, keys])
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_tree_is_sound() {
        super::command().debug_assert();
    }
}
