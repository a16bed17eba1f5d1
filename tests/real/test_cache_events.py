"""A model server tells over ZeroMQ what becomes of its cache, as vLLM does: do prompts go where they are held?"""

import http.server
import json
import struct
import threading
import time
import unittest

import msgpack
import prefix
import zmq

from figures import record
from fleet import BINARY, Fleet
from picking import Picker, api, request
from process import free_port, wait_for

BLOCK_TOKENS = 256  # As the service tells agents, unless configured.
ENGINE_BLOCK = 16
PAGE = """vllm:num_requests_running{engine="0"} 0
vllm:num_requests_waiting{engine="0"} 0
vllm:kv_cache_usage_perc{engine="0"} 0.0
vllm:cache_config_info{block_size="16",num_gpu_blocks="25000"} 1
"""


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(PAGE.encode())

    def log_message(self, *_) -> None:
        """Says nothing."""


class Engine:
    """What an agent sees of a vLLM: a metrics page, and a socket that events are published on."""

    def __init__(self):
        self.pages = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
        threading.Thread(target=self.pages.serve_forever, daemon=True).start()
        self.page = f"http://127.0.0.1:{self.pages.server_port}/metrics"
        self.endpoint = f"tcp://127.0.0.1:{free_port()}"
        self.start()

    def start(self) -> None:
        """Starts anew: with an empty cache, and counting from 0."""
        self.sequence = 0
        self.socket = zmq.Context.instance().socket(zmq.PUB)
        self.socket.linger = 0
        wait_for("the port to be free", self.binds)

    def binds(self) -> bool:
        """Binds, unless the socket before is still there: ZeroMQ closes sockets when it gets to it."""
        try:
            self.socket.bind(self.endpoint)
        except zmq.ZMQError as error:
            if error.errno != zmq.EADDRINUSE:
                raise
            return False
        return True

    def stop(self) -> None:
        self.socket.close()

    def close(self) -> None:
        self.stop()
        self.pages.shutdown()

    def publish(self, *events: dict) -> None:
        # Releases differ, and here each message does.
        batch = [time.time(), list(events)] if self.sequence % 2 else {"ts": time.time(), "events": list(events)}
        payload = msgpack.packb(batch)
        self.socket.send_multipart([b"kv", struct.pack(">q", self.sequence), payload])
        self.sequence += 1

    def store(self, tokens: list[int], salt: str | None = None) -> list[int]:
        """Tells of a prompt; says how its own blocks are named."""
        names = [hash((salt, tuple(tokens[:end]))) % 2**64 for end in range(ENGINE_BLOCK, len(tokens) + 1, ENGINE_BLOCK)]
        event = {"type": "BlockStored", "block_hashes": names, "parent_block_hash": None, "block_size": ENGINE_BLOCK}
        event |= {"token_ids": tokens[: len(names) * ENGINE_BLOCK], "lora_id": None, "medium": "GPU", "lora_name": None}
        event["extra_keys"] = [[salt] if salt and not number else None for number in range(len(names))]
        self.publish(event)
        return names


class CacheEvents(unittest.TestCase):
    def setUp(self):
        self.fleet = self.enterContext(Fleet(self._testMethodName))
        self.engines = {}
        for node in ("node-1", "node-2"):
            self.engines[node] = engine = Engine()
            self.addCleanup(engine.close)
            url = "http://127.0.0.1:9"  # Nobody forwards a request.
            described = {"id": node, "endpoints": {"text": url}, "models": ["tiny"]}
            observed = {"metrics_url": engine.page, "preset": "vllm", "kv_events": {"connect": engine.endpoint}}
            agent = {"server": f"http://{self.fleet.address}", "node": described, "host": False, "engine": observed}
            config = self.fleet.logs / f"{node}.yaml"
            config.write_text(json.dumps({"agent": agent}))
            self.fleet.start(f"agent-{node}", [BINARY, "agent", "--config", config])
        wait_for("the nodes", lambda: all("kvCapacityTokens" in self.fleet.node(node).get("load", {}) for node in self.engines))
        self.picker = self.enterContext(Picker(self.fleet.address))

    def expected(self, tokens: list[int], tenant: str = "default") -> tuple[str, int]:
        """Where a prompt would go, and how many of its tokens are expected to be there."""
        blocks = prefix.of_tokens(tokens, prefix.scope_of(tenant, "tiny"), BLOCK_TOKENS)
        pick = request(prefix_blocks=blocks, prompt_tokens=len(tokens), tenant=tenant)
        route = self.picker.routing.ExplainPick(api.ExplainPickRequest(pick=pick), timeout=10).decision.route
        return route.node_id, route.expected_cached_tokens

    def wait(self, what: str, tokens: list[int], cached: int, tenant: str = "default") -> str:
        """Waits until so many tokens are expected to be there, and says where."""
        wait_for(what, lambda: self.expected(tokens, tenant)[1] == cached)
        return self.expected(tokens, tenant)[0]

    def listened_to(self) -> None:
        """Publishes until both agents hear: who subscribes late misses what came before."""
        for node, engine in self.engines.items():
            probe = [hash(node) % 1000] * BLOCK_TOKENS

            def heard() -> bool:
                names = engine.store(probe)
                engine.publish({"type": "BlockRemoved", "block_hashes": names})
                engine.store(probe)
                return self.expected(probe)[1] > 0 or time.sleep(0.1)

            wait_for(f"the agent of {node} to listen", heard)

    def test_a_prompt_goes_where_it_is_held_until_it_is_gone(self):
        self.listened_to()
        prompt = list(range(1000, 1800))
        for node, engine in self.engines.items():
            began = time.monotonic()
            names = engine.store(prompt)
            self.assertEqual(self.wait("the prompt to be known", prompt, 3 * BLOCK_TOKENS), node)
            record(f"cache events: from {node} to the decision", f"{time.monotonic() - began:.2f} s", "-")
            engine.publish({"type": "BlockRemoved", "block_hashes": names[20:]})
            self.wait("its tail to be gone", prompt, BLOCK_TOKENS)
            engine.publish({"type": "AllBlocksCleared"})
            self.wait("all of it to be gone", prompt, 0)

    def test_a_salt_is_a_tenant(self):
        self.listened_to()
        prompt = list(range(2000, 2600))
        self.engines["node-2"].store(prompt, salt="acme")
        self.assertEqual(self.wait("the prompt to be known", prompt, 2 * BLOCK_TOKENS, tenant="acme"), "node-2")
        self.assertEqual(self.expected(prompt)[1], 0)

    def test_an_engine_that_starts_anew_holds_nothing(self):
        self.listened_to()
        prompt, other = list(range(3000, 3600)), list(range(4000, 4600))
        engine = self.engines["node-1"]
        engine.store(prompt)
        self.wait("the prompt to be known", prompt, 2 * BLOCK_TOKENS)
        engine.stop()
        engine.start()
        wait_for("the agent to listen again", lambda: engine.store(other) and self.expected(other)[1] or time.sleep(0.1), 20)
        self.assertEqual(self.expected(prompt)[1], 0)

    def test_a_service_that_starts_anew_is_told_again(self):
        self.listened_to()
        prompt = list(range(5000, 5600))
        self.engines["node-1"].store(prompt)
        self.wait("the prompt to be known", prompt, 2 * BLOCK_TOKENS)
        self.fleet.service.stop()
        self.fleet.start_service()
        wait_for("the nodes", lambda: all(self.fleet.node(node) for node in self.engines))
        self.assertEqual(self.wait("the prompt to be known again", prompt, 2 * BLOCK_TOKENS), "node-1")


if __name__ == "__main__":
    unittest.main()
