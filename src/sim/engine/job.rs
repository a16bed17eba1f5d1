//! A request on its way through a node, and what becomes of it there.

/// A request on its way through a node.
#[derive(Debug, Clone)]
pub struct Job {
    /// Its number.
    pub request: usize,
    /// Tokens of its prompt, at least 1.
    pub input: u32,
    /// Tokens of its answer.
    pub output: u32,
    /// Its prompt's blocks.
    pub blocks: Vec<u64>,
    /// Tokens that whoever sent it expects to be cached.
    pub expected_cached: u32,
    /// Names the pick, among those of its router.
    pub ticket: u64,
    /// Number of the router that picked.
    pub router: usize,
}

/// What a node did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Done {
    /// The first token came; so many of the prompt's were cached.
    FirstToken {
        /// The request.
        request: usize,
        /// Tokens of the prompt that were cached.
        cached: u32,
    },
    /// The answer is complete.
    Finished {
        /// The request.
        request: usize,
    },
}
