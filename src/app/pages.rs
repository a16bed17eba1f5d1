//! Does memory that is reserved and never used stay free?
//!
//! Each HTTP/2 connection reserves 28 KiB of buffers, and while it is idle uses the beginning of each. A page of the system
//! that nobody has touched takes no memory, but a huge page of 2 MiB takes all of it at the first touch, and the allocator asks
//! for huge pages. With them an idle connection takes twice as much.

/// Small pages alone from now on, for the whole process. Picks cost no more with them.
#[cfg(target_os = "linux")]
pub fn keep_small() {
    if let Err(error) = rustix::thread::disable_transparent_huge_pages(true) {
        tracing::warn!(%error, "cannot do without huge pages: idle connections take twice the memory");
    }
}

/// Elsewhere nobody asks for huge pages.
#[cfg(not(target_os = "linux"))]
pub fn keep_small() {}
