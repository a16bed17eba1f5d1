"""A real model server is busy: does its own metrics page reach the decision?"""

import json
import threading
import unittest
import urllib.request

from figures import record
from fleet import Fleet
from process import wait_for

SLOTS = 4  # As `model_server.py` sets.
REQUESTS = 16
ENOUGH_TOKENS = 480


class LiveLoad(unittest.TestCase):
    def keep_busy(self, port: int) -> threading.Event:
        """Asks a model server behind the service's back, more than it has slots, until the event is set."""
        body = json.dumps({"prompt": "All aboard", "n_predict": ENOUGH_TOKENS, "ignore_eos": True}).encode()
        enough = threading.Event()

        def ask() -> None:
            while not enough.is_set():
                urllib.request.urlopen(f"http://127.0.0.1:{port}/completion", body, timeout=20).read()

        threads = [threading.Thread(target=ask) for _ in range(REQUESTS)]
        for thread in threads:
            thread.start()
            self.addCleanup(thread.join)
        self.addCleanup(enough.set)
        return enough

    def test_a_queue_on_a_node_sends_picks_elsewhere(self):
        fleet = self.enterContext(Fleet(self._testMethodName))
        fleet.add_nodes("node-1", "node-2")
        enough = self.keep_busy(fleet.ports["node-1"])
        load = lambda: fleet.node("node-1")["load"]
        queued = lambda: int(load().get("waitingRequestCount", 0)) > 4 and load()
        seen = wait_for("the queue to be reported", queued)
        running, waiting = seen["runningRequestCount"], seen["waitingRequestCount"]
        record("real server busy: reported running, waiting", f"{running}, {waiting}", f"{SLOTS}, over 4")
        self.assertEqual(int(running), SLOTS)
        picks = [fleet.run("pick", "--type", "text", "--model", "tiny")["route"]["nodeId"] for _ in range(4)]
        self.assertEqual(set(picks), {"node-2"})
        enough.set()
        wait_for("the queue to be gone", lambda: load()["waitingRequestCount"] == "0", 20)


if __name__ == "__main__":
    unittest.main()
