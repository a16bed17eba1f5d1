//! The stages that drop nodes, by name.

/// A stage that drops nodes. The order is the order in which they run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Filter {
    /// No endpoint for the request type.
    RequestType,
    /// Another model.
    Model,
    /// Another version.
    ModelVersion,
    /// The other class.
    Class,
    /// Excluded by the caller.
    Excluded,
    /// Draining.
    Drain,
    /// Breaker open.
    Breaker,
    /// No sign of life in time.
    Freshness,
}
