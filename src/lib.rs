//! x
pub mod domain;
pub mod proto;
