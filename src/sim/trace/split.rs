//! One part of a trace to learn from, and another to check it on.

use std::{collections::HashMap, time::Duration};

use super::{Arrival, Row, Trace};

impl Trace {
    /// The sessions that begin before so much of the time has passed, and those that begin after it, from a start of their
    /// own. `None` where one of the two would have no request.
    pub fn split(&self, share: f64) -> Option<(Self, Self)> {
        let cut = self.duration().mul_f64(share);
        let mut is_early: HashMap<(u32, u32), bool> = HashMap::new();
        let (mut early, mut late) = (self.none(), self.none());
        for row in &self.rows {
            let begins_early = match row.arrival {
                Arrival::At(at) => at < cut,
                Arrival::After { .. } => true,
            };
            let belongs_early = *is_early.entry((row.tenant, row.session)).or_insert(begins_early);
            if belongs_early {
                early.take(row, self, Duration::ZERO);
            } else {
                late.take(row, self, cut);
            }
        }
        (!early.rows.is_empty() && !late.rows.is_empty()).then_some((early, late))
    }

    fn none(&self) -> Self {
        Self {
            name: self.name.clone(),
            block_tokens: self.block_tokens,
            rows: Vec::new(),
            blocks: Vec::new(),
        }
    }

    fn take(&mut self, row: &Row, of: &Self, start: Duration) {
        // No more blocks than the trace had, whose ranges fit.
        let from = u32::try_from(self.blocks.len()).unwrap_or(u32::MAX);
        self.blocks.extend(of.blocks(row));
        let to = u32::try_from(self.blocks.len()).unwrap_or(u32::MAX);
        let arrival = match row.arrival {
            Arrival::At(at) => Arrival::At(at.saturating_sub(start)),
            after @ Arrival::After { .. } => after,
        };
        self.rows.push(Row { arrival, blocks: from..to, ..row.clone() });
    }
}

#[cfg(test)]
mod tests;
