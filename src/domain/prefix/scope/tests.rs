use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

fn tenant(name: &str) -> TenantId {
    TenantId::parse(name).expect("a name")
}

fn model(name: &str) -> ModelName {
    ModelName::parse(name).expect("a name")
}

fn adapter(name: &str) -> AdapterName {
    AdapterName::parse(name).expect("a name")
}

fn session(name: &str) -> SessionId {
    SessionId::parse(name).expect("a name")
}

fn secret() -> Digester {
    Digester::with_secret(7)
}

#[test]
fn tenant_model_adapter_and_secret_each_have_keys_of_their_own() {
    let tenants = [tenant("a"), tenant("b")];
    let models = [model("m"), model("n")];
    let adapter = adapter("x");
    let hashes: Vec<u64> = (0..1000).collect();
    let scopes = [
        BlockScope { tenant: &tenants[0], model: &models[0], adapter: None },
        BlockScope { tenant: &tenants[1], model: &models[0], adapter: None },
        BlockScope { tenant: &tenants[0], model: &models[1], adapter: None },
        BlockScope { tenant: &tenants[0], model: &models[0], adapter: Some(&adapter) },
    ];
    let mut keys: HashSet<_> = scopes.iter().flat_map(|scope| scope.of_hashes(&hashes, &secret())).collect();
    keys.extend(scopes[0].of_hashes(&hashes, &Digester::with_secret(8)));
    assert_eq!(keys.len(), 5000, "no key stands for two");
    assert_eq!(scopes[0].of_hashes(&hashes, &secret()), scopes[0].of_hashes(&hashes, &secret()));
}

#[test]
fn a_sessions_longer_prompt_extends_its_shorter_one() {
    let (tenant, model) = (tenant("a"), model("m"));
    let scope = BlockScope { tenant: &tenant, model: &model, adapter: None };
    let short = scope.of_session(&session("s"), 3, &secret());
    let long = scope.of_session(&session("s"), 9, &secret());
    assert_eq!((short.len(), long.len()), (3, 9));
    assert!(long.starts_with(&short));
    assert!(scope.of_session(&session("s"), 0, &secret()).is_empty());
}

#[test]
fn sessions_and_hashes_have_keys_of_their_own() {
    let (tenant, model) = (tenant("a"), model("m"));
    let scope = BlockScope { tenant: &tenant, model: &model, adapter: None };
    let mut keys: HashSet<_> = scope.of_session(&session("s"), 100, &secret()).into_iter().collect();
    keys.extend(scope.of_session(&session("t"), 100, &secret()));
    keys.extend(scope.of_hashes(&(0..100).collect::<Vec<_>>(), &secret()));
    assert_eq!(keys.len(), 300);
}

#[test]
fn prompts_are_bounded() {
    let (tenant, model) = (tenant("a"), model("m"));
    let scope = BlockScope { tenant: &tenant, model: &model, adapter: None };
    assert_eq!(scope.of_session(&session("s"), u32::MAX, &secret()).len(), PrefixPolicy::BLOCKS_MAX);
    let hashes = vec![1; PrefixPolicy::BLOCKS_MAX + 1];
    assert_eq!(scope.of_hashes(&hashes, &secret()).len(), PrefixPolicy::BLOCKS_MAX);
}

proptest! {
    #[test]
    fn one_bit_of_a_hash_moves_many_of_its_key(hash: u64, bit in 0..64_u32, number: u128) {
        let digest = Digester::with_secret(number).digest(&tenant("a"), &());
        let moved = mixed(hash, digest).get() ^ mixed(hash ^ (1 << bit), digest).get();
        prop_assert!(moved != 0, "it is a permutation");
        prop_assert!((4..=60).contains(&moved.count_ones()), "{moved:064b}");
    }
}

/// Keys go into tables by their lowest bits: what differs in the highest alone must not fall together there.
#[test]
fn keys_are_spread_evenly_over_their_lowest_and_their_highest_bits() {
    let (tenant, model) = (tenant("a"), model("m"));
    let scope = BlockScope { tenant: &tenant, model: &model, adapter: None };
    let count = |keys: &[BlockKey], of: fn(u64) -> u64| {
        let mut buckets = [0_u32; 256];
        for key in keys {
            buckets[usize::try_from(of(key.get())).expect("a byte")] += 1;
        }
        *buckets.iter().max().expect("there are buckets")
    };
    for step in [1, 1 << 16, 1 << 52] {
        let hashes: Vec<u64> = (0..4096).map(|i| i * step).collect();
        let keys = scope.of_hashes(&hashes, &secret());
        // 16 are expected; 48 would be 8 standard deviations above.
        assert!(count(&keys, |key| key & 255) < 48, "{step}");
        assert!(count(&keys, |key| key >> 56) < 48, "{step}");
    }
}
