//! A model node: an HTTP server in the dialect of `OpenAI`, with a metrics page in the dialect of vLLM.
//!
//! Each node has a runtime of its own, as it would have a process of its own: dropping that is a crash, in which open
//! connections break and the agent beside it dies without a word.

use std::{convert::Infallible, io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    response::{
        IntoResponse, Response,
        sse::{Event, Sse},
    },
    routing::{get, post},
};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::runtime::{Builder, Runtime};

use super::engine::Engine;
use crate::{agent, config::AgentConfig};

/// Time of an image on a node of speed 1.
const IMAGE: Duration = Duration::from_millis(300);
/// Time of a transcription on a node of speed 1.
const TRANSCRIPTION: Duration = Duration::from_millis(200);

/// A node that runs.
#[derive(Debug)]
pub(super) struct Node {
    address: SocketAddr,
    runtime: Runtime,
}

/// Body of a chat completion, as far as the node reads it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Chat {
    /// The model.
    pub(super) model: String,
    /// The conversation.
    pub(super) messages: Vec<Message>,
    /// Tokens to write.
    pub(super) max_tokens: u32,
    /// Whether to send tokens as they come.
    #[serde(default)]
    pub(super) stream: bool,
}

/// One message of a conversation.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Message {
    /// Who speaks.
    pub(super) role: String,
    /// What is said; a word counts as a token.
    pub(super) content: String,
}

impl Node {
    /// Starts serving on a free port of loopback.
    pub(super) fn start(engine: Engine) -> io::Result<Self> {
        let runtime =
            Builder::new_multi_thread().worker_threads(1).thread_name("model-node").enable_all().build()?;
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let router = router(Arc::new(engine));
        runtime.spawn(async move { axum::serve(tokio::net::TcpListener::from_std(listener)?, router).await });
        Ok(Self { address, runtime })
    }

    /// Where it serves.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Starts an agent beside it.
    pub(super) fn attend(&self, config: AgentConfig) {
        self.runtime.spawn(agent::run(config, std::future::pending()));
    }

    /// Crashes it: connections break, the agent dies.
    pub(super) fn kill(self) {
        self.runtime.shutdown_background();
    }
}

fn router(engine: Arc<Engine>) -> Router {
    Router::new()
        .route("/v1/chat/completions", post(chat))
        .route("/v1/images/generations", post(image))
        .route("/v1/audio/transcriptions", post(transcription))
        .route("/metrics", get(metrics))
        .with_state(engine)
}

async fn chat(State(engine): State<Arc<Engine>>, Json(chat): Json<Chat>) -> Response {
    let words = chat.messages.iter().map(|message| message.content.split_whitespace().count()).sum::<usize>();
    let prompt_tokens = u32::try_from(words).unwrap_or(u32::MAX);
    if chat.stream {
        return tokens(engine, prompt_tokens, chat.max_tokens).into_response();
    }
    let slot = engine.slot().await;
    slot.prefill(prompt_tokens).await;
    for _ in 0..chat.max_tokens {
        slot.token().await;
    }
    let content = "word ".repeat(chat.max_tokens as usize);
    Json(json!({
        "object": "chat.completion",
        "model": chat.model,
        "choices": [{ "index": 0, "message": { "role": "assistant", "content": content }, "finish_reason": "stop" }],
        "usage": { "prompt_tokens": prompt_tokens, "completion_tokens": chat.max_tokens },
    }))
    .into_response()
}

/// Server-sent events, one a token. The slot is held by a task of its own, which ends when nobody listens any more.
#[expect(clippy::disallowed_methods, reason = "the task ends with its listener, and with the node's runtime")]
fn tokens(engine: Arc<Engine>, prompt: u32, answer: u32) -> impl IntoResponse {
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    tokio::spawn(async move {
        let slot = engine.slot().await;
        slot.prefill(prompt).await;
        for number in 0..answer {
            slot.token().await;
            let delta =
                json!({ "choices": [{ "index": 0, "delta": { "content": format!("word{number} ") } }] });
            if sender.send(delta.to_string()).await.is_err() {
                return;
            }
        }
        let _ = sender.send("[DONE]".to_owned()).await;
    });
    Sse::new(stream::unfold(receiver, |mut receiver| async {
        let text = receiver.recv().await?;
        Some((Ok::<_, Infallible>(Event::default().data(text)), receiver))
    }))
}

async fn image(State(engine): State<Arc<Engine>>, _body: Bytes) -> Response {
    engine.slot().await.work(IMAGE).await;
    Json(json!({ "created": 0, "data": [{ "b64_json": "" }] })).into_response()
}

async fn transcription(State(engine): State<Arc<Engine>>, _body: Bytes) -> Response {
    engine.slot().await.work(TRANSCRIPTION).await;
    Json(json!({ "text": "words" })).into_response()
}

async fn metrics(State(engine): State<Arc<Engine>>) -> String {
    format!(
        "# TYPE vllm:num_requests_running gauge\n\
         vllm:num_requests_running{{model_name=\"demo\"}} {}\n\
         # TYPE vllm:num_requests_waiting gauge\n\
         vllm:num_requests_waiting{{model_name=\"demo\"}} {}\n\
         # TYPE vllm:kv_cache_usage_perc gauge\n\
         vllm:kv_cache_usage_perc{{model_name=\"demo\"}} {busy}\n\
         # TYPE demo:slot_utilization gauge\n\
         demo:slot_utilization {busy}\n",
        engine.running(),
        engine.waiting(),
        busy = engine.busy_ratio(),
    )
}

#[cfg(test)]
mod tests;
