use super::{lease::Attempts, *};

/// Hundreds of thousands live at once, and each pick touches the memory of its own.
#[test]
fn a_lease_takes_little_room() {
    assert_eq!(size_of::<(Digest, Entry)>(), 32);
    assert!(size_of::<Attempts>() <= 240, "{}", size_of::<Attempts>());
}
