//! How does a request reach the picked node?
//!
//! Over HTTP, in the shapes of `OpenAI`'s API, straight from the gateway: the service never sees it. An answer counts only if it
//! came to its end; a stream that breaks off in the middle is a failure.

use std::time::Duration;

use reqwest::{
    Client, RequestBuilder, Response,
    multipart::{Form, Part},
};
use serde_json::json;
use tokio::time::Instant;

use super::super::{node::server::BYTES_A_SECOND, workload::Work};

/// A node that has not answered to the end within this is given up.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// A node that does not accept a connection within this is given up.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// What a stream ends with.
const LAST_EVENT: &[u8] = b"data: [DONE]\n\n";

/// Sends requests to model servers.
#[derive(Debug, Clone)]
pub(in crate::demo) struct Forwarder(Client);

/// How long an answer took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::demo) struct Answer {
    /// Time from sending to the first token, or to the whole answer where it has no tokens.
    pub(in crate::demo) first_token_latency: Duration,
    /// Time from sending to the end.
    pub(in crate::demo) total_latency: Duration,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::demo) enum Failure {
    /// The node cannot be reached, broke off, or said that it failed.
    Broken,
    /// It took too long.
    Timeout,
}

impl Forwarder {
    /// Prepares to send; no proxy stands before loopback, whatever the environment says.
    pub(in crate::demo) fn new() -> Result<Self, reqwest::Error> {
        let client = Client::builder().no_proxy().connect_timeout(CONNECT_TIMEOUT).timeout(ANSWER_TIMEOUT);
        Ok(Self(client.build()?))
    }

    /// Sends a request to an endpoint and reads the answer to its end.
    pub(in crate::demo) async fn forward(&self, endpoint: &str, work: Work) -> Result<Answer, Failure> {
        let sent = Instant::now();
        let request = self.request(endpoint, work);
        let read = async { read(request.send().await?.error_for_status()?).await };
        let (first, last_event) = read.await.map_err(|error| failure(&error))?;
        let total_latency = sent.elapsed();
        match (work, first) {
            (Work::Text { .. }, Some(first)) if last_event => {
                Ok(Answer { first_token_latency: first - sent, total_latency })
            }
            (Work::Text { .. }, _) => Err(Failure::Broken),
            (Work::Image | Work::Audio { .. }, _) => {
                Ok(Answer { first_token_latency: total_latency, total_latency })
            }
        }
    }

    fn request(&self, endpoint: &str, work: Work) -> RequestBuilder {
        let request = self.0.post(endpoint);
        match work {
            Work::Text { prompt_tokens, answer_tokens } => request.json(&json!({
                "model": work.model(),
                "messages": [{ "role": "user", "content": "word ".repeat(prompt_tokens as usize) }],
                "max_tokens": answer_tokens,
                "stream": true,
            })),
            Work::Image => request.json(&json!({ "model": work.model(), "prompt": "a signal box at dusk" })),
            Work::Audio { seconds } => {
                let recording =
                    Part::bytes(vec![0; seconds as usize * BYTES_A_SECOND]).file_name("speech.mp3");
                request.multipart(Form::new().text("model", work.model()).part("file", recording))
            }
        }
    }
}

/// Reads to the end. Returns when the first piece came, and whether the last event was the one that closes a stream.
async fn read(mut response: Response) -> Result<(Option<Instant>, bool), reqwest::Error> {
    let mut first = None;
    // Pieces are cut anywhere: the last event may come in two.
    let mut tail = Vec::new();
    while let Some(piece) = response.chunk().await? {
        first.get_or_insert_with(Instant::now);
        tail.extend_from_slice(&piece);
        tail.drain(..tail.len().saturating_sub(LAST_EVENT.len()));
    }
    Ok((first, tail == LAST_EVENT))
}

fn failure(error: &reqwest::Error) -> Failure {
    if error.is_timeout() { Failure::Timeout } else { Failure::Broken }
}

#[cfg(test)]
mod tests;
