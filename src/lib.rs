#![doc = include_str!("ARCHITECTURE.md")]

// In layer order: a module may use only those above it, see `tests/it/tidy.rs`.
pub mod proto;

pub mod domain;

pub mod wire;

pub mod learn;

pub mod state;

pub mod route;

pub mod sim;

pub mod config;

pub mod telemetry;

pub mod api;

pub mod agent;

pub mod app;

pub mod demo;

pub mod cli;
