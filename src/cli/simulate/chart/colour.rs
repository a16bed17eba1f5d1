//! Which colours can everybody tell apart?

/// One a policy: after Okabe and Ito, the lighter ones darkened until they can be read as text on white.
const POLICIES: [&str; 8] =
    ["#0072b2", "#d55e00", "#00855f", "#b4508f", "#a87400", "#3f3f46", "#2f9fd0", "#7a4fb5"];

/// From idle to busy: `ColorBrewer`'s `YlGnBu`, whose lightness falls evenly.
const BUSY: [(u8, u8, u8); 9] = [
    (255, 255, 229),
    (237, 248, 190),
    (199, 233, 180),
    (127, 205, 187),
    (65, 182, 196),
    (29, 145, 192),
    (34, 94, 168),
    (37, 52, 148),
    (8, 29, 88),
];

/// Steps of the scale of load.
pub(super) const LEVELS: usize = 24;

/// The colour of a policy, and how its line is dashed: colours come again after eight.
pub(super) fn policy(at: usize) -> (&'static str, &'static str) {
    (POLICIES[at % POLICIES.len()], if at < POLICIES.len() { "" } else { "7 4" })
}

/// Which step of the scale a share of time is, from 0 to 1; what is no number counts as 0.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and the number of levels"
)]
pub(super) fn level(share: f64) -> usize {
    let share = if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) };
    ((share * LEVELS as f64) as usize).min(LEVELS - 1)
}

/// The colour of a step.
pub(super) fn busy(level: usize) -> String {
    let place = level * (BUSY.len() - 1);
    let steps = LEVELS - 1;
    let (from, part) = (BUSY[place / steps], place % steps);
    let to = BUSY[(place / steps + 1).min(BUSY.len() - 1)];
    let mix = |from: u8, to: u8| (usize::from(from) * (steps - part) + usize::from(to) * part) / steps;
    format!("#{:02x}{:02x}{:02x}", mix(from.0, to.0), mix(from.1, to.1), mix(from.2, to.2))
}
