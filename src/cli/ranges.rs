//! Which numbers does a flag take? What is out of range is refused by the name of the flag, before it is sent.

use clap::builder::RangedI64ValueParser;

use crate::domain::{
    load::{NodeLoad, Ratio},
    node::NodeSpec,
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

/// Tokens of a cache or a queue, 0 to 10^12.
pub fn kv_tokens() -> RangedI64ValueParser<i64> {
    clap::value_parser!(i64).range(0..=NodeLoad::MAX_KV_TOKENS.cast_signed())
}

/// What a cache holds, 1 to 10^12 tokens.
pub fn some_kv_tokens() -> RangedI64ValueParser<i64> {
    clap::value_parser!(i64).range(1..=NodeSpec::MAX_KV_TOKENS.cast_signed())
}

/// Work in a queue, 0 to 10^12.
pub fn work(text: &str) -> Result<f64, String> {
    let work = text.parse::<f64>().ok().filter(|work| (0.0..=NodeLoad::MAX_WORK).contains(work));
    work.ok_or_else(|| format!("must be a number from 0 to {:e}, got {text}", NodeLoad::MAX_WORK))
}

/// Work per millisecond, over 0 and at most 10^6.
pub fn speed(text: &str) -> Result<f64, String> {
    let speed = text.parse::<f64>().ok().filter(|speed| speed.is_normal() && *speed > 0.0);
    let speed = speed.filter(|speed| *speed <= NodeLoad::MAX_SPEED);
    speed.ok_or_else(|| format!("must be a number over 0 and at most {:e}, got {text}", NodeLoad::MAX_SPEED))
}

/// A fraction, 0 to 1.
pub fn ratio(text: &str) -> Result<f64, String> {
    let number =
        text.parse::<f64>().map_err(|_| "write a fraction from 0 to 1: 30 % is `0.30`".to_owned())?;
    let in_range = Ratio::try_new(number).map(Ratio::get);
    in_range.map_err(|_| format!("must be a fraction from 0 to 1 (30 % is `0.30`), got {text}"))
}
