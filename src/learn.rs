//! Estimators: `observe(now, x)` feeds one, `at(now)` reads it. Reading never changes it.

pub mod drain;
pub mod ewma;
pub mod throughput;
pub mod window;
