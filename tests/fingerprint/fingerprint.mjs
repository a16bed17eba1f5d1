// The fingerprint of a request to a model server, for gateways in JavaScript; README.md says why each step is there.
//
//     node fingerprint.mjs vectors.json    checks every vector, exits 1 if one differs

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

import canonicalize from "canonicalize";

// Members at the top of a request that do not shape its answer.
const WITHOUT_EFFECT = new Set(
  ("metadata model prompt_cache_key prompt_cache_retention safety_identifier service_tier store stream stream_options " +
    "user").split(" "),
);

/** The 16 bytes that stand for the request. Throws if it has none: neither ask for its answer nor store it. */
export function fingerprint(request) {
  return createHash("sha256").update(canonical(request)).digest().subarray(0, 16);
}

/** The request in the one form that all gateways agree on. */
export function canonical(request) {
  const shaping = Object.entries(request).filter(([name, value]) => !WITHOUT_EFFECT.has(name) && value != null);
  refuseInexact(shaping);
  return canonicalize(Object.fromEntries(shaping));
}

/** What stands in the request in place of an image or a recording. */
export const ofBinary = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** A whole number that a double cannot hold may have been another one before it was parsed; so may half a character. */
function refuseInexact(value) {
  if (value !== null && typeof value === "object") Object.entries(value).flat().forEach(refuseInexact);
  const rounded = Number.isInteger(value) && !Number.isSafeInteger(value) && Math.abs(value) < 1e21;
  if (rounded) throw new RangeError(`${value} is too large to be exact`);
  if (typeof value === "string" && !value.isWellFormed()) throw new RangeError("text ends within a character");
}

function check({ name, request, canonical: text, fingerprint: expected }) {
  let found = [null, null];
  try {
    found = [canonical(request), fingerprint(request).toString("hex")];
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  const agrees = found[0] === text && found[1] === expected;
  if (!agrees) console.error(`${name}: got ${found}`);
  return agrees;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const vectors = JSON.parse(readFileSync(process.argv[2], "utf8"));
  const agreeing = vectors.filter(check).length;
  console.log(`${agreeing} of ${vectors.length} vectors agree`);
  process.exitCode = vectors.length > 0 && agreeing === vectors.length ? 0 : 1;
}
