//! How long does a model server take, when several requests share it?
//!
//! Continuous batching, simply: a number of slots, a queue in order of arrival, a prefill in proportion to the prompt, and
//! tokens that come slower the more requests decode at once.

use std::{
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    time::Duration,
};

use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::sleep,
};

/// Prompt tokens per second of a node of speed 1.
const PREFILL_RATE: f64 = 8_000.0;
/// Time of one token on an otherwise idle node of speed 1.
const TOKEN: Duration = Duration::from_millis(6);
/// By how much each further request slows a token down.
const CROWDING: f64 = 0.08;

/// A model server without a model.
#[derive(Debug)]
pub(super) struct Engine {
    speed: f64,
    slots: u32,
    free: Semaphore,
    waiting: AtomicU32,
}

/// A slot in use.
#[derive(Debug)]
pub(super) struct Slot<'a> {
    engine: &'a Engine,
    _permit: SemaphorePermit<'a>,
}

impl Engine {
    /// An idle server; `speed` is relative to a node of speed 1.
    pub(super) fn new(speed: f64, slots: u32) -> Self {
        Self { speed, slots, free: Semaphore::new(slots as usize), waiting: AtomicU32::new(0) }
    }

    /// Requests in execution.
    pub(super) fn running(&self) -> u32 {
        self.slots - u32::try_from(self.free.available_permits()).unwrap_or(self.slots).min(self.slots)
    }

    /// Requests in the queue.
    pub(super) fn waiting(&self) -> u32 {
        self.waiting.load(Relaxed)
    }

    /// Share of the slots in use, from 0 to 1.
    pub(super) fn busy_ratio(&self) -> f64 {
        f64::from(self.running()) / f64::from(self.slots)
    }

    /// Waits for a slot, in order of arrival.
    pub(super) async fn slot(&self) -> Slot<'_> {
        let queued = Queued::enter(&self.waiting);
        let permit = self.free.acquire().await.expect("the semaphore is never closed");
        drop(queued);
        Slot { engine: self, _permit: permit }
    }
}

impl Slot<'_> {
    /// Reads a prompt.
    pub(super) async fn prefill(&self, tokens: u32) {
        sleep(Duration::from_secs_f64(f64::from(tokens) / (PREFILL_RATE * self.engine.speed))).await;
    }

    /// Writes one token.
    pub(super) async fn token(&self) {
        let others = f64::from(self.engine.running().saturating_sub(1));
        sleep(TOKEN.mul_f64((1.0 + CROWDING * others) / self.engine.speed)).await;
    }

    /// Does work that takes this long on a node of speed 1.
    pub(super) async fn work(&self, time: Duration) {
        sleep(time.div_f64(self.engine.speed)).await;
    }
}

/// Counts a request that waits, also if its client hangs up meanwhile.
struct Queued<'a>(&'a AtomicU32);

impl<'a> Queued<'a> {
    fn enter(waiting: &'a AtomicU32) -> Self {
        waiting.fetch_add(1, Relaxed);
        Self(waiting)
    }
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests;
