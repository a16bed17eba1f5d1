//! How long does a model server take?
//!
//! A model of continuous batching, as vLLM does it: a fixed number of slots, a queue in order of arrival before them,
//! a prefill in proportion to the prompt, and tokens that come the slower the more requests share the batch. All
//! waiting is done by timers, so eight nodes cost next to no processor time.
//!
//! `step = base · (1 + crowding · (running - 1))`

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::sleep,
};

/// How fast a node is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::demo) struct Pace {
    /// Requests in execution at once.
    pub(in crate::demo) slots: u32,
    /// Time to take in one token of a prompt, alone.
    pub(in crate::demo) prefill: Duration,
    /// Time to make one token of an answer, alone.
    pub(in crate::demo) decode: Duration,
    /// Share by which each further request in the batch slows all of them.
    pub(in crate::demo) crowding: f64,
    /// Time to make an image, alone.
    pub(in crate::demo) image: Duration,
    /// Time to transcribe one second of speech, alone.
    pub(in crate::demo) speech: Duration,
    /// Tokens that fit the key-value cache.
    pub(in crate::demo) cache_tokens: u32,
}

impl Pace {
    /// The same node, so many times slower.
    pub(in crate::demo) fn slowed(self, times: f64) -> Self {
        Self {
            prefill: self.prefill.mul_f64(times),
            decode: self.decode.mul_f64(times),
            image: self.image.mul_f64(times),
            speech: self.speech.mul_f64(times),
            ..self
        }
    }
}

/// The model server of one node.
#[derive(Debug)]
pub(super) struct Engine {
    pace: Pace,
    slots: Arc<Semaphore>,
    running: AtomicU32,
    waiting: AtomicU32,
    cached_tokens: AtomicU32,
}

/// A request's place in the batch; given back when it is dropped, also when the caller goes away.
#[derive(Debug)]
pub(super) struct Slot {
    engine: Arc<Engine>,
    tokens: u32,
    _permit: OwnedSemaphorePermit,
}

/// What the engine tells of itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Gauges {
    /// Requests in execution.
    pub(super) running: u32,
    /// Requests in the queue.
    pub(super) waiting: u32,
    /// Share of the slots that are busy, from 0 to 1.
    pub(super) busy: f64,
    /// Share of the key-value cache in use, from 0 to 1.
    pub(super) cache: f64,
}

impl Engine {
    /// An idle engine.
    pub(super) fn new(pace: Pace) -> Arc<Self> {
        Arc::new(Self {
            pace,
            slots: Arc::new(Semaphore::new(pace.slots as usize)),
            running: AtomicU32::new(0),
            waiting: AtomicU32::new(0),
            cached_tokens: AtomicU32::new(0),
        })
    }

    /// Waits for a slot, in order of arrival, for a request that will hold so many tokens of the cache.
    pub(super) async fn enter(self: &Arc<Self>, tokens: u32) -> Slot {
        let waiting = Counted::new(&self.waiting);
        let permit = Arc::clone(&self.slots).acquire_owned().await;
        drop(waiting);
        self.running.fetch_add(1, Relaxed);
        self.cached_tokens.fetch_add(tokens, Relaxed);
        Slot { engine: Arc::clone(self), tokens, _permit: permit.expect("the slots are never closed") }
    }

    /// What the engine is doing now.
    pub(super) fn gauges(&self) -> Gauges {
        let running = self.running.load(Relaxed);
        let cached = self.cached_tokens.load(Relaxed);
        Gauges {
            running,
            waiting: self.waiting.load(Relaxed),
            busy: f64::from(running) / f64::from(self.pace.slots),
            cache: (f64::from(cached) / f64::from(self.pace.cache_tokens)).min(1.0),
        }
    }
}

impl Slot {
    /// Takes in a prompt.
    pub(super) async fn prefill(&self, tokens: u32) {
        self.spend(self.engine.pace.prefill * tokens).await;
    }

    /// Makes so many tokens of the answer.
    pub(super) async fn decode(&self, tokens: u32) {
        self.spend(self.engine.pace.decode * tokens).await;
    }

    /// Makes an image.
    pub(super) async fn draw(&self) {
        self.spend(self.engine.pace.image).await;
    }

    /// Transcribes so many seconds of speech.
    pub(super) async fn transcribe(&self, seconds: u32) {
        self.spend(self.engine.pace.speech * seconds).await;
    }

    async fn spend(&self, alone: Duration) {
        let others = self.engine.running.load(Relaxed).saturating_sub(1);
        sleep(alone.mul_f64(1.0 + self.engine.pace.crowding * f64::from(others))).await;
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.engine.running.fetch_sub(1, Relaxed);
        self.engine.cached_tokens.fetch_sub(self.tokens, Relaxed);
    }
}

/// One more, as long as it lives.
struct Counted<'a>(&'a AtomicU32);

impl<'a> Counted<'a> {
    fn new(count: &'a AtomicU32) -> Self {
        count.fetch_add(1, Relaxed);
        Self(count)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests;
