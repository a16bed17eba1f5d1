use proptest::prelude::*;

use super::Finder;

/// Hashes that meet: few places where they belong, the last of a part among them, and some are the same.
fn hash() -> impl Strategy<Value = u64> {
    (prop_oneof![0_u64..4, 5_u64..8, Just(u64::from(u32::MAX))], 0_u64..2)
        .prop_map(|(tag, part)| tag << 32 | part)
}

#[derive(Debug, Clone)]
enum Act {
    Insert(u64),
    Remove(prop::sample::Index),
    Replace(prop::sample::Index),
}

fn act() -> impl Strategy<Value = Act> {
    let one = any::<prop::sample::Index>;
    prop_oneof![
        4 => hash().prop_map(Act::Insert),
        3 => one().prop_map(Act::Remove),
        1 => one().prop_map(Act::Replace),
    ]
}

/// The table and a plain list of what is in it.
#[derive(Default)]
struct Pair {
    finder: Finder,
    known: Vec<(u64, u32)>,
    numbers: u32,
}

impl Pair {
    fn number(&mut self) -> u32 {
        self.numbers += 1;
        self.numbers
    }

    fn play(&mut self, act: &Act) {
        match act {
            Act::Insert(hash) => {
                let number = self.number();
                self.finder.insert(*hash, number);
                self.known.push((*hash, number));
            }
            Act::Remove(index) if !self.known.is_empty() => {
                let (hash, number) = self.known.swap_remove(index.index(self.known.len()));
                self.finder.remove(hash, number);
            }
            Act::Replace(index) if !self.known.is_empty() => {
                let by = self.number();
                let place = index.index(self.known.len());
                let (hash, number) = &mut self.known[place];
                self.finder.replace(*hash, *number, by);
                *number = by;
            }
            Act::Remove(_) | Act::Replace(_) => {}
        }
    }

    fn compare(&self) {
        for number in 1..=self.numbers {
            let known = self.known.iter().find(|(_, known)| *known == number);
            for tag in (0..8).chain([u64::from(u32::MAX)]) {
                for hash in [tag << 32, tag << 32 | 1] {
                    let is_there = known.is_some_and(|(known, _)| *known == hash);
                    let found = self.finder.find(hash, |one| one == number);
                    assert_eq!(found, is_there.then_some(number), "{number} under {hash:x}");
                }
            }
        }
        assert_eq!(self.finder.len(), self.known.len());
    }
}

proptest! {
    #[test]
    fn what_was_put_in_and_not_taken_out_is_found(acts in prop::collection::vec(act(), 0..60)) {
        let mut pair = Pair::default();
        for act in acts {
            pair.play(&act);
            pair.compare();
        }
    }
}

#[test]
fn what_is_not_there_is_not_taken_out() {
    let mut finder = Finder::default();
    finder.remove(7, 1);
    finder.insert(7, 1);
    finder.remove(7, 2);
    finder.replace(7, 2, 3);
    assert_eq!(finder.find(7, |_| true), Some(1));
}
