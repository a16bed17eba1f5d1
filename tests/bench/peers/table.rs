//! How does it say what it found?

use serde_json::{Map, Value, json};

use super::{NODES, said::Failure};

/// Who decided, and the median nanoseconds of a decision in each fleet.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) medians: [u64; NODES.len()],
}

/// Who took part, ours first, and who did not and why.
#[derive(Default)]
pub(super) struct Table {
    pub(super) rows: Vec<Row>,
    pub(super) left_out: Vec<(&'static str, Failure)>,
}

impl Table {
    /// Lines for people.
    pub(super) fn text(&self) -> String {
        let reasons = self.left_out.iter().map(|(name, error)| format!("{name} is left out: {error}"));
        let title = "ns a decision, medians; in brackets as a multiple of ours".to_owned();
        let head = NODES.iter().fold(format!("{:<12}", "nodes"), |line, nodes| format!("{line}{nodes:>24}"));
        let rows = self.rows.iter().map(|row| row.text(&self.rows[0]));
        reasons.chain([title, head]).chain(rows).collect::<Vec<_>>().join("\n")
    }

    /// The same for programs.
    pub(super) fn json(&self) -> Value {
        let peers: Map<_, _> = self.rows.iter().map(|row| (row.name.to_owned(), row.json())).collect();
        let left_out: Map<_, _> = self
            .left_out
            .iter()
            .map(|(name, error)| ((*name).to_owned(), error.to_string().into()))
            .collect();
        json!({ "peers": peers, "peers_left_out": left_out })
    }
}

impl Row {
    fn text(&self, ours: &Self) -> String {
        let cell = |(theirs, ours): (&u64, &u64)| format!("{theirs} ({:.1})", *theirs as f64 / *ours as f64);
        let cells = self.medians.iter().zip(&ours.medians).map(cell);
        cells.fold(format!("{:<12}", self.name), |line, cell| format!("{line}{cell:>24}"))
    }

    fn json(&self) -> Value {
        let cells = NODES.iter().zip(&self.medians);
        cells.map(|(nodes, ns)| (format!("nodes_{nodes}"), json!({ "ns": ns }))).collect::<Map<_, _>>().into()
    }
}
