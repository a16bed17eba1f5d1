use std::collections::BTreeSet;

use proptest::{prelude::*, sample::Index};

use super::*;
use crate::{agent::cache::journal::tests::Service, config::EventSocket, proto::KvChange};

pub(in crate::agent::cache) fn config() -> CacheEvents {
    CacheEvents {
        socket: EventSocket::Bind("tcp://127.0.0.1:0".into()),
        topic: String::new(),
        tenant: TenantId::parse("default").expect("a good name"),
        model: ModelName::parse("m").expect("a good name"),
    }
}

/// One prompt's blocks as an engine tells them: named by all tokens up to their end.
pub(in crate::agent::cache) fn stored(tokens: &[u32], size: usize, from: usize) -> Stored {
    let blocks: Vec<_> = (1..=tokens.len() / size).map(|count| name(&tokens[..count * size])).collect();
    Stored {
        parent: from.checked_sub(1).map(|before| blocks[before].clone()),
        tokens: tokens[from * size..blocks.len() * size].to_vec(),
        keys: vec![Vec::new(); blocks.len() - from],
        blocks: blocks[from..].to_vec(),
        adapter: None,
    }
}

fn name(tokens: &[u32]) -> EngineBlock {
    let bytes: Vec<u8> = tokens.iter().flat_map(|token| token.to_le_bytes()).collect();
    EngineBlock::Bytes(bytes.into())
}

/// The hashes of a prompt as tests/prefix/README.md says.
pub(in crate::agent::cache) fn hashes(scope: (&str, &str, &str), tokens: &[u32], size: usize) -> Vec<u64> {
    let (tenant, model, adapter) = scope;
    let mut before =
        first_bytes(&Sha256::digest(format!("pointsman.prefix.v1\0{tenant}\0{model}\0{adapter}")));
    let chain = tokens.chunks_exact(size).map(|block| {
        let content: Vec<u8> = block.iter().flat_map(|token| token.to_le_bytes()).collect();
        before = first_bytes(&Sha256::digest([&before.to_le_bytes()[..], &content].concat()));
        before
    });
    chain.collect()
}

fn mirror(block_tokens: u32) -> Mirror {
    Mirror::new(NonZeroU32::new(block_tokens).expect("not 0"), &config())
}

/// What the service would hold, having heard all.
#[derive(Default)]
struct Heard(BTreeSet<u64>);

impl Heard {
    fn hear(&mut self, journal: &mut Journal) {
        for report in 1.. {
            let Some(events) = journal.events(report) else { return };
            if events.cleared {
                self.0.clear();
            }
            for KvChange { removed, stored, .. } in events.changes {
                for block in removed {
                    assert!(self.0.remove(&block), "it was told");
                }
                for run in stored {
                    assert!(
                        run.parent_block.is_none_or(|parent| self.0.contains(&parent)),
                        "its parent is there"
                    );
                    self.0.extend(run.blocks);
                }
            }
            journal.told(report);
        }
    }
}

fn told(journal: &mut Journal) -> Vec<KvChange> {
    journal.events(1).map(|events| events.changes).unwrap_or_default()
}

#[test]
fn small_blocks_make_up_ours_hashed_as_gateways_do() {
    let tokens: Vec<u32> = (0..70).collect();
    let (mut mirror, mut journal) = (mirror(16), Journal::default());
    mirror.store(&stored(&tokens, 4, 0), &mut journal);
    let changes = told(&mut journal);
    assert_eq!((changes[0].tenant.as_str(), changes[0].model.as_str()), ("default", "m"));
    assert_eq!(changes[0].stored.len(), 1);
    assert_eq!(changes[0].stored[0].blocks, hashes(("default", "m", ""), &tokens, 16));
    assert_eq!(changes[0].stored[0].blocks.len(), 4);
}

#[test]
fn sizes_that_do_not_divide_each_other_are_put_together_too() {
    let tokens: Vec<u32> = (0..96).collect();
    for size in [1, 3, 5, 7, 16, 48, 96] {
        let (mut mirror, mut journal) = (mirror(10), Journal::default());
        mirror.store(&stored(&tokens, size, 0), &mut journal);
        let whole = tokens.len() / size * size;
        let blocks: Vec<_> = told(&mut journal)
            .into_iter()
            .flat_map(|change| change.stored)
            .flat_map(|run| run.blocks)
            .collect();
        assert_eq!(blocks, hashes(("default", "m", ""), &tokens[..whole], 10), "{size}");
    }
}

#[test]
fn a_salt_is_a_tenant_and_an_adapter_is_itself() {
    let tokens: Vec<u32> = (0..8).collect();
    let text = |text: &str| ExtraKey::Text(text.into());
    let ours = |adapter: Option<&str>, first: Vec<ExtraKey>| {
        let (mut mirror, mut journal) = (mirror(4), Journal::default());
        let mut stored = stored(&tokens, 4, 0);
        stored.adapter = adapter.map(str::to_owned);
        stored.keys[0] = first;
        stored.keys[1] = adapter.map(text).into_iter().collect();
        mirror.store(&stored, &mut journal);
        told(&mut journal)
            .into_iter()
            .next()
            .map(|change| (change.tenant, change.adapter, change.stored[0].blocks.clone()))
    };
    let expected = |tenant: &str, adapter: &str| {
        Some((tenant.into(), adapter.into(), hashes((tenant, "m", adapter), &tokens, 4)))
    };
    assert_eq!(ours(None, vec![text("acme")]), expected("acme", ""));
    assert_eq!(ours(Some("poet"), vec![text("poet")]), expected("default", "poet"));
    assert_eq!(ours(Some("poet"), vec![text("poet"), text("acme")]), expected("acme", "poet"));
    assert_eq!(ours(None, vec![ExtraKey::Other]), None, "an image");
    assert_eq!(ours(None, vec![text("one"), text("two")]), None);
    assert_eq!(ours(None, vec![text("no\nname")]), None);
}

#[test]
fn from_an_image_on_nothing_is_known() {
    let tokens: Vec<u32> = (0..12).collect();
    let (mut mirror, mut journal) = (mirror(4), Journal::default());
    let mut with_image = stored(&tokens, 4, 0);
    with_image.keys[1] = vec![ExtraKey::Other];
    mirror.store(&with_image, &mut journal);
    mirror.store(&stored(&tokens, 4, 2), &mut journal);
    assert_eq!(told(&mut journal)[0].stored[0].blocks, hashes(("default", "m", ""), &tokens[..4], 4));
}

#[test]
fn what_follows_the_unknown_is_passed_over() {
    let tokens: Vec<u32> = (0..16).collect();
    let (mut mirror, mut journal) = (mirror(4), Journal::default());
    mirror.store(&stored(&tokens, 4, 2), &mut journal);
    assert_eq!(journal.events(1), None);
}

#[test]
fn nothing_is_told_of_what_follows_a_gap() {
    let tokens: Vec<u32> = (0..32).collect();
    let (mut mirror, mut journal) = (mirror(16), Journal::default());
    let names = stored(&tokens, 4, 0).blocks;
    mirror.store(&stored(&tokens[..12], 4, 0), &mut journal);
    mirror.remove(&names[1..2], &mut journal);
    mirror.store(&stored(&tokens, 4, 3), &mut journal);
    assert_eq!(journal.events(1), None);
}

/// An engine that lost the middle of a prompt computes it and what follows, and tells of all that.
#[test]
fn a_gap_that_is_filled_makes_what_follows_whole_again() {
    let tokens: Vec<u32> = (0..48).collect();
    let (mut mirror, mut journal, mut service) = (mirror(16), Journal::default(), Service::default());
    let mut hear = |journal: &mut Journal| {
        journal.events(1).iter().for_each(|events| service.apply(events));
        journal.told(1);
        service.blocks()
    };
    let all = stored(&tokens, 4, 0);
    mirror.store(&all, &mut journal);
    mirror.remove(&all.blocks[1..2], &mut journal);
    assert!(hear(&mut journal).is_empty());
    mirror.store(&stored(&tokens, 4, 1), &mut journal);
    assert_eq!(hear(&mut journal), hashes(("default", "m", ""), &tokens, 16).into_iter().collect());
    mirror.store(&all, &mut journal);
    assert_eq!(mirror.made_up.len(), 3, "what is told again takes no room");
    mirror.remove(&all.blocks, &mut journal);
    assert!(hear(&mut journal).is_empty());
    assert!(mirror.ours.is_empty() && mirror.made_up.is_empty(), "nothing was counted twice");
}

#[derive(Debug, Clone)]
enum Act {
    /// The engine computes a prompt, as far as it does not hold it.
    Store(Vec<u32>),
    /// It lets go of one of its blocks and what follows it.
    Remove(Index),
}

fn act() -> impl Strategy<Value = Act> {
    // Two tokens and short prompts: many begin alike.
    let prompt = prop::collection::vec(0_u32..2, 0..24);
    prop_oneof![3 => prompt.prop_map(Act::Store), 2 => any::<Index>().prop_map(Act::Remove)]
}

proptest! {
    /// One of ours is there just as long as all of the engine's that it is made of.
    #[test]
    fn the_service_hears_what_is_there(acts in prop::collection::vec(act(), 0..60), size in 1_usize..5, ours in 1_u32..7) {
        let (mut mirror, mut journal, mut heard) = (mirror(ours), Journal::default(), Heard::default());
        let mut engine: BTreeSet<Vec<u32>> = BTreeSet::new();
        for act in acts {
            match act {
                Act::Store(prompt) => {
                    let count = prompt.len() / size;
                    let known = (1..=count).take_while(|count| engine.contains(&prompt[..count * size])).count();
                    if known < count {
                        mirror.store(&stored(&prompt, size, known), &mut journal);
                        engine.extend((known + 1..=count).map(|count| prompt[..count * size].to_vec()));
                    }
                }
                Act::Remove(index) if !engine.is_empty() => {
                    let doomed = engine.iter().nth(index.index(engine.len())).expect("it is in range").clone();
                    let gone: Vec<_> = engine.iter().filter(|block| block.starts_with(&doomed)).cloned().collect();
                    mirror.remove(&gone.iter().map(|block| name(block)).collect::<Vec<_>>(), &mut journal);
                    engine.retain(|block| !block.starts_with(&doomed));
                }
                Act::Remove(_) => {}
            }
            heard.hear(&mut journal);
            let there: BTreeSet<_> =
                engine.iter().flat_map(|prompt| hashes(("default", "m", ""), prompt, ours as usize)).collect();
            prop_assert_eq!(&heard.0, &there);
        }
    }

    /// Whatever an engine lets go of, in whatever order, the service hears of nothing that is not there from the beginning
    /// on; of a prompt that is told as a whole it hears all.
    #[test]
    fn the_service_hears_of_nothing_that_is_not_there(
        acts in prop::collection::vec(act(), 0..60),
        size in 1_usize..5,
        ours in 1_u32..7,
    ) {
        let (mut mirror, mut journal, mut service) = (mirror(ours), Journal::default(), Service::default());
        let mut engine: BTreeSet<Vec<u32>> = BTreeSet::new();
        let of = |prompt: &[u32]| hashes(("default", "m", ""), prompt, ours as usize);
        for act in acts {
            let mut told = Vec::new();
            match act {
                Act::Store(prompt) if prompt.len() >= size => {
                    let whole = prompt.len() / size * size;
                    mirror.store(&stored(&prompt, size, 0), &mut journal);
                    engine.extend((1..=whole / size).map(|count| prompt[..count * size].to_vec()));
                    told = of(&prompt[..whole]);
                }
                Act::Remove(index) if !engine.is_empty() => {
                    let gone = engine.iter().nth(index.index(engine.len())).expect("it is in range").clone();
                    mirror.remove(&[name(&gone)], &mut journal);
                    engine.remove(&gone);
                }
                _ => {}
            }
            journal.events(1).iter().for_each(|events| service.apply(events));
            journal.told(1);
            let is_whole = |block: &&Vec<u32>| (1..=block.len() / size).all(|count| engine.contains(&block[..count * size]));
            let there: BTreeSet<_> = engine.iter().filter(is_whole).flat_map(|prompt| of(prompt)).collect();
            let heard = service.blocks();
            prop_assert!(heard.is_subset(&there), "{:?}", heard.difference(&there));
            prop_assert!(told.iter().all(|block| heard.contains(block)));
        }
    }
}
