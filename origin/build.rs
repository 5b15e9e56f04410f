//! Packs the web player into the binary: every file of `web/`, with a compressed copy where that is worth it.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use flate2::{Compression, write::GzEncoder};

/// What the browser asks for. Tests, notes and tools stay out.
const EXTENSIONS: [&str; 11] =
    ["html", "js", "mjs", "css", "svg", "png", "jpg", "ico", "webmanifest", "woff2", "json"];
const COMPRESSED: [&str; 7] = ["html", "js", "mjs", "css", "svg", "webmanifest", "json"];
const LEFT_OUT: [&str; 5] = ["node_modules", "tests", "test", "package.json", "package-lock.json"];

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=web");
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("web");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
    let mut files = Vec::new();
    walk(&root, &mut files)?;
    files.sort();
    let mut code = String::from("&[\n");
    for (number, file) in files.iter().enumerate() {
        let name = file.strip_prefix(&root).expect("the walk stays below its root");
        let name = name.to_str().expect("web files have ASCII names").replace('\\', "/");
        let packed = compress(file, &out.join(format!("{number}.gz")))?;
        let packed = packed.map_or("None".into(), |at| format!("Some(include_bytes!({at:?}))"));
        // Not the absolute path: checkouts in several places may share what this script made.
        let body =
            format!("include_bytes!(concat!(env!(\"CARGO_MANIFEST_DIR\"), {:?}))", format!("/web/{name}"));
        writeln!(code, "    File {{ name: {name:?}, body: {body}, gzip: {packed} }},")
            .expect("writing to a string does not fail");
    }
    code.push_str("]\n");
    fs::write(out.join("web_files.rs"), code)
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or(".");
        if name.starts_with('.') || name.contains(".test.") || LEFT_OUT.contains(&name) {
            continue;
        }
        if path.is_dir() {
            walk(&path, files)?;
        } else if has(&path, &EXTENSIONS) {
            files.push(path);
        }
    }
    Ok(())
}

fn has(path: &Path, extensions: &[&str]) -> bool {
    path.extension().and_then(|it| it.to_str()).is_some_and(|it| extensions.contains(&it))
}

fn compress(file: &Path, to: &Path) -> io::Result<Option<PathBuf>> {
    let plain = fs::read(file)?;
    if plain.len() < 1024 || !has(file, &COMPRESSED) {
        return Ok(None);
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&plain)?;
    let packed = encoder.finish()?;
    fs::write(to, &packed)?;
    Ok((packed.len() < plain.len()).then(|| to.to_owned()))
}
