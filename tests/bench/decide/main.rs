//! What does one decision cost in process?
fn main() {}
