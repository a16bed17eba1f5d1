//! What does a node tell of itself?

use super::{Engine, work};

/// What a node tells of itself.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Told {
    /// Requests not begun.
    pub waiting: u32,
    /// Requests begun.
    pub running: u32,
    /// Tokens of prompts not yet computed.
    pub queued_tokens: u64,
    /// Their work, without what is cached as far as that is known.
    pub net_work: f64,
    /// Tokens in the key-value cache that are in use.
    pub kv_active: u64,
    /// Sequences that decode.
    pub decoding: u32,
    /// Share of the time since the last report spent computing.
    pub busy: f64,
    /// Work a millisecond; `None` as long as it has not been busy enough to tell.
    pub speed: Option<f64>,
    /// Name of the latest pick that came, of those of the router that is told.
    pub received_ticket: u64,
}

impl Engine {
    /// Name of the latest pick of a router that came; 0 for none.
    pub fn received(&self, router: usize) -> u64 {
        self.received.get(router).copied().unwrap_or(0)
    }

    /// What the node tells of itself now.
    pub fn report(&mut self, now: u64) -> Told {
        let under_way = self.now.map_or(0, |step| now.min(step.ends).saturating_sub(step.begun));
        let busy_us = self.busy_us + under_way;
        let span = now.saturating_sub(self.reported_at).max(1);
        let busy = (busy_us.saturating_sub(self.reported_us)) as f64 / span as f64;
        (self.reported_us, self.reported_at) = (busy_us, now);
        let told = self.standing();
        Told { busy: busy.clamp(0.0, 1.0), ..told }
    }

    /// The same without its busy share, which counts from report to report.
    pub fn standing(&self) -> Told {
        let running =
            self.prefilling.iter().map(|s| (s, f64::from(s.prompt - s.computed), f64::from(s.computed)));
        let waiting = self.waiting.iter().map(|s| {
            let hit = s.job.expected_cached.min(s.prompt - 1);
            (s, f64::from(s.prompt - hit), f64::from(hit))
        });
        let mut told = Told {
            waiting: u32::try_from(self.waiting.len()).unwrap_or(u32::MAX),
            running: u32::try_from(self.prefilling.len() + self.decoders).unwrap_or(u32::MAX),
            decoding: u32::try_from(self.decoders).unwrap_or(u32::MAX),
            kv_active: self.context,
            speed: self.speed,
            ..Told::default()
        };
        for (sequence, tokens, context) in running.chain(waiting) {
            told.queued_tokens += u64::from(sequence.prompt - sequence.computed);
            told.net_work += work(tokens, context);
        }
        told.kv_active += self.prefilling.iter().map(|s| u64::from(s.computed)).sum::<u64>();
        told
    }
}
