//! For how long have the threads of a process run?

use std::fs;

use super::said::Failure;

/// Nanoseconds in user and kernel mode, of the process with this id. Linux only: reads `/proc`.
pub(crate) fn of(process: &str) -> Result<u64, Failure> {
    let mut total = 0;
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        let ran = fs::read_to_string(thread?.path().join("schedstat"))?;
        total += ran.split(' ').next().ok_or("the first number of schedstat")?.parse::<u64>()?;
    }
    Ok(total)
}
