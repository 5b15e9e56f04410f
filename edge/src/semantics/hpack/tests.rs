use super::*;
use proptest::prelude::*;

const LIMITS: Limits = Limits { bytes: 16 << 10, count: 100 };

type Field = (Vec<u8>, Vec<u8>);

fn fields_of(fields: &Fields) -> Vec<Field> {
    fields.iter().map(|(name, value)| (name.to_vec(), value.to_vec())).collect()
}

fn read(decoder: &mut Decoder, block: &[u8]) -> Result<Vec<Field>, Broken> {
    let mut fields = Fields::new(LIMITS);
    decoder.decode(block, &mut fields)?;
    assert!(fields.is_whole());
    Ok(fields_of(&fields))
}

/// A block as hex, the fields that it holds, and how large the table is then.
type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], usize);

fn check(rows: &[Row<'_>], limit: usize) {
    let mut decoder = Decoder::default();
    decoder.table.resize(limit);
    for (block, expected, table_bytes) in rows {
        let got = read(&mut decoder, &hex::decode(block).unwrap()).unwrap();
        let expected: Vec<Field> =
            expected.iter().map(|(name, value)| (name.as_bytes().into(), value.as_bytes().into())).collect();
        assert_eq!(got, expected, "{block}");
        assert_eq!(decoder.table.bytes(), *table_bytes, "{block}");
    }
}

/// RFC 7541 C.2.
#[test]
fn kinds_of_literals() {
    check(
        &[
            ("400a637573746f6d2d6b65790d637573746f6d2d686561646572", &[("custom-key", "custom-header")], 55),
            ("040c2f73616d706c652f70617468", &[(":path", "/sample/path")], 55),
            ("100870617373776f726406736563726574", &[("password", "secret")], 55),
            ("82", &[(":method", "GET")], 55),
            ("be", &[("custom-key", "custom-header")], 55),
        ],
        TABLE_BYTES,
    );
}

/// RFC 7541 C.4: requests with Huffman codes.
#[test]
fn requests() {
    let first = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "www.example.com")];
    let second: Vec<_> = first.into_iter().chain([("cache-control", "no-cache")]).collect();
    let third = [
        (":method", "GET"),
        (":scheme", "https"),
        (":path", "/index.html"),
        (":authority", "www.example.com"),
        ("custom-key", "custom-value"),
    ];
    check(
        &[
            ("828684418cf1e3c2e5f23a6ba0ab90f4ff", &first, 57),
            ("828684be5886a8eb10649cbf", &second, 110),
            ("828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf", &third, 164),
        ],
        TABLE_BYTES,
    );
}

/// RFC 7541 C.6: responses that push one another out of a table of 256 bytes.
#[test]
fn eviction() {
    let date = "Mon, 21 Oct 2013 20:13:21 GMT";
    let place = "https://www.example.com";
    check(
        &[
            (
                "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3",
                &[(":status", "302"), ("cache-control", "private"), ("date", date), ("location", place)],
                222,
            ),
            (
                "4883640effc1c0bf",
                &[(":status", "307"), ("cache-control", "private"), ("date", date), ("location", place)],
                222,
            ),
        ],
        256,
    );
}

#[test]
fn what_breaks_the_rules_is_refused() {
    for (block, error) in [
        ("80", Broken::Index),
        ("be", Broken::Index),
        ("ff", Broken::Short),
        ("ffffffffffff7f", Broken::Number),
        ("ff8080808001", Broken::Number),
        ("40", Broken::Short),
        ("400a6375", Broken::Short),
        ("4001", Broken::Short),
        ("40016103ff", Broken::Short),
        ("400161", Broken::Short),
        ("7f00", Broken::Index),
        ("00016182ffff", Broken::Huffman),
        ("8220", Broken::TableSize),
        ("3fe21f", Broken::TableSize),
    ] {
        let mut decoder = Decoder::default();
        let got = read(&mut decoder, &hex::decode(block).unwrap());
        assert_eq!(got, Err(error), "{block}");
    }
}

#[test]
fn the_table_shrinks_and_grows() {
    let mut decoder = Decoder::default();
    read(&mut decoder, &hex::decode("4001610162").unwrap()).unwrap();
    assert_eq!(decoder.table.bytes(), 34);
    assert_eq!(read(&mut decoder, &hex::decode("20be").unwrap()), Err(Broken::Index));
    assert_eq!(decoder.table.bytes(), 0);
    // Up to what was agreed, in several steps; an entry that is larger than the table empties it.
    read(&mut decoder, &hex::decode("203f0a4001610162").unwrap()).unwrap();
    assert_eq!(decoder.table.bytes(), 34);
    let large = [vec![0x40, 1, b'x', 30], vec![b'y'; 30]].concat();
    read(&mut decoder, &large).unwrap();
    assert_eq!(decoder.table.bytes(), 0);
}

#[test]
fn beyond_the_limits_the_table_is_kept_right() {
    let mut decoder = Decoder::default();
    let mut fields = Fields::new(Limits { bytes: 100, count: 2 });
    // a: b, and x: y, both into the table, and a third.
    decoder.decode(&hex::decode("4001610162400178017900017a0131").unwrap(), &mut fields).unwrap();
    assert!(!fields.is_whole() && fields.len() == 2);
    assert_eq!(
        read(&mut decoder, &[0xbe, 0xbf]).unwrap(),
        [(b"x".to_vec(), b"y".to_vec()), (b"a".to_vec(), b"b".to_vec())]
    );
    // A bomb: a large entry, named again and again, is neither copied nor kept.
    let entry = [vec![0x40, 1, b'b', 0x7f, 0xa1, 0x1e], vec![b'v'; 4000]].concat();
    let bomb = [entry, vec![0xbe; 60_000]].concat();
    fields.clear(LIMITS);
    decoder.decode(&bomb, &mut fields).unwrap();
    assert!(!fields.is_whole() && fields.len() <= 4);
    let kept: usize = fields.iter().map(|(name, value)| name.len() + value.len()).sum();
    assert!(kept <= LIMITS.bytes);
}

fn any_field() -> impl Strategy<Value = Field> {
    let names =
        proptest::sample::select(vec!["cookie", ":path", "x", "accept-encoding", "a-long-name-of-ours"]);
    (names, proptest::collection::vec(any::<u8>(), 0..80)).prop_map(|(name, value)| (name.into(), value))
}

proptest! {
    #[test]
    fn what_is_written_is_read(all in proptest::collection::vec(any_field(), 0..40)) {
        let mut block = vec![encode::NO_TABLE];
        all.iter().for_each(|(name, value)| encode::field(name, value, &mut block));
        prop_assert_eq!(read(&mut Decoder::default(), &block).unwrap(), all);
    }

    #[test]
    fn any_bytes_are_read(blocks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 1..8)) {
        let mut decoder = Decoder::default();
        let mut fields = Fields::new(Limits { bytes: 300, count: 5 });
        for block in blocks {
            fields.clear(Limits { bytes: 300, count: 5 });
            let outcome = decoder.decode(&block, &mut fields);
            prop_assert!(decoder.table.bytes() <= TABLE_BYTES);
            prop_assert!(fields.len() <= 5);
            if outcome.is_err() {
                break;
            }
        }
    }
}
