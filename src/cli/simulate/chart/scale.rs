//! Where on an axis is a value, and which values are written there?

/// Steps that a time axis may have, in seconds.
const STEPS: [f64; 18] = [
    1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0, 7200.0, 21_600.0,
    43_200.0, 86_400.0, 604_800.0,
];

/// A logarithmic axis of milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Log {
    from: f64,
    to: f64,
    left: f64,
    width: f64,
}

impl Log {
    /// An axis of these values (above 0) over this width.
    pub(super) fn new((from, to): (f64, f64), left: f64, width: f64) -> Self {
        let to = to.max(from * 2.0);
        Self { from, to, left, width }
    }

    /// The place of a value; those before the axis are at its beginning.
    pub(super) fn at(&self, millis: f64) -> f64 {
        let share = (millis.max(self.from) / self.from).ln() / (self.to / self.from).ln();
        self.left + self.width * share.min(1.0)
    }

    /// The value at a share of the way from one value to another.
    pub(super) fn between(&self, from: f64, to: f64, share: f64) -> f64 {
        let from = from.max(self.from);
        from * (to.max(from) / from).powf(share)
    }

    /// First value of the axis.
    pub(super) fn from(&self) -> f64 {
        self.from
    }

    /// The values that have a line, and what is written at them; only decades where more would not fit.
    pub(super) fn ticks(&self) -> Vec<(f64, String)> {
        let decades = (self.to / self.from).log10();
        let steps: &[f64] = if decades <= 4.5 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let powers = (-3..=12).map(|power| 10_f64.powi(power));
        let values = powers.flat_map(|power| steps.iter().map(move |step| step * power));
        let inside = values.filter(|value| (self.from..=self.to * 1.000_001).contains(value));
        inside.map(|value| (value, latency(value))).collect()
    }
}

/// `50 ms`, `2 s`.
fn latency(millis: f64) -> String {
    if millis < 1e3 {
        return format!("{} ms", (millis * 1e3).round() / 1e3);
    }
    format!("{:.0} s", millis / 1e3)
}

/// Moments of a time axis that is so long, and what is written at them: about six, at even seconds, minutes or hours.
pub(super) fn moments(seconds: f64) -> Vec<(f64, String)> {
    let step = STEPS.into_iter().find(|step| seconds / step <= 7.0).unwrap_or(seconds);
    let (unit, name) = match step {
        ..60.0 => (1.0, "s"),
        ..3600.0 => (60.0, "min"),
        _ => (3600.0, "h"),
    };
    let moment = |at: u8| {
        let seconds = f64::from(at) * step;
        (seconds, if at == 0 { "0".to_owned() } else { format!("{:.0} {name}", seconds / unit) })
    };
    (0..8).map(moment).filter(|(at, _)| *at <= seconds * 1.000_001).collect()
}
