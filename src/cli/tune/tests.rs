use super::*;

fn figures(in_time: f64, mean_ms: f64) -> Figures {
    Figures { in_time, mean_ms, p99_ms: 12_345.6 }
}

fn tuning(holds: bool) -> Tuning {
    Tuning {
        trace: "chat".into(),
        speed: 1.5,
        holds,
        weights: weights(CostPolicy::default()),
        searched: Pair { in_force: figures(0.911, 1300.0), found: figures(0.9205, 1250.0) },
        held_out: Pair { in_force: figures(0.9, 1400.0), found: figures(0.905, 1350.0) },
    }
}

#[test]
fn what_is_told_is_a_configuration_that_says_what_speaks_for_it() {
    let expected = "\
# chat at speed 1.50: in time, mean and p99 of first tokens
#   searched, weights in force   91.10 %     1300 ms    12346 ms
#   searched, weights found      92.05 %     1250 ms    12346 ms
#   held out, weights in force   90.00 %     1400 ms    12346 ms
#   held out, weights found      90.50 %     1350 ms    12346 ms
# What was found holds on requests that the search has not seen:
policy:
  cost:
    eviction: 10
    batching: 0.02
    drag: 0.2
    price_max: 8
    lateness: 0.5";
    assert_eq!(told(&tuning(true)), expected);
    assert!(told(&tuning(false)).contains("Keep what is in force"));
}
