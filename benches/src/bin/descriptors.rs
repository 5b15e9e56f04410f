//! Fills a folder with the descriptors of invented tracks of four minutes, so that an origin imports them and starts them;
//! there is no audio. All titles begin with "Playable".
//!
//! ```sh
//! cargo run --release -p segue-benches --bin descriptors -- store 50000
//! ```
#![forbid(unsafe_code)]
// What it did goes to standard output.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::path::Path;

use segue_benches::descriptor;
use segue_manifests::{AssetId, Descriptor, ObjectKey, Rev, Sha256};

const SONGS_OF_ALBUM: u32 = 11;
const ALBUMS_OF_ARTIST: u32 = 3;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [folder, count] = args.as_slice() else { return Err("usage: descriptors FOLDER COUNT".into()) };
    let model = descriptor();
    for number in 0..count.parse()? {
        write(Path::new(folder), &track(&model, number))?;
    }
    println!("{count} descriptors in {folder}");
    Ok(())
}

fn track(model: &Descriptor, number: u32) -> Descriptor {
    let digest = Sha256::of(format!("track {number}").as_bytes()).0;
    let (mut asset, mut rev) = ([0; 16], [0; 6]);
    asset.copy_from_slice(&digest[..16]);
    rev.copy_from_slice(&digest[16..22]);
    let album = number / SONGS_OF_ALBUM;
    let mut track = Descriptor { asset: AssetId(asset), rev: Rev(rev), ..model.clone() };
    track.tags.title = format!("Playable {number}");
    track.tags.album = format!("Record {album}");
    track.tags.artist = format!("Player {}", album / ALBUMS_OF_ARTIST);
    track.tags.track_number = Some(number % SONGS_OF_ALBUM + 1);
    track
}

fn write(folder: &Path, track: &Descriptor) -> Result<(), Box<dyn Error>> {
    let path = folder.join(ObjectKey::Descriptor { asset: track.asset, rev: track.rev }.to_string());
    std::fs::create_dir_all(path.parent().unwrap_or(folder))?;
    Ok(std::fs::write(path, track.to_json())?)
}
