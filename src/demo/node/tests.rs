use serde_json::{Value, json};

use super::*;

/// No time for anything but one step of each kind.
const QUICK: Pace = Pace {
    slots: 2,
    prefill: Duration::ZERO,
    decode: Duration::from_millis(1),
    crowding: 0.0,
    image: Duration::from_millis(1),
    speech: Duration::ZERO,
    cache_tokens: 1000,
};

fn node(pace: Pace) -> Node {
    let queue_capacity = NonZeroU32::new(12).expect("12 is not 0");
    let plan = Plan { id: "quick", class: NodeClass::Normal, queue_capacity, pace };
    // Nobody listens on port 0: the agent goes on trying, which is none of these tests' business.
    Node::start(&plan, SocketAddr::from(([127, 0, 0, 1], 0))).expect("loopback has a free port")
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().expect("nothing special is asked of it")
}

fn chat(node: &Node, asked: &Value) -> reqwest::RequestBuilder {
    client().post(format!("http://{}{}", node.address, server::CHAT)).json(asked)
}

fn hello(tokens: u32, stream: bool) -> Value {
    json!({ "model": "m", "messages": [{ "role": "user", "content": "a b c" }], "max_tokens": tokens, "stream": stream })
}

#[tokio::test]
async fn a_streamed_answer_comes_in_events_and_ends_with_done() {
    let node = node(QUICK);
    let body =
        chat(&node, &hello(12, true)).send().await.expect("it answers").text().await.expect("to the end");
    let events: Vec<_> = body.split("\n\n").filter(|event| !event.is_empty()).collect();
    assert_eq!(events.last(), Some(&"data: [DONE]"));
    let tokens = |event: &str| {
        let chunk: Value = serde_json::from_str(event.strip_prefix("data: ")?).ok()?;
        Some(chunk["choices"][0]["delta"]["content"].as_str()?.split_whitespace().count())
    };
    let counts: Vec<_> = events.iter().filter_map(|event| tokens(event)).collect();
    assert_eq!(counts, [1, 8, 3]);
}

#[tokio::test]
async fn an_answer_that_is_not_streamed_comes_whole() {
    let node = node(QUICK);
    let answer: Value =
        chat(&node, &hello(5, false)).send().await.expect("it answers").json().await.expect("JSON");
    assert_eq!(answer["usage"], json!({ "prompt_tokens": 3, "completion_tokens": 5 }));
}

#[tokio::test]
async fn the_metrics_page_tells_what_runs() {
    let node = node(Pace { decode: Duration::from_hours(1), ..QUICK });
    let _open = chat(&node, &hello(1, true)).send().await.expect("the headers come before the first token");
    let url = format!("http://{}/metrics", node.address);
    let page = client().get(url).send().await.expect("it answers").text().await.expect("a page");
    assert!(page.contains("\nvllm:num_requests_running 1\n"), "{page}");
    assert!(page.contains("\nvllm:num_requests_waiting 0\n"), "{page}");
    assert!(page.contains("\nvllm:kv_cache_usage_perc 0.004\n"), "{page}");
    assert!(page.contains("\ndemo:slots_busy_ratio 0.5\n"), "{page}");
}

#[tokio::test]
async fn killing_a_node_breaks_open_streams_and_refuses_new_ones() {
    let node = node(Pace { decode: Duration::from_hours(1), ..QUICK });
    let open = chat(&node, &hello(1, true)).send().await.expect("the headers come before the first token");
    let again = chat(&node, &hello(1, true));
    drop(node);
    let read = tokio::time::timeout(Duration::from_secs(5), open.bytes()).await;
    assert!(read.expect("it does not hang").is_err());
    assert!(again.send().await.is_err());
}
