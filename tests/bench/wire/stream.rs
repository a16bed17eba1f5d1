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

/// Asks on one stream until its end has come, so many picks at once. Returns how long each took, in nanoseconds, as if
/// replies came in the order of the requests.
pub(crate) async fn stream(
    mut link: Link,
    asks: &Asks,
    in_flight: usize,
    end: Instant,
) -> Result<Vec<u64>, Failure> {
    let mut begun = link.begin().await?;
    let mut sent = VecDeque::new();
    begun.out.send_data(frames(asks, in_flight, &mut sent), false)?;
    let (mut out, mut messages) = begun.split().await?;
    let mut latencies = Vec::new();
    let mut is_open = true;
    while let Some(message) = messages.next().await? {
        let mut came = Some(message);
        let mut replies = 0;
        while let Some(message) = came {
            reply::check(message, Call::Stream)?;
            latencies.extend(sent.pop_front().map(nanos_since));
            replies += 1;
            came = messages.complete();
        }
        if is_open {
            is_open = now() < end;
            let next = if is_open { frames(asks, replies, &mut sent) } else { Bytes::new() };
            out.send_data(next, !is_open)?;
        }
    }
    if sent.is_empty() { Ok(latencies) } else { Err("the stream ended early".into()) }
}

/// The next so many requests.
fn frames(asks: &Asks, count: usize, sent: &mut VecDeque<Instant>) -> Bytes {
    let mut bytes = BytesMut::new();
    for _ in 0..count {
        bytes.extend_from_slice(&asks.next());
        sent.push_back(now());
    }
    bytes.freeze()
}
