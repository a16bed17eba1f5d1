// What one writes first: score every node, sort them all, take the first. A prompt's blocks and how many prompts recur are
// its arguments; lines of nodes and decisions in, nanoseconds out.
"use strict";

const readline = require("node:readline");

const [BLOCKS, PROMPTS] = process.argv.slice(2).map(Number);

// Blocks of a prompt, the same each time: plain numbers, which are looked up soonest.
const prompts = Array.from({ length: PROMPTS }, (_, prompt) =>
  Array.from({ length: BLOCKS }, (_, block) => prompt * BLOCKS + block),
);
const fleets = new Map();

// A fleet that has been asked for each prompt twice, by as many in a run as later.
function fleet(count, decisions) {
  if (!fleets.has(count)) {
    const nodes = Array.from({ length: count }, (_, id) => ({ id, load: 0, holds: new Set() }));
    fleets.set(count, { nodes, next: 0 });
    while (fleets.get(count).next < 2 * PROMPTS) run(fleets.get(count), decisions);
  }
  return fleets.get(count);
}

// Leading blocks that the node holds.
function overlap(node, prompt) {
  let held = 0;
  while (held < prompt.length && node.holds.has(prompt[held])) held += 1;
  return held;
}

function pick(nodes, prompt) {
  const scored = nodes.map((node) => ({ node, cost: BLOCKS - overlap(node, prompt) + node.load }));
  scored.sort((a, b) => a.cost - b.cost);
  const { node } = scored[0];
  node.load += 1;
  for (const block of prompt) node.holds.add(block);
  return node;
}

function run(fleet, decisions) {
  const asked = Array.from({ length: decisions }, () => prompts[(389 * fleet.next++) % PROMPTS]);
  const started = process.hrtime.bigint();
  const picked = asked.map((prompt) => pick(fleet.nodes, prompt));
  const took = process.hrtime.bigint() - started;
  for (const node of picked) node.load -= 1;
  return took;
}

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const [nodes, decisions] = line.split(" ").map(Number);
  process.stdout.write(`${run(fleet(nodes, decisions), decisions)}\n`);
});
