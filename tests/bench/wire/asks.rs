//! Where do requests come from that differ and cost nothing to make?
//!
//! A message is encoded once; of each copy that is sent only the bytes change that must: the request's name, its
//! fingerprint, and the hashes of the blocks that are new.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use pointsman::proto::{
    BatchPickNodesRequest, PickNodeRequest, RequestType, StreamPicksRequest, pick_node_request::Question,
};
use prost::{Message, bytes::Bytes};

use super::{
    case::{Call, Work},
    fleet::model,
    prompts::{BLOCKS, PROMPT_TOKENS, PROMPTS, block},
};

/// Pools with full work.
pub(crate) const POOLS: usize = 4;
/// Blocks at the end of a prompt that are new with full work.
const NEW_BLOCKS: u64 = 8;
/// Stands where a name goes: as long as 16 hexadecimal digits.
const NAME: &[u8; 16] = b"################";
/// Stands where a fingerprint goes.
const FINGERPRINT: &[u8; 16] = b"@@@@@@@@@@@@@@@@";
/// Stands where a new block goes.
const NEW: u64 = u64::from_be_bytes(*b"%%%%%%%%");

/// Requests of one kind.
pub(crate) struct Asks {
    frames: Vec<Frame>,
    picks: u64,
    next: AtomicU64,
}

/// A message with its gRPC prefix, and where it changes.
struct Frame {
    bytes: Vec<u8>,
    names: Vec<usize>,
    fingerprints: Vec<usize>,
    blocks: Vec<usize>,
}

impl Asks {
    /// Requests for one method.
    pub(crate) fn new(work: Work, call: Call) -> Self {
        let frames = (0..PROMPTS).map(|prompt| Frame::new(&message(prompt, work, call))).collect();
        Self { frames, picks: call.picks(), next: AtomicU64::new(0) }
    }

    /// The next message: no other one was or will be the same.
    pub(crate) fn next(&self) -> Bytes {
        self.at(self.number())
    }

    /// The next message's number.
    pub(crate) fn number(&self) -> u64 {
        self.next.fetch_add(self.picks, Relaxed)
    }

    /// The message with this number, the same each time.
    pub(crate) fn at(&self, number: u64) -> Bytes {
        // Prompts in an order that is none, so that neighbours in time are no neighbours in memory.
        let prompt = (number / self.picks).wrapping_mul(389) % PROMPTS;
        let frame = &self.frames[usize::try_from(prompt).unwrap_or_default()];
        frame.with(number)
    }
}

impl Frame {
    fn new(message: &[u8]) -> Self {
        let length = u32::try_from(message.len()).unwrap_or_default();
        let bytes = [&[0], &length.to_be_bytes()[..], message].concat();
        let places =
            |pattern: &[u8]| (0..bytes.len()).filter(|at| bytes[*at..].starts_with(pattern)).collect();
        let (names, fingerprints, blocks) = (places(NAME), places(FINGERPRINT), places(&NEW.to_le_bytes()));
        // Marks that touch would be found at every byte.
        let blocks = apart(blocks);
        Self { bytes, names, fingerprints, blocks }
    }

    /// For the picks from this number on.
    fn with(&self, number: u64) -> Bytes {
        let mut bytes = self.bytes.clone();
        for places in [&self.names, &self.fingerprints] {
            for (number, at) in (number..).zip(places) {
                write_hexadecimal(&mut bytes[*at..*at + NAME.len()], number);
            }
        }
        for (place, at) in (number * BLOCKS + 1..).zip(&self.blocks) {
            // Spread over all 64 bits, as hashes are.
            let fresh = place.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            bytes[*at..*at + size_of::<u64>()].copy_from_slice(&fresh.to_le_bytes());
        }
        bytes.into()
    }
}

/// Of places that lie side by side only every eighth.
fn apart(places: Vec<usize>) -> Vec<usize> {
    places.into_iter().fold(Vec::new(), |mut kept, place| {
        if kept.last().is_none_or(|last| last + size_of::<u64>() <= place) {
            kept.push(place);
        }
        kept
    })
}

fn write_hexadecimal(bytes: &mut [u8], mut number: u64) {
    for byte in bytes.iter_mut().rev() {
        *byte = b"0123456789abcdef"[(number & 15) as usize];
        number >>= 4;
    }
}

fn message(prompt: u64, work: Work, call: Call) -> Vec<u8> {
    match call {
        Call::Unary => pick(prompt, work).encode_to_vec(),
        Call::Stream => StreamPicksRequest { pick: Some(pick(prompt, work)) }.encode_to_vec(),
        Call::Batch(picks) => {
            let picks = (0..picks).map(|number| pick((prompt + number) % PROMPTS, work)).collect();
            BatchPickNodesRequest { picks }.encode_to_vec()
        }
    }
}

fn pick(prompt: u64, work: Work) -> PickNodeRequest {
    let base = PickNodeRequest {
        request_id: String::from_utf8_lossy(NAME).into_owned(),
        request_type: RequestType::Text.into(),
        model: model(0),
        tenant: "acme".into(),
        prompt_tokens: Some(PROMPT_TOKENS.into()),
        prefix_blocks: (0..BLOCKS).map(|number| block(prompt, number)).collect(),
        ..PickNodeRequest::default()
    };
    if work == Work::Base {
        return base;
    }
    let known = (0..BLOCKS - NEW_BLOCKS).map(|number| block(prompt, number));
    PickNodeRequest {
        model: model(usize::try_from(prompt).unwrap_or_default() % POOLS),
        user: format!("user-{prompt}"),
        max_output_tokens: Some(500),
        question: Some(Question::Fingerprint(FINGERPRINT.to_vec())),
        prefix_blocks: known.chain((0..NEW_BLOCKS).map(|_| NEW)).collect(),
        ..base
    }
}
