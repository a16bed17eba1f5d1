//! How far is the run?
//!
//! On standard error, so that the result alone goes to standard output: a bar on a terminal, a line every few seconds
//! elsewhere.

use std::{
    io::{self, IsTerminal, Write},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};

/// Time between two lines where there is no terminal.
const LINE_INTERVAL: Duration = Duration::from_secs(5);

/// Tells how far a run is.
#[derive(Debug)]
pub(super) enum Progress {
    /// A bar.
    Bar(ProgressBar),
    /// Lines; the next is due at this time of the run.
    Lines(Duration),
}

impl Progress {
    /// Of a run of this length.
    pub(super) fn of(duration: Duration) -> Self {
        if !io::stderr().is_terminal() {
            return Self::Lines(LINE_INTERVAL);
        }
        let style =
            ProgressStyle::with_template("{elapsed:>4} {wide_bar} {msg}").expect("the template is right");
        let bar = ProgressBar::new(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX));
        Self::Bar(bar.with_style(style))
    }

    /// The run is so far and has sent so many requests to each fleet.
    pub(super) fn advance(&mut self, elapsed: Duration, sent: usize) {
        match self {
            Self::Bar(bar) => {
                bar.set_position(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX));
                bar.set_message(format!("{sent} requests to each fleet"));
            }
            Self::Lines(due) if elapsed >= *due => {
                say(&format!("{:>4} s  {sent} requests to each fleet", due.as_secs()));
                *due += LINE_INTERVAL;
            }
            Self::Lines(_) => {}
        }
    }

    /// Tells an event, above the bar.
    pub(super) fn tell(&self, event: &str) {
        match self {
            Self::Bar(bar) => bar.suspend(|| say(event)),
            Self::Lines(_) => say(event),
        }
    }

    /// Takes the bar away.
    pub(super) fn end(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

/// Writes a line; if nobody reads standard error, nobody is told.
pub(super) fn say(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}
