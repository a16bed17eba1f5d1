//! What is in the model server's key-value cache, by its own word?
//!
//! vLLM publishes over `ZeroMQ` each block that it stores and removes (`listener`, `decode`). Its blocks are small and are
//! hashed its own way, so `mirror` puts them together to ours, hashed as gateways hash prompts, and `journal` keeps
//! what the service has not been told yet. It goes out with the next load report, and counts as told once the service
//! says that the report is applied.
//!
//! **Nothing is guessed.** Where a message is lost, or the engine starts anew, the mirror is emptied and the service is told
//! so; blocks whose beginning was never seen are passed over.

mod decode;
mod journal;
mod listener;
mod mirror;

use std::num::NonZeroU32;

use tokio::sync::mpsc;
use tracing::{error, warn};

use crate::{
    config::CacheEvents,
    proto::{self, KvEvents},
};
use decode::{Batch, Event};
use journal::Journal;
use listener::{Heard, Listener};
use mirror::Mirror;

/// Follows the cache of one model server.
#[derive(Debug)]
pub(super) struct Cache {
    config: CacheEvents,
    heard: mpsc::Receiver<Heard>,
    listener: Listener,
    /// Once the service has said how long its blocks are.
    mirror: Option<Mirror>,
    journal: Journal,
    /// Number of the last batch.
    sequence: Option<u64>,
    /// Whether the service takes the events.
    refused: bool,
}

impl Cache {
    /// Begins to listen.
    pub(super) fn follow(config: &CacheEvents) -> Self {
        let (listener, heard) = Listener::start(config);
        Self {
            config: config.clone(),
            heard,
            listener,
            mirror: None,
            journal: Journal::default(),
            sequence: None,
            refused: false,
        }
    }

    /// A stream has begun: the service may know nothing, or what is no longer so.
    pub(super) fn begin(&mut self, block_tokens: Option<NonZeroU32>) {
        self.set_block_tokens(block_tokens);
        self.journal.begin();
    }

    /// What the service has not been told, for the report of this sequence number.
    pub(super) fn events(&mut self, report: i64) -> Option<KvEvents> {
        self.catch_up();
        if self.refused { None } else { self.journal.events(report) }
    }

    /// Whether there is more to tell than one report carries, so that the next one should not wait for its time.
    pub(super) fn is_behind(&mut self) -> bool {
        self.catch_up();
        !self.refused && self.journal.is_behind()
    }

    fn catch_up(&mut self) {
        while let Ok(heard) = self.heard.try_recv() {
            match heard {
                Heard::Batch(batch) => self.take_in(batch),
                Heard::Lost => self.lose(),
            }
        }
    }

    /// The service has answered a report. It says how long its blocks are, too.
    pub(super) fn applied(&mut self, up_to: i64, block_tokens: Option<NonZeroU32>) {
        self.journal.told(up_to);
        self.set_block_tokens(block_tokens);
    }

    /// The service has not applied a report.
    pub(super) fn dropped(&mut self, violations: &[proto::FieldViolation]) {
        self.journal.untold();
        if let Some(bad) = violations.iter().find(|bad| bad.field.starts_with("report.kv_events")) {
            error!(
                field = bad.field,
                bad.description, "the service refuses what the cache tells: it is told no more"
            );
            self.refused = true;
        }
    }

    /// All hashes change with the length of a block.
    fn set_block_tokens(&mut self, told: Option<NonZeroU32>) {
        let Some(block_tokens) = told else { return };
        if self.mirror.as_ref().is_none_or(|mirror| mirror.block_tokens() != block_tokens) {
            if self.mirror.is_some() {
                warn!(block_tokens, "the service cuts prompts otherwise: the cache is followed anew");
                self.journal.clear();
            }
            self.mirror = Some(Mirror::new(block_tokens, &self.config));
        }
    }

    fn take_in(&mut self, batch: Batch) {
        let follows = self.sequence.is_none_or(|last| batch.sequence == last.wrapping_add(1));
        self.sequence = Some(batch.sequence);
        if !follows {
            warn!(
                sequence = batch.sequence,
                "events were lost, or the model server started anew: its cache counts as empty"
            );
            self.clear();
        }
        for event in batch.events {
            self.apply(event);
        }
    }

    fn apply(&mut self, event: Event) {
        let Some(mirror) = &mut self.mirror else { return };
        match event {
            Event::Stored(stored) => mirror.store(&stored, &mut self.journal),
            Event::Removed(blocks) => mirror.remove(&blocks, &mut self.journal),
            Event::Cleared => self.clear(),
        }
        if self.mirror.as_ref().is_some_and(Mirror::is_full) {
            warn!("the cache has more blocks than are followed: it is followed anew");
            self.clear();
        }
    }

    /// The model server does not answer. If it has ended, its connection tells; if it has only hung, it holds what it held. But a
    /// machine that is gone ends no connection, and nothing would ever come over this one: a new one is opened.
    pub(super) fn listen_anew(&mut self) {
        self.catch_up();
        (self.listener, self.heard) = Listener::start(&self.config);
    }

    /// The model server is gone, and with it what it held.
    fn lose(&mut self) {
        self.sequence = None;
        self.clear();
    }

    fn clear(&mut self) {
        if let Some(mirror) = &mut self.mirror {
            mirror.clear();
        }
        self.journal.clear();
    }
}

#[cfg(test)]
pub(super) mod tests;
