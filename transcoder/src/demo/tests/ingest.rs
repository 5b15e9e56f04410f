use crate::demo::compose_piece;
use crate::source::{PcmReader, identify};

/// What the demo writes is what the rest of the transcoder reads.
#[test]
fn our_own_ingest_reads_a_piece() {
    let dir = tempfile::tempdir().unwrap();
    let path = compose_piece(dir.path(), 1).unwrap();
    let identity = identify(&path).unwrap();
    assert_eq!(identity.tags.title, "Paper Boats");
    assert_eq!((identity.tags.artist.as_str(), identity.tags.album.as_str()), ("Segue", "First Light"));
    assert_eq!((identity.tags.track_number, identity.tags.date.as_str()), (Some(2), "2026"));
    let artwork = identity.artwork.unwrap();
    assert_eq!((artwork.width, artwork.height, artwork.extension), (1000, 1000, "jpg"));
    let mut reader = PcmReader::open(&path).unwrap();
    let mut samples = 0;
    while let Some(chunk) = reader.next_chunk().unwrap() {
        samples += chunk.len();
    }
    assert_eq!(samples, 2 * (44_100 * 808 / 10), "80.8 s, to the frame");
}
