//! Fills a database that an origin has made with an invented catalog, the same one each time.
//!
//! ```sh
//! cargo run --release -p segue-benches --bin catalog -- catalog.db 1000000
//! cargo run --release -p segue-benches --bin catalog -- postgres://segue@localhost/segue 1000000
//! ```
#![forbid(unsafe_code)]
// What it found goes to standard output.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::time::Instant;

use segue_manifests::Sha256;
use sqlx::any::AnyArguments;
use sqlx::query::Query;
use sqlx::{Any, AnyConnection, Connection as _};

/// Rows in one statement: PostgreSQL and SQLite both take that many parameters.
const ROWS: usize = 1000;
const SONGS_OF_ALBUM: u64 = 11;
const ALBUMS_OF_ARTIST: u64 = 3;
/// Two out of three names come from a tenth of the words, as in real titles.
const WORDS: u64 = 4000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(address), Some(songs)) = (args.next(), args.next()) else {
        return Err("usage: catalog DATABASE SONGS".into());
    };
    let songs: u64 = songs.parse()?;
    let address = if address.contains("://") { address } else { format!("sqlite://{address}") };
    sqlx::any::install_default_drivers();
    let mut db = AnyConnection::connect(&address).await?;
    let began = Instant::now();
    if address.starts_with("sqlite") {
        // Nobody misses what a crash takes; random inserts want the indexes in memory.
        sqlx::raw_sql("PRAGMA synchronous = OFF; PRAGMA cache_size = -1500000").execute(&mut db).await?;
    }
    let mut tx = db.begin().await?;
    let albums = songs.div_ceil(SONGS_OF_ALBUM);
    let artists = albums.div_ceil(ALBUMS_OF_ARTIST);
    fill(
        &mut tx,
        "artist",
        "artists (id, name, name_folded, album_count, song_count)",
        5,
        artists,
        |it, n| {
            let name = words("artist", n, 2);
            let own = albums_of(n, albums);
            let count = own.clone().map(|album| songs_of(album, songs).count() as i64).sum::<i64>();
            it.bind(id("artist", n)).bind(title(&name)).bind(name).bind(own.count() as i64).bind(count)
        },
    )
    .await?;
    fill(&mut tx, "album", "release_groups (id)", 1, albums, |it, n| it.bind(id("album", n))).await?;
    fill(
        &mut tx,
        "album",
        "albums (id, artist_id, title, title_folded, release_date, song_count, duration_ms, credit, release_group_id)",
        9,
        albums,
        |it, n| {
            let name = words("album", n, 3);
            let of = songs_of(n, songs);
            let duration: i64 = of.clone().map(duration_ms).sum();
            it.bind(id("album", n))
                .bind(id("artist", n / ALBUMS_OF_ARTIST))
                .bind(title(&name))
                .bind(name)
                .bind(format!("{}", 1950 + n % 75))
                .bind(of.count() as i64)
                .bind(duration)
                .bind(title(&words("artist", n / ALBUMS_OF_ARTIST, 2)))
                .bind(id("album", n))
        },
    )
    .await?;
    fill(&mut tx, "song", "assets (asset, rev, imported_at)", 3, songs, |it, n| {
        it.bind(id("song", n)).bind(rev(n)).bind(n as i64)
    })
    .await?;
    let columns =
        "songs (id, rev, title, title_folded, artist_id, album_id, track_number, disc_number, disc_place,
                   track_place, duration_ms, renditions, added_at, current_since, credit, read_as)";
    fill(&mut tx, "song", columns, 16, songs, |it, n| {
        let name = words("song", n, 3);
        let album = n / SONGS_OF_ALBUM;
        let track = (n % SONGS_OF_ALBUM + 1) as i64;
        it.bind(id("song", n))
            .bind(rev(n))
            .bind(title(&name))
            .bind(name)
            .bind(id("artist", album / ALBUMS_OF_ARTIST))
            .bind(id("album", album))
            .bind(track)
            .bind(1i64)
            .bind(1i64)
            .bind(track)
            .bind(duration_ms(n))
            .bind("aac-128,aac-256,aac-320")
            .bind(n as i64)
            .bind(n as i64)
            .bind(title(&words("artist", album / ALBUMS_OF_ARTIST, 2)))
            .bind(1i64)
    })
    .await?;
    credit(&mut tx).await?;
    tx.commit().await?;
    let analyse = if address.starts_with("sqlite") { "PRAGMA optimize" } else { "ANALYZE" };
    sqlx::raw_sql(analyse).execute(&mut db).await?;
    println!("{songs} songs, {albums} albums, {artists} artists in {:.1} s", began.elapsed().as_secs_f64());
    Ok(())
}

/// Credits every song and album to its artist, and lists it on the artist's page.
async fn credit(db: &mut AnyConnection) -> Result<(), sqlx::Error> {
    for (one, what) in [("song", "songs"), ("album", "albums")] {
        for sql in [
            format!(
                "INSERT INTO {one}_credits ({one}_id, place, artist_id, role, name, joint)
                 SELECT id, 0, artist_id, 'main', credit, '' FROM {what} WHERE true ON CONFLICT DO NOTHING"
            ),
            format!(
                "INSERT INTO artist_{what} (artist_id, title_folded, {one}_id)
                 SELECT artist_id, title_folded, id FROM {what} WHERE true ON CONFLICT DO NOTHING"
            ),
        ] {
            sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut *db).await?;
        }
    }
    Ok(())
}

/// Inserts `count` rows, many in a statement, in the order of their identifiers: that is how tables are kept.
async fn fill(
    db: &mut AnyConnection,
    kind: &str,
    table: &str,
    columns: usize,
    count: u64,
    bind: impl for<'q> Fn(Query<'q, Any, AnyArguments>, u64) -> Query<'q, Any, AnyArguments>,
) -> Result<(), sqlx::Error> {
    let mut numbers: Vec<u64> = (0..count).collect();
    numbers.sort_by_cached_key(|n| id(kind, *n));
    // SQLite looks a numbered place up by its name, among all of them.
    let numbered = db.backend_name() != "SQLite";
    let place = |at: usize| if numbered { format!("${at}") } else { "?".to_owned() };
    for chunk in numbers.chunks(ROWS) {
        let row = |row: usize| {
            let places: Vec<String> = (1..=columns).map(|column| place(row * columns + column)).collect();
            format!("({})", places.join(","))
        };
        let rows: Vec<String> = (0..chunk.len()).map(row).collect();
        let sql = format!("INSERT INTO {table} VALUES {}", rows.join(","));
        let query = chunk.iter().fold(sqlx::query(sqlx::AssertSqlSafe(sql)), |query, n| bind(query, *n));
        query.execute(&mut *db).await?;
    }
    Ok(())
}

fn albums_of(artist: u64, albums: u64) -> std::ops::Range<u64> {
    artist * ALBUMS_OF_ARTIST..((artist + 1) * ALBUMS_OF_ARTIST).min(albums)
}

fn songs_of(album: u64, songs: u64) -> std::ops::Range<u64> {
    album * SONGS_OF_ALBUM..((album + 1) * SONGS_OF_ALBUM).min(songs)
}

fn duration_ms(song: u64) -> i64 {
    (120_000 + song * 7919 % 240_000) as i64
}

fn hash(kind: &str, n: u64) -> Sha256 {
    Sha256::of(format!("{kind} {n}").as_bytes())
}

fn id(kind: &str, n: u64) -> Vec<u8> {
    hash(kind, n).0[..16].to_vec()
}

fn rev(n: u64) -> Vec<u8> {
    hash("rev", n).0[..6].to_vec()
}

/// One to `most` words, some much more frequent than others.
fn words(kind: &str, n: u64, most: u8) -> String {
    let digest = hash(kind, n).0;
    let count = 1 + digest[0] % most;
    let word = |index: u8| {
        let at = 1 + usize::from(index) * 8;
        let pick = u64::from_be_bytes(digest[at..at + 8].try_into().expect("eight bytes"));
        let range = if pick.is_multiple_of(3) { WORDS } else { WORDS / 10 };
        spell(pick / 3 % range)
    };
    (0..count).map(word).collect::<Vec<_>>().join(" ")
}

/// A word of two or three syllables.
fn spell(mut number: u64) -> String {
    const HEADS: [&str; 16] =
        ["b", "d", "f", "g", "h", "k", "l", "m", "n", "p", "r", "s", "st", "t", "v", "w"];
    const TAILS: [&str; 10] = ["a", "e", "i", "o", "u", "an", "er", "in", "ol", "us"];
    let mut word = String::new();
    while word.len() < 4 || number > 0 {
        word.push_str(HEADS[(number % 16) as usize]);
        word.push_str(TAILS[(number / 16 % 10) as usize]);
        number /= 160;
    }
    word
}

/// The name as it is shown.
fn title(folded: &str) -> String {
    let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
    folded.split(' ').map(capital).collect::<Vec<_>>().join(" ")
}
