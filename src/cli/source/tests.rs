use std::io::Write;

use tempfile::NamedTempFile;

use super::*;

fn file(bytes: &[u8]) -> (NamedTempFile, Source) {
    let mut file = NamedTempFile::new().expect("a temporary file");
    file.write_all(bytes).expect("it takes bytes");
    let source = Source::File(file.path().to_owned());
    (file, source)
}

#[test]
fn a_dash_is_standard_input() {
    assert_eq!("-".parse(), Ok(Source::Stdin));
    assert_eq!("./-".parse(), Ok(Source::File("./-".into())));
}

#[test]
fn bytes_are_read_as_they_are() {
    let (_file, source) = file(b"\xff\0\r\n");
    assert_eq!(source.read("--inline", 4).expect("it fits"), b"\xff\0\r\n");
}

#[test]
fn one_byte_too_many_is_refused_by_the_name_of_the_flag() {
    let (_file, source) = file(&[b'a'; 1025]);
    let fault = source.read("--inline", 1024).expect_err("too long").to_string();
    assert!(fault.ends_with("holds more than 1 KiB, the most that `--inline` may send"), "{fault}");
}

/// A source that never ends must not be read to its end.
#[test]
fn an_endless_source_is_left_at_the_bound() {
    let read = read_bounded(io::repeat(b'a'), 7).expect("it reads");
    assert_eq!(read.len(), 8);
}

#[test]
fn a_missing_file_is_named_with_what_the_flag_takes() {
    let fault = Source::File("/nowhere/at/all".into()).read("--inline", 1).expect_err("no file").to_string();
    assert!(fault.starts_with("error: cannot read `/nowhere/at/all`\n"), "{fault}");
    assert!(
        fault.ends_with("hint: `--inline` takes the path of a file, or `-` for standard input"),
        "{fault}"
    );
}
