//! `LoadService` and `NodeService` over the wire.

use std::time::Duration;

use pointsman::{
    domain::policy::Policy,
    proto::{
        DrainNodeRequest, ExplainPickRequest, Farewell, Filter, GetNodeRequest, KvChange, KvEvents, KvRun,
        ListNodesRequest, LoadReport, NodeLoad, NodeOrigin, NodeState, RegisterNodeRequest, Registration,
        RemoveNodeRequest, ReportStatus, ResumeNodeRequest, report_load_request::Message,
    },
};
use tokio::time::{sleep, timeout};
use tonic::Code;
use tonic_types::StatusExt;

use crate::service::{Agent, DEADLINE, idle, nodes, rejection, route, routing, spec, start, text};

#[tokio::test]
async fn a_stream_registers_reports_and_leaves() {
    let running = start(Policy::default()).await;
    let mut agent = Agent::connect(&running).await;
    let registered = agent.register(spec("n1")).await.expect("it is taken");
    assert_eq!(registered.status(), ReportStatus::Registered);
    assert_eq!(registered.report_interval, Some(prost_types::Duration { seconds: 0, nanos: 500_000_000 }));
    assert_eq!(agent.report(3, idle()).await.expect("it is taken").status(), ReportStatus::Applied);
    for old in [3, 2, 0, -1, i64::MIN] {
        let reply = agent.report(old, idle()).await.expect("the stream goes on");
        assert_eq!((reply.status(), reply.applied_sequence), (ReportStatus::Stale, 3));
    }
    let absurd = NodeLoad { cpu_utilization: Some(30.0), ..NodeLoad::default() };
    let refused = agent.report(4, absurd).await.expect("the stream goes on");
    assert_eq!(refused.status(), ReportStatus::Refused);
    assert_eq!(refused.field_violations[0].field, "report.load.cpu_utilization");
    let nameless = KvEvents { cleared: true, changes: vec![KvChange::default()] };
    let report = LoadReport { sequence: 4, load: Some(idle()), kv_events: Some(nameless) };
    let refused = agent.say(Message::Report(report)).await.expect("the stream goes on");
    assert_eq!(refused.status(), ReportStatus::Refused);
    assert_eq!(refused.field_violations[0].field, "report.kv_events.changes[0].model");
    let left = agent.say(Message::Farewell(Farewell { reason: "done".into() })).await.expect("it is taken");
    assert_eq!(left.status(), ReportStatus::Removed);
    let gone = nodes(&running).await.get_node(GetNodeRequest { node_id: "n1".into() }).await;
    let gone = gone.expect_err("it left");
    assert_eq!(gone.code(), Code::NotFound);
    assert_eq!(gone.get_error_details().error_info().expect("a reason").reason, "NODE_NOT_FOUND");
}

#[tokio::test]
async fn a_stream_must_begin_with_a_sound_registration() {
    let running = start(Policy::default()).await;
    let mut hasty = Agent::connect(&running).await;
    assert_eq!(hasty.report(1, idle()).await.expect_err("not registered").code(), Code::FailedPrecondition);
    let mut wrong = Agent::connect(&running).await;
    let mut bad = spec("no spaces");
    bad.endpoints[0].uri = "relative".into();
    bad.weight = Some(f64::NAN);
    let status = wrong.register(bad).await.expect_err("it is malformed");
    let details = status.get_error_details();
    let fields: Vec<_> = details
        .bad_request()
        .expect("it names fields")
        .field_violations
        .iter()
        .map(|v| v.field.clone())
        .collect();
    let expected =
        ["registration.spec.node_id", "registration.spec.endpoints[0].uri", "registration.spec.weight"];
    assert_eq!(fields, expected);
}

/// Over a real connection; that it takes 200 ms is shown in virtual time by the tests of `Trust`.
#[tokio::test]
async fn a_node_whose_stream_breaks_off_gets_no_more_picks() {
    let running = start(Policy::default()).await;
    let agent = Agent::of_idle_node(&running, "n1").await;
    let mut client = routing(&running).await;
    route(client.pick_node(text("before")).await.expect("it answers").into_inner());
    drop(agent);
    let refused = timeout(DEADLINE, async {
        for i in 0.. {
            let answer = client.pick_node(text(&format!("r{i}"))).await.expect("it answers").into_inner();
            if let Some(pointsman::proto::pick_node_response::Outcome::Rejection(refused)) = answer.outcome {
                return refused;
            }
            tokio::task::yield_now().await;
        }
        unreachable!("it asks for ever")
    });
    assert_eq!(refused.await.expect("in time").emptied_by(), Filter::Freshness);
}

#[tokio::test(start_paused = true)]
async fn a_silent_node_gets_no_picks_after_two_seconds_of_virtual_time() {
    use pointsman::{api::desk::Desk, domain::decision::RejectionReason};
    let desk = Desk::new(Policy::default(), 1, 1, 1);
    let policy = desk.policy();
    desk.state.nodes.attend(crate::world::text_node("n1"), &policy, desk.now()).expect("there is room");
    let ask = |name: &str| desk.decide(&crate::world::text(name)).outcome;
    sleep(Duration::from_millis(1400)).await;
    assert!(ask("early").is_ok());
    sleep(Duration::from_millis(600)).await;
    let refused = ask("late").expect_err("it is silent");
    assert!(matches!(refused.reason, RejectionReason::NoEligibleNode(_)));
}

#[tokio::test]
async fn an_unattended_node_stays_with_its_load() {
    let running = start(Policy::default()).await;
    let mut agent = Agent::connect(&running).await;
    let by_hand = Registration { spec: Some(spec("n1")), unattended: true };
    agent.say(Message::Registration(by_hand)).await.expect("it is taken");
    let load = NodeLoad { cpu_utilization: Some(0.5), ..idle() };
    agent.report(1, load).await.expect("it is taken");
    drop(agent);
    let node = nodes(&running).await.get_node(GetNodeRequest { node_id: "n1".into() }).await;
    let node = node.expect("it stays").into_inner().node.expect("it is shown");
    assert_eq!(
        (node.state(), node.origin(), node.load_score),
        (NodeState::Ready, NodeOrigin::Registered, 20.0)
    );
}

#[tokio::test]
async fn nodes_are_listed_in_pages_drained_resumed_and_removed() {
    let running = start(Policy::default()).await;
    let mut client = nodes(&running).await;
    for id in ["c", "a", "b"] {
        client.register_node(RegisterNodeRequest { spec: Some(spec(id)) }).await.expect("it is taken");
    }
    let mut seen = Vec::new();
    let mut page_token = String::new();
    loop {
        let page =
            client.list_nodes(ListNodesRequest { page_size: 2, page_token }).await.expect("it answers");
        let page = page.into_inner();
        seen.extend(page.nodes.into_iter().map(|node| node.spec.expect("it is declared").node_id));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(seen, ["a", "b", "c"]);
    let drained = client.drain_node(DrainNodeRequest { node_id: "a".into() }).await.expect("it answers");
    assert_eq!(drained.into_inner().node.expect("it is shown").state(), NodeState::Draining);
    let excluded = || vec!["b".to_owned(), "c".to_owned()];
    let mut picks = routing(&running).await;
    let mut pick = pointsman::proto::PickNodeRequest { excluded_node_ids: excluded(), ..text("r1") };
    assert_eq!(
        rejection(picks.pick_node(pick.clone()).await.expect("it answers").into_inner()).emptied_by(),
        Filter::Drain
    );
    client.resume_node(ResumeNodeRequest { node_id: "a".into() }).await.expect("it answers");
    pick.request_id = "r2".into();
    assert_eq!(route(picks.pick_node(pick).await.expect("it answers").into_inner()).node_id, "a");
    client.remove_node(RemoveNodeRequest { node_id: "a".into() }).await.expect("it answers");
    assert!(client.get_node(GetNodeRequest { node_id: "a".into() }).await.is_err());
    let bad = client.list_nodes(ListNodesRequest { page_size: -1, page_token: String::new() }).await;
    assert_eq!(bad.expect_err("it is malformed").code(), Code::InvalidArgument);
}

/// The service tells by which blocks to hash; what a cache is told to hold draws the prompts that begin so, until it is
/// told to be gone.
#[tokio::test]
async fn what_an_agent_tells_of_a_cache_draws_the_prompts_that_begin_so() {
    let running = start(Policy::default()).await;
    let mut agents = Vec::new();
    for id in ["n1", "n2", "n3"] {
        let mut agent = Agent::connect(&running).await;
        assert_eq!(agent.register(spec(id)).await.expect("it is taken").prefix_block_tokens, 256);
        agents.push(agent);
    }
    let known = || NodeLoad { kv_capacity_tokens: Some(1_000_000), kv_active_tokens: Some(0), ..idle() };
    for agent in &mut agents {
        agent.report(1, known()).await.expect("it is taken");
    }
    let run = |parent_block, blocks: &[u64]| KvRun { parent_block, blocks: blocks.to_vec() };
    let stored = vec![run(None, &[1, 2, 3]), run(Some(3), &[4])];
    let change = KvChange { model: "m".into(), stored, ..KvChange::default() };
    let tell = |sequence, change: &KvChange| {
        let kv_events = Some(KvEvents { cleared: false, changes: vec![change.clone()] });
        Message::Report(LoadReport { sequence, load: Some(known()), kv_events })
    };
    agents[1].say(tell(2, &change)).await.expect("it is taken");
    let mut client = routing(&running).await;
    let mut cached = async |request_id: &str, tenant: &str| {
        let pick = pointsman::proto::PickNodeRequest {
            tenant: tenant.into(),
            prompt_tokens: Some(2000),
            prefix_blocks: vec![1, 2, 3, 4, 5],
            ..text(request_id)
        };
        let route = route(
            client
                .explain_pick(ExplainPickRequest { pick: Some(pick) })
                .await
                .expect("it answers")
                .into_inner()
                .decision
                .expect("one"),
        );
        (route.node_id, route.expected_cached_tokens)
    };
    assert_eq!(cached("theirs", "").await, ("n2".to_owned(), Some(1024)));
    assert_eq!(cached("others", "acme").await.1, Some(0), "another tenant's prompts are others");
    let removed = KvChange { removed: vec![3], stored: Vec::new(), ..change };
    agents[1].say(tell(3, &removed)).await.expect("it is taken");
    assert_eq!(cached("after", "").await, ("n2".to_owned(), Some(512)));
}
