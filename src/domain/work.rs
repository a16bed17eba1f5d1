//! How much computing is a prompt?

/// Share of a token's work that each token of its context adds (attention over the linear part, of a 70B model).
const CONTEXT_SHARE: f64 = 1.8e-5;

/// Work of computing `tokens` after `context` tokens that are there: `m · (1 + κ · (h + m / 2))`. 1 is one token without
/// any context.
pub fn work(tokens: u32, context: u32) -> f64 {
    let (tokens, context) = (f64::from(tokens), f64::from(context));
    tokens * (1.0 + CONTEXT_SHARE * (context + tokens / 2.0))
}

#[cfg(test)]
mod tests;
