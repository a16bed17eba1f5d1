//! What is known of a board's nodes, and how is it kept up?

use std::{sync::Arc, time::Duration};

use super::{
    Glance,
    asked::{Asked, Prices, Typical},
    census::Census,
    pyramid::{Found, Group, Pyramid, WIDTH},
};
use crate::{
    domain::{
        decision::Rung,
        policy::{BreakerPolicy, CostPolicy, FreshnessPolicy, LoadPolicy, Policy},
        prefix::PrefixPolicy,
        time::Instant,
    },
    state::nodes::{
        marks::{Change, Marks},
        node::Node,
        prefixes::{Overlaps, Wanted},
        reading::Reading,
        standing::{Speeds, Standing, busy, millis},
    },
};

/// A board of no more nodes is counted anew at each change.
const SMALL: usize = 64;
/// How old the census of a larger one may be.
const CENSUS_AGE: Duration = Duration::from_millis(5);
/// How old what the pyramid has of a node may be: caches fade, and waits pass. Each node has its turn within this time, so
/// that no pick waits until all have been put anew.
const PYRAMID_AGE: Duration = Duration::from_millis(50);
/// How often it is reckoned how busy a larger board is: it is averaged over many seconds.
const BUSY_AGE: Duration = Duration::from_millis(10);
/// The pyramid is made up anew where the speeds of the pool have moved by more than this share. Speeds that nodes report
/// move by thousandths all the time, and to make it up takes as long as a hundred picks.
const SPEED_MOVE: f64 = 1e-2;
/// No node stands here.
const NOBODY: u32 = u32::MAX;

/// Readings of nodes, in order of their ids, and what is made of them.
#[derive(Debug)]
pub struct Rows {
    readings: Vec<Reading>,
    /// When each is to be taken anew, and the earliest of these.
    until: Vec<Instant>,
    earliest: Instant,
    /// What the readings were taken by.
    terms: Option<Terms>,
    version: u64,
    census: Census,
    /// When that was taken; `None` where it must be taken anew.
    counted: Option<Instant>,
    has_changed: bool,
    pyramid: Pyramid,
    /// Nodes that stand otherwise than the pyramid has them.
    moved: Vec<usize>,
    /// Speeds of the live nodes, moved only when they differ enough: all that is kept depends on them.
    speeds: Speeds,
    /// For how long blocks were likely to be wanted when all of the pyramid was made up; `None` where it must be made up anew.
    built: Option<Wanted>,
    /// Whose turn it is to be put on the pyramid anew, and when the one before had its turn.
    turn: usize,
    turned: Instant,
    reckoned: Option<Instant>,
    /// What a typical request asks: of late, and when the pyramid was made up.
    seen: Typical,
    typical: Typical,
    /// Places of the nodes by their numbers in the index of prefixes.
    by_number: Vec<u32>,
}

/// What of the policy goes into a reading.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Terms {
    freshness: FreshnessPolicy,
    breaker: BreakerPolicy,
    load: LoadPolicy,
    cost: CostPolicy,
    prefixes: PrefixPolicy,
}

/// What somebody looks for among the nodes.
#[derive(Debug)]
pub struct Search<'a> {
    /// How many of the cheapest.
    pub count: usize,
    /// Who holds how much of the prompt.
    pub overlaps: &'a Overlaps,
    /// How long blocks are likely to be wanted again.
    pub wanted: &'a Wanted,
    /// Any number: where the search begins among what costs the same.
    pub start: usize,
    /// The time.
    pub now: Instant,
}

impl Rows {
    pub(super) fn of(nodes: &[Arc<Node>]) -> Self {
        Self {
            readings: Vec::new(),
            until: Vec::new(),
            earliest: Instant::ZERO,
            terms: None,
            version: 0,
            census: Census::default(),
            counted: None,
            has_changed: false,
            pyramid: Pyramid::new(nodes.len()),
            moved: Vec::new(),
            speeds: Speeds::default(),
            built: None,
            turn: 0,
            turned: Instant::ZERO,
            reckoned: None,
            seen: Typical::default(),
            typical: Typical::default(),
            by_number: by_number(nodes),
        }
    }

    /// Reads those nodes anew that have changed, or all where the policy has.
    pub(super) fn catch_up(&mut self, nodes: &[Arc<Node>], marks: &Marks, policy: &Policy, now: Instant) {
        if self.terms.as_ref().is_some_and(|terms| terms.are_of(policy)) {
            marks.take(|place, change| match change {
                Change::Any => self.reread(place, nodes, policy, now),
                Change::Sums => self.recount(place, nodes),
            });
            self.reread_old(nodes, policy, now);
        } else {
            // Before the nodes are read: what changes meanwhile is marked again.
            marks.take(|_, _| ());
            self.terms = Some(Terms::of(policy));
            self.version += 1;
            self.read_all(nodes, policy, now);
        }
        let is_old = |counted| self.readings.len() <= SMALL || now.since(counted) >= CENSUS_AGE;
        if self.has_changed && self.counted.is_none_or(is_old) {
            self.census = Census::of(self.readings.iter(), &policy.load);
            self.counted = Some(now);
            self.has_changed = false;
            self.follow(self.census.speeds());
        }
    }

    /// How many policies the nodes were read by.
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    /// What is known of all nodes together.
    pub(super) fn glance(&self) -> Glance {
        Glance { census: self.census, speeds: self.speeds, version: self.version }
    }

    /// The nodes' readings, by place.
    pub fn readings(&self) -> &[Reading] {
        &self.readings
    }

    /// Where a node stands, by the last search.
    pub fn standing(&self, place: usize) -> Standing {
        self.pyramid.get(place)
    }

    /// Places of the cheapest live nodes, ascending; with some more where many cost the same.
    pub fn shortlist(&mut self, nodes: &[Arc<Node>], search: &Search<'_>, asked: &impl Asked) -> Vec<usize> {
        let common = asked.ask(search.overlaps.common());
        self.seen = asked.typical(&common, self.seen);
        self.build_up(nodes, asked, search.wanted, search.now);
        let mut found = Found::new(search.count);
        for number in search.overlaps.holders() {
            let place = self.by_number.get(usize::from(number)).filter(|place| **place != NOBODY);
            let Some(place) = place.map(|place| *place as usize) else { continue };
            let depth = search.overlaps.depth(self.readings[place].holder);
            found.offer(asked.cost(&self.pyramid.get(place), &asked.ask(depth)), place);
        }
        let costs = Prices::new(asked, common, &self.typical, &self.readings, search.overlaps);
        self.pyramid.search(&mut found, search.start, &costs);
        found.places()
    }

    /// How busy the live nodes are, from 0 to 1: those with `full` milliseconds or more before them count in full. Reckoned
    /// now and then; `None` where it was lately.
    pub fn busy(&mut self, full: f64, now: Instant) -> Option<f64> {
        let is_known = |reckoned| self.readings.len() > SMALL && now.since(reckoned) < BUSY_AGE;
        if self.reckoned.is_some_and(is_known) {
            return None;
        }
        self.reckoned = Some(now);
        let is_in = |group: &Group, lane: usize| group.pace[lane] < Standing::OUT.pace;
        let wait =
            |group: &Group, lane: usize| (group.free_at[lane] - millis(now)).max(0.0) + group.backlog[lane];
        let waits = self.pyramid.groups().iter().flat_map(|group| {
            (0..WIDTH).filter(move |lane| is_in(group, *lane)).map(move |lane| wait(group, lane))
        });
        busy(waits, full)
    }

    fn read_all(&mut self, nodes: &[Arc<Node>], policy: &Policy, now: Instant) {
        self.readings = nodes.iter().map(|node| Reading::of(node, policy, Rung::Normal, now)).collect();
        self.until = self.readings.iter().map(|reading| reading.until).collect();
        self.earliest = earliest(&self.until);
        (self.counted, self.has_changed) = (None, true);
        self.built = None;
    }

    fn reread(&mut self, place: usize, nodes: &[Arc<Node>], policy: &Policy, now: Instant) {
        let reading = Reading::of(&nodes[place], policy, Rung::Normal, now);
        self.until[place] = reading.until;
        self.earliest = self.earliest.min(reading.until);
        self.readings[place] = reading;
        self.moves(place);
    }

    fn recount(&mut self, place: usize, nodes: &[Arc<Node>]) {
        self.readings[place].recount(&nodes[place]);
        self.moves(place);
    }

    /// A node stands otherwise. Where more have moved than there are, all are put on the pyramid anew: nobody may be looking
    /// for the cheapest.
    fn moves(&mut self, place: usize) {
        self.has_changed = true;
        if self.moved.len() >= self.readings.len() {
            self.built = None;
        }
        if self.built.is_some() {
            self.moved.push(place);
        }
    }

    /// Reads those anew whose time has come.
    fn reread_old(&mut self, nodes: &[Arc<Node>], policy: &Policy, now: Instant) {
        if now < self.earliest {
            return;
        }
        for place in 0..nodes.len() {
            if self.until[place] <= now {
                self.reread(place, nodes, policy, now);
            }
        }
        self.earliest = earliest(&self.until);
    }

    /// Puts the nodes on the pyramid that stand otherwise and those whose turn it is, or all where what is typical has changed.
    fn build_up<A: Asked>(&mut self, nodes: &[Arc<Node>], asked: &A, wanted: &Wanted, now: Instant) {
        if self.built.is_some_and(|was| was.is_near(wanted)) && self.typical.is_near(&self.seen) {
            while let Some(place) = self.moved.pop() {
                self.put(place, &nodes[place], asked, wanted, now);
            }
            self.take_turns(nodes, asked, wanted, now);
            return;
        }
        self.moved.clear();
        self.typical = self.seen;
        for (place, node) in nodes.iter().enumerate() {
            self.put(place, node, asked, wanted, now);
        }
        self.built = Some(*wanted);
        self.turned = now;
    }

    /// As many turns as the time that has passed is worth, all of them at most.
    fn take_turns<A: Asked>(&mut self, nodes: &[Arc<Node>], asked: &A, wanted: &Wanted, now: Instant) {
        let count = u32::try_from(nodes.len()).unwrap_or(u32::MAX).max(1);
        let between = PYRAMID_AGE / count;
        let passed = now.since(self.turned).as_nanos() / between.as_nanos().max(1);
        let turns = u32::try_from(passed).unwrap_or(u32::MAX).min(count);
        self.turned = if turns < count { self.turned + between * turns } else { now };
        for _ in 0..turns {
            let place = self.turn % nodes.len();
            self.turn = place + 1;
            self.put(place, &nodes[place], asked, wanted, now);
        }
    }

    fn follow(&mut self, speeds: Speeds) {
        let near = |a: f64, b: f64| (a - b).abs() <= SPEED_MOVE * b;
        if !near(self.speeds.mean, speeds.mean) || !near(self.speeds.least, speeds.least) {
            self.speeds = speeds;
            self.built = None;
        }
    }

    fn put<A: Asked>(&mut self, place: usize, node: &Node, asked: &A, wanted: &Wanted, now: Instant) {
        let reading = &self.readings[place];
        let standing = if reading.is_live() {
            let standing = Standing::of(reading, node.live.occupancy.as_deref(), &self.speeds, wanted);
            standing.with_typical(asked.typical_cost(&standing, &self.typical), now)
        } else {
            Standing::OUT
        };
        self.pyramid.set(place, &standing);
    }
}

impl Terms {
    fn of(policy: &Policy) -> Self {
        let Policy { freshness, breaker, load, cost, prefixes, .. } = *policy;
        Self { freshness, breaker, load, cost, prefixes }
    }

    fn are_of(&self, policy: &Policy) -> bool {
        let Self { freshness, breaker, load, cost, prefixes } = self;
        (freshness, breaker, load, cost, prefixes)
            == (&policy.freshness, &policy.breaker, &policy.load, &policy.cost, &policy.prefixes)
    }
}

fn earliest(until: &[Instant]) -> Instant {
    until.iter().copied().min().unwrap_or(Instant::NEVER)
}

fn by_number(nodes: &[Arc<Node>]) -> Vec<u32> {
    let numbers = || nodes.iter().map(|node| node.live.occupancy.as_deref().map(|o| usize::from(o.number())));
    let length = numbers().flatten().max().map_or(0, |most| most + 1);
    let mut places = vec![NOBODY; length];
    for (place, number) in (0..).zip(numbers()) {
        if let Some(number) = number {
            places[number] = place;
        }
    }
    places
}

#[cfg(test)]
mod tests;
