// Asks a question once or many times at once, as a gateway that shares answers does; `ask.py` does the same.
//
// Prints one JSON object an answer: how it came (`routed`, `known`, `rejected`), and its bytes in hex. Before that,
// `sent` once the service has read all requests, and `held` when one was routed and waits for SIGUSR2 (`--hold`).

import { createRequire } from "node:module";
import { parseArgs } from "node:util";

// Installed outside the tree, where an `import` would not look.
const require = createRequire(`${process.env.NODE_PACKAGES}/`);
const grpc = require("@grpc/grpc-js");
const protos = require("@grpc/proto-loader");
const { fingerprint } = await import(`${process.env.NODE_PACKAGES}/fingerprint.mjs`);

const RPC_MS = 20_000;

const text = (value) => ({ type: "string", default: value });
const { values: options } = parseArgs({
  options: {
    server: { type: "string" },
    protos: { type: "string" },
    name: { type: "string" },
    question: { type: "string" },
    tenant: text("default"),
    type: text("text"),
    model: text("tiny"),
    version: text(""),
    count: text("1"), // So many at once.
    "max-wait-ms": text("0"),
    "lease-ms": text("60000"),
    reference: text(""), // Keep the answer elsewhere, and store this in its place.
    hold: { type: "boolean", default: false }, // Forward no request before SIGUSR2.
  },
});

const files = ["routing", "answer"].map((name) => `pointsman/v1/${name}_service.proto`);
const definition = protos.loadSync(files, { includeDirs: [options.protos], enums: String, oneofs: true });
const { RoutingService, AnswerService } = grpc.loadPackageDefinition(definition).pointsman.v1;
const credentials = grpc.credentials.createInsecure();
const routing = new RoutingService(options.server, credentials);
const answers = new AnswerService(options.server, credentials);

const question = JSON.parse(options.question);
const scope = {
  tenant: options.tenant,
  requestType: `REQUEST_TYPE_${options.type.toUpperCase()}`,
  model: options.model,
  modelVersion: options.version,
  fingerprint: fingerprint(question),
};

function call(service, method, message) {
  return new Promise((resolve, reject) => {
    const settle = (error, reply) => (error ? reject(error) : resolve(reply));
    service[method](message, { deadline: Date.now() + RPC_MS }, settle);
  });
}

const milliseconds = (value) => ({ seconds: Math.floor(value / 1e3), nanos: (value % 1e3) * 1e6 });

const say = (told) => console.log(JSON.stringify(told));
const released = new Promise((resolve) => process.on("SIGUSR2", resolve));

async function ask(number) {
  const requestId = `${options.name}-${number}`;
  const maxWait = milliseconds(Number(options["max-wait-ms"]));
  const leaseTtl = milliseconds(Number(options["lease-ms"]));
  const decision = await call(routing, "PickNode", { ...scope, requestId, maxWait, leaseTtl });
  const { cachedAnswer: known, route, rejection } = decision;
  if (known) {
    const { coalesced = false, contentType: content_type = "", reference = "" } = known;
    const body = known.inline?.toString("hex") ?? "";
    return { how: "known", coalesced, content_type, body, reference };
  }
  if (rejection) return { how: "rejected", reason: rejection.reason };
  return forward(requestId, route);
}

/** Has it answered, tells so, and keeps the answer for others. */
async function forward(requestId, route) {
  if (options.hold) {
    say({ how: "held" });
    await released;
  }
  const at = Date.now() / 1e3;
  const url = new URL("/v1/chat/completions", route.endpoint);
  const answer = await fetch(url, { method: "POST", body: JSON.stringify(question) });
  const inline = Buffer.from(await answer.arrayBuffer());
  if (!answer.ok) throw new Error(`status ${answer.status}: ${inline}`);
  const outcome = { tenant: options.tenant, requestId, result: "OUTCOME_RESULT_OK" };
  await call(routing, "ReportOutcome", outcome);
  const kept = options.reference ? { reference: options.reference } : { inline, contentType: "application/json" };
  await call(answers, "StoreAnswer", { ...scope, ...kept });
  return { how: "routed", at, body: inline.toString("hex") };
}

const asked = Array.from({ length: Number(options.count) }, (_, number) => ask(number));
// A connection is read in order: what was sent before this is read when this is answered.
await call(routing, "ExplainPick", { pick: scope });
say({ how: "sent" });
for (const told of await Promise.all(asked)) say(told);
process.exit();
