//! Which pages of memory suit so many connections?
//!
//! What decisions read lies far apart, and the processor finds it sooner in huge pages of 2 MiB: a pick takes a tenth less
//! time. But each HTTP/2 connection reserves 28 KiB of buffers and, while it is idle, uses the beginning of each. A small page
//! that nobody has touched takes no memory, a huge one takes all of it at the first touch: idle connections take twice as much.
//! So there are huge pages while connections are few, and small ones for what comes while they are many.

use parking_lot::Mutex;

/// More connections than this are many: with huge pages this many waste 4 MiB.
const FEW_MAX: usize = 256;
/// Once they were many, no more than this are few again: who counts to and fro changes nothing.
const FEW_AGAIN: usize = 128;

/// Whether memory comes in small pages from now on. The system keeps this for the whole process, and so must we.
static SMALL: Mutex<bool> = Mutex::new(false);

/// So many connections are open.
pub(super) fn suit(connections: usize) {
    let mut small = SMALL.lock();
    if *small != are_many(connections, *small) {
        *small = !*small;
        use_small(*small);
    }
}

fn are_many(connections: usize, were_many: bool) -> bool {
    connections > if were_many { FEW_AGAIN } else { FEW_MAX }
}

#[cfg(target_os = "linux")]
fn use_small(small: bool) {
    if let Err(error) = rustix::thread::disable_transparent_huge_pages(small) {
        tracing::warn!(%error, small, "cannot choose the size of pages: idle connections may take twice the memory");
    }
}

/// Elsewhere nobody asks for huge pages.
#[cfg(not(target_os = "linux"))]
fn use_small(_: bool) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn between_few_and_many_all_stays_as_it_is() {
        let walk = [1, 256, 257, 200, 129, 128, 200, 256, 257];
        let many = walk.iter().scan(false, |many, connections| {
            *many = are_many(*connections, *many);
            Some(*many)
        });
        assert_eq!(many.collect::<Vec<_>>(), [false, false, true, true, true, false, false, false, true]);
    }
}
