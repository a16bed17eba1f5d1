//! The nouns: plain, checked values. No I/O, no locks, no clock, no wire format.

pub mod answer;
pub mod decision;
pub mod degradation;
pub mod digest;
pub mod explanation;
pub mod filter;
pub mod id;
pub mod limit;
pub mod load;
pub mod node;
pub mod outcome;
pub mod policy;
pub mod prefix;
pub mod request;
pub mod time;
pub mod work;
