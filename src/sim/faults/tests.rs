use super::*;

#[test]
fn each_kind_of_fault_is_read() {
    let slow = Fault { node: 3, at_us: 500_000_000, for_us: 1_000_000_000, kind: FaultKind::Slow(3.0) };
    assert_eq!(Fault::parse("node=3,at=500s,for=1000s,kind=slow:3"), Ok(slow));
    assert_eq!(Fault::parse("kind=dead,for=1m,at=2m,node=0").map(|fault| fault.kind), Ok(FaultKind::Dead));
    assert_eq!(Fault::parse("node=0,at=0s,for=1ms,kind=silent").map(|fault| fault.for_us), Ok(1000));
}

#[test]
fn what_is_wrong_is_named() {
    for (text, names) in [
        ("node=3,at=5s,kind=dead", "`for` is missing"),
        ("node=x,at=5s,for=1s,kind=dead", "`node` must be a number"),
        ("node=1,at=5,for=1s,kind=dead", "`at` is no span"),
        ("node=1,at=5s,for=1s,kind=slow:0.5", "factor from 1 to 100"),
        ("node=1,at=5s,for=1s,kind=slow", "`kind` is `slow`"),
        ("node=1,at=5s,for=1s,kind=dead,x=1", "`x` is no part"),
    ] {
        let told = Fault::parse(text).expect_err(text).to_string();
        assert!(told.contains(names), "{told}");
    }
}
