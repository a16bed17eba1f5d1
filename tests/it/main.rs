//! One binary for all integration tests: what the crate promises, seen from outside.

mod decide;
mod leases;
mod loads;
mod reports;
mod routing;
mod service;
mod stop;
mod tidy;
mod world;
