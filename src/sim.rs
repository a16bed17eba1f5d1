//! How well would a policy have done? A fleet under virtual time, on requests that were recorded or drawn.

pub mod figures;
pub mod trace;
