//! How long does our own decision take, in process?

use std::{
    collections::{BTreeMap, btree_map::Entry},
    hint::black_box,
};

use super::{
    clock::{nanos_since, now},
    entrant::Decides,
    fleet,
    said::Failure,
    world::World,
};

/// A world for each size of the fleet.
#[derive(Default)]
pub(super) struct Ours {
    worlds: BTreeMap<usize, World>,
}

impl Decides for Ours {
    fn nanos(&mut self, nodes: usize) -> Result<u64, Failure> {
        let world = match self.worlds.entry(nodes) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(World::new(fleet::policy(), nodes, 1)?),
        };
        let requests = world.requests();
        let started = now();
        let routed = requests.iter().filter(|request| black_box(world.decide(request))).count();
        let nanos = nanos_since(started);
        world.settle(&requests);
        if routed < requests.len() {
            return Err(format!("{routed} of {} requests have a route", requests.len()).into());
        }
        Ok(nanos / requests.len() as u64)
    }
}
