//! What does a simulator of somebody else's say to the service, and what does it answer?
//!
//! One JSON object a line, one reply a line, in order; nothing else is written, and nothing else is known than what
//! the lines say: the same lines make the same replies. Time is `t`, microseconds, and never goes back. A line that cannot
//! be taken is answered with `{"ok":false,"error":…,"field":…}`, and changes nothing.
//!
//! | `op` | fields beside `t` | reply |
//! |---|---|---|
//! | `open` | `seed`, `replica`, `nodes: [{id, kv_tokens, block_tokens, zone}]` | `{"ok":true}`; everything before is forgotten |
//! | `report` | `node`, `taken_at`, `seq`, `waiting`, `running`, `decoding`, `queued_tokens`, `net_work`, `kv_active`, `busy`, `speed`, `received_ticket` | `{"ok":true}` |
//! | `pick` | `request`, `tenant`, `tier`, `deadline_ms`, `input_tokens`, `blocks: [u64…]`, `exclude: [node…]` | `{"node":…,"ticket":…,"expected_hit_tokens":…,"policy":…}` or `{"refuse":true,"retry_after_ms":…,"reason":…}` |
//! | `first_token` | `request`, `ttft_ms`, `cached_tokens` | `{"ok":true}` |
//! | `done` | `request`, `output_tokens` | `{"ok":true}` |
//! | `failed` | `request`, `reason` | `{"ok":true}` |
//! | `stats` | | numbers of what is remembered |
//!
//! Names are words or whole numbers, and are told back as they came. Fields of `report` that are absent, `null`, or (of
//! `speed`) 0 are not known. `tier` is `interactive` (also `premium`, `high`, 0), `standard` (`free`, `normal`, 1, anything
//! else) or `batch` (`low`, 2). Instead of `op` the kind may stand in `type`, `kind` or `msg`, or be the one key around
//! the other fields.

mod fields;
mod replies;

use std::{collections::HashMap, num::NonZeroU32, time::Duration};

use serde_json::Value;

use self::{
    fields::{Fields, Refused, name},
    replies::{ok, picked, refused, rejected},
};
use super::decider::{self, Ask, Decider, Service, for_simulation};
use crate::domain::{
    id::{NodeId, RequestId, TenantId},
    load::{NodeLoad, Ratio},
    policy::Policy,
    prefix::PrefixPolicy,
    request::{RequestKey, RouteRequest},
};

/// Most nodes that can be opened.
const NODES_MAX: usize = 4096;
/// Tokens of a block where `open` does not say.
const BLOCK_TOKENS: u32 = 512;

/// A conversation with a simulator.
#[derive(Debug)]
pub struct Protocol {
    policy: Policy,
    opened: Option<Opened>,
}

/// What was opened, and what has come of it.
#[derive(Debug)]
struct Opened {
    decider: Decider,
    nodes: HashMap<NodeId, Known>,
    /// Requests under way, by their names here.
    requests: HashMap<RequestId, RequestKey>,
    now_us: u64,
}

#[derive(Debug)]
struct Known {
    /// Its name as it came.
    told: Value,
    kv_tokens: Option<u64>,
}

impl Protocol {
    /// A conversation that has not begun.
    pub fn new(policy: Policy) -> Self {
        Self { policy, opened: None }
    }

    /// Longest line that is taken, in bytes: a fleet of ten thousand nodes, and a pick of as many blocks as there may be, fit.
    pub const LINE_BYTES_MAX: usize = 4 << 20;

    /// The reply to a line.
    pub fn answer(&mut self, line: &str) -> String {
        let reply = self.obey(line).unwrap_or_else(|bad| refused(&bad));
        reply.to_string()
    }

    fn obey(&mut self, line: &str) -> Result<Value, Refused> {
        if line.len() > Self::LINE_BYTES_MAX {
            let problem = format!("the line is longer than {} bytes", Self::LINE_BYTES_MAX);
            return Err(Refused { field: None, problem });
        }
        let (kind, fields) = Fields::parse(line)?;
        let now_us = fields.whole("t")?.ok_or_else(|| Refused::field("t", "is required: microseconds"))?;
        if kind == "open" {
            self.opened = Some(self.open(&fields, now_us)?);
            return Ok(ok());
        }
        let opened = self.opened.as_mut();
        let opened = opened.ok_or_else(|| {
            Refused::field("op", format!("is `{kind}`, but nothing is open: send `open` first"))
        })?;
        if now_us < opened.now_us {
            let problem = format!("must not go back: {now_us} comes after {}", opened.now_us);
            return Err(Refused::field("t", problem));
        }
        let reply = match kind.as_str() {
            "report" => opened.report(&fields, now_us),
            "pick" => opened.pick(&fields, now_us),
            "first_token" => opened.first_token(&fields, now_us),
            "done" => opened.done(&fields, now_us),
            "failed" => opened.failed(&fields, now_us),
            "stats" => Ok(opened.stats()),
            other => {
                let known = "open, report, pick, first_token, done, failed and stats";
                Err(Refused::field("op", format!("is `{other}`; known are {known}")))
            }
        }?;
        opened.now_us = now_us;
        Ok(reply)
    }

    fn open(&self, fields: &Fields, now_us: u64) -> Result<Opened, Refused> {
        let seed = fields.whole("seed")?.unwrap_or(1);
        let replica = fields.whole("replica")?.unwrap_or(0);
        let listed = fields.list("nodes")?;
        if listed.is_empty() || listed.len() > NODES_MAX {
            return Err(Refused::field(
                "nodes",
                format!("must be 1 to {NODES_MAX} nodes, got {}", listed.len()),
            ));
        }
        let block_tokens = block_tokens(&listed)?;
        let policy = for_simulation(self.policy.clone(), block_tokens);
        let mut decider = Decider::new(policy, seed.rotate_left(17) ^ replica);
        let mut nodes = HashMap::new();
        for (number, node) in listed.iter().enumerate() {
            let at = format!("nodes[{number}].");
            let told = node.required("id").map_err(|bad| bad.within(&at))?.clone();
            let id = name(&told, "id", NodeId::parse).map_err(|bad| bad.within(&at))?;
            let kv_tokens = node.whole("kv_tokens").map_err(|bad| bad.within(&at))?;
            let capacity = kv_tokens.and_then(std::num::NonZeroU64::new);
            let registered = decider.register(id.clone(), capacity, now_us);
            registered.map_err(|full| Refused::field("nodes", full.to_string()))?;
            if nodes.insert(id, Known { told, kv_tokens }).is_some() {
                return Err(Refused::field("id", "is another node's too").within(&at));
            }
        }
        Ok(Opened { decider, nodes, requests: HashMap::new(), now_us })
    }
}

/// Tokens of a block: the same on every node, for the blocks of a request mean the same to all.
fn block_tokens(nodes: &[Fields]) -> Result<NonZeroU32, Refused> {
    let mut known = None;
    for (number, node) in nodes.iter().enumerate() {
        let at = format!("nodes[{number}].");
        let tokens =
            node.whole("block_tokens").map_err(|bad| bad.within(&at))?.unwrap_or(BLOCK_TOKENS.into());
        let tokens = u32::try_from(tokens).ok().and_then(NonZeroU32::new);
        let tokens = tokens.ok_or_else(|| Refused::field("block_tokens", "must be over 0").within(&at))?;
        if *known.get_or_insert(tokens) != tokens {
            return Err(Refused::field("block_tokens", "must be the same on every node").within(&at));
        }
    }
    Ok(known.unwrap_or(NonZeroU32::MIN))
}

impl Opened {
    fn report(&mut self, fields: &Fields, now_us: u64) -> Result<Value, Refused> {
        let node = self.node(fields.required("node")?, "node")?;
        let taken_at = fields.whole("taken_at")?.unwrap_or(now_us);
        if taken_at > now_us {
            return Err(Refused::field(
                "taken_at",
                format!("must not lie ahead of `t`, {now_us}; got {taken_at}"),
            ));
        }
        let sequence = fields.whole("seq")?.unwrap_or(now_us + 1);
        let requests =
            |name| fields.within(name, f64::from(NodeLoad::MAX_REQUESTS)).map(|n| n.map(whole_u32));
        let load = NodeLoad {
            cpu: fields.within("busy", 1.0)?.and_then(|busy| Ratio::try_new(busy).ok()),
            running: requests("running")?,
            waiting: requests("waiting")?,
            decoding: requests("decoding")?,
            kv_capacity: self.nodes[&node].kv_tokens,
            kv_active: fields.whole("kv_active")?,
            queued_tokens: fields.whole("queued_tokens")?,
            queued_work: fields.within("net_work", NodeLoad::MAX_WORK)?,
            speed: fields.within("speed", NodeLoad::MAX_SPEED)?.filter(|speed| *speed > 0.0),
            received_lease: fields.whole("received_ticket")?.and_then(decider::received),
            age: Some(Duration::from_micros(now_us - taken_at)),
            ..NodeLoad::default()
        };
        let applied = self.decider.report(&node, sequence, load, now_us);
        Ok(if applied { ok() } else { serde_json::json!({ "ok": true, "stale": true }) })
    }

    fn pick(&mut self, fields: &Fields, now_us: u64) -> Result<Value, Refused> {
        let request = name(fields.required("request")?, "request", RequestId::parse)?;
        let tenant = fields.get("tenant").map(|told| name(told, "tenant", TenantId::parse)).transpose()?;
        let tenant =
            tenant.unwrap_or_else(|| TenantId::parse(TenantId::DEFAULT).expect("a plain word is a name"));
        let input = fields.within("input_tokens", f64::from(RouteRequest::MAX_TOKENS))?;
        let input = input.ok_or_else(|| Refused::field("input_tokens", "is required"))?;
        let blocks = fields.numbers("blocks", PrefixPolicy::BLOCKS_MAX)?;
        let excluded = fields.names("exclude")?;
        let excluded: Result<Vec<_>, _> = excluded.iter().map(|told| self.node(told, "exclude")).collect();
        // As the engine's clock is the caller's, so is its patience: a day at most.
        let target = fields.within("deadline_ms", 86_400_000.0)?;
        let ask = Ask {
            request: &request,
            tenant: &tenant,
            service: service(fields.get("tier")),
            target: target.filter(|ms| *ms > 0.0).map(|ms| Duration::from_secs_f64(ms / 1000.0)),
            input: whole_u32(input).max(1),
            output: None,
            blocks: &blocks,
            excluded: &excluded?,
        };
        match self.decider.pick(&ask, now_us) {
            Ok(route) => {
                self.requests.insert(request.clone(), RequestKey { tenant, request });
                Ok(picked(&route, &self.nodes[route.targets.best().node()].told))
            }
            Err(rejection) => Ok(rejected(&rejection)),
        }
    }

    fn first_token(&mut self, fields: &Fields, now_us: u64) -> Result<Value, Refused> {
        let latency = fields.within("ttft_ms", 1e9)?.unwrap_or(1e9);
        let cached = fields.within("cached_tokens", f64::from(RouteRequest::MAX_TOKENS))?;
        let key = self.key(fields)?.clone();
        let latency = Duration::from_secs_f64(latency / 1000.0);
        self.decider.first_token(key, latency, cached.map(whole_u32), now_us);
        Ok(ok())
    }

    fn done(&mut self, fields: &Fields, now_us: u64) -> Result<Value, Refused> {
        let output = fields.within("output_tokens", f64::from(RouteRequest::MAX_TOKENS))?.map(whole_u32);
        let key = self.key(fields)?.clone();
        self.requests.remove(&key.request);
        self.decider.done(key, output, now_us);
        Ok(ok())
    }

    fn failed(&mut self, fields: &Fields, now_us: u64) -> Result<Value, Refused> {
        let key = self.key(fields)?.clone();
        self.requests.remove(&key.request);
        self.decider.failed(key, now_us);
        Ok(ok())
    }

    fn stats(&self) -> Value {
        let state = self.decider.state();
        serde_json::json!({
            "index_blocks": state.nodes.prefixes.blocks(),
            "index_bytes": state.nodes.prefixes.bytes(),
            "ledger": state.leases.live(),
            "nodes": self.nodes.len(),
            "rung": "normal",
        })
    }

    fn node(&self, told: &Value, field: &str) -> Result<NodeId, Refused> {
        let id = name(told, field, NodeId::parse)?;
        if self.nodes.contains_key(&id) {
            return Ok(id);
        }
        Err(Refused::field(field, format!("names `{id}`, which `open` did not list")))
    }

    fn key(&self, fields: &Fields) -> Result<&RequestKey, Refused> {
        let request = name(fields.required("request")?, "request", RequestId::parse)?;
        let known = self.requests.get(&request);
        known.ok_or_else(|| Refused::field("request", format!("names `{request}`, which is not under way")))
    }
}

fn service(tier: Option<&Value>) -> Service {
    match tier {
        Some(Value::String(word)) => match word.as_str() {
            "interactive" | "premium" | "high" => Service::Interactive,
            "batch" | "low" => Service::Batch,
            _ => Service::Standard,
        },
        Some(Value::Number(number)) if number.as_u64() == Some(0) => Service::Interactive,
        Some(Value::Number(number)) if number.as_u64() == Some(2) => Service::Batch,
        _ => Service::Standard,
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounds are checked before")]
fn whole_u32(number: f64) -> u32 {
    number as u32
}

#[cfg(test)]
mod tests;
