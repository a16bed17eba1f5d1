//! The nouns: plain, checked values. No I/O, no locks, no clock, no wire format.

pub mod answer;
pub mod decision;
pub mod digest;
pub mod explanation;
pub mod filter;
pub mod id;
pub mod load;
pub mod node;
pub mod outcome;
pub mod policy;
pub mod request;
pub mod time;
