//! How is a stream kept full?
//!
//! For every reply that has come another request goes out. Those that came together go together, as a client that
//! writes what it has would send them.

use std::{collections::VecDeque, time::Instant};

use prost::bytes::{Bytes, BytesMut};

use super::{
    asks::Asks,
    case::Call,
    clock::{nanos_since, now},
    link::Link,
    reply,
    said::Failure,
};

/// Asks for so many picks on one stream, so many of them at once. Returns how long each took, in nanoseconds, as if
/// replies came in the order of the requests.
pub(crate) async fn stream(
    mut link: Link,
    asks: &Asks,
    in_flight: usize,
    picks: u64,
) -> Result<Vec<u64>, Failure> {
    let mut begun = link.begin().await?;
    let mut sent = VecDeque::new();
    let mut unsent = picks;
    let first = frames(asks, in_flight, &mut unsent, &mut sent);
    begun.out.send_data(first, false)?;
    let (mut out, mut messages) = begun.split().await?;
    let mut latencies = Vec::new();
    while let Some(message) = messages.next().await? {
        let mut came = Some(message);
        let mut replies = 0;
        while let Some(message) = came {
            reply::check(message, Call::Stream)?;
            latencies.extend(sent.pop_front().map(nanos_since));
            replies += 1;
            came = messages.complete();
        }
        if unsent > 0 {
            let next = frames(asks, replies, &mut unsent, &mut sent);
            out.send_data(next, unsent == 0)?;
        }
    }
    if latencies.len() as u64 == picks { Ok(latencies) } else { Err("the stream ended early".into()) }
}

/// The next so many requests, or as many as are left.
fn frames(asks: &Asks, count: usize, unsent: &mut u64, sent: &mut VecDeque<Instant>) -> Bytes {
    let count = (count as u64).min(*unsent);
    *unsent -= count;
    let mut bytes = BytesMut::new();
    for _ in 0..count {
        bytes.extend_from_slice(&asks.next());
        sent.push_back(now());
    }
    bytes.freeze()
}
