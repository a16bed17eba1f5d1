//! What does the rush say to people?

use std::fmt;

use super::{Rush, Side, peak};
use crate::demo::table::{compared, milliseconds};

impl fmt::Display for Rush {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |label: &str, of: fn(&Side) -> usize| {
            [label.to_owned(), of(&self.without).to_string(), of(&self.with).to_string()]
        };
        let row =
            |label: &str, of: &dyn Fn(&Side) -> String| [label.to_owned(), of(&self.without), of(&self.with)];
        let rows = [
            count("requests", |side| side.requests),
            count("computed by a node", |side| side.computed),
            count("given from what is known", |side| side.known),
            count("one user asks 20 times a second: refused", |side| side.limited),
            row("it comes back when told", &|side| match side.served_when_told {
                None => "-".to_owned(),
                Some(true) => "served".to_owned(),
                Some(false) => "refused".to_owned(),
            }),
            count("low priority, turned away in the peak", |side| side.turned_away),
            count("premium users without an answer", |side| side.premium_unanswered),
            row("first token, premium, outside the peak, p50", &|s| {
                milliseconds(s.premium_calm.map(|p| p.p50_ms))
            }),
            row("first token, premium, outside the peak, p99", &|s| {
                milliseconds(s.premium_calm.map(|p| p.p99_ms))
            }),
            row("first token, premium, in the peak, p50", &|s| {
                milliseconds(s.premium_peak.map(|p| p.p50_ms))
            }),
            row("first token, premium, in the peak, p99", &|s| {
                milliseconds(s.premium_peak.map(|p| p.p99_ms))
            }),
        ];
        writeln!(f, "{}", compared(["in a rush", "without", "with"], rows))?;
        write!(
            f,
            "The same rush for two services with two nodes each: one knows no answers, limits\n\
             or degradation, the other has all three at their defaults. In a peak of {} s more\n\
             comes than the nodes can do. These nodes tell no memory, so their load is 0.7 of\n\
             their busy slots and 0.3 of their queue; free users may go to their class.",
            peak().as_secs()
        )
    }
}
