use proptest::prelude::*;

use super::*;

/// Any cost that grows with each column.
fn cost(standing: &Standing) -> f64 {
    let Standing { free_at, backlog, pace, decoding, context, lively, block_share, .. } = *standing;
    (free_at - 20.0).max(0.0) + backlog + 7.0 * pace + decoding * pace + context + lively * block_share
}

struct Sum;

impl Costs for Sum {
    fn at_least(&self, group: &Group) -> [f64; WIDTH] {
        std::array::from_fn(|lane| cost(&group.get(lane)))
    }

    fn of_nodes(&self, group: &Group, _: usize) -> [f64; WIDTH] {
        self.at_least(group)
    }
}

/// Few values, so that many cost the same.
fn standing() -> impl Strategy<Value = Standing> {
    let number = || (0_u8..6).prop_map(f64::from);
    let standing = prop::array::uniform7(number()).prop_map(
        |[free_at, backlog, pace, decoding, context, lively, block_share]| Standing {
            free_at: 8.0 * free_at,
            backlog,
            pace,
            decoding,
            context,
            lively,
            block_share,
            typical: 0.0,
            typical_at: 0.0,
        },
    );
    prop_oneof![9 => standing, 1 => Just(Standing::OUT)]
}

proptest! {
    /// On one level and on three, with each change put in place of what was there before.
    #[test]
    fn a_search_finds_what_a_look_at_all_would(
        before in prop::collection::vec(standing(), 1..600),
        changes in prop::collection::vec((any::<prop::sample::Index>(), standing()), 0..50),
        wanted in 1_usize..6,
        start in any::<usize>(),
    ) {
        let mut pyramid = Pyramid::new(before.len());
        let mut standings = before;
        for (place, standing) in standings.iter().enumerate() {
            pyramid.set(place, standing);
        }
        for (place, standing) in changes {
            let place = place.index(standings.len());
            standings[place] = standing;
            pyramid.set(place, &standing);
        }
        let mut found = Found::new(wanted);
        pyramid.search(&mut found, start, &Sum);
        let mut found: Vec<f64> = found.places().into_iter().map(|place| cost(&standings[place])).collect();
        found.sort_by(f64::total_cmp);
        let mut all: Vec<f64> = standings.iter().map(cost).filter(|cost| *cost < Standing::OUT_COST).collect();
        all.sort_by(f64::total_cmp);
        all.truncate(wanted);
        prop_assert_eq!(&found[..all.len().min(found.len())], &all[..]);
        let dearest = all.last().copied().unwrap_or_default();
        prop_assert!(found.iter().all(|cost| *cost <= dearest), "more only where they cost the same");
        prop_assert!(found.len() <= TIES_MAX);
    }
}

/// Of nodes that all cost the same every one can come first.
#[test]
fn where_all_cost_the_same_each_group_is_looked_at_first_some_time() {
    let mut pyramid = Pyramid::new(4 * WIDTH);
    let idle = Standing {
        free_at: 0.0,
        backlog: 0.0,
        pace: 1.0,
        decoding: 0.0,
        context: 0.0,
        lively: 0.0,
        block_share: 0.0,
        typical: 0.0,
        typical_at: 0.0,
    };
    (0..4 * WIDTH).for_each(|place| pyramid.set(place, &idle));
    let mut seen = std::collections::BTreeSet::new();
    for start in 0..WIDTH {
        let mut found = Found::new(3);
        pyramid.search(&mut found, start, &Sum);
        seen.extend(found.places());
    }
    assert_eq!(seen.len(), 4 * WIDTH);
}

#[test]
fn a_node_that_was_found_before_counts_once_at_its_lesser_cost() {
    let mut found = Found::new(2);
    found.offer(1.0, 7);
    found.offer(5.0, 7);
    found.offer(2.0, 3);
    found.offer(3.0, 4);
    assert_eq!(found.places(), [3, 7]);
}
