//! `segue token`: inspect, mint, keys.

use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::ArgMatches;
use segue_manifests::path::split_token;
use segue_manifests::token::{Access, Claims, KeyId, Method, SigningKeys, decode, mint, verify};
use segue_manifests::{MediaPath, RenditionName};
use serde_json::json;

use super::print;
use crate::secrets::{now, read_keys, write_private};

pub(crate) fn run(args: &ArgMatches) -> anyhow::Result<ExitCode> {
    match args.subcommand() {
        Some(("inspect", args)) => inspect(args),
        Some(("mint", args)) => mint_one(args),
        Some(("keys", args)) => keys(args),
        _ => bail!("no such token command"),
    }
}

fn text<'a>(args: &'a ArgMatches, name: &str) -> anyhow::Result<&'a str> {
    args.get_one::<String>(name).map(String::as_str).with_context(|| format!("--{name} is missing"))
}

fn inspect(args: &ArgMatches) -> anyhow::Result<ExitCode> {
    let mut given = text(args, "token")?.to_owned();
    if given == "-" {
        given.clear();
        std::io::stdin().take(64 * 1024).read_to_string(&mut given)?;
    }
    let (token, path) = take_apart(given.trim());
    let (kid, claims) = decode(token).map_err(|refusal| anyhow::anyhow!("{refusal} ({})", refusal.code()))?;
    let path = path.unwrap_or_else(|| claims.path_prefix.clone());
    let mut shown = describe(kid, &claims);
    let mut accepted = true;
    if let Some(file) = args.get_one::<String>("keys") {
        let public = read_keys(Path::new(file))?.public();
        let at = args.get_one::<u64>("at").copied().unwrap_or_else(now);
        let kbps = MediaPath::parse(&path).and_then(|media| media.rendition().map(RenditionName::kbps));
        let verdict = verify(token, &Access { path: &path, method: Method::Get, kbps }, &public, at);
        accepted = verdict.is_ok();
        shown["verdict"] = verdict.map_or_else(|refusal| json!(refusal.code()), |_| json!("accepted"));
    }
    print(&format!("{shown:#}\n"));
    Ok(if accepted { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A token alone, or the token and the path of a signed URL.
fn take_apart(given: &str) -> (&str, Option<String>) {
    let at = given.find("/v1/~").unwrap_or(given.len());
    match split_token(&given[at..]) {
        (Some(token), path) => (token, Some(path.split('?').next().unwrap_or_default().to_owned())),
        (None, _) => (given, None),
    }
}

fn describe(kid: KeyId, claims: &Claims) -> serde_json::Value {
    json!({
        "kid": kid,
        "iss": claims.issuer,
        "sub": claims.subject,
        "nbf": claims.not_before,
        "exp": claims.expires,
        "iat": claims.issued,
        "cti": hex::encode(claims.token_id),
        "path": claims.path_prefix,
        "methods": claims.methods.iter().map(|method| method.as_str()).collect::<Vec<_>>(),
        "playback_session": claims.playback_session,
        "max_kbps": claims.max_kbps,
    })
}

fn mint_one(args: &ArgMatches) -> anyhow::Result<ExitCode> {
    let keys = read_keys(Path::new(text(args, "keys")?))?;
    let prefix = text(args, "prefix")?;
    if !prefix.starts_with("/v1/") || !prefix.ends_with('/') {
        bail!("the path prefix must begin with /v1/ and end with /, as /v1/a/<asset>/<rev>/ does");
    }
    let issued = now();
    let mut token_id = [0; 16];
    getrandom::fill(&mut token_id).map_err(|e| anyhow::anyhow!("random source: {e}"))?;
    let claims = Claims {
        issuer: "segue".into(),
        subject: None,
        expires: issued + args.get_one::<u64>("lifetime").copied().unwrap_or(900),
        not_before: issued,
        issued,
        token_id,
        path_prefix: prefix.to_owned(),
        methods: vec![Method::Get, Method::Head],
        playback_session: None,
        max_kbps: args.get_one::<u32>("max-kbps").copied(),
    };
    print(&format!("{}\n", mint(&claims, &keys)));
    Ok(ExitCode::SUCCESS)
}

fn keys(args: &ArgMatches) -> anyhow::Result<ExitCode> {
    let Some((action, args)) = args.subcommand() else { bail!("no such keys command") };
    let path = Path::new(text(args, "keys")?);
    if action == "new" {
        if path.exists() {
            bail!("{} exists; rotate it instead of replacing it", path.display());
        }
        let keys = SigningKeys::generate(now());
        write_private(path, &keys.to_json())?;
        return list(&keys);
    }
    let mut keys = read_keys(path)?;
    match action {
        "list" => return list(&keys),
        "public" => {
            print(&format!("{}\n", String::from_utf8_lossy(&keys.public().to_json())));
            return Ok(ExitCode::SUCCESS);
        }
        "rotate" => drop(keys.rotate(now(), args.get_one::<u64>("min-published").copied().unwrap_or(300))?),
        _ => {
            let kid = text(args, "kid")?;
            keys.revoke(kid.parse().with_context(|| format!("'{kid}' is not a key id"))?, now())?;
        }
    }
    write_private(path, &keys.to_json())?;
    list(&keys)
}

fn list(keys: &SigningKeys) -> anyhow::Result<ExitCode> {
    for public in keys.public().keys {
        let until = public.not_after.map_or_else(String::new, |last| format!("  accepted until {last}"));
        print(&format!("{}  {}{until}\n", public.kid, format!("{:?}", public.state).to_lowercase()));
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_found_in_urls() {
        assert_eq!(take_apart("abc"), ("abc", None));
        let url = "http://edge:8081/v1/~abc/a/x/mv.m3u8?CMCD=1";
        assert_eq!(take_apart(url), ("abc", Some("/v1/a/x/mv.m3u8".into())));
    }
}
