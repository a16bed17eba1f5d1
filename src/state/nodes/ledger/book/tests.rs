use std::collections::BTreeMap;

use proptest::{prelude::*, sample::Index};

use super::*;

#[derive(Debug, Clone)]
enum Act {
    /// A pick so many numbers before the latest, or after it.
    Insert(i64),
    Remove(Index),
    RemoveFirst,
    After(u64),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (-3_i64..4).prop_map(Act::Insert),
        4 => any::<Index>().prop_map(Act::Remove),
        1 => Just(Act::RemoveFirst),
        1 => (0_u64..400).prop_map(Act::After),
    ]
}

proptest! {
    #[test]
    fn a_book_is_an_ordered_map(acts in prop::collection::vec(act(), 1..600)) {
        let (mut book, mut model) = (Book::default(), BTreeMap::new());
        let mut latest = 0_u64;
        for act in acts {
            match act {
                Act::Insert(offset) => {
                    let pick = latest.saturating_add_signed(offset).max(1);
                    latest = latest.max(pick);
                    if let std::collections::btree_map::Entry::Vacant(free) = model.entry(pick) {
                        free.insert(pick * 3);
                        book.insert(pick, Entry { at: Instant::ZERO, work: pick * 3, ahead: 0.0 });
                    }
                }
                Act::Remove(index) if !model.is_empty() => {
                    let pick = *model.keys().nth(index.index(model.len())).expect("it is there");
                    prop_assert_eq!(book.remove(pick).map(|entry| entry.work), model.remove(&pick));
                    prop_assert!(book.remove(pick).is_none());
                }
                Act::Remove(_) => prop_assert!(book.remove(latest).is_none()),
                Act::RemoveFirst => {
                    if let Some((pick, work)) = model.pop_first() {
                        prop_assert_eq!(book.remove(pick).map(|entry| entry.work), Some(work));
                    }
                }
                Act::After(pick) => {
                    let told: Vec<_> = book.after(pick).map(|(pick, entry)| (pick, entry.work)).collect();
                    let known: Vec<_> = model.range(pick + 1..).map(|(pick, work)| (*pick, *work)).collect();
                    prop_assert_eq!(told, known);
                }
            }
            prop_assert_eq!(book.front(), model.first_key_value().map(|(pick, work)| (*pick, *work)));
            prop_assert!(book.entries.len() <= 2 * model.len() + GAPS_MIN + 1, "gaps are closed");
            prop_assert_eq!(book.latest, latest);
        }
    }
}
