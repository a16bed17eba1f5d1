//! What does a day of a service consist of?
//!
//! Picks, each by a user of its own time, with a prompt whose end is new; most are followed by an outcome, some by nothing, so
//! that their lease expires. One of eight asks for an answer, which is stored where it was not known. Beside them connections
//! come and go.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use pointsman::{
    domain::time::Chance,
    proto::{
        OutcomeResult, PickNodeRequest, ReportOutcomeRequest, RequestType, Route, StoreAnswerRequest,
        answer_service_client::AnswerServiceClient, pick_node_request::Question, pick_node_response::Outcome,
        routing_service_client::RoutingServiceClient, store_answer_request,
    },
};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until},
};
use tonic::transport::{Channel, Endpoint};

use super::{
    fleet,
    prompts::{BLOCKS, PROMPT_TOKENS, PROMPTS, block},
    said::Failure,
};

const CALLERS: u64 = 64;
const CONNECTIONS: usize = 4;
/// How often a connection comes, asks once, and goes.
const VISIT: Duration = Duration::from_millis(100);
/// Picks of one user, one after the other, before the next one comes.
const PICKS_OF_USER: u64 = 5;
/// Of so many picks one asks for an answer.
const ASKS_ANSWER: u64 = 8;
/// Questions, in turn: many more than there is memory for their answers.
const QUESTIONS: u64 = 50_000;
/// Of so many picks one is never heard of again.
const FORGOTTEN: u64 = 10;
/// Blocks at the end of a prompt that nobody has asked before.
const NEW_BLOCKS: u64 = 8;
const ANSWER_BYTES: usize = 1000;

/// What has been asked, and how it was answered.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    next: AtomicU64,
    /// Picks that got a route.
    pub(crate) routes: AtomicU64,
    /// Picks that got an answer.
    pub(crate) answers: AtomicU64,
    /// Picks that got neither.
    pub(crate) rejections: AtomicU64,
    /// Connections that came and went.
    pub(crate) visits: AtomicU64,
}

#[derive(Clone)]
struct Caller {
    routing: RoutingServiceClient<Channel>,
    answers: AnswerServiceClient<Channel>,
    seen: Arc<Seen>,
}

/// Begins to ask at a rate a second; goes on for as long as the tasks live.
pub(crate) async fn begin(
    address: SocketAddr,
    rate: f64,
    seen: &Arc<Seen>,
    tasks: &mut JoinSet<Result<(), Failure>>,
) -> Result<(), Failure> {
    let started = Instant::now();
    let pause = Duration::from_secs_f64(CALLERS as f64 / rate);
    let mut connected = Vec::new();
    for _ in 0..CONNECTIONS {
        connected.push(Caller::connect(address, seen).await?);
    }
    for (number, caller) in (0..CALLERS).zip(connected.into_iter().cycle()) {
        let offset = pause.mul_f64(number as f64 / CALLERS as f64);
        tasks.spawn(caller.ask_on(started + offset, pause));
    }
    let seen = Arc::clone(seen);
    tasks.spawn(async move {
        for number in 1.. {
            sleep_until(started + VISIT * number).await;
            Caller::connect(address, &seen).await?.pick().await?;
            seen.visits.fetch_add(1, Relaxed);
        }
        Ok(())
    });
    Ok(())
}

impl Caller {
    async fn connect(address: SocketAddr, seen: &Arc<Seen>) -> Result<Self, Failure> {
        let endpoint = Endpoint::from_shared(format!("http://{address}"))?.tcp_nodelay(true);
        let channel = endpoint.connect().await?;
        let (routing, answers) =
            (RoutingServiceClient::new(channel.clone()), AnswerServiceClient::new(channel));
        Ok(Self { routing, answers, seen: Arc::clone(seen) })
    }

    async fn ask_on(mut self, started: Instant, pause: Duration) -> Result<(), Failure> {
        for number in 0.. {
            sleep_until(started + pause * number).await;
            self.pick().await?;
        }
        Ok(())
    }

    async fn pick(&mut self) -> Result<(), Failure> {
        let number = self.seen.next.fetch_add(1, Relaxed);
        let picked = self.routing.pick_node(request(number)).await?.into_inner();
        match picked.outcome {
            Some(Outcome::Route(route)) => {
                self.seen.routes.fetch_add(1, Relaxed);
                if number % FORGOTTEN == 3 { Ok(()) } else { self.end(number, route).await }
            }
            Some(Outcome::CachedAnswer(_)) => {
                self.seen.answers.fetch_add(1, Relaxed);
                Ok(())
            }
            Some(Outcome::Rejection(_)) | None => {
                self.seen.rejections.fetch_add(1, Relaxed);
                Ok(())
            }
        }
    }

    /// As a gateway does once a model has answered.
    async fn end(&mut self, number: u64, route: Route) -> Result<(), Failure> {
        if let Some(question) = question(number) {
            let answer = StoreAnswerRequest {
                request_type: RequestType::Text.into(),
                model: fleet::model(0),
                question: Some(store_answer_request::Question::Fingerprint(question)),
                body: Some(store_answer_request::Body::Inline(vec![b'.'; ANSWER_BYTES])),
                ..StoreAnswerRequest::default()
            };
            self.answers.store_answer(answer).await?;
        }
        let outcome = ReportOutcomeRequest {
            request_id: name(number),
            lease_id: route.lease_id,
            result: OutcomeResult::Ok.into(),
            input_tokens: Some(PROMPT_TOKENS.into()),
            output_tokens: Some(100),
            ..ReportOutcomeRequest::default()
        };
        self.routing.report_outcome(outcome).await?;
        Ok(())
    }
}

fn name(number: u64) -> String {
    format!("{number:016x}")
}

/// The fingerprint that a pick asks for, if it does.
fn question(number: u64) -> Option<Vec<u8>> {
    let question = number / ASKS_ANSWER % QUESTIONS;
    // Some are asked again soon, and known then.
    let question = if question % 4 == 3 { question - 3 } else { question };
    number.is_multiple_of(ASKS_ANSWER).then(|| name(question).into_bytes())
}

fn request(number: u64) -> PickNodeRequest {
    let prompt = number.wrapping_mul(389) % PROMPTS;
    let known = (0..BLOCKS - NEW_BLOCKS).map(|number| block(prompt, number));
    let fresh = (0..NEW_BLOCKS).map(|place| Chance::with_seed(!(number * NEW_BLOCKS + place)).u64(..));
    PickNodeRequest {
        request_id: name(number),
        request_type: RequestType::Text.into(),
        model: fleet::model(0),
        user: format!("user-{}", number / PICKS_OF_USER),
        prompt_tokens: Some(PROMPT_TOKENS.into()),
        max_output_tokens: Some(500),
        question: question(number).map(Question::Fingerprint),
        prefix_blocks: known.chain(fresh).collect(),
        ..PickNodeRequest::default()
    }
}
