//! Are the hashes of prompts what tests/prefix/README.md says, and do prompts share what they should?

use std::collections::BTreeSet;

use serde::Deserialize;
use sha2::{Digest, Sha256};

#[derive(Deserialize)]
struct Vector {
    name: String,
    tenant: String,
    model: String,
    adapter: String,
    block_tokens: usize,
    tokens: Option<Vec<u32>>,
    text: Option<String>,
    prefix_blocks: Vec<String>,
}

impl Vector {
    /// The same number of bytes a block either way: four stand for a token.
    fn hashes(&self) -> Vec<u64> {
        let text = || self.text.as_deref().expect("one of the two").as_bytes().to_vec();
        let ids = |ids: &Vec<u32>| ids.iter().flat_map(|id| id.to_le_bytes()).collect();
        let content: Vec<u8> = self.tokens.as_ref().map_or_else(text, ids);
        chain((&self.tenant, &self.model, &self.adapter), &content, 4 * self.block_tokens)
    }
}

/// The hashes of token ids, for a tenant, a model and an adapter.
pub(crate) fn of_tokens(scope: (&str, &str, &str), tokens: &[u32], block_tokens: usize) -> Vec<u64> {
    let content: Vec<u8> = tokens.iter().flat_map(|id| id.to_le_bytes()).collect();
    chain(scope, &content, 4 * block_tokens)
}

fn chain((tenant, model, adapter): (&str, &str, &str), content: &[u8], block_bytes: usize) -> Vec<u64> {
    let scope = format!("pointsman.prefix.v1\0{tenant}\0{model}\0{adapter}");
    let chain = content.chunks_exact(block_bytes).scan(hash(scope.as_bytes()), |before, block| {
        *before = hash(&[&before.to_le_bytes(), block].concat());
        Some(*before)
    });
    chain.collect()
}

fn hash(bytes: &[u8]) -> u64 {
    let digest = Sha256::digest(bytes);
    u64::from_le_bytes(digest[..8].try_into().expect("a digest has 32 bytes"))
}

fn vectors() -> Vec<Vector> {
    serde_json::from_str(include_str!("../prefix/vectors.json")).expect("the file is ours")
}

fn named(name: &str) -> Vector {
    vectors().into_iter().find(|vector| vector.name == name).unwrap_or_else(|| panic!("no vector {name}"))
}

#[test]
fn every_vector_has_the_hashes_of_its_blocks() {
    let vectors = vectors();
    assert!(vectors.len() >= 12);
    for vector in vectors {
        let found: Vec<_> = vector.hashes().iter().map(ToString::to_string).collect();
        assert_eq!(found, vector.prefix_blocks, "{}", vector.name);
    }
}

#[test]
fn only_whole_blocks_count() {
    let count = |name: &str| named(name).prefix_blocks.len();
    assert_eq!(count("an empty prompt"), 0);
    assert_eq!(count("one token less than a block"), 0);
    assert_eq!(count("exactly one block"), 1);
    assert_eq!(count("several blocks and a rest"), 3);
}

#[test]
fn a_longer_prompt_begins_with_the_blocks_of_a_shorter_one() {
    for (shorter, longer) in
        [("exactly one block", "several blocks and a rest"), ("a chat", "the same chat, one turn later")]
    {
        let (shorter, longer) = (named(shorter).prefix_blocks, named(longer).prefix_blocks);
        assert!(longer.len() > shorter.len() && longer.starts_with(&shorter), "{shorter:?} {longer:?}");
    }
}

/// Who cannot be told apart by a hash would share what is not the same.
#[test]
fn another_tenant_model_adapter_or_beginning_shares_no_hash() {
    let names =
        ["exactly one block", "another tenant", "another model", "with an adapter", "another first token"];
    let first: BTreeSet<_> = names.iter().map(|name| named(name).prefix_blocks[0].clone()).collect();
    assert_eq!(first.len(), names.len());
    let (other, several) = (named("another first token"), named("several blocks and a rest"));
    assert_eq!(other.tokens.map(|ids| ids[1..4].to_vec()), several.tokens.map(|ids| ids[1..4].to_vec()));
    assert_ne!(other.prefix_blocks[1], several.prefix_blocks[1], "a block stands for all before it too");
}
