//! What does a node of the demo say over HTTP?
//!
//! The part of `OpenAI`'s API that the gateway uses, and a metrics page with vLLM's names. The answers say nothing; how
//! long they take is up to the [`Engine`].

use std::{convert::Infallible, net::TcpListener, sync::Arc};

use axum::{
    Json, Router,
    body::Body,
    extract::{Multipart, State},
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use futures_util::{Stream, stream};
use serde::Deserialize;
use serde_json::json;

use super::engine::{Engine, Gauges, Slot};

/// Path of chat completions.
pub(in crate::demo) const CHAT: &str = "/v1/chat/completions";
/// Path of image generation.
pub(in crate::demo) const IMAGES: &str = "/v1/images/generations";
/// Path of transcription.
pub(in crate::demo) const TRANSCRIPTIONS: &str = "/v1/audio/transcriptions";
/// Bytes that stand for one second of speech.
pub(in crate::demo) const BYTES_A_SECOND: usize = 500;
/// Metric that tells which share of the slots is busy.
pub(super) const BUSY: &str = "demo:slots_busy_ratio";

/// Tokens of an answer that asks for no number of them.
const ANSWER_TOKENS: u32 = 32;
/// Most tokens of one answer.
const ANSWER_TOKENS_MAX: u32 = 4096;
/// Tokens that are streamed at once after the first.
const CHUNK_TOKENS: u32 = 8;

/// Serves until the runtime ends.
pub(super) async fn serve(listener: TcpListener, engine: Arc<Engine>) {
    let served = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => axum::serve(listener, router(engine)).await,
        Err(error) => Err(error),
    };
    if let Err(error) = served {
        tracing::error!(%error, "a model server of the demo ended");
    }
}

fn router(engine: Arc<Engine>) -> Router {
    Router::new()
        .route(CHAT, post(chat))
        .route(IMAGES, post(draw))
        .route(TRANSCRIPTIONS, post(transcribe))
        .route("/metrics", get(metrics))
        .with_state(engine)
}

/// The fields of a chat request that cost time.
#[derive(Debug, Deserialize)]
struct Chat {
    messages: Vec<Message>,
    #[serde(default)]
    max_tokens: Option<u32>,
    #[serde(default)]
    stream: bool,
}

#[derive(Debug, Deserialize)]
struct Message {
    content: String,
}

impl Chat {
    /// A word counts as a token.
    fn prompt_tokens(&self) -> u32 {
        let words: usize =
            self.messages.iter().map(|message| message.content.split_whitespace().count()).sum();
        u32::try_from(words).unwrap_or(u32::MAX)
    }

    fn answer_tokens(&self) -> u32 {
        self.max_tokens.unwrap_or(ANSWER_TOKENS).clamp(1, ANSWER_TOKENS_MAX)
    }
}

async fn chat(State(engine): State<Arc<Engine>>, Json(asked): Json<Chat>) -> Response {
    let (prompt, answer) = (asked.prompt_tokens(), asked.answer_tokens());
    if asked.stream {
        let body = Body::from_stream(tell(engine, prompt, answer));
        return ([(CONTENT_TYPE, "text/event-stream")], body).into_response();
    }
    let slot = engine.enter(prompt.saturating_add(answer)).await;
    slot.prefill(prompt).await;
    slot.decode(answer).await;
    let message = json!({ "role": "assistant", "content": words(answer) });
    Json(json!({
        "object": "chat.completion",
        "choices": [{ "index": 0, "message": message, "finish_reason": "length" }],
        "usage": { "prompt_tokens": prompt, "completion_tokens": answer },
    }))
    .into_response()
}

/// How far an answer has been told.
enum Telling {
    Queued(Arc<Engine>),
    Begun(Slot, u32),
    Told,
    Closed,
}

/// The answer as server-sent events: one token as soon as there is one, the others in chunks.
fn tell(engine: Arc<Engine>, prompt: u32, answer: u32) -> impl Stream<Item = Result<String, Infallible>> {
    stream::unfold(Telling::Queued(engine), move |telling| async move {
        let (slot, left, tokens) = match telling {
            Telling::Queued(engine) => {
                let slot = engine.enter(prompt.saturating_add(answer)).await;
                slot.prefill(prompt).await;
                (slot, answer, 1)
            }
            Telling::Begun(slot, left) => (slot, left, left.min(CHUNK_TOKENS)),
            Telling::Told => return Some((Ok("data: [DONE]\n\n".into()), Telling::Closed)),
            Telling::Closed => return None,
        };
        slot.decode(tokens).await;
        let next = if left > tokens { Telling::Begun(slot, left - tokens) } else { Telling::Told };
        Some((Ok(event(tokens)), next))
    })
}

fn event(tokens: u32) -> String {
    let delta = json!({ "content": words(tokens) });
    let chunk = json!({ "object": "chat.completion.chunk", "choices": [{ "index": 0, "delta": delta }] });
    format!("data: {chunk}\n\n")
}

fn words(tokens: u32) -> String {
    "clickety ".repeat(tokens as usize)
}

async fn draw(State(engine): State<Arc<Engine>>) -> Response {
    engine.enter(0).await.draw().await;
    Json(json!({ "data": [{ "b64_json": "" }] })).into_response()
}

async fn transcribe(State(engine): State<Arc<Engine>>, mut form: Multipart) -> Response {
    let mut bytes = 0;
    loop {
        match form.next_field().await {
            Ok(Some(field)) if field.name() == Some("file") => {
                bytes = field.bytes().await.map_or(0, |bytes| bytes.len());
            }
            Ok(Some(_)) => {}
            Ok(None) => break,
            Err(error) => return (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
        }
    }
    let seconds = u32::try_from(bytes / BYTES_A_SECOND).unwrap_or(u32::MAX);
    engine.enter(0).await.transcribe(seconds).await;
    Json(json!({ "text": words(seconds) })).into_response()
}

async fn metrics(State(engine): State<Arc<Engine>>) -> Response {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], page(engine.gauges())).into_response()
}

fn page(gauges: Gauges) -> String {
    let gauge = |name: &str, help: &str, value: f64| {
        format!("# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}\n")
    };
    [
        gauge("vllm:num_requests_running", "Requests in execution.", gauges.running.into()),
        gauge("vllm:num_requests_waiting", "Requests in the queue.", gauges.waiting.into()),
        gauge("vllm:kv_cache_usage_perc", "Share of the cache in use, from 0 to 1.", gauges.cache),
        gauge(BUSY, "Share of the slots that are busy, from 0 to 1.", gauges.busy),
    ]
    .concat()
}
