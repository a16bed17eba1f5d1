//! Is a reply what was asked for: a route for each pick?
//!
//! Read by messages that know of a reply only what is checked: what the generator spends on reading, the servers cannot
//! have.

use prost::{Message, bytes::Bytes};

use super::{case::Call, said::Failure};

/// `PickNodeResponse`, as far as it is read.
#[derive(Clone, PartialEq, Message)]
struct Decision {
    #[prost(bytes = "bytes", optional, tag = "2")]
    route: Option<Bytes>,
}

/// `StreamPicksResponse`.
#[derive(Clone, PartialEq, Message)]
struct Streamed {
    #[prost(message, optional, tag = "2")]
    decision: Option<Decision>,
}

/// `BatchPickResult`.
#[derive(Clone, PartialEq, Message)]
struct Batched {
    #[prost(message, optional, tag = "1")]
    decision: Option<Decision>,
}

/// `BatchPickNodesResponse`.
#[derive(Clone, PartialEq, Message)]
struct Batch {
    #[prost(message, repeated, tag = "1")]
    results: Vec<Batched>,
}

/// Fails unless the message holds a route for every pick.
pub(crate) fn check(message: Bytes, call: Call) -> Result<(), Failure> {
    let seen = message.clone();
    let is_route = |decision: Option<Decision>| decision.is_some_and(|decision| decision.route.is_some());
    let is_right = match call {
        Call::Unary => is_route(Some(Decision::decode(message)?)),
        Call::Stream => is_route(Streamed::decode(message)?.decision),
        Call::Batch(picks) => {
            let results = Batch::decode(message)?.results;
            results.len() as u64 == picks && results.into_iter().all(|result| is_route(result.decision))
        }
    };
    if is_right { Ok(()) } else { Err(format!("no route in the reply: {}", seen.escape_ascii()).into()) }
}
