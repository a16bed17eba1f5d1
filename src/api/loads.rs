//! `LoadService`: one conversation with each agent.
//!
//! The end of a conversation, however it comes about, is the end of its value: dropping it tells the node table that
//! nobody speaks for the node any more.

use std::{sync::Arc, time::Duration};

use futures_util::stream::Empty;
use tonic::{Request, Response, Status, Streaming};
use tracing::{info, warn};

use super::{
    convert::{self, Invalid, reply::Generated},
    desk::Desk,
    lane::Come,
    message::{decoded, framed},
    status,
    stream::{Answer, Talk},
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
pub struct Loads(pub Arc<Desk>);

/// Each stream has a short way of its own (`api::dispatch`), unless its messages are encoded: those tonic refuses before it
/// asks here.
#[tonic::async_trait]
impl LoadService for Loads {
    type ReportLoadStream = Empty<Result<ReportLoadResponse, Status>>;

    async fn report_load(
        &self,
        _: Request<Streaming<ReportLoadRequest>>,
    ) -> Result<Response<Self::ReportLoadStream>, Status> {
        Err(status::astray())
    }
}

/// What has been said on one stream.
pub(super) struct Conversation {
    desk: Arc<Desk>,
    /// Once registered.
    session: Option<Session>,
    applied_sequence: i64,
    over: bool,
}

/// `ReportLoad`.
impl Talk for Conversation {
    fn answer(&mut self, message: &[u8]) -> Result<Answer, Status> {
        let told: ReportLoadRequest = decoded(message)?;
        let missing = || status::invalid(&Invalid::field("message", "is required"));
        let reply = self.hear(told.message.ok_or_else(missing)?)?;
        Ok(Come::Now(Ok(framed(&Generated(&reply)))))
    }

    fn patience(&self) -> Option<(Duration, Status)> {
        Some((REGISTRATION_TIMEOUT, status::registration_timeout(REGISTRATION_TIMEOUT)))
    }

    fn is_over(&self) -> bool {
        self.over
    }

    fn leave(&mut self) -> Option<Vec<u8>> {
        Some(framed(&Generated(&self.reply(ReportStatus::Reconnect))))
    }

    fn end(_: bool) -> Result<(), Status> {
        Ok(())
    }
}

impl Conversation {
    /// Nothing has been said.
    pub(super) fn new(desk: Arc<Desk>) -> Self {
        Self { desk, session: None, applied_sequence: 0, over: false }
    }

    fn hear(&mut self, message: Message) -> Result<ReportLoadResponse, Status> {
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

impl Drop for Conversation {
    fn drop(&mut self) {
        let Some(session) = self.session.take() else { return };
        if session.close(self.desk.now(), &self.desk.policy().freshness) {
            info!(node = %session.id, "node's stream ended");
        }
    }
}
