//! What goes wrong with a node, when and for how long.

/// One fault.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fault {
    /// The node, by its place in the fleet.
    pub node: usize,
    /// When it begins, in microseconds.
    pub at_us: u64,
    /// How long it lasts, in microseconds.
    pub for_us: u64,
    /// What happens.
    pub kind: FaultKind,
}

/// What happens to a node.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FaultKind {
    /// It takes so many times as long.
    Slow(f64),
    /// It loses all that it has and takes nothing.
    Dead,
    /// It tells nothing.
    Silent,
}
