use super::*;

const BLOCK: u32 = 512;

fn engine() -> Engine {
    Engine::new(hardware(), BLOCK)
}

fn hardware() -> Hardware {
    Hardware::named("h100x4-70b").expect("it is known")
}

fn job(request: usize, input: u32, output: u32, blocks: Vec<u64>) -> Job {
    Job { request, input, output, blocks, expected_cached: 0, ticket: 0, router: 0 }
}

fn blocks(from: u64, tokens: u32) -> Vec<u64> {
    (from..from + u64::from(tokens.div_ceil(BLOCK))).collect()
}

/// When it happened to which request, in microseconds.
type Moments = Vec<(usize, u64)>;

/// Plays jobs at their arrivals; returns when each first token and each end came.
fn play(engine: &mut Engine, jobs: Vec<(u64, Job)>) -> (Moments, Moments) {
    let (mut firsts, mut ends) = (Vec::new(), Vec::new());
    let mut arrivals = jobs.into_iter().peekable();
    let mut now = 0;
    loop {
        let arrival = arrivals.peek().map(|(at, _)| *at);
        let next = [arrival, engine.ends()].into_iter().flatten().min();
        let Some(next) = next else { return (firsts, ends) };
        now = next.max(now);
        if engine.ends() == Some(now) {
            let mut done = Vec::new();
            engine.end(&mut done);
            for done in done {
                match done {
                    Done::FirstToken { request, .. } => firsts.push((request, now)),
                    Done::Finished { request } => ends.push((request, now)),
                }
            }
        }
        while arrivals.peek().is_some_and(|(at, _)| *at <= now) {
            let (_, job) = arrivals.next().expect("it was just seen");
            engine.submit(job, now);
        }
        if engine.ends().is_none() {
            engine.begin(now);
        }
    }
}

fn alone(input: u32, output: u32) -> (u64, u64) {
    let (firsts, ends) = play(&mut engine(), vec![(0, job(0, input, output, blocks(0, input)))]);
    (firsts[0].1, ends[0].1)
}

#[test]
fn a_lone_prompt_takes_exactly_its_prefill_time() {
    for input in [1, 100, 2048, 2049, 10_000] {
        let wanted = hardware().prefill_ms(input, 0) * 1000.0;
        assert!((alone(input, 1).0 as f64 - wanted).abs() <= 10.0, "{input} tokens");
    }
}

#[test]
fn a_repeated_prompt_costs_only_its_last_token() {
    let mut engine = engine();
    let again = vec![(0, job(0, 5120, 1, blocks(0, 5120))), (10_000_000, job(1, 5120, 1, blocks(0, 5120)))];
    let (firsts, _) = play(&mut engine, again);
    let wanted = hardware().prefill_ms(1, 5119) * 1000.0;
    assert!(((firsts[1].1 - 10_000_000) as f64 - wanted).abs() <= 2.0);
}

#[test]
fn what_was_used_least_recently_is_forgotten_first_and_tails_before_heads() {
    let small = hardware().with_memory(20 * BLOCK);
    let mut engine = Engine::new(small, BLOCK);
    let prompt = |request: usize| job(request, 8 * BLOCK, 1, blocks(100 * request as u64, 8 * BLOCK));
    play(
        &mut engine,
        vec![(0, prompt(0)), (1_000_000, prompt(1)), (2_000_000, prompt(0)), (3_000_000, prompt(2))],
    );
    let held = |request: usize| engine.cached_tokens(&prompt(request).blocks, 8 * BLOCK) / BLOCK;
    // 20 blocks hold two and a half prompts: of the one not used since, the head is left.
    assert_eq!((held(0), held(1), held(2)), (7, 4, 7), "the last token of a whole prompt is always computed");
}

#[test]
fn decoding_in_company_is_slower_than_alone_but_not_four_times() {
    let one = alone(1, 100);
    let company: Vec<_> = (0..64).map(|request| (0, job(request, 1, 100, vec![]))).collect();
    let (_, ends) = play(&mut engine(), company);
    let ratio = ends.iter().map(|end| end.1).max().expect("they end") as f64 / one.1 as f64;
    assert!((1.0..4.0).contains(&ratio), "{ratio}");
}

/// A run of decode steps that is taken in one go ends when it would step by step.
#[test]
fn steps_in_one_go_last_as_long_as_one_by_one() {
    let (_, whole) = alone(3000, 500);
    let mut engine = engine();
    engine.submit(job(0, 3000, 500, blocks(0, 3000)), 0);
    let (mut now, mut end) = (0, None);
    while end.is_none() {
        engine.begin(now);
        // Whatever arrives cuts the run at the next step's end.
        now = engine.interrupt(now + 1).expect("a step is under way");
        let mut done = Vec::new();
        engine.end(&mut done);
        end = done.iter().find(|done| matches!(done, Done::Finished { .. })).map(|_| now);
    }
    let apart = whole.abs_diff(end.expect("it ends"));
    assert!(apart <= 500, "each step is rounded to a microsecond: {apart}");
}

#[test]
fn sequences_that_outgrow_the_memory_are_put_back_and_all_end() {
    let small = hardware().with_memory(12 * BLOCK);
    let mut engine = Engine::new(small, BLOCK);
    let jobs: Vec<_> =
        (0..6).map(|request| (0, job(request, 2 * BLOCK, 2000, blocks(10 * request as u64, 1024)))).collect();
    let (firsts, ends) = play(&mut engine, jobs);
    assert!(engine.preemptions > 0);
    assert_eq!((firsts.len(), ends.len()), (6, 6), "each has one first token and one end");
}

/// Mean waits of Poisson arrivals of prompts that fill one step each, against `ρ · s / (2 · (1 - ρ))`.
#[test]
fn mean_waits_are_those_of_theory() {
    let service = hardware().prefill_ms(2048, 0) * 1000.0;
    for load in [0.5, 0.8] {
        let mut chance = fastrand::Rng::with_seed(11);
        let mut at = 0.0;
        let jobs: Vec<_> = (0..60_000)
            .map(|request| {
                at += -(1.0 - chance.f64()).ln() * service / load;
                (rounded(at), job(request, 2048, 1, vec![]))
            })
            .collect();
        let arrivals: Vec<u64> = jobs.iter().map(|(at, _)| *at).collect();
        let (firsts, _) = play(&mut engine(), jobs);
        let waits = firsts.iter().map(|(request, first)| (first - arrivals[*request]) as f64 - service);
        let mean = waits.sum::<f64>() / firsts.len() as f64;
        let theory = load * service / (2.0 * (1.0 - load));
        assert!((mean / theory - 1.0).abs() < 0.1, "at {load}: {mean} against {theory}");
    }
}

#[test]
fn a_dead_node_forgets_everything_and_tells_what_it_lost() {
    let mut engine = engine();
    engine.submit(job(4, 5000, 10, blocks(0, 5000)), 0);
    engine.submit(job(5, 5000, 10, blocks(0, 5000)), 0);
    engine.begin(0);
    assert_eq!(engine.die(1000), [5, 4]);
    assert_eq!((engine.ends(), engine.cached_tokens(&blocks(0, 5000), 5000)), (None, 0));
    assert_eq!(engine.busy_us(1000), 1000, "what it had done it has done");
}
