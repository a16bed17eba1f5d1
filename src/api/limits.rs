//! `LimitService`: shows the limits and what they have done.

use std::sync::Arc;

use tonic::{Request, Response, Status};

use super::{convert, desk::Desk};
use crate::proto::{ListLimitsRequest, ListLimitsResponse, limit_service_server::LimitService};

/// Shows the limits.
#[derive(Debug, Clone)]
pub struct Limits {
    desk: Arc<Desk>,
}

impl Limits {
    /// Serves the desk's limits.
    pub fn new(desk: Arc<Desk>) -> Self {
        Self { desk }
    }
}

#[tonic::async_trait]
impl LimitService for Limits {
    async fn list_limits(
        &self,
        _asked: Request<ListLimitsRequest>,
    ) -> Result<Response<ListLimitsResponse>, Status> {
        let stats = self.desk.state.limits.stats();
        Ok(Response::new(convert::limit::limits(&self.desk.policy().limits, &stats)))
    }
}
