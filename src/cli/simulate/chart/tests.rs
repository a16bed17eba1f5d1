use proptest::prelude::*;

use super::*;
use crate::cli::simulate::fixture;

/// The texts of a picture, which is well-formed.
fn texts(svg: &str) -> Vec<String> {
    let document = roxmltree::Document::parse(svg).expect("it is well-formed");
    let texts = document.descendants().filter(|node| node.has_tag_name("text") || node.has_tag_name("title"));
    texts.map(|node| node.text().unwrap_or_default().to_owned()).collect()
}

fn says(svg: &str, part: &str) -> bool {
    texts(svg).iter().any(|text| text.contains(part))
}

#[test]
fn trace_nodes_load_seed_and_all_policies_are_named() {
    let svg = svg(&fixture::report());
    for part in [
        "mooncake-conversation: 4 nodes at 90 % of saturation (speed 2.31), seed 7",
        "1,000 requests",
        "round_robin · 68.0 % in time · p99 34 s",
        "least_in_flight · 88.0 %",
        "expected_cost · 93.0 %",
        "node-3",
        "500 ms",
        "10 s",
        "20 min",
    ] {
        assert!(says(&svg, part), "{part} in {:?}", texts(&svg));
    }
}

#[test]
fn the_same_report_gives_the_same_bytes_and_nothing_is_fetched_or_run() {
    let svg = svg(&fixture::report());
    assert_eq!(svg, super::svg(&fixture::report()));
    for word in ["<script", "href", "url(", "@import", "NaN", "inf", "<image"] {
        assert!(!svg.contains(word), "{word}");
    }
}

#[test]
fn names_are_escaped() {
    let mut report = fixture::report();
    report.trace = "<a href=\"x\">&\u{1b}]".to_owned();
    report.runs[0].policy = "p<\u{0}&amp;".to_owned();
    report.runs[0].nodes[0].name = "n\"<>".to_owned();
    let svg = svg(&report);
    assert!(says(&svg, "<a href=\"x\">&\u{fffd}]"), "{:?}", texts(&svg));
    assert!(says(&svg, "p<\u{fffd}&amp; ·") && says(&svg, "n\"<>"), "{:?}", texts(&svg));
}

#[test]
fn lines_end_below_the_top_where_requests_were_refused() {
    let mut report = fixture::report();
    report.runs[0].requests = 4 * report.runs[0].first_tokens.len() as u64;
    let ends: Vec<_> = ends(&svg(&report));
    assert_eq!(ends[1], ends[2]);
    assert!(ends[0] > ends[1] + 200.0, "{ends:?}");
}

/// Heights at which the lines end.
fn ends(svg: &str) -> Vec<f64> {
    let document = roxmltree::Document::parse(svg).expect("it is well-formed");
    let lines = document.descendants().filter_map(|node| node.attribute("points"));
    let last = lines.map(|points| points.rsplit(',').next().expect("a point").parse().expect("a number"));
    last.collect()
}

#[test]
fn the_picture_is_bounded() {
    let mut report = fixture::report();
    let mut run = fixture::run("policy", 2.0, 300);
    run.first_tokens = (0_u16..50_000).map(f32::from).collect();
    run.requests = 50_000;
    for (node, load) in run.load.iter_mut().enumerate() {
        *load = (0_u16..3_000)
            .map(|span| f32::from((span % 100) * 37 % 100 + u16::from(node % 2 == 0)) / 107.0)
            .collect();
    }
    report.runs = vec![run; 40];
    let svg = svg(&report);
    let document = roxmltree::Document::parse(&svg).expect("it is well-formed");
    let lines: Vec<_> = document.descendants().filter_map(|node| node.attribute("points")).collect();
    assert_eq!(lines.len(), 12);
    assert!(lines.iter().all(|points| points.split(' ').count() <= 200));
    assert!(says(&svg, "28 more policies are not drawn"));
    let cells = document.descendants().filter_map(|node| node.attribute("d"));
    let cells: usize = cells.map(|path| path.matches('M').count()).sum();
    assert!(cells <= 12 * 240 * 64, "{cells} strokes");
    assert!(svg.len() < 4_000_000, "{} bytes", svg.len());
}

#[test]
fn a_picture_of_nothing_is_a_picture() {
    let mut report = fixture::report();
    for run in &mut report.runs {
        run.first_tokens.clear();
        run.load.clear();
        run.nodes.clear();
        run.span_s = 0.0;
    }
    texts(&svg(&report));
    report.runs.clear();
    assert!(says(&svg(&report), "4 nodes"));
}

proptest! {
    /// Whatever the figures are, the picture is well-formed and has only numbers in it.
    #[test]
    fn any_figures_can_be_drawn(
        mut latencies in prop::collection::vec(any::<f32>(), 0..20),
        load in prop::collection::vec(prop::collection::vec(any::<f32>(), 0..5), 0..5),
        span in any::<f64>(),
        requests in any::<u64>(),
    ) {
        latencies.sort_by(f32::total_cmp);
        let mut report = fixture::report();
        let run = &mut report.runs[1];
        (run.first_tokens, run.load, run.span_s, run.requests) = (latencies, load, span, requests);
        let svg = svg(&report);
        texts(&svg);
        let document = roxmltree::Document::parse(&svg).unwrap();
        for node in document.descendants().filter(roxmltree::Node::is_element) {
            for name in ["x", "y", "width", "height", "x1", "y1", "x2", "y2", "cx", "cy"] {
                let number = node.attribute(name).map(|text| text.parse::<f64>().unwrap());
                prop_assert!(number.is_none_or(|number| number.is_finite() && number.abs() < 1e5));
            }
            let paths = [node.attribute("points"), node.attribute("d")];
            prop_assert!(paths.iter().flatten().all(|path| !path.contains("NaN") && !path.contains("inf")));
        }
    }
}
