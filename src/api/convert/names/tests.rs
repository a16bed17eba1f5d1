use super::*;

fn is_shared(one: &ModelName, other: &ModelName) -> bool {
    std::ptr::eq(one.as_str(), other.as_str())
}

#[test]
fn a_name_that_comes_again_takes_no_memory_of_its_own() {
    let read = || model("llama").expect("a name");
    assert!(is_shared(&read(), &read()));
    assert!(!is_shared(&read(), &ModelName::parse("llama").expect("a name")));
}

/// Many more than there are places, so that most meet another.
#[test]
fn names_that_meet_are_told_apart() {
    for _ in 0..2 {
        for number in 0..10 * PLACES {
            let text = format!("model-{number}");
            assert_eq!(model(&text).expect("a name").as_str(), text);
        }
    }
}

#[test]
fn what_is_no_name_is_refused_each_time() {
    for _ in 0..2 {
        assert_eq!(tenant(""), Err(NameError::Empty));
        assert_eq!(tenant("a\nb"), Err(NameError::Control));
        assert_eq!(tenant(&"x".repeat(129)), Err(NameError::TooLong(128)));
    }
}
