//! `RoutingService`: each method checks what comes in, asks the desk, and writes what was decided.

mod batch;
mod service;
mod streamed;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use tonic::Status;
use tracing::{debug, info};

use super::{
    convert::{
        self, Invalid,
        reply::{Generated, Told},
        request::{Pick, Terms, pick},
    },
    desk::Desk,
    lane::{self, Come},
    message::{begun, ended, framed},
    status,
};
use crate::{
    domain::{decision::Decision, node::BreakerState},
    proto::{BatchPickNodesRequest, PickNodeRequest, ReportOutcomeRequest},
};
use streamed::Streamed;

/// Most picks of one batch.
const BATCH_MAX: usize = 256;

/// Decides where requests go.
#[derive(Debug, Clone)]
pub struct Routing {
    desk: Arc<Desk>,
    leaving: tokio_util::sync::CancellationToken,
    names: Arc<Names>,
}

/// Makes up the ids of requests that have none.
#[derive(Debug)]
struct Names {
    prefix: u64,
    next: AtomicU64,
}

impl Routing {
    /// Serves the desk until `leaving` is cancelled, which ends its streams. `seed` tells the names that this
    /// process makes up from those of another.
    pub fn new(desk: Arc<Desk>, leaving: tokio_util::sync::CancellationToken, seed: u64) -> Self {
        Self { desk, leaving, names: Arc::new(Names { prefix: seed, next: AtomicU64::new(0) }) }
    }

    fn check(&self, asked: &PickNodeRequest) -> Result<Pick, Invalid> {
        let policy = self.desk.policy();
        let terms = Terms {
            ttl_max: policy.leases.ttl_max,
            block_tokens: policy.prefixes.block_tokens,
            digester: self.desk.state.digester(),
        };
        pick(asked, &terms, || self.names.next())
    }

    /// What `tell` says of the decision on a pick, unless that may have to be waited for.
    fn decide(
        &self,
        asked: &PickNodeRequest,
        tell: impl FnOnce(&Told) -> Vec<u8> + Send + 'static,
    ) -> Result<Come<Vec<u8>>, Invalid> {
        let pick = self.check(asked)?;
        Ok(if pick.max_wait.is_zero() {
            let decision = self.desk.decide(&pick.request);
            Come::Now(tell(&told(pick, decision)))
        } else {
            let routing = self.clone();
            Come::Later(Box::pin(async move { tell(&routing.decide_within(pick).await) }))
        })
    }

    async fn decide_within(self, pick: Pick) -> Told {
        let decision = tokio::select! {
            decision = self.desk.decide_within(&pick.request, pick.max_wait) => decision,
            // A pick that waits must not be cut off with the process: it is told what holds now.
            () = self.leaving.cancelled() => self.desk.decide_at_last(&pick.request),
        };
        told(pick, decision)
    }

    /// `PickNode`.
    pub(super) fn pick(&self, asked: &PickNodeRequest) -> Result<Come<Vec<u8>>, Status> {
        self.decide(asked, framed).map_err(|bad| status::invalid(&bad))
    }

    /// One pick of `StreamPicks`.
    fn streamed(&self, asked: &PickNodeRequest) -> Come<Vec<u8>> {
        let decided = if asked.request_id.is_empty() {
            let required = "is required on a stream: replies are matched by it";
            Err(Invalid::field("pick.request_id", required))
        } else {
            self.decide(asked, |told| framed(&Streamed(told.request.as_str(), Ok(told))))
        };
        decided.unwrap_or_else(|bad| Come::Now(framed(&Streamed(&asked.request_id, Err(&bad)))))
    }

    /// `BatchPickNodes`.
    pub(super) fn batch(&self, asked: &BatchPickNodesRequest) -> Result<Come<Vec<u8>>, Status> {
        let picks = &asked.picks;
        if picks.is_empty() || picks.len() > BATCH_MAX {
            let range = format!("must hold 1 to {BATCH_MAX} items, got {}", picks.len());
            return Err(status::invalid(&Invalid::field("picks", range)));
        }
        let result = |pick: &_| {
            let decided = self.decide(pick, |told| batch::result(Ok(told)));
            decided.unwrap_or_else(|bad| Come::Now(batch::result(Err(&bad))))
        };
        let out = begun(picks.len() * batch::RESULT_BYTES);
        Ok(lane::all(picks, result, out, |out, result| out.extend_from_slice(&result)).map(ended))
    }

    /// `ReportOutcome`.
    pub(super) fn outcome(&self, told: &ReportOutcomeRequest) -> Result<Vec<u8>, Status> {
        let outcome = convert::outcome::outcome(told).map_err(|bad| status::invalid(&bad))?;
        let settled = self.desk.settle(&outcome);
        debug!(?outcome, ?settled, "outcome reported");
        let told = convert::outcome::settlement(settled.settlement);
        match settled.breaker {
            Some(BreakerState::Closed) => info!(node = told.node_id, "node readmitted"),
            Some(_) => info!(node = told.node_id, "node ejected after failures"),
            None => {}
        }
        Ok(framed(&Generated(&told)))
    }
}

fn told(pick: Pick, decision: Decision) -> Told {
    debug!(request = ?pick.request, ?decision, "decided");
    Told { request: pick.request.key.request, decision }
}

impl Names {
    fn next(&self) -> String {
        format!("{:016x}-{}", self.prefix, self.next.fetch_add(1, Relaxed))
    }
}
