//! How do sequences that write their answers come, grow, finish, and make room for each other?
//!
//! Nothing is done for each at each step: what is due at which step stands in a heap, and a sequence is brought up to date when
//! its turn has come.

use std::cmp::Reverse;

use super::{Done, Engine, Sequence, memory::Held};

impl Engine {
    pub(super) fn first_token(&mut self, mut sequence: Sequence, done: &mut Vec<Done>) {
        let (request, cached) = (sequence.job.request, sequence.cached);
        if sequence.produced == 0 {
            done.push(Done::FirstToken { request, cached });
        }
        sequence.produced += 1;
        if sequence.produced >= sequence.job.output {
            self.memory.release(&sequence.held);
            done.push(Done::Finished { request });
            return;
        }
        sequence.base = sequence.prompt;
        sequence.joined = self.steps;
        self.context += u64::from(sequence.base);
        self.decoders += 1;
        let slot = self.vacant.pop().unwrap_or_else(|| {
            self.decoding.push(None);
            self.decoding.len() - 1
        });
        let next = self.next_due(&sequence);
        self.due.push(Reverse((next, slot, sequence.age)));
        self.decoding[slot] = Some(sequence);
    }

    /// The step at whose end the sequence finishes or needs another block.
    pub(super) fn next_due(&self, sequence: &Sequence) -> u64 {
        let finishes = u64::from(sequence.job.output - sequence.produced);
        let room = u64::from(sequence.held.blocks()) * u64::from(self.block_tokens);
        let context = u64::from(sequence.base) + (self.steps - sequence.joined);
        self.steps + finishes.min(room.saturating_sub(context) + 1)
    }

    pub(super) fn steps_until_due(&self) -> u64 {
        self.due.peek().map_or(1, |Reverse((step, ..))| step.saturating_sub(self.steps).max(1))
    }

    /// Ends what is complete, and gives a block to what outgrows its own.
    pub(super) fn finish_due(&mut self, done: &mut Vec<Done>) {
        while let Some(&Reverse((step, slot, age))) = self.due.peek() {
            if step > self.steps {
                return;
            }
            self.due.pop();
            let current = self.decoding[slot].take_if(|sequence| sequence.age == age);
            let Some(mut sequence) = current else { continue };
            self.catch_up(&mut sequence);
            if sequence.produced >= sequence.job.output {
                self.leave(slot, &sequence);
                self.memory.release(&sequence.held);
                done.push(Done::Finished { request: sequence.job.request });
            } else if self.memory.grow(&mut sequence.held) {
                let next = self.next_due(&sequence);
                self.due.push(Reverse((next, slot, age)));
                self.decoding[slot] = Some(sequence);
            } else {
                self.decoding[slot] = Some(sequence);
                // It asks again after every step until there is room.
                self.due.push(Reverse((self.steps + 1, slot, age)));
                self.preempt_youngest();
            }
        }
    }

    /// Counts the tokens that a sequence has got since it joined.
    pub(super) fn catch_up(&self, sequence: &mut Sequence) {
        let steps = u32::try_from(self.steps - sequence.joined).unwrap_or(u32::MAX);
        sequence.produced += steps;
        sequence.base += steps;
        sequence.joined = self.steps;
    }

    pub(super) fn leave(&mut self, slot: usize, sequence: &Sequence) {
        self.context -= u64::from(sequence.base);
        self.decoders -= 1;
        self.vacant.push(slot);
    }

    /// Puts the youngest sequence back to the head of the queue; what it had computed may stay in the cache.
    pub(super) fn preempt_youngest(&mut self) {
        let decoding =
            self.decoding.iter().enumerate().filter_map(|(slot, s)| Some((s.as_ref()?.age, Some(slot))));
        let prefilling = self.prefilling.iter().map(|s| (s.age, None));
        let Some((_, slot)) = decoding.chain(prefilling).max_by_key(|(age, _)| *age) else { return };
        let mut sequence = match slot {
            Some(slot) => {
                let mut sequence = self.decoding[slot].take().expect("it was just seen");
                self.catch_up(&mut sequence);
                self.leave(slot, &sequence);
                sequence
            }
            None => self.prefilling.pop().expect("it was just seen"),
        };
        self.memory.release(&sequence.held);
        self.preemptions += 1;
        sequence.prompt = sequence.job.input + sequence.produced;
        (sequence.computed, sequence.held) = (0, Held::default());
        self.waiting.push_front(sequence);
    }
}
