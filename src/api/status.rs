//! Errors as callers see them: the only place where a `Status` is made.
//!
//! Each carries an `ErrorInfo` with a stable reason; callers branch on that, never on the text.

use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use super::convert::Invalid;
use crate::{
    domain::{answer::StoreRefusal, id::NodeId},
    proto::PickError,
    state::nodes::TableFull,
};

/// Whose reasons they are.
const DOMAIN: &str = "pointsman.v1";
const INVALID_FIELD: &str = "INVALID_FIELD";

/// A message with malformed fields.
pub fn invalid(invalid: &Invalid) -> Status {
    let mut details = ErrorDetails::with_error_info(INVALID_FIELD, DOMAIN, []);
    for violation in &invalid.0 {
        details.add_bad_request_violation(&violation.field, &violation.description);
    }
    Status::with_error_details(Code::InvalidArgument, summary(invalid), details)
}

/// The same within a stream or batch, where one malformed pick does not end the others.
pub fn pick_error(invalid: &Invalid) -> PickError {
    PickError {
        reason: INVALID_FIELD.to_owned(),
        message: summary(invalid),
        field_violations: invalid.to_proto(),
    }
}

/// No node of this id.
pub fn node_not_found(id: &NodeId) -> Status {
    let message = format!("no node `{id}` is registered; `ListNodes` shows those that are");
    reasoned(Code::NotFound, "NODE_NOT_FOUND", message)
}

/// The table takes no more nodes.
pub fn table_full(full: TableFull) -> Status {
    let message = format!("{full}: remove nodes, or raise `policy.nodes_max`");
    reasoned(Code::ResourceExhausted, "NODE_TABLE_FULL", message)
}

/// An agent's stream did not begin with a registration, or registered twice.
pub fn registration_order() -> Status {
    let message = "the first message of `ReportLoad`, and only the first, must be a registration";
    reasoned(Code::FailedPrecondition, "REGISTRATION_ORDER", message)
}

/// An agent's stream said nothing.
pub fn registration_timeout(waited: Duration) -> Status {
    let message =
        format!("no registration came within {waited:?}: send it as the first message of `ReportLoad`");
    reasoned(Code::DeadlineExceeded, "REGISTRATION_TIMEOUT", message)
}

/// Another stream registered the node, or it was removed.
pub fn superseded(id: &NodeId) -> Status {
    let message = format!("node `{id}` was registered by another stream or removed: register again");
    reasoned(Code::Aborted, "STREAM_SUPERSEDED", message)
}

/// An answer that is too long.
pub fn not_stored(refusal: &StoreRefusal) -> Status {
    let field = match refusal {
        StoreRefusal::BodyTooLong { .. } => "inline",
        StoreRefusal::ReferenceTooLong { .. } => "reference",
    };
    invalid(&Invalid::field(field, refusal.to_string()))
}

/// A purge died half way.
pub fn purge_failed() -> Status {
    reasoned(Code::Internal, "PURGE_FAILED", "the purge ended half way: purge again, and report this")
}

/// The service is about to stop, or has asked an old connection to go away.
pub fn leaving() -> Status {
    reasoned(Code::Unavailable, "SERVER_LEAVING", "this connection is about to end: connect again")
}

/// A call came by a way that is not its own.
pub fn astray() -> Status {
    Status::internal("the call should have been answered before: report this")
}

fn reasoned(code: Code, reason: &str, message: impl Into<String>) -> Status {
    Status::with_error_details(code, message, ErrorDetails::with_error_info(reason, DOMAIN, []))
}

fn summary(invalid: &Invalid) -> String {
    let fields: Vec<_> = invalid.0.iter().map(|v| format!("`{}` {}", v.field, v.description)).collect();
    fields.join("; ")
}
