//! How well would a policy have done? A fleet under virtual time, on requests that were recorded or drawn.
//!
//! `trace` are the requests, `engine` the model servers, `replay` the clock that brings them together, and `decider`
//! the service's own decisions, which know nothing of all that: they read the same reports and outcomes as in service.

pub mod abreast;
mod clock;
pub mod decider;
pub mod engine;
pub mod faults;
pub mod figures;
pub mod fleet;
pub mod player;
pub mod protocol;
pub mod replay;
pub mod scenario;
pub mod trace;
pub mod tune;
