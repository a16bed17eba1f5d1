//! How far is it? A bar on a terminal, plain lines elsewhere; on standard error, so that results can be piped.

use std::{
    io::{self, IsTerminal, Write},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};

/// How far the demo is.
#[derive(Debug)]
pub(super) struct Progress {
    /// `None` where nobody watches.
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Starts at nothing of `duration`.
    pub(super) fn start(duration: Duration) -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{bar:40.cyan} {elapsed}/{len}s  {msg}");
            let bar = ProgressBar::new(duration.as_secs());
            bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        let progress = Self { bar };
        progress
            .say(&format!("Sending requests to two fleets for {} …", humantime::format_duration(duration)));
        progress
    }

    /// So many requests are sent.
    pub(super) fn sent(&self, requests: usize, elapsed: Duration) {
        if let Some(bar) = &self.bar {
            bar.set_position(elapsed.as_secs());
            bar.set_message(format!("{requests} requests"));
        }
    }

    /// Something has happened.
    pub(super) fn say(&self, event: &str) {
        match &self.bar {
            Some(bar) => bar.println(event),
            None => say(event),
        }
    }

    /// It is over.
    pub(super) fn done(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Says something on standard error; if nobody hears it, that is no error.
pub(super) fn say(event: &str) {
    let _ = writeln!(io::stderr().lock(), "{event}");
}
