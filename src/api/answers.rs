//! `AnswerService`: keeps answers and lets them go.

use std::sync::Arc;

use tonic::{Request, Response, Status};
use tracing::{debug, info};

use super::{convert, desk::Desk, status};
use crate::{
    domain::answer::PurgeScope,
    proto::{
        GetAnswerStatsRequest, GetAnswerStatsResponse, PurgeAnswersRequest, PurgeAnswersResponse,
        StoreAnswerRequest, StoreAnswerResponse, answer_service_server::AnswerService,
    },
    wire,
};

/// Keeps answers.
#[derive(Debug, Clone)]
pub struct Answers {
    desk: Arc<Desk>,
}

impl Answers {
    /// Serves the desk's answers.
    pub fn new(desk: Arc<Desk>) -> Self {
        Self { desk }
    }

    /// All entries are read, which would hold up picks on this thread.
    async fn purge(&self, scope: PurgeScope) -> Result<u64, Status> {
        let desk = Arc::clone(&self.desk);
        let purging = tokio::task::spawn_blocking(move || desk.state.answers.purge(&scope));
        purging.await.map_err(|_died| status::purge_failed())
    }
}

#[tonic::async_trait]
impl AnswerService for Answers {
    async fn store_answer(
        &self,
        asked: Request<StoreAnswerRequest>,
    ) -> Result<Response<StoreAnswerResponse>, Status> {
        let checked = convert::answer::store(asked.into_inner(), &self.desk.policy().answers);
        let (key, answer) = checked.map_err(|bad| status::invalid(&bad))?;
        debug!(?key, ?answer, "answer stored");
        let stored = self.desk.store(&key, &answer).map_err(|refusal| status::not_stored(&refusal))?;
        let fresh_for = Some(wire::duration(stored.fresh_until.since(self.desk.now())));
        Ok(Response::new(StoreAnswerResponse { fresh_for }))
    }

    async fn purge_answers(
        &self,
        asked: Request<PurgeAnswersRequest>,
    ) -> Result<Response<PurgeAnswersResponse>, Status> {
        let scope = convert::answer::purge(asked.get_ref()).map_err(|bad| status::invalid(&bad))?;
        let purged = self.purge(scope.clone()).await?;
        info!(?scope, purged, "answers purged");
        let purged_count = i64::try_from(purged).unwrap_or(i64::MAX);
        Ok(Response::new(PurgeAnswersResponse { purged_count }))
    }

    async fn get_answer_stats(
        &self,
        _asked: Request<GetAnswerStatsRequest>,
    ) -> Result<Response<GetAnswerStatsResponse>, Status> {
        Ok(Response::new(convert::answer::stats(self.desk.state.answers.stats())))
    }
}
