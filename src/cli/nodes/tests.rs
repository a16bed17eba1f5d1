use super::*;
use crate::proto::{Endpoint, NodeLoad, NodeSpec, ServedModel};

fn spec(id: &str) -> NodeSpec {
    let endpoint = |kind: RequestType| Endpoint { request_type: kind.into(), uri: "http://a".into() };
    NodeSpec {
        node_id: id.into(),
        endpoints: vec![endpoint(RequestType::Text), endpoint(RequestType::Embedding)],
        ..NodeSpec::default()
    }
}

#[test]
fn nodes_are_a_table_where_a_gpu_stands_in_for_the_processor() {
    let model = |name: &str| ServedModel { name: name.into(), ..ServedModel::default() };
    let on_gpu = Node {
        spec: Some(NodeSpec {
            node_class: NodeClass::High.into(),
            models: vec![model("m"), model("l")],
            ..spec("gpu-1")
        }),
        state: NodeState::Ready.into(),
        load: Some(NodeLoad {
            cpu_utilization: Some(0.07),
            gpu_utilization: Some(0.305),
            memory_utilization: Some(0.4),
            running_request_count: Some(2),
            waiting_request_count: Some(0),
            ..NodeLoad::default()
        }),
        report_age: Some(prost_types::Duration { seconds: 0, nanos: 480_000_000 }),
        in_flight_request_count: 3,
        load_score: 24.19,
        ..Node::default()
    };
    let load = NodeLoad { cpu_utilization: Some(0.07), ..NodeLoad::default() };
    let on_cpu = Node {
        spec: Some(spec("cpu-1")),
        state: NodeState::Draining.into(),
        load: Some(load),
        ..Node::default()
    };
    let unknown = Node { spec: Some(spec("api")), state: NodeState::Unreported.into(), ..Node::default() };
    let expected = "\
┌───────┬────────┬─────────────────┬────────┬────────────┬──────┬─────────┬────────┬─────────┬─────────┬───────────┬────────────┐
│ node  ┆ class  ┆ types           ┆ models ┆ state      ┆ load ┆ cpu/gpu ┆ memory ┆ running ┆ waiting ┆ in flight ┆   reported │
╞═══════╪════════╪═════════════════╪════════╪════════════╪══════╪═════════╪════════╪═════════╪═════════╪═══════════╪════════════╡
│ gpu-1 ┆ high   ┆ text, embedding ┆ m, l   ┆ ready      ┆ 24.2 ┆    30 % ┆   40 % ┆       2 ┆       0 ┆         3 ┆ 480 ms ago │
│ cpu-1 ┆ normal ┆ text, embedding ┆ any    ┆ draining   ┆  0.0 ┆     7 % ┆      – ┆       – ┆       – ┆         0 ┆          – │
│ api   ┆ normal ┆ text, embedding ┆ any    ┆ unreported ┆  0.0 ┆       – ┆      – ┆       – ┆       – ┆         0 ┆          – │
└───────┴────────┴─────────────────┴────────┴────────────┴──────┴─────────┴────────┴─────────┴─────────┴───────────┴────────────┘";
    assert_eq!(table(&[on_gpu, on_cpu, unknown]), expected);
}

#[test]
fn learned_speeds_are_a_column_where_one_is_known() {
    let learned = Node { learned_work_per_ms: Some(13.755), ..Node::default() };
    let told = table(&[learned, Node::default()]);
    let last = |line: &str| line.rsplit(['┆', '│']).nth(1).map(|cell| cell.trim().to_owned());
    let cells: Vec<_> = told.lines().filter_map(last).filter(|cell| !cell.is_empty()).collect();
    assert_eq!(cells, ["work/ms", "13.76", "–"]);
    assert!(!table(&[Node::default()]).contains("work/ms"));
}

#[test]
fn an_empty_table_says_how_to_fill_it() {
    assert!(table(&[]).starts_with("No node is registered. Start one with `pointsman agent`"));
}
