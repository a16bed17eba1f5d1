use super::*;

#[test]
fn an_unknown_service_is_told_what_can_be_asked_for() {
    let check = Healthcheck { service: "readyness".into() };
    let told = check.refused(&Status::not_found("service not registered")).to_string();
    assert!(
        told.starts_with("error: the service knows no health of `readyness`\nhint: ask for `readiness`"),
        "{told}"
    );
}

#[test]
fn other_errors_are_told_as_they_are() {
    let check = Healthcheck { service: "readiness".into() };
    let told = check.refused(&Status::unimplemented("no such method")).to_string();
    assert!(told.starts_with("error: no such method\nhint: the service is older"), "{told}");
}
