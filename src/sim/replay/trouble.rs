//! How faults begin and end.

use super::{Fault, FaultKind, Run};

impl Run<'_> {
    pub(super) fn begin_fault(&mut self, now: u64, number: usize) {
        let Fault { node, kind, .. } = self.replay.faults[number];
        match kind {
            FaultKind::Slow(factor) => self.slow_down(now, node, factor),
            FaultKind::Silent => self.silent[node] = true,
            FaultKind::Dead => {
                self.dead[node] = true;
                self.steps[node] += 1;
                for request in self.engines[node].die(now) {
                    self.fail(now, request);
                }
            }
        }
    }

    fn slow_down(&mut self, now: u64, node: usize, factor: f64) {
        self.engines[node].slow = factor;
        if let Some(ends) = self.engines[node].interrupt(now) {
            self.put_off(node, ends);
        }
    }

    pub(super) fn end_fault(&mut self, now: u64, number: usize) {
        let Fault { node, kind, .. } = self.replay.faults[number];
        match kind {
            FaultKind::Slow(_) => self.slow_down(now, node, 1.0),
            FaultKind::Silent => self.silent[node] = false,
            FaultKind::Dead => self.dead[node] = false,
        }
    }
}
