//! How long does something take that takes less than reading the clock?
//!
//! A run of it is timed; runs go on until there are enough, and for long enough; the median run counts.

use std::{hint::black_box, time::Duration};

use super::clock::{nanos_since, now};

/// Fewest runs.
const RUNS_MIN: usize = 21;
/// Shortest time that all runs take.
const TIME_MIN: Duration = Duration::from_millis(400);

/// Median nanoseconds of acting once. Before each run `prepare` makes what it acts on, one by one; `tidy` undoes it.
pub(crate) fn median<T, R>(
    mut prepare: impl FnMut() -> Vec<T>,
    mut act: impl FnMut(&T) -> R,
    mut tidy: impl FnMut(&[T]),
) -> u64 {
    let mut samples = Vec::new();
    let start = now();
    while samples.len() < RUNS_MIN || start.elapsed() < TIME_MIN {
        let things = prepare();
        let mut results = Vec::with_capacity(things.len());
        let run = now();
        for thing in &things {
            results.push(act(black_box(thing)));
        }
        samples.push(nanos_since(run) / things.len().max(1) as u64);
        drop(black_box(results));
        tidy(&things);
    }
    let middle = samples.len() / 2;
    *samples.select_nth_unstable(middle).1
}
