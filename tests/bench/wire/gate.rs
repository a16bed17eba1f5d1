//! Which ratios may not be passed?
//!
//! Ratios and not times: they hold on any machine.

use super::table::Outcome;

/// Most server time of a pick with a prefix match and a lease, as a multiple of the empty call's.
const CPU_MAX: f64 = 1.10;
/// The same with full work.
const FULL_CPU_MAX: f64 = 1.18;
/// Least throughput with full work, as a share of the empty call's.
const FULL_THROUGHPUT_MIN: f64 = 0.85;
/// Least throughput of a stream, as a share of the empty one's.
const STREAM_THROUGHPUT_MIN: f64 = 0.70;
/// Least throughput of batches, as a share of the empty ones'.
const BATCH_THROUGHPUT_MIN: f64 = 0.70;

/// A bar of one case.
enum Bar {
    CpuMax(f64),
    ThroughputMin(f64),
}

const BARS: [(&str, Bar); 5] = [
    ("unary_128", Bar::CpuMax(CPU_MAX)),
    ("unary_128_full", Bar::CpuMax(FULL_CPU_MAX)),
    ("unary_128_full", Bar::ThroughputMin(FULL_THROUGHPUT_MIN)),
    ("stream", Bar::ThroughputMin(STREAM_THROUGHPUT_MIN)),
    ("batch", Bar::ThroughputMin(BATCH_THROUGHPUT_MIN)),
];

/// Says each bar that was missed.
pub(crate) fn past(outcomes: &[Outcome]) -> Vec<String> {
    let of = |name: &str| outcomes.iter().find(|outcome| outcome.name == name);
    BARS.iter().filter_map(|(name, bar)| missed(of(name)?, bar)).collect()
}

fn missed(outcome: &Outcome, bar: &Bar) -> Option<String> {
    let Outcome { name, cpu_ratio, throughput_ratio, .. } = outcome;
    match bar {
        Bar::CpuMax(max) if cpu_ratio > max => {
            Some(format!("{name}: cpu_ratio {cpu_ratio:.3} is over {max}"))
        }
        Bar::ThroughputMin(min) if throughput_ratio < min => {
            Some(format!("{name}: throughput_ratio {throughput_ratio:.3} is under {min}"))
        }
        Bar::CpuMax(_) | Bar::ThroughputMin(_) => None,
    }
}
