//! `grpc.health.v1`: what probes and gateways learn of this process.
//!
//! `liveness` is `SERVING` as long as the process answers. `readiness`, the empty name and the name of each service
//! turn `NOT_SERVING` at the start of a drain, while picks are still answered: gateways watching leave in time.

use tonic_health::{ServingStatus, server::HealthReporter};

/// Names under which picks are promised.
const SERVING: [&str; 7] = [
    "",
    "readiness",
    "pointsman.v1.RoutingService",
    "pointsman.v1.LoadService",
    "pointsman.v1.NodeService",
    "pointsman.v1.AnswerService",
    "pointsman.v1.LimitService",
];
const LIVENESS: &str = "liveness";

/// The process is up.
pub async fn alive(reporter: &HealthReporter) {
    reporter.set_service_status(LIVENESS, ServingStatus::Serving).await;
    set(reporter, ServingStatus::NotServing).await;
}

/// Picks are answered.
pub async fn ready(reporter: &HealthReporter) {
    set(reporter, ServingStatus::Serving).await;
}

/// Picks will not be answered for long.
pub async fn leaving(reporter: &HealthReporter) {
    set(reporter, ServingStatus::NotServing).await;
}

/// Ends the watches, so that they do not hold up the stop.
pub async fn end(reporter: &mut HealthReporter) {
    for name in SERVING.into_iter().chain([LIVENESS]) {
        reporter.clear_service_status(name).await;
    }
}

async fn set(reporter: &HealthReporter, status: ServingStatus) {
    for name in SERVING {
        reporter.set_service_status(name, status).await;
    }
}
