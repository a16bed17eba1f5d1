use std::io::Write;

use super::*;

const HEX: &str = "00ff0102030405060708090a0b0C0D0E";

fn canonical(bytes: &[u8]) -> Result<Option<Question>, Fault> {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(bytes).expect("it takes bytes");
    let source = Some(Source::File(file.path().to_owned()));
    QuestionFlags { fingerprint: None, canonical_request: source }.read()
}

#[test]
fn a_fingerprint_is_16_bytes_in_the_order_of_the_digits() {
    let fingerprint: Fingerprint = HEX.parse().expect("32 hex digits");
    let bytes = vec![0, 255, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14];
    let flags = QuestionFlags { fingerprint: Some(fingerprint), canonical_request: None };
    assert_eq!(flags.read().expect("nothing to read"), Some(Question::Fingerprint(bytes)));
}

#[test]
fn what_is_not_32_hex_digits_is_no_fingerprint() {
    let signed = format!("+{}", &HEX[1..]);
    let long = format!("{HEX}00");
    for text in [
        "",
        "00ff",
        signed.as_str(),
        long.as_str(),
        "zz112233445566778899aabbccddeeff",
        "ééééééééééééééé\u{e9}",
    ] {
        assert!(text.parse::<Fingerprint>().is_err(), "{text}");
    }
}

#[test]
fn a_canonical_request_is_sent_as_it_is() {
    let read = canonical(b"\xff{}\n").expect("it fits");
    assert_eq!(read, Some(Question::CanonicalRequest(b"\xff{}\n".to_vec())));
}

#[test]
fn a_canonical_request_may_hold_128_kib_and_no_more() {
    assert!(canonical(&vec![b'a'; 128 * 1024]).is_ok());
    let fault = canonical(&vec![b'a'; 128 * 1024 + 1]).expect_err("too long").to_string();
    assert!(fault.contains("more than 128 KiB, the most that `--canonical-request` may send"), "{fault}");
}

#[test]
fn an_empty_canonical_request_is_refused() {
    let fault = canonical(b"").expect_err("nothing was asked").to_string();
    assert!(fault.contains("holds no canonical request"), "{fault}");
}
