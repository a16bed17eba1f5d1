//! How long does `dynamo-kv-router` take to decide? A prompt's blocks and how many prompts recur are its arguments; lines
//! of nodes and decisions in, nanoseconds out.

use std::{
    collections::{BTreeMap, HashMap, btree_map::Entry},
    env,
    error::Error,
    io::{Write, stdin, stdout},
    time::Instant,
};

use dynamo_kv_router::{
    DefaultWorkerSelector, KvRouterConfig, LocalBlockHash, RadixTree, WorkerLoadProjection,
    WorkerSelectionInput, WorkerSelector,
    protocols::{
        ExternalSequenceBlockHash, KvCacheEventData, KvCacheStoreData, KvCacheStoredBlockData,
        RoutingConstraints, WorkerId, WorkerWithDpRank,
    },
    scheduling::{OverlapSignals, ScheduleMode, SchedulingRequest},
    test_utils::{SimpleWorkerConfig, router_event},
};
use mimalloc::MiMalloc;

type Failure = Box<dyn Error>;

const BLOCK_TOKENS: u32 = 256;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Of which prompts is asked: so many that recur, each of so many blocks.
#[derive(Clone, Copy)]
struct Prompts {
    blocks: u64,
    count: u64,
}

/// What is asked, and what is told to the tree once it is placed.
struct Asked {
    blocks: Vec<LocalBlockHash>,
    stored: KvCacheEventData,
}

/// Workers, what they hold, and the request whose loads are kept from one decision to the next.
struct Fleet {
    prompts: Prompts,
    workers: HashMap<WorkerId, SimpleWorkerConfig>,
    tree: RadixTree,
    selector: DefaultWorkerSelector,
    request: SchedulingRequest,
    next: u64,
}

impl Prompts {
    fn asked(self, number: u64) -> Asked {
        let first = number * 389 % self.count * self.blocks;
        // Spread over all 64 bits, as hashes are.
        let hashes = (first + 1..=first + self.blocks).map(|block| block.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let block = |hash| KvCacheStoredBlockData {
            block_hash: ExternalSequenceBlockHash(hash),
            tokens_hash: LocalBlockHash(hash),
            mm_extra_info: None,
        };
        let blocks = hashes.clone().map(block).collect();
        let stored = KvCacheStoreData { parent_hash: None, start_position: None, blocks };
        Asked { blocks: hashes.map(LocalBlockHash).collect(), stored: KvCacheEventData::Stored(stored) }
    }
}

impl Fleet {
    /// A fleet that has been asked for each prompt twice, by as many in a run as later.
    fn new(nodes: u64, decisions: u64, prompts: Prompts) -> Result<Self, Failure> {
        let workers = (0..nodes).map(|id| (id, SimpleWorkerConfig::default())).collect();
        let config = KvRouterConfig { router_temperature: 0.0, ..KvRouterConfig::default() };
        let mut request = request(prompts.blocks);
        for id in 0..nodes {
            request
                .worker_loads
                .insert(WorkerWithDpRank::from_worker_id(id), WorkerLoadProjection::default());
        }
        let selector = DefaultWorkerSelector::new(Some(config), "peer");
        let mut fleet = Self { prompts, workers, tree: RadixTree::new(), selector, request, next: 0 };
        while fleet.next < 2 * prompts.count {
            fleet.run(decisions)?;
        }
        Ok(fleet)
    }

    /// Nanoseconds of so many decisions.
    #[expect(clippy::disallowed_methods, reason = "what it is for")]
    fn run(&mut self, decisions: u64) -> Result<u128, Failure> {
        let asked: Vec<_> =
            (self.next..self.next + decisions).map(|number| self.prompts.asked(number)).collect();
        self.next += decisions;
        let started = Instant::now();
        let picked = asked.into_iter().map(|asked| self.pick(asked)).collect::<Result<Vec<_>, _>>()?;
        let took = started.elapsed().as_nanos();
        for worker in picked {
            self.load(worker, |blocks, prompt| blocks.saturating_sub(prompt));
        }
        Ok(took)
    }

    /// Decides, and notes it.
    fn pick(&mut self, asked: Asked) -> Result<WorkerWithDpRank, Failure> {
        let scores = self.tree.find_matches(asked.blocks, false).scores;
        let overlap = &mut self.request.overlap;
        overlap.effective_overlap_blocks.clear();
        overlap.effective_cached_tokens.clear();
        for (worker, blocks) in scores {
            overlap.effective_overlap_blocks.insert(worker, f64::from(blocks));
            overlap.effective_cached_tokens.insert(worker, (blocks * BLOCK_TOKENS) as usize);
        }
        let eligibility = self.request.eligibility();
        let input = WorkerSelectionInput::configured(&self.workers, &self.request, eligibility, BLOCK_TOKENS);
        let worker = self.selector.select_worker(input)?.worker;
        self.load(worker, |blocks, prompt| blocks + prompt);
        self.tree.apply_event(router_event(worker.worker_id, self.next, 0, asked.stored))?;
        Ok(worker)
    }

    /// Changes a worker's blocks to do, by the blocks of a prompt.
    fn load(&mut self, worker: WorkerWithDpRank, change: impl Fn(usize, usize) -> usize) {
        if let Some(load) = self.request.worker_loads.get_mut(&worker) {
            load.active_decode_blocks = change(load.active_decode_blocks, self.prompts.blocks as usize);
        }
    }
}

/// A request without wishes, of so many blocks.
fn request(blocks: u64) -> SchedulingRequest {
    SchedulingRequest {
        mode: ScheduleMode::QueryOnly { request_id: Some("peer".into()) },
        token_seq: None,
        isl_tokens: (blocks * u64::from(BLOCK_TOKENS)) as usize,
        lora_name: None,
        expected_output_tokens: None,
        affinity_target: None,
        pinned_worker: None,
        allowed_worker_ids: None,
        routing_constraints: RoutingConstraints::default(),
        router_config_override: None,
        track_prefill_tokens: true,
        priority_jump: 0.0,
        strict_priority: 0,
        policy_class: None,
        session_context: None,
        overlap: OverlapSignals {
            tier_overlap_blocks: Default::default(),
            effective_overlap_blocks: Default::default(),
            effective_cached_tokens: Default::default(),
        },
        kv_transfer_candidates: None,
        retain_kv_transfer_chain: false,
        shared_cache_hits: None,
        worker_loads: Default::default(),
        resp_tx: None,
    }
}

fn main() -> Result<(), Failure> {
    let arguments = env::args().skip(1).map(|number| number.parse()).collect::<Result<Vec<u64>, _>>()?;
    let [blocks, count] = arguments[..] else {
        return Err("a prompt's blocks and how many prompts recur".into());
    };
    let mut fleets = BTreeMap::new();
    for line in stdin().lines() {
        let line = line?;
        let (nodes, decisions) = line.split_once(' ').ok_or("nodes and decisions, with a space between")?;
        let (nodes, decisions) = (nodes.parse()?, decisions.parse()?);
        let fleet = match fleets.entry(nodes) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(Fleet::new(nodes, decisions, Prompts { blocks, count })?),
        };
        writeln!(stdout(), "{}", fleet.run(decisions)?)?;
    }
    Ok(())
}
