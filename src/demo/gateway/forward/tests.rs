use axum::{Router, http::StatusCode, routing::post};

use super::*;

const TEXT: Work = Work::Text { prompt_tokens: 2, answer_tokens: 2 };

/// Forwards a text request to a server that says this.
#[expect(clippy::disallowed_methods, reason = "the test ends the server itself")]
async fn told(status: StatusCode, body: &'static str) -> Result<Answer, Failure> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
    let endpoint = format!("http://{}/", listener.local_addr().expect("it is bound"));
    let router = Router::new().route("/", post(move || async move { (status, body) }));
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let forwarder = Forwarder::new().expect("nothing special is asked of it");
    let answer = forwarder.forward(&endpoint, TEXT).await;
    server.abort();
    answer
}

#[tokio::test]
async fn a_stream_that_ends_with_done_is_an_answer() {
    assert!(told(StatusCode::OK, "data: {}\n\ndata: [DONE]\n\n").await.is_ok());
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_a_failure() {
    assert_eq!(told(StatusCode::OK, "data: {}\n\n").await, Err(Failure::Broken));
}

#[tokio::test]
async fn an_error_of_the_node_is_a_failure() {
    let told = told(StatusCode::INTERNAL_SERVER_ERROR, "data: [DONE]\n\n").await;
    assert_eq!(told, Err(Failure::Broken));
}
