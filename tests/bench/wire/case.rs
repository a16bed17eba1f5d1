//! What is measured, and how much of it?

use std::env;

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
    /// Picks of a window.
    pub(crate) picks: u64,
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

/// How much is measured.
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

    fn picks(self, full: u64) -> u64 {
        match self {
            Self::Quick => full / 8,
            Self::Full => full,
        }
    }
}

/// Every case, or the one that was asked for by its name.
pub(crate) fn cases(scale: Scale) -> Vec<Case> {
    let unary = |name, work, in_flight, connections, picks| Case {
        name,
        work,
        call: Call::Unary,
        in_flight,
        connections,
        picks: scale.picks(picks),
    };
    let streamed = |name, call, in_flight, picks| Case {
        name,
        work: Work::Base,
        call,
        in_flight,
        connections: 1,
        picks: scale.picks(picks),
    };
    let mut cases = vec![
        unary("unary_1", Work::Base, 1, 1, 8_000),
        unary("unary_32", Work::Base, 32, 4, 64_000),
        unary("unary_128", Work::Base, 128, 4, 96_000),
        unary("unary_128_full", Work::Full, 128, 4, 96_000),
        streamed("stream", Call::Stream, 128, 256_000),
        streamed("batch", Call::Batch(64), 4, 256_000),
    ];
    if let Some(only) = env::args().skip_while(|argument| argument != "--only").nth(1) {
        cases.retain(|case| case.name == only);
    }
    cases
}
