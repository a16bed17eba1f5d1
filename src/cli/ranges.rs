//! Which numbers does a flag take? What is out of range is refused by the name of the flag, before it is sent.

use clap::builder::RangedI64ValueParser;

use crate::domain::{
    load::{NodeLoad, Ratio},
    request::RouteRequest,
};

/// A number of tokens, 0 to 100,000,000.
pub fn tokens() -> RangedI64ValueParser<i64> {
    clap::value_parser!(i64).range(0..=i64::from(RouteRequest::MAX_TOKENS))
}

/// A number of requests on a node, 0 to a million.
pub fn requests() -> RangedI64ValueParser<i64> {
    clap::value_parser!(i64).range(0..=i64::from(NodeLoad::MAX_REQUESTS))
}

/// A fraction, 0 to 1.
pub fn ratio(text: &str) -> Result<f64, String> {
    let number =
        text.parse::<f64>().map_err(|_| "write a fraction from 0 to 1: 30 % is `0.30`".to_owned())?;
    let in_range = Ratio::try_new(number).map(Ratio::get);
    in_range.map_err(|_| format!("must be a fraction from 0 to 1 (30 % is `0.30`), got {text}"))
}
