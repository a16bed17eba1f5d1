//! Until when does the caller wait? (`grpc-timeout`)

use std::time::Duration;

use tokio::time::timeout;
use tonic::{
    Status,
    codegen::http::{HeaderMap, HeaderName},
};

const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

/// Digits that the protocol allows.
const DIGITS_MAX: usize = 8;

/// How long the caller waits; `None` where it does not say, or not as the protocol has it.
pub(super) fn of(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(GRPC_TIMEOUT)?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.len() > DIGITS_MAX || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(count * 3_600),
        "M" => Duration::from_secs(count * 60),
        "S" => Duration::from_secs(count),
        "m" => Duration::from_millis(count),
        "u" => Duration::from_micros(count),
        "n" => Duration::from_nanos(count),
        _ => return None,
    })
}

/// The reply, or that it did not come in time.
pub(super) async fn within<T>(
    limit: Option<Duration>,
    reply: impl Future<Output = Result<T, Status>>,
) -> Result<T, Status> {
    let Some(limit) = limit else { return reply.await };
    let late = || Status::deadline_exceeded("the time that the caller gave has passed");
    timeout(limit, reply).await.unwrap_or_else(|_late| Err(late()))
}

#[cfg(test)]
mod tests;
