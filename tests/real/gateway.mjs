// A gateway in Node: asks where each request goes, forwards it, tells how it went, tries again elsewhere.
//
// Runs until SIGTERM, then finishes what it has begun. Prints one JSON object a line: `gateway.py` prints the same.

import { once } from "node:events";
import http from "node:http";
import { createRequire } from "node:module";
import { parseArgs } from "node:util";
import { setTimeout as pause } from "node:timers/promises";

// Installed outside the tree, where an `import` would not look.
const require = createRequire(`${process.env.NODE_PACKAGES}/`);
const grpc = require("@grpc/grpc-js");
const protos = require("@grpc/proto-loader");

const REQUEST_MS = 10_000; // A request that is not answered by then is lost.
const RPC_MS = 2_000;
const PAUSE_MS = 50;

const { values: options } = parseArgs({
  options: {
    server: { type: "string" },
    protos: { type: "string" },
    name: { type: "string" }, // Begins the ids of its requests.
    workers: { type: "string", default: "4" },
    tokens: { type: "string", default: "24" },
    "forward-seconds": { type: "string", default: "2" },
    mute: { type: "boolean", default: false }, // Report no failures: the service must see for itself.
  },
});

const definition = protos.loadSync("pointsman/v1/routing_service.proto", {
  includeDirs: [options.protos],
  enums: String,
});
const { RoutingService } = grpc.loadPackageDefinition(definition).pointsman.v1;
const routing = new RoutingService(options.server, grpc.credentials.createInsecure());

let leaving = false;
let requests = 0;

const now = () => (performance.timeOrigin + performance.now()) / 1000;
const say = (event, fields = {}) => console.log(JSON.stringify({ event, at: now(), ...fields }));

function call(method, message) {
  return new Promise((resolve, reject) => {
    const settle = (error, reply) => (error ? reject(error) : resolve(reply));
    routing[method](message, { deadline: Date.now() + RPC_MS }, settle);
  });
}

/** Sends one request after the other. */
async function work() {
  while (!leaving) {
    const request = `${options.name}-${++requests}`;
    say("begun", { request });
    say("done", { request, ok: await serve(request) });
  }
}

/** Gets one request answered, on whichever node. */
async function serve(request) {
  const deadline = performance.now() + REQUEST_MS;
  let tried = [];
  while (performance.now() < deadline) {
    const route = await pick(request, tried);
    if (!route) {
      await pause(PAUSE_MS);
      tried = []; // All were tried, or none could be: any of them may be back.
    } else if (await attempt(request, route)) {
      return true;
    } else {
      tried.push(route.nodeId);
    }
  }
  return false;
}

/** The route of a request; nothing if there is none now. */
async function pick(request, tried) {
  const sent = now();
  const asked = { requestId: request, requestType: "REQUEST_TYPE_TEXT", model: "tiny", excludedNodeIds: tried };
  try {
    const { route, rejection } = await call("PickNode", asked);
    if (rejection) say("rejected", { request, sent, message: rejection.message });
    else say("picked", { request, sent, node: route.nodeId });
    return route;
  } catch (error) {
    say("error", { request, sent, code: grpc.status[error.code], message: error.details });
  }
}

/** Forwards to the picked node and tells how it went. */
async function attempt(request, route) {
  let latency;
  try {
    latency = await forward(route.endpoint);
  } catch (error) {
    say("failed", { request, node: route.nodeId, message: String(error) });
  }
  const ok = latency !== undefined;
  if (ok || !options.mute) await report(request, route.leaseId, ok, latency);
  return ok;
}

async function report(requestId, leaseId, ok, latency) {
  const outcome = { requestId, leaseId, result: ok ? "OUTCOME_RESULT_OK" : "OUTCOME_RESULT_FAILED" };
  if (ok) outcome.firstTokenLatency = { seconds: Math.floor(latency / 1e3), nanos: Math.round((latency % 1e3) * 1e6) };
  await call("ReportOutcome", outcome).catch((error) =>
    say("unreported", { request: requestId, code: grpc.status[error.code] }),
  );
}

/** Streams one completion; the milliseconds until its first token. Throws if the answer is not whole. */
async function forward(endpoint) {
  const started = performance.now();
  const answer = await post(new URL("/v1/chat/completions", endpoint), {
    messages: [{ role: "user", content: "Where does the train go?" }],
    max_tokens: Number(options.tokens),
    stream: true,
  });
  if (answer.statusCode !== 200) throw new Error(`status ${answer.statusCode}`);
  let latency;
  let tail = "";
  for await (const chunk of answer) {
    latency ??= performance.now() - started;
    tail = (tail + chunk).slice(-64);
  }
  if (!tail.includes("data: [DONE]")) throw new Error("the answer broke off");
  return latency;
}

async function post(url, body) {
  const signal = AbortSignal.timeout(Number(options["forward-seconds"]) * 1000);
  // A connection of its own: one that is kept may be closed by the server just as it is used again.
  const request = http.request(url, { method: "POST", agent: false, signal });
  request.on("error", () => {}); // Told by what is awaited.
  request.end(JSON.stringify(body));
  const [answer] = await once(request, "response");
  return answer;
}

process.on("SIGTERM", () => (leaving = true));
await Promise.all(Array.from({ length: Number(options.workers) }, work));
say("end");
process.exit();
