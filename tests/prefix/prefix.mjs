// The hashes of how a prompt begins, for gateways in JavaScript; README.md says why each step is there.
//
//     node prefix.mjs vectors.json    checks every vector, exits 1 if one differs

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

import canonicalize from "canonicalize";

// Most hashes that a pick may name; those of later blocks are left out.
const BLOCKS_MAX = 4096;
// Bytes of text that stand for a token, for gateways without a tokenizer.
const TOKEN_BYTES = 4;

/** The `prefix_blocks` of a prompt whose token ids are known, as BigInts. */
export function ofTokens(tokens, scope, blockTokens = 256) {
  const content = Buffer.alloc(4 * tokens.length);
  tokens.forEach((token, i) => content.writeUInt32LE(token, 4 * i));
  return chained(content, scope, 4 * blockTokens);
}

/** The `prefix_blocks` of a prompt whose text alone is known, as BigInts. Throws if it ends within a character. */
export function ofText(prompt, scope, blockTokens = 256) {
  if (!prompt.isWellFormed()) throw new RangeError("text ends within a character");
  return chained(Buffer.from(prompt, "utf8"), scope, TOKEN_BYTES * blockTokens);
}

/** What the first block is chained to: the names as the pick says them, the tenant `default` if it names none. */
export const scopeOf = (tenant, model, adapter = "") => hash(["pointsman.prefix.v1", tenant, model, adapter].join("\0"));

/** One hash for each whole block of the content. */
function chained(content, scope, blockBytes) {
  const hashes = [];
  let before = scope;
  for (let end = blockBytes; end <= content.length && hashes.length < BLOCKS_MAX; end += blockBytes) {
    before = hash(Buffer.concat([before, content.subarray(end - blockBytes, end)]));
    hashes.push(before.readBigUInt64LE());
  }
  return hashes;
}

const hash = (bytes) => createHash("sha256").update(bytes).digest().subarray(0, 8);

/** The text of a request, such that what a model reads alike begins alike. */
export function canonicalPrompt({ prompt, tools, messages }) {
  if (messages === undefined) return prompt;
  const parts = tools == null ? messages : [tools, ...messages];
  return parts.map((part) => `${canonicalize(part)}\n`).join("");
}

function check({ name, tenant, model, adapter, block_tokens: blockTokens, tokens, text, request, prefix_blocks: expected }) {
  const scope = scopeOf(tenant, model, adapter);
  const prompt = request === undefined ? text : canonicalPrompt(request);
  const found = tokens === undefined ? ofText(prompt, scope, blockTokens) : ofTokens(tokens, scope, blockTokens);
  const agrees = prompt === text && found.join() === expected.join();
  if (!agrees) console.error(`${name}: got ${prompt}, ${found}`);
  return agrees;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const vectors = JSON.parse(readFileSync(process.argv[2], "utf8"));
  const agreeing = vectors.filter(check).length;
  console.log(`${agreeing} of ${vectors.length} vectors agree`);
  process.exitCode = vectors.length > 0 && agreeing === vectors.length ? 0 : 1;
}
