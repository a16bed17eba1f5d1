use std::{collections::HashSet, time::Duration};

use super::{
    draw::{Bursty, LogNormal},
    *,
};
use crate::sim::trace::Arrival;

/// The figures that were published, of a trace.
#[derive(Debug, Default)]
struct Figures {
    input: f64,
    input_p99: f64,
    output: f64,
    /// Coefficient of variation of the gaps between open arrivals.
    variation: f64,
    /// Share of prompt tokens in blocks that came before, all from the beginning.
    repeats: f64,
}

fn figures(trace: &Trace) -> Figures {
    let rows = trace.rows.len() as f64;
    let inputs: Vec<_> = trace.rows.iter().map(|row| f64::from(row.input)).collect();
    let mut sorted = inputs.clone();
    sorted.sort_by(f64::total_cmp);
    let tokens: f64 = inputs.iter().sum();
    let mut seen: HashSet<u64> = HashSet::new();
    let mut repeated = 0;
    for row in &trace.rows {
        let blocks = trace.blocks(row);
        repeated += blocks.iter().take_while(|block| seen.contains(*block)).count();
        seen.extend(blocks);
    }
    Figures {
        input: tokens / rows,
        input_p99: sorted[sorted.len() * 99 / 100],
        output: trace.rows.iter().map(|row| f64::from(row.output)).sum::<f64>() / rows,
        variation: variation(&gaps(trace)),
        repeats: repeated as f64 * f64::from(trace.block_tokens) / tokens,
    }
}

fn gaps(trace: &Trace) -> Vec<f64> {
    let open = trace.rows.iter().filter_map(|row| match row.arrival {
        Arrival::At(at) => Some(at.as_secs_f64()),
        Arrival::After { .. } => None,
    });
    let open: Vec<_> = open.collect();
    open.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn variation(values: &[f64]) -> f64 {
    let center = mean(values);
    let squares: Vec<_> = values.iter().map(|value| (value - center).powi(2)).collect();
    mean(&squares).sqrt() / center
}

/// Means over some seeds.
fn drawn(workload: Workload) -> Figures {
    const SEEDS: u64 = 6;
    let all: Vec<_> = (0..SEEDS).map(|seed| figures(&Trace::generate(workload, seed))).collect();
    let over = |figure: fn(&Figures) -> f64| mean(&all.iter().map(figure).collect::<Vec<_>>());
    Figures {
        input: over(|figures| figures.input),
        input_p99: over(|figures| figures.input_p99),
        output: over(|figures| figures.output),
        variation: over(|figures| figures.variation),
        repeats: over(|figures| figures.repeats),
    }
}

fn check(what: &str, drawn: f64, published: f64, percent: f64) {
    let off = (drawn / published - 1.0).abs() * 100.0;
    assert!(off <= percent, "{what}: drawn {drawn}, published {published}, {off:.1} % off");
}

#[test]
fn chats_are_as_mooncake_published() {
    let drawn = drawn(Workload::Chat);
    println!("{drawn:?}");
    check("prompts", drawn.input, 12_035.0, 3.0);
    check("p99 of prompts", drawn.input_p99, 85_401.0, 5.0);
    check("answers", drawn.output, 343.0, 3.0);
    check("variation of gaps", drawn.variation, 3.0, 5.0);
    check("repeats", drawn.repeats, 0.374, 4.0);
}

#[test]
fn agents_are_as_recorded() {
    let drawn = drawn(Workload::Agents);
    println!("{drawn:?}");
    check("prompts", drawn.input, 72_359.0, 4.0);
    check("answers", drawn.output, 414.0, 5.0);
    check("repeats", drawn.repeats, 0.958, 1.0);
}

#[test]
fn short_prompts_are_as_azure_published() {
    let drawn = drawn(Workload::ShortPrompts);
    println!("{drawn:?}");
    check("prompts", drawn.input, 2_048.0, 3.0);
    check("p99 of prompts", drawn.input_p99, 7_436.0, 3.0);
    check("answers", drawn.output, 28.0, 5.0);
    check("variation of gaps", drawn.variation, 13.0, 15.0);
    assert_eq!(drawn.repeats, 0.0, "nothing is told of blocks");
}

#[test]
fn the_distributions_have_the_figures_they_were_made_of() {
    let mut rng = Chance::with_seed(7);
    let lengths = LogNormal::of(100.0, 800.0);
    let mut drawn: Vec<_> = (0..400_000).map(|_| lengths.draw(&mut rng)).collect();
    drawn.sort_by(f64::total_cmp);
    check("mean", mean(&drawn), 100.0, 1.0);
    check("p99", drawn[drawn.len() * 99 / 100], 800.0, 2.0);
    let bursts = Bursty::of(0.5, 4.0);
    let gaps: Vec<_> = (0..400_000).map(|_| bursts.draw(&mut rng).as_secs_f64()).collect();
    check("mean gap", mean(&gaps), 0.5, 2.0);
    check("variation", variation(&gaps), 4.0, 3.0);
}

#[test]
fn a_seed_gives_the_same_trace_and_another_seed_another() {
    for workload in [Workload::Chat, Workload::Agents, Workload::ShortPrompts] {
        let draw = |seed| Trace::generate_rows(workload, 500, seed);
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        assert_eq!(draw(1).rows.len(), 500);
        assert_eq!(draw(1).name, workload.name());
    }
    assert_eq!(Trace::generate_rows(Workload::Chat, 0, 1).rows.len(), 1);
}

#[test]
fn sessions_begin_with_their_tenants_prompt_and_pauses_are_seconds() {
    let trace = Trace::generate(Workload::Agents, 3);
    let followers = trace.followers();
    let mut pauses = Vec::new();
    for (row, follower) in trace.rows.iter().zip(followers) {
        assert_eq!(trace.blocks(row)[0], u64::from(row.tenant) * 24);
        let Some(next) = follower.map(|at| &trace.rows[at as usize]) else { continue };
        assert!(trace.blocks(next).starts_with(trace.blocks(row)), "a prompt continues the one before");
        assert!(next.input > row.input);
        let Arrival::After { think } = next.arrival else { panic!("it follows") };
        pauses.push(think);
    }
    pauses.sort();
    let median = pauses[pauses.len() / 2];
    assert!((Duration::from_secs(4)..Duration::from_secs(15)).contains(&median), "{median:?}");
}

#[test]
fn conversations_share_no_blocks_but_their_tenants() {
    let trace = Trace::generate_rows(Workload::Chat, 3_000, 5);
    let mut owners = std::collections::HashMap::new();
    for row in &trace.rows {
        for block in trace.blocks(row).iter().skip(1) {
            assert_eq!(*owners.entry(*block).or_insert(row.session), row.session);
        }
        assert!(trace.blocks(row).first().is_none_or(|first| *first == u64::from(row.tenant)));
    }
    let turns = trace.rows.iter().map(|row| row.turn).max();
    assert!(turns >= Some(3), "{turns:?}");
}
