"""How far can the simulator be trusted? The same requests on real llama.cpp servers and on simulated ones.

    tests/real/run.sh --validate        about 6 minutes; wants a machine that does nothing else

Measures one server, describes it to the simulator (`--fleet`), with its pace corrected by what a burst takes (sampling, HTTP
and the like are in no step), and then asks both the same two questions:

- queueing: how does the wait for the first token grow with the load of one server?
- ranks: in which order do policies stand on two servers, each on a core of its own?

What is compared is shapes and ranks. Times agree as far as a handful of measured points describes a server.
"""

import json
import os
import random
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import model
from fleet import BINARY, HERE, INSTALLED, Fleet
from picking import Picker, api
from process import clean_environment, free_port, wait_for

MODEL = INSTALLED / "middling.gguf"
SLOTS, SLOT_TOKENS = 4, 512  # As `model_server.py` sets.
POINTS = (1, 32, 128, 256, 448)
ROUNDS = 5
OUTPUT = 12
REQUESTS = 300
BURST = 40
SEED = 11
POLICIES = ("round_robin", "random", "power_of_two", "least_in_flight", "expected_cost")


def main() -> int:
    if not MODEL.exists():
        # Large enough that a prompt takes a good part of a second on one core.
        model.WIDTH, model.LAYERS, model.HEADS, model.FEED_FORWARD = 512, 8, 8, 1024
        model.write(MODEL)
    measured = corrected(measure())
    capacity = 1000.0 / service_ms(measured)
    print(f"one server: {json.dumps(measured)}\n{capacity:.2f} requests a second at most\n")
    print("queueing on one server: first token in ms, mean (p90)")
    for load in (0.3, 0.6, 0.8):
        trace = draw(load * capacity)
        print(f"  load {load}: real {told(real('round_robin', 1, trace))}, simulated {told(simulated(['round_robin'], 1, measured, trace)[0])}")
    print("\npolicies on two servers at load 0.8: first token in ms, mean (p90)")
    trace = draw(2 * 0.8 * capacity)
    expected = dict(zip(POLICIES, simulated(POLICIES, 2, measured, trace)))
    found = {policy: real(policy, 2, trace) for policy in POLICIES}
    for policy in POLICIES:
        print(f"  {policy:<16} real {told(found[policy])}, simulated {told(expected[policy])}")
    order = lambda results: sorted(POLICIES, key=lambda policy: results[policy][0])
    print(f"\nbest first, real:      {', '.join(order(found))}\nbest first, simulated: {', '.join(order(expected))}")
    print(f"pairs in the same order: {agreeing(found, expected)} of {len(POLICIES) * (len(POLICIES) - 1) // 2}")
    return 0


def told(result: tuple[float, float]) -> str:
    return f"{result[0]:6.0f} ({result[1]:6.0f})"


def agreeing(one: dict, other: dict) -> int:
    """Pairs of policies that stand in the same order in both."""
    pairs = [(a, b) for i, a in enumerate(POLICIES) for b in POLICIES[i + 1 :]]
    return sum((one[a][0] < one[b][0]) == (other[a][0] < other[b][0]) for a, b in pairs)


# What one server takes


def measure() -> dict:
    """Milliseconds of one step by its tokens: of one by the pace of a long answer, of more by the first token of a prompt."""
    with Fleet("validate-measure") as fleet:
        port = serve(fleet, "node-1", 0)
        chance = random.Random(SEED)
        complete(port, prompt(chance, 8), 2)
        first = {count: min(complete(port, prompt(chance, count), 1)[0] for _ in range(ROUNDS)) for count in POINTS[1:]}
        begun, ended = complete(port, prompt(chance, 8), 64)
        one = (ended - begun) / 63
    steps = [[1, one * 1e3]] + [[count, first[count] * 1e3] for count in POINTS[1:]]
    steps.append([2048, steps[-1][1] * 2048 / steps[-1][0]])
    for before, after in zip(steps, steps[1:]):
        after[1] = max(after[1], before[1])
    return {"step_ms": steps, "kv_tokens": SLOTS * SLOT_TOKENS, "sequences": SLOTS}


def corrected(measured: dict) -> dict:
    """The same at the pace at which a burst of requests is really served."""
    burst = [row | {"at": 0.0} for row in draw(1.0)[:BURST]]
    pace = real("round_robin", 1, burst)[0] / simulated(["round_robin"], 1, measured, burst)[0][0]
    print(f"a burst takes {pace:.2f} times as long as its steps")
    return measured | {"step_ms": [[tokens, ms * pace] for tokens, ms in measured["step_ms"]]}


def service_ms(measured: dict) -> float:
    """About what a request takes of a server: its prompt, and its share of the steps that answers are written in."""
    one, *_, (tokens, ms), _ = measured["step_ms"]
    mean = statistics.fmean(row["tokens"] for row in draw(1.0))
    return mean * ms / tokens + OUTPUT * one[1] / SLOTS


# The requests


def draw(rate: float) -> list[dict]:
    """So many requests a second, at random moments; many short prompts and some long ones, none of which begin alike."""
    chance, at, rows = random.Random(SEED), 0.0, []
    for _ in range(REQUESTS):
        at += chance.expovariate(rate)
        rows.append({"at": at, "tokens": chance.choice((24, 48, 96, 96, 192, 420)), "seed": chance.random()})
    return rows


def prompt(chance: random.Random, tokens: int) -> str:
    """A text of so many tokens: one a byte, and one for the beginning."""
    return "".join(chance.choice("abcdefghijklmnopqrstuvwxyz ") for _ in range(tokens - 1))


# Real


def serve(fleet: Fleet, name: str, core: int) -> int:
    """Starts a server on one core."""
    port = free_port()
    server = [sys.executable, HERE / "model_server.py", MODEL, port]
    fleet.start(f"model-{name}", ["taskset", "--cpu-list", core % os.cpu_count(), *server])
    wait_for("the model server", lambda: answers(port), 60)
    return port


def answers(port: int) -> bool:
    try:
        return urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1).status == 200
    except OSError:
        return False


def complete(port: int, text: str, tokens: int) -> tuple[float, float]:
    """Seconds to the first token and to the last."""
    asked = {"prompt": text, "n_predict": tokens, "ignore_eos": True, "stream": True, "cache_prompt": False}
    sent, first = time.monotonic(), None
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/completion", json.dumps(asked).encode(), timeout=120) as reply:
        for line in reply:
            if first is None and line.startswith(b"data:"):
                first = time.monotonic() - sent
    return first, time.monotonic() - sent


def real(policy: str, nodes: int, trace: list[dict]) -> tuple[float, float]:
    """Mean and 90th percentile of the first tokens, in ms."""
    name = f"validate-{policy}-{nodes}"
    with Fleet(name, policy={"balance": policy, "limits": {"rules": []}}) as fleet:
        ports = {}
        for number in range(nodes):
            node = f"node-{number}"
            ports[node] = serve(fleet, node, number)
            url = f"http://127.0.0.1:{ports[node]}"
            agent = [BINARY, "agent", "--server", f"http://{fleet.address}", "--node", node, "--no-host"]
            agent += ["--endpoint", f"text={url}", "--model", "tiny", "--engine", "llama_cpp"]
            fleet.start(f"agent-{node}", [*agent, "--engine-url", f"{url}/metrics"])
        wait_for("the nodes", lambda: all("load" in fleet.node(node) for node in ports), 30)
        with Picker(fleet.address) as picker:
            return replay(picker, ports, trace)


def replay(picker: Picker, ports: dict, trace: list[dict]) -> tuple[float, float]:
    firsts, begun = [None] * len(trace), time.monotonic()

    def ask(number: int, row: dict) -> None:
        sent = time.monotonic()
        decided = picker.pick(prompt_tokens=row["tokens"], max_output_tokens=OUTPUT)
        reply = decided.reply
        first, total = complete(ports[reply.route.node_id], prompt(random.Random(row["seed"]), row["tokens"]), OUTPUT)
        firsts[number] = (time.monotonic() - sent - total + first) * 1e3
        outcome = api.ReportOutcomeRequest(request_id=reply.request_id, result=api.OUTCOME_RESULT_OK)
        outcome.first_token_latency.FromMilliseconds(int(first * 1e3))
        outcome.total_latency.FromMilliseconds(int(total * 1e3))
        picker.routing.ReportOutcome(outcome, timeout=20)

    threads = []
    for number, row in enumerate(trace):
        time.sleep(max(0.0, begun + row["at"] - time.monotonic()))
        threads.append(threading.Thread(target=ask, args=(number, row)))
        threads[-1].start()
    for thread in threads:
        thread.join()
    return summary(firsts)


def summary(firsts: list[float]) -> tuple[float, float]:
    settled = firsts[len(firsts) // 10 :]
    return statistics.fmean(settled), statistics.quantiles(settled, n=10)[-1]


# Simulated


def simulated(policies: list[str], nodes: int, measured: dict, trace: list[dict]) -> list[tuple[float, float]]:
    """The same by `pointsman simulate`."""
    folder = INSTALLED / "logs" / "validate"
    folder.mkdir(parents=True, exist_ok=True)
    fleet, file = folder / "fleet.yaml", folder / "trace.tsv"
    fleet.write_text(json.dumps([{"hardware": measured, "count": nodes}]))
    rows = ["#lrt1 block=64 arrivals=open", "#t_ms\ttenant\tsession\tturn\tthink_ms\tin\tout\tblocks"]
    rows += [f"{row['at'] * 1e3:.0f}\t0\t{i}\t0\t0\t{row['tokens']}\t{OUTPUT}\t" for i, row in enumerate(trace)]
    file.write_text("\n".join(rows) + "\n")
    asked = [BINARY, "simulate", "--trace", file, "--fleet", fleet, "--speed", "1", "--policy", ",".join(policies)]
    asked += ["--report-interval", "500ms", "--output", "json"]
    told = subprocess.run(asked, capture_output=True, text=True, env=clean_environment(), check=True)
    return [(run["mean_ms"], run["p90_ms"]) for run in json.loads(told.stdout)["runs"]]


if __name__ == "__main__":
    sys.exit(main())
