//! What is measured, and how much of it?

use std::{env, time::Duration};

/// One kind of load on both servers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    /// Its key in the JSON output.
    pub(crate) name: &'static str,
    /// What the picks ask for.
    pub(crate) work: Work,
    /// The method that is called.
    pub(crate) call: Call,
    /// Calls in flight; on a stream, picks.
    pub(crate) in_flight: usize,
    /// Connections that they share.
    pub(crate) connections: usize,
}

/// What picks ask for, and what Pointsman is set up for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// A recurring prompt of 32 blocks and a lease.
    Base,
    /// Several pools, limits, an answer that is not known, a prompt that is new at its end.
    Full,
}

/// A method of the routing service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    /// `PickNode`.
    Unary,
    /// `StreamPicks`, one stream.
    Stream,
    /// `BatchPickNodes` of so many.
    Batch(u64),
}

/// How much is measured. Windows have a length and no count: what is slow must not take for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scale {
    /// Enough to see what has changed, for a build: under 90 seconds.
    Quick,
    /// Enough to compare.
    Full,
}

impl Scale {
    /// Rounds over all cases; odd, so that a median is one of them.
    pub(crate) fn rounds(self) -> usize {
        match self {
            Self::Quick => 5,
            Self::Full => 9,
        }
    }

    /// Length of a window.
    pub(crate) fn window(self) -> Duration {
        match self {
            Self::Quick => Duration::from_millis(300),
            Self::Full => Duration::from_secs(1),
        }
    }
}

impl Call {
    /// Picks of one call, or of one message on a stream.
    pub(crate) fn picks(self) -> u64 {
        match self {
            Self::Unary | Self::Stream => 1,
            Self::Batch(picks) => picks,
        }
    }
}

/// Every case, or the one that was asked for by its name.
pub(crate) fn cases() -> Vec<Case> {
    let case = |name, work, call, in_flight, connections| Case { name, work, call, in_flight, connections };
    let mut cases = vec![
        case("unary_1", Work::Base, Call::Unary, 1, 1),
        case("unary_32", Work::Base, Call::Unary, 32, 4),
        case("unary_128", Work::Base, Call::Unary, 128, 4),
        case("unary_128_full", Work::Full, Call::Unary, 128, 4),
        case("stream", Work::Base, Call::Stream, 128, 1),
        case("batch", Work::Base, Call::Batch(64), 4, 1),
    ];
    if let Some(only) = env::args().skip_while(|argument| argument != "--only").nth(1) {
        cases.retain(|case| case.name == only);
    }
    cases
}
