//! What do names become that come again and again?
//!
//! The same text in memory as the last time on this thread. A name lives as long as the lease of its request: memory of its own would
//! be far away when the lease ends, one more piece to wait for, for each name of each pick.

use std::{cell::RefCell, hash::BuildHasher, thread::LocalKey};

use foldhash::fast::FixedState;

use crate::domain::id::{ModelName, NameError, TenantId};

/// Names of a kind that a thread keeps. Two that come to the same place take turns there, and each is read anew.
const PLACES: usize = 256;

thread_local! {
    static MODELS: RefCell<Known<ModelName>> = RefCell::default();
    static TENANTS: RefCell<Known<TenantId>> = RefCell::default();
}

/// Names that came lately.
struct Known<N>(Vec<Option<N>>);

impl<N: Clone> Default for Known<N> {
    fn default() -> Self {
        Self(vec![None; PLACES])
    }
}

impl<N: AsRef<str> + Clone> Known<N> {
    fn read(&mut self, text: &str, parse: fn(&str) -> Result<N, NameError>) -> Result<N, NameError> {
        let place = &mut self.0[place(text)];
        match place {
            Some(known) if known.as_ref() == text => Ok(known.clone()),
            _ => Ok(place.insert(parse(text)?).clone()),
        }
    }
}

/// Reads the name of a model.
pub(super) fn model(text: &str) -> Result<ModelName, NameError> {
    read(&MODELS, text, ModelName::parse)
}

/// Reads the name of a tenant.
pub(super) fn tenant(text: &str) -> Result<TenantId, NameError> {
    read(&TENANTS, text, TenantId::parse)
}

fn read<N: AsRef<str> + Clone>(
    known: &'static LocalKey<RefCell<Known<N>>>,
    text: &str,
    parse: fn(&str) -> Result<N, NameError>,
) -> Result<N, NameError> {
    known.with_borrow_mut(|known| known.read(text, parse))
}

/// Nothing is lost where somebody chooses names that meet: so the hash need not be a secret one.
#[expect(clippy::cast_possible_truncation, reason = "any part of the hash will do")]
fn place(text: &str) -> usize {
    FixedState::with_seed(0).hash_one(text) as usize % PLACES
}

#[cfg(test)]
mod tests;
