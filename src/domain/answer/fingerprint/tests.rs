use super::*;

#[test]
fn it_is_the_first_half_of_sha_256() {
    // FIPS 180-2, appendix B.1.
    assert_eq!(Fingerprint::of_canonical(b"abc").to_string(), "ba7816bf8f01cfea414140de5dae2223");
}

#[test]
fn its_bytes_read_back() {
    let fingerprint = Fingerprint::of_canonical(b"{}");
    assert_eq!(Fingerprint::try_from_bytes(fingerprint.as_bytes()), Ok(fingerprint));
}

#[test]
fn another_length_is_refused() {
    let error = Fingerprint::try_from_bytes(&[1; 32]).expect_err("a whole SHA-256");
    assert_eq!(error.to_string(), "must be 16 bytes long, got 32");
    assert_eq!(Fingerprint::try_from_bytes(&[]), Err(FingerprintError::Length(0)));
}

#[test]
fn one_that_was_forgotten_is_refused() {
    assert_eq!(Fingerprint::try_from_bytes(&[0; 16]), Err(FingerprintError::Zero));
}

#[test]
fn a_log_shows_a_quarter_of_it() {
    assert_eq!(format!("{:?}", Fingerprint::of_canonical(b"abc")), "ba7816bf…");
}
