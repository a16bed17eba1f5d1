//! How is it told: as a table for people, as JSON for machines?

use serde_json::{Map, Value, json};

use super::{
    case::Case,
    rounds::{Figures, Pair},
};

/// What a case came to, by medians over rounds.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Name of the case.
    pub(crate) name: &'static str,
    /// Server time of a pick, Pointsman's over the other's.
    pub(crate) cpu_ratio: f64,
    /// Picks a second, Pointsman's over the other's.
    pub(crate) throughput_ratio: f64,
    noop: Figures,
    ours: Figures,
}

/// What each case came to.
pub(crate) fn outcomes(cases: &[Case], measured: &[Vec<Pair>]) -> Vec<Outcome> {
    let outcome = |(case, pairs): (&Case, &Vec<Pair>)| Outcome {
        name: case.name,
        cpu_ratio: median(pairs.iter().map(|pair| pair.ours.cpu_us / pair.noop.cpu_us)),
        throughput_ratio: median(pairs.iter().map(|pair| pair.ours.rate / pair.noop.rate)),
        noop: medians(pairs, |pair| pair.noop),
        ours: medians(pairs, |pair| pair.ours),
    };
    cases.iter().zip(measured).map(outcome).collect()
}

/// For people.
pub(crate) fn lines(outcomes: &[Outcome]) -> Vec<String> {
    let head =
        ["case", "server", "picks/s", "p50 us", "p99 us", "cpu us/pick", "cpu ratio", "throughput ratio"];
    let [name, server, rate, p50, p99, cpu, cpu_ratio, throughput] = head;
    let mut lines = vec![format!(
        "{name:<16} {server:<10} {rate:>10} {p50:>9} {p99:>9} {cpu:>12} {cpu_ratio:>10} {throughput:>17}"
    )];
    for outcome in outcomes {
        let Outcome { name, cpu_ratio, throughput_ratio, noop, ours } = outcome;
        lines.push(format!("{name:<16} {:<10} {}", "no-op", figures(noop)));
        let ours = figures(ours);
        lines.push(format!(
            "{:<16} {:<10} {ours} {cpu_ratio:>10.3} {throughput_ratio:>17.3}",
            "", "pointsman"
        ));
    }
    lines
}

/// For machines: Pointsman's figures and the ratios, and those of the server that does nothing under `noop`.
pub(crate) fn json(outcomes: &[Outcome]) -> Value {
    let entry = |outcome: &Outcome| {
        let mut entry = object(&outcome.ours);
        entry.insert("cpu_ratio".into(), outcome.cpu_ratio.into());
        entry.insert("throughput_ratio".into(), outcome.throughput_ratio.into());
        entry.insert("noop".into(), object(&outcome.noop).into());
        (outcome.name.to_owned(), Value::from(entry))
    };
    json!(outcomes.iter().map(entry).collect::<Map<_, _>>())
}

fn object(figures: &Figures) -> Map<String, Value> {
    let Figures { rate, cpu_us, p50_us, p99_us } = *figures;
    let named = [("rate", rate), ("cpu_us", cpu_us), ("p50_us", p50_us), ("p99_us", p99_us)];
    named.into_iter().map(|(name, figure)| (name.to_owned(), figure.into())).collect()
}

fn figures(figures: &Figures) -> String {
    let Figures { rate, cpu_us, p50_us, p99_us } = figures;
    format!("{rate:>10.0} {p50_us:>9.1} {p99_us:>9.1} {cpu_us:>12.2}")
}

fn medians(pairs: &[Pair], of: impl Fn(&Pair) -> Figures) -> Figures {
    let figures = |figure: fn(Figures) -> f64| median(pairs.iter().map(|pair| figure(of(pair))));
    Figures {
        rate: figures(|figures| figures.rate),
        cpu_us: figures(|figures| figures.cpu_us),
        p50_us: figures(|figures| figures.p50_us),
        p99_us: figures(|figures| figures.p99_us),
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}
