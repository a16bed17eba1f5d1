use std::collections::BTreeSet;

use proptest::{prelude::*, sample::Index};

use super::*;
use crate::domain::id::{ModelName, TenantId};

fn scope() -> Arc<Scope> {
    let tenant = TenantId::parse("acme").expect("a good name");
    Arc::new(Scope { tenant, model: ModelName::parse("m").expect("a good name"), adapter: None })
}

fn runs(events: &KvEvents) -> Vec<(Option<u64>, Vec<u64>)> {
    events
        .changes
        .iter()
        .flat_map(|change| &change.stored)
        .map(|run| (run.parent_block, run.blocks.clone()))
        .collect()
}

#[test]
fn blocks_that_follow_each_other_are_one_run() {
    let (scope, mut journal) = (scope(), Journal::default());
    for (parent, block) in [(None, 1), (Some(1), 2), (Some(2), 3), (Some(1), 7), (None, 9)] {
        journal.store(&scope, parent, block);
    }
    let events = journal.events(1).expect("there is something");
    assert_eq!(runs(&events), [(None, vec![1, 2, 3]), (Some(1), vec![7]), (None, vec![9])]);
    journal.told(1);
    assert_eq!(journal.events(2), None);
}

#[test]
fn what_came_and_went_between_two_reports_is_not_told() {
    let (scope, mut journal) = (scope(), Journal::default());
    journal.store(&scope, None, 1);
    journal.remove(1);
    assert_eq!(journal.events(1), None);
    journal.store(&scope, None, 2);
    journal.events(1);
    journal.told(1);
    journal.remove(2);
    journal.store(&scope, None, 2);
    assert_eq!(journal.events(2), None);
}

#[test]
fn what_was_dropped_is_told_again_and_nothing_while_it_is_on_its_way() {
    let (scope, mut journal) = (scope(), Journal::default());
    journal.store(&scope, None, 1);
    let first = journal.events(5).expect("there is something");
    assert_eq!(journal.events(6), None);
    journal.told(4);
    assert_eq!(journal.events(6), None, "an older report was applied");
    journal.untold();
    assert_eq!(journal.events(7), Some(first));
    journal.told(7);
    assert_eq!(journal.events(8), None);
}

#[test]
fn a_report_carries_no_more_than_it_may() {
    let (scope, mut journal) = (scope(), Journal::default());
    for block in 0..10_000 {
        journal.store(&scope, None, block);
    }
    let counts: Vec<_> = (1..=4)
        .map(|report| {
            let events = journal.events(report);
            journal.told(report);
            events.map_or(0, |events| {
                events.changes[0].stored.iter().map(|run| run.blocks.len()).sum::<usize>()
            })
        })
        .collect();
    assert_eq!(counts, [4096, 4096, 1808, 0]);
}

#[test]
fn a_new_stream_is_told_everything_from_the_beginning() {
    let (scope, mut journal) = (scope(), Journal::default());
    journal.clear();
    for (parent, block) in [(None, 1), (Some(1), 2), (Some(2), 3)] {
        journal.store(&scope, parent, block);
    }
    journal.events(1);
    journal.told(1);
    journal.remove(3);
    journal.begin();
    let events = journal.events(1).expect("all of it");
    assert!(events.cleared);
    assert_eq!(runs(&events), [(None, vec![1, 2])]);
    assert!(events.changes.iter().all(|change| change.removed.is_empty()));
}

/// The engine was there before the agent: what the service knows of it may be right.
#[test]
fn an_agent_that_came_late_clears_nothing() {
    let (scope, mut journal) = (scope(), Journal::default());
    journal.begin();
    assert_eq!(journal.events(1), None);
    journal.store(&scope, None, 1);
    journal.store(&scope, None, 2);
    journal.events(1);
    journal.told(1);
    journal.remove(2);
    journal.begin();
    let events = journal.events(1).expect("all that is known");
    assert_eq!((events.cleared, runs(&events)), (false, vec![(None, vec![1])]));
    assert_eq!(events.changes[0].removed, [2]);
}

/// What a service knows that does as `ReportLoad` says.
#[derive(Debug, Default)]
pub(in crate::agent::cache) struct Service {
    /// The blocks that it knows, each with the one before it.
    known: HashMap<u64, Option<u64>>,
}

impl Service {
    pub(in crate::agent::cache) fn apply(&mut self, events: &KvEvents) {
        if events.cleared {
            self.known.clear();
        }
        for change in &events.changes {
            self.known.retain(|block, _| !change.removed.contains(block));
            while self.without_beginning().is_some_and(|block| self.known.remove(&block).is_some()) {}
            for run in &change.stored {
                let mut parent = run.parent_block;
                if parent.is_none_or(|parent| self.known.contains_key(&parent)) {
                    for block in &run.blocks {
                        self.known.insert(*block, parent);
                        parent = Some(*block);
                    }
                }
            }
        }
    }

    fn without_beginning(&self) -> Option<u64> {
        let lost = |parent: &Option<u64>| parent.is_some_and(|parent| !self.known.contains_key(&parent));
        self.known.iter().find(|(_, parent)| lost(parent)).map(|(block, _)| *block)
    }

    pub(in crate::agent::cache) fn blocks(&self) -> BTreeSet<u64> {
        self.known.keys().copied().collect()
    }
}

/// The next report, which arrives.
fn arrive(journal: &mut Journal, service: &mut Service) {
    journal.events(1).iter().for_each(|events| service.apply(events));
    journal.told(1);
}

#[test]
fn a_block_that_comes_back_brings_those_that_follow_it() {
    let (scope, mut journal, mut service) = (scope(), Journal::default(), Service::default());
    for (parent, block) in [(None, 1), (Some(1), 2), (Some(2), 3), (Some(1), 4)] {
        journal.store(&scope, parent, block);
    }
    arrive(&mut journal, &mut service);
    journal.remove(1);
    arrive(&mut journal, &mut service);
    assert!(service.blocks().is_empty(), "they hang in the air");
    journal.store(&scope, None, 1);
    arrive(&mut journal, &mut service);
    assert_eq!(service.blocks(), BTreeSet::from([1, 2, 3, 4]));
}

#[test]
fn a_new_stream_is_told_beginnings_first_whatever_came_last() {
    let (scope, mut journal) = (scope(), Journal::default());
    journal.store(&scope, None, 1);
    journal.store(&scope, Some(1), 2);
    arrive(&mut journal, &mut Service::default());
    for block in [2, 1] {
        journal.remove(block);
    }
    journal.store(&scope, None, 1);
    journal.store(&scope, Some(1), 2);
    journal.begin();
    let mut service = Service::default();
    arrive(&mut journal, &mut service);
    assert_eq!(service.blocks(), BTreeSet::from([1, 2]));
}

#[test]
fn what_changes_while_it_is_on_its_way_is_told_afterwards() {
    let (scope, mut journal, mut service) = (scope(), Journal::default(), Service::default());
    journal.store(&scope, None, 1);
    arrive(&mut journal, &mut service);
    journal.remove(1);
    service.apply(&journal.events(2).expect("it went"));
    journal.store(&scope, None, 1);
    journal.told(2);
    arrive(&mut journal, &mut service);
    assert_eq!(service.blocks(), BTreeSet::from([1]));
    journal.remove(1);
    service.apply(&journal.events(3).expect("it went"));
    assert!(service.blocks().is_empty());
}

#[test]
fn it_is_behind_with_more_than_a_report_and_none_on_its_way() {
    let (scope, mut journal) = (scope(), Journal::default());
    for block in 0..4096 {
        journal.store(&scope, None, block);
    }
    assert!(!journal.is_behind());
    journal.store(&scope, None, 4096);
    assert!(journal.is_behind());
    journal.events(1);
    assert!(!journal.is_behind());
    journal.untold();
    assert!(journal.is_behind());
}

/// Blocks of the property: some prompts that begin alike.
const BLOCKS: u64 = 20;

fn parent(block: u64) -> Option<u64> {
    block.checked_sub(2).map(|after| after / 2)
}

/// Whether the engine has the block and all before it.
fn is_whole(engine: &BTreeSet<u64>, block: u64) -> bool {
    std::iter::successors(Some(block), |block| parent(*block)).all(|block| engine.contains(&block))
}

#[derive(Debug, Clone)]
enum Act {
    Store(u64),
    Remove(Index),
    Clear,
    Report,
    Apply,
    Drop,
    /// The service has lost all.
    Restart,
    /// The stream broke off; what was on its way came, or did not.
    Reconnect(bool),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (0_u64..BLOCKS).prop_map(Act::Store),
        6 => any::<Index>().prop_map(Act::Remove),
        1 => Just(Act::Clear),
        4 => Just(Act::Report),
        4 => Just(Act::Apply),
        2 => Just(Act::Drop),
        1 => Just(Act::Restart),
        1 => any::<bool>().prop_map(Act::Reconnect),
    ]
}

proptest! {
    /// Whatever is lost on the way: once all is told, the service knows what the engine has from the beginning on.
    #[test]
    fn in_the_end_the_service_knows_what_is_there(acts in prop::collection::vec(act(), 0..120)) {
        let (scope, mut journal) = (scope(), Journal::default());
        let (mut engine, mut service) = (BTreeSet::new(), Service::default());
        let mut on_its_way: Option<KvEvents> = None;
        let mut report = 0;
        for act in acts.into_iter().chain([Act::Apply, Act::Report, Act::Apply, Act::Report, Act::Apply]) {
            match act {
                Act::Store(block) => {
                    engine.insert(block);
                    journal.store(&scope, parent(block), block);
                }
                Act::Remove(index) if !engine.is_empty() => {
                    let block = *engine.iter().nth(index.index(engine.len())).expect("it is in range");
                    engine.remove(&block);
                    journal.remove(block);
                }
                Act::Remove(_) => {}
                Act::Clear => {
                    engine.clear();
                    journal.clear();
                    // The service has applied it all the same, and its word of that comes too late.
                    on_its_way.take().into_iter().for_each(|events| service.apply(&events));
                }
                Act::Report => {
                    report += 1;
                    let events = journal.events(report);
                    prop_assert!(events.is_none() || on_its_way.is_none());
                    on_its_way = events.or(on_its_way);
                }
                Act::Apply => {
                    if let Some(events) = on_its_way.take() {
                        service.apply(&events);
                        journal.told(report);
                    }
                }
                Act::Drop => {
                    on_its_way = None;
                    journal.untold();
                }
                Act::Restart => {
                    on_its_way = None;
                    service = Service::default();
                    journal.begin();
                }
                Act::Reconnect(came) => {
                    on_its_way.take().iter().filter(|_| came).for_each(|events| service.apply(events));
                    journal.begin();
                }
            }
        }
        let whole: BTreeSet<_> = engine.iter().copied().filter(|block| is_whole(&engine, *block)).collect();
        prop_assert_eq!(whole, service.blocks());
        prop_assert_eq!(journal.events(report + 1), None);
    }
}
