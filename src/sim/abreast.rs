//! Runs that do not depend on each other, as many at once as there are processors.

use std::{num::NonZeroUsize, panic::resume_unwind, thread};

/// What `run` makes of each item, in their order. A panic of one goes on in the caller.
pub fn abreast<T: Sync, R: Send>(items: &[T], run: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let at_once = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let mut results = Vec::with_capacity(items.len());
    for some in items.chunks(at_once) {
        results.extend(thread::scope(|scope| {
            let running: Vec<_> = some.iter().map(|item| scope.spawn(|| run(item))).collect();
            let ended =
                running.into_iter().map(|run| run.join().unwrap_or_else(|panic| resume_unwind(panic)));
            ended.collect::<Vec<_>>()
        }));
    }
    results
}
