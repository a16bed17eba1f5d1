//! One binary for all integration tests: what the crate promises, seen from outside.
#![expect(clippy::disallowed_methods, reason = "the tasks of a test end with its runtime")]

mod age;
mod answers;
mod cache;
mod decide;
mod failover;
mod fingerprint;
mod floods;
mod idle;
mod leases;
mod limits;
mod loads;
mod members;
mod overload;
mod prefix;
mod process;
mod raw;
mod reports;
mod routing;
mod service;
mod sizes;
mod start;
mod stop;
mod stream;
mod tidy;
mod unary;
mod world;
