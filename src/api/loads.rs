//! `LoadService`: one conversation with each agent.
//!
//! The end of a conversation, however it comes about, is the end of its value: dropping it tells the node table that
//! nobody speaks for the node any more.

use std::{pin::Pin, sync::Arc, time::Duration};

use futures_util::{Stream, stream};
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::{Request, Response, Status, Streaming};
use tracing::{info, warn};

use super::{
    convert::{self, Invalid},
    desk::Desk,
    leaving, status,
};
use crate::{
    proto::{
        Farewell, LoadReport, Registration, ReportLoadRequest, ReportLoadResponse, ReportStatus,
        load_service_server::LoadService, report_load_request::Message,
    },
    state::nodes::{Session, node::Applied},
    wire,
};

/// A stream that says nothing for so long before it registers is ended.
const REGISTRATION_TIMEOUT: Duration = Duration::from_secs(5);

/// Longest reason of a farewell that is logged.
const REASON_CHARS_MAX: usize = 256;

/// Takes live load.
#[derive(Debug, Clone)]
pub struct Loads {
    desk: Arc<Desk>,
    leaving: CancellationToken,
}

impl Loads {
    /// Serves the desk until `leaving` is cancelled, or an old connection ends, either of which asks agents to connect again.
    pub fn new(desk: Arc<Desk>, leaving: CancellationToken) -> Self {
        Self { desk, leaving }
    }
}

#[tonic::async_trait]
impl LoadService for Loads {
    type ReportLoadStream = Pin<Box<dyn Stream<Item = Result<ReportLoadResponse, Status>> + Send>>;

    async fn report_load(
        &self,
        messages: Request<Streaming<ReportLoadRequest>>,
    ) -> Result<Response<Self::ReportLoadStream>, Status> {
        let conversation = Conversation {
            desk: Arc::clone(&self.desk),
            left: Box::pin(leaving::of(&messages, &self.leaving).cancelled_owned()),
            messages: messages.into_inner(),
            session: None,
            applied_sequence: 0,
            over: false,
        };
        let replies = stream::try_unfold(conversation, |mut conversation| async move {
            Ok(conversation.next().await?.map(|reply| (reply, conversation)))
        });
        Ok(Response::new(Box::pin(replies)))
    }
}

/// What has been said on one stream.
struct Conversation {
    desk: Arc<Desk>,
    /// Ready when the agent is to connect again.
    left: Pin<Box<WaitForCancellationFutureOwned>>,
    messages: Streaming<ReportLoadRequest>,
    /// Once registered.
    session: Option<Session>,
    applied_sequence: i64,
    over: bool,
}

impl Conversation {
    /// The reply to the next message; `None` when there is nothing more to say.
    async fn next(&mut self) -> Result<Option<ReportLoadResponse>, Status> {
        if self.over {
            return Ok(None);
        }
        tokio::select! {
            () = &mut self.left => {
                self.over = true;
                Ok(Some(self.reply(ReportStatus::Reconnect)))
            }
            message = receive(&mut self.messages, self.session.is_some()) => match message? {
                Some(message) => self.answer(message).map(Some),
                None => Ok(None),
            },
        }
    }

    fn answer(&mut self, message: Message) -> Result<ReportLoadResponse, Status> {
        match (message, self.session.clone()) {
            (Message::Registration(registration), None) => self.register(&registration),
            (Message::Report(report), Some(session)) => self.apply(&session, &report),
            (Message::Farewell(farewell), Some(session)) => Ok(self.part(&session, &farewell)),
            _ => Err(status::registration_order()),
        }
    }

    fn register(&mut self, registration: &Registration) -> Result<ReportLoadResponse, Status> {
        let spec = convert::node::spec("registration.spec", registration.spec.as_ref());
        let spec = spec.map_err(|bad| status::invalid(&bad))?;
        let policy = self.desk.policy();
        let nodes = &self.desk.state.nodes;
        let session = if registration.unattended {
            nodes.admit(spec, &policy)
        } else {
            nodes.attend(spec, &policy, self.desk.now())
        };
        let session = session.map_err(status::table_full)?;
        info!(node = %session.id, unattended = registration.unattended, "node registered");
        self.session = Some(session);
        self.desk.announce_change();
        Ok(self.reply(ReportStatus::Registered))
    }

    fn apply(&mut self, session: &Session, report: &LoadReport) -> Result<ReportLoadResponse, Status> {
        let load = convert::load::load("report.load", report.load.as_ref());
        let kv_events = convert::cache::kv_events("report.kv_events", report.kv_events.as_ref());
        let (load, kv_events) = match (load, kv_events) {
            (Ok(load), Ok(kv_events)) => (load, kv_events),
            (Err(bad), _) | (_, Err(bad)) => return Ok(self.refuse(session, &bad)),
        };
        // A sequence below 1 counts as one that came already.
        let sequence = u64::try_from(report.sequence).unwrap_or(0);
        let policy = self.desk.policy();
        let now = self.desk.now();
        match session.apply(sequence, load, now, &policy.freshness) {
            Applied::Applied => {
                self.applied_sequence = report.sequence;
                self.desk.state.hear_cache(session, &kv_events, &policy.prefixes, now);
                Ok(self.reply(ReportStatus::Applied))
            }
            Applied::Stale => Ok(self.reply(ReportStatus::Stale)),
            Applied::Superseded => Err(status::superseded(&session.id)),
        }
    }

    fn refuse(&self, session: &Session, bad: &Invalid) -> ReportLoadResponse {
        warn!(node = %session.id, violations = ?bad.0, "load report refused");
        ReportLoadResponse { field_violations: bad.to_proto(), ..self.reply(ReportStatus::Refused) }
    }

    fn part(&mut self, session: &Session, farewell: &Farewell) -> ReportLoadResponse {
        if self.desk.state.nodes.part(session, &self.desk.policy().freshness, self.desk.now()) {
            let reason: String = farewell.reason.chars().take(REASON_CHARS_MAX).collect();
            info!(node = %session.id, reason, "node left");
        }
        self.session = None;
        self.over = true;
        self.reply(ReportStatus::Removed)
    }

    fn reply(&self, status: ReportStatus) -> ReportLoadResponse {
        let policy = self.desk.policy();
        ReportLoadResponse {
            status: status.into(),
            report_interval: Some(wire::duration(policy.freshness.report_interval)),
            applied_sequence: self.applied_sequence,
            field_violations: Vec::new(),
            prefix_block_tokens: policy.prefixes.block_tokens.get().cast_signed(),
        }
    }
}

/// The next message; who has not registered must not let wait for it.
async fn receive(
    messages: &mut Streaming<ReportLoadRequest>,
    is_registered: bool,
) -> Result<Option<Message>, Status> {
    let message = if is_registered {
        messages.message().await?
    } else {
        let first = timeout(REGISTRATION_TIMEOUT, messages.message()).await;
        first.map_err(|_| status::registration_timeout(REGISTRATION_TIMEOUT))??
    };
    let missing = || status::invalid(&Invalid::field("message", "is required"));
    message.map(|envelope| envelope.message.ok_or_else(missing)).transpose()
}

impl Drop for Conversation {
    fn drop(&mut self) {
        let Some(session) = self.session.take() else { return };
        if session.close(self.desk.now(), &self.desk.policy().freshness) {
            info!(node = %session.id, "node's stream ended");
        }
    }
}
