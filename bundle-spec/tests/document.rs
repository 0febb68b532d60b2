//! `docs/bundle-format.md` is normative: its numbers are the code's numbers.

use std::collections::HashMap;

use bundle_spec::digest::Digest;
use bundle_spec::layout::{
    ALIGNMENT, LAUNCHER_FIRST_LINE, LAUNCHER_LENGTH_DIGITS, LAUNCHER_LENGTH_KEY, LAUNCHER_MAX_LEN,
    STRETCH_LEN, TRAILER_LEN, TRAILER_MAGIC,
};
use bundle_spec::limits::{
    INDEX_RAW_MAX, INDEX_STORED_MAX, INDEX_VALUES_MAX, LIST_MAX, PATH_MAX, PROJECT_FILE_MAX, QUESTIONS_MAX,
    SIGNATURE_MAX, TEXT_MAX, WINDOW_LOG_MAX,
};
use bundle_spec::trailer::Trailer;
use bundle_spec::version::{CURRENT, FormatVersion};

const DOCUMENT: &str = include_str!("../../docs/bundle-format.md");

/// The rows of the table that follows a heading, as cells without back quotes.
fn table(heading: &str) -> Vec<Vec<String>> {
    let (_, section) =
        DOCUMENT.split_once(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("no `{heading}`"));
    let cells =
        |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().replace('`', "")).collect();
    let rows =
        section.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    rows.skip(2).map(cells).collect()
}

/// A number as the document writes it: `4 194 304` or `160`.
fn number(cell: &str) -> u64 {
    cell.replace(' ', "").parse().unwrap_or_else(|_| panic!("`{cell}` is not a number"))
}

#[test]
fn constants_are_those_of_the_code() {
    let table: HashMap<String, String> =
        table("## Constants").into_iter().map(|row| (row[0].clone(), row[1].clone())).collect();
    let numbers = [
        ("Trailer length", TRAILER_LEN as u64),
        ("Stretch length", STRETCH_LEN),
        ("Alignment", ALIGNMENT),
        ("Launcher, at most", LAUNCHER_MAX_LEN as u64),
        ("Digits of the length line", LAUNCHER_LENGTH_DIGITS as u64),
        ("Index as stored, at most", INDEX_STORED_MAX),
        ("Index decompressed, at most", INDEX_RAW_MAX),
        ("Signature block, at most", SIGNATURE_MAX as u64),
        ("Project file, at most", PROJECT_FILE_MAX),
        ("Values in the index, at most", INDEX_VALUES_MAX as u64),
        ("Questions, at most", QUESTIONS_MAX as u64),
        ("zstd window, at most", 1 << WINDOW_LOG_MAX),
        ("Path, at most", PATH_MAX as u64),
        ("Entries of a list, at most", LIST_MAX as u64),
        ("Text, at most", TEXT_MAX as u64),
    ];
    for (name, expected) in numbers {
        let cell = table.get(name).unwrap_or_else(|| panic!("no row `{name}`"));
        assert_eq!(number(cell), expected, "{name}");
    }
    assert_eq!(table["Format version"], CURRENT.to_string());
    let magic = &table["Magic"];
    let bytes: Vec<u8> = magic.split(' ').map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect();
    assert_eq!(bytes, TRAILER_MAGIC);
}

#[test]
fn the_trailer_lies_as_the_table_says() {
    let rows = table("## The trailer");
    // The table has no gaps and ends where the trailer ends.
    let mut end = 0;
    for row in &rows {
        assert_eq!(number(&row[0]), end, "{}", row[2]);
        end += number(&row[1]);
    }
    assert_eq!(end, TRAILER_LEN as u64);
    let trailer = Trailer {
        version: FormatVersion { major: 0x0102, minor: 0x0304 },
        index_offset: 0x1111_2222_3333_4444,
        index_stored_len: 0x5555_6666,
        index_raw_len: 0x7777_8888_9999,
        total_len: 0xaaaa_bbbb_cccc_dddd,
        index_digest: Digest::of(b"index"),
    };
    let bytes = trailer.encode();
    let checksum = Digest::of(&bytes[..TRAILER_LEN - 32]);
    let expected: HashMap<&str, Vec<u8>> = HashMap::from([
        ("magic", TRAILER_MAGIC.to_vec()),
        ("major version", 0x0102_u16.to_le_bytes().to_vec()),
        ("minor version", 0x0304_u16.to_le_bytes().to_vec()),
        ("index offset", trailer.index_offset.to_le_bytes().to_vec()),
        ("index stored length", trailer.index_stored_len.to_le_bytes().to_vec()),
        ("index raw length", trailer.index_raw_len.to_le_bytes().to_vec()),
        ("total length", trailer.total_len.to_le_bytes().to_vec()),
        ("index digest", trailer.index_digest.as_bytes().to_vec()),
        ("checksum", checksum.as_bytes().to_vec()),
    ]);
    for row in rows {
        let (at, len) =
            (usize::try_from(number(&row[0])).unwrap(), usize::try_from(number(&row[1])).unwrap());
        let zeros = vec![0; len];
        let value = expected.get(row[2].as_str()).unwrap_or_else(|| {
            assert_eq!(row[2], "reserved");
            &zeros
        });
        assert_eq!(&bytes[at..at + len], value.as_slice(), "{}", row[2]);
    }
    assert_eq!(Trailer::decode(&bytes).unwrap(), trailer);
}

#[test]
fn the_launcher_is_quoted_as_it_is() {
    for line in LAUNCHER_FIRST_LINE.lines() {
        assert!(DOCUMENT.contains(line), "{line}");
    }
    let line = format!("{LAUNCHER_LENGTH_KEY}{}", "0".repeat(LAUNCHER_LENGTH_DIGITS));
    assert!(DOCUMENT.contains(&line), "{line}");
}

#[test]
fn every_field_of_the_index_is_in_the_document() {
    let mut missing = Vec::new();
    collect_fields(
        &serde_json::from_str(include_str!("../fixtures/v1/minimal.index.json")).unwrap(),
        &mut |field| {
            if !DOCUMENT.contains(&format!("`{field}`")) {
                missing.push(field.to_owned());
            }
        },
    );
    assert!(missing.is_empty(), "not described: {missing:?}");
}

fn collect_fields(value: &serde_json::Value, visit: &mut impl FnMut(&str)) {
    match value {
        serde_json::Value::Object(map) => {
            for (key, value) in map {
                visit(key);
                collect_fields(value, visit);
            }
        }
        serde_json::Value::Array(list) => list.iter().for_each(|item| collect_fields(item, visit)),
        _ => {}
    }
}
