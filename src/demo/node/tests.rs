use super::*;

fn chat(stream: bool) -> Chat {
    let message = Message { role: "user".into(), content: "one two three".into() };
    Chat { model: "demo".into(), messages: vec![message], max_tokens: 3, stream }
}

#[tokio::test]
async fn it_streams_completes_draws_and_listens() {
    let node = Node::start(Engine::new(50.0, 2)).expect("a free port");
    let http = reqwest::Client::new();
    let post =
        |path: &str, body: serde_json::Value| http.post(format!("{}{path}", node.url())).json(&body).send();
    let streamed = post("/v1/chat/completions", json!(chat(true))).await.expect("it answers").text().await;
    let events = streamed.expect("it answers whole");
    assert_eq!(events.matches("data: ").count(), 4, "three tokens and the end: {events}");
    assert!(events.trim_end().ends_with("data: [DONE]"));
    let whole: serde_json::Value = post("/v1/chat/completions", json!(chat(false)))
        .await
        .expect("it answers")
        .json()
        .await
        .expect("it is JSON");
    assert_eq!(whole["usage"], json!({ "prompt_tokens": 3, "completion_tokens": 3 }));
    for path in ["/v1/images/generations", "/v1/audio/transcriptions"] {
        assert!(post(path, json!({})).await.expect("it answers").status().is_success());
    }
    let page = http.get(format!("{}/metrics", node.url())).send().await.expect("it answers").text().await;
    assert!(page.expect("a page").contains("vllm:num_requests_running{model_name=\"demo\"} 0\n"));
    node.kill();
}

#[tokio::test]
async fn a_killed_node_breaks_open_connections() {
    let node = Node::start(Engine::new(0.001, 2)).expect("a free port");
    let url = node.url();
    let asked = reqwest::Client::new().post(format!("{url}/v1/images/generations")).body("{}").send();
    let (answer, ()) = tokio::join!(asked, async {
        // By the time that a second request is answered the first one is in progress.
        let _ = reqwest::get(format!("{url}/metrics")).await;
        node.kill();
    });
    assert!(answer.is_err());
    assert!(reqwest::get(format!("{url}/metrics")).await.is_err());
}
