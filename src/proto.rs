//! The public API as generated from `proto/`: see the `.proto` files for the meaning of every item.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::allow_attributes_without_reason,
    clippy::pedantic,
    reason = "generated code"
)]

tonic::include_proto!("pointsman.v1");

/// The compiled files, for reflection and for JSON output.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/pointsman.bin"));
