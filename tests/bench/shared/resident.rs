//! How many bytes of memory does a process have?

use std::fs;

use super::said::Failure;

/// Bytes of a page where the benchmarks run.
const PAGE: usize = 4096;

/// Resident memory of a process by its id, or of this one by `self`, in bytes.
pub(crate) fn of(process: &str) -> Result<usize, Failure> {
    let pages = fs::read_to_string(format!("/proc/{process}/statm"))?;
    let resident = pages.split(' ').nth(1).ok_or("the second number of statm")?;
    Ok(resident.parse::<usize>()? * PAGE)
}
