"""A node dies under load: is a request lost, and for how long is the node still picked?

Rotation (`round_robin`) makes the picks blind to load, so that only the loss itself can end them. Each protection
has a twin without it, in which the same measurement must show picks that go on.
"""

import signal
import time
import unittest

from figures import record
from fleet import Fleet
from process import wait_for

CLOSED_SECONDS = 0.25
SILENT_SECONDS = 2.0
WATCH_SECONDS = 4.0
ROTATE = {"balance": "round_robin"}
# Nothing but presence may end the picks: no breaker, and the gateways keep failures to themselves.
NO_BREAKER = {"consecutive_failures": 1_000_000, "samples_min": 1_000_000}


class NodeLost(unittest.TestCase):
    def fleet(self, **policy) -> Fleet:
        fleet = self.enterContext(Fleet(self._testMethodName, policy=ROTATE | policy))
        fleet.add_nodes("node-1", "node-2", "node-3")
        return fleet

    def watch(self, fleet: Fleet, since: float, seconds: float) -> float:
        """Seconds from `since` to the last pick of the lost node was asked, over a while in which others are picked."""
        until = since + seconds
        busy = lambda: len([pick for pick in fleet.events("picked", until) if pick["node"] != "node-1"]) > 10
        wait_for("picks of other nodes", busy, seconds + 10)
        fleet.end_load()
        return max(pick["sent"] for pick in fleet.events("picked") if pick["node"] == "node-1") - since

    def stream_end(self, fleet: Fleet) -> float:
        """When the service saw the agent's stream end."""
        end = lambda: fleet.logged("node's stream ended", node="node-1")
        return wait_for("the end of the agent's stream", end)[0]["at"]

    def test_a_killed_model_server_loses_no_request(self):
        fleet = self.fleet()
        fleet.add_gateways()
        killed = fleet.models["node-1"].signal(signal.SIGKILL)
        closed = self.stream_end(fleet)
        last = self.watch(fleet, closed, WATCH_SECONDS)
        requests, failed = len(fleet.events("done")), len(fleet.events("failed"))
        record("server killed: requests lost", f"{len(fleet.lost())} of {requests}, {failed} retried", "0")
        record("server killed: its agent ends the stream after", f"{(closed - killed) * 1000:.0f} ms")
        record("server killed: last pick after the stream's end", f"{last * 1000:.0f} ms", "250 ms")
        self.assertEqual(fleet.lost(), [])
        self.assertGreater(failed, 0, "the kill hit no request: there was no load")
        self.assertLessEqual(last, CLOSED_SECONDS)

    def last_pick_of_a_dead_node(self, **freshness) -> float:
        fleet = self.fleet(breaker=NO_BREAKER, freshness=freshness)
        fleet.add_gateways("--mute")
        fleet.models["node-1"].signal(signal.SIGKILL)
        fleet.agents["node-1"].signal(signal.SIGKILL)
        last = self.watch(fleet, self.stream_end(fleet), WATCH_SECONDS)
        self.assertEqual(fleet.lost(), [])
        return last

    def test_a_dead_node_gets_no_picks_though_nobody_tells_of_failures(self):
        last = self.last_pick_of_a_dead_node()
        record("node killed, failures untold: last pick after the end", f"{last * 1000:.0f} ms", "250 ms")
        self.assertLessEqual(last, CLOSED_SECONDS)

    def test_twin_a_dead_node_is_picked_on_without_the_end_of_grace(self):
        last = self.last_pick_of_a_dead_node(close_grace="60s", stale_after="60s")
        record("  the same, `close_grace: 60s`", f"{last * 1000:.0f} ms", "over 250 ms")
        self.assertGreater(last, CLOSED_SECONDS)

    def last_pick_of_a_silent_node(self, **freshness) -> float:
        fleet = self.fleet(breaker=NO_BREAKER, freshness=freshness)
        fleet.add_gateways("--mute", "--forward-seconds", "0.3")
        fleet.models["node-1"].signal(signal.SIGSTOP)
        stopped = fleet.agents["node-1"].signal(signal.SIGSTOP)
        last = self.watch(fleet, stopped, WATCH_SECONDS)
        self.assertEqual(fleet.lost(), [])
        return last

    def test_a_silent_node_gets_no_picks(self):
        last = self.last_pick_of_a_silent_node()
        record("node frozen, failures untold: last pick after", f"{last * 1000:.0f} ms", "2000 ms")
        self.assertLessEqual(last, SILENT_SECONDS)

    def test_twin_a_silent_node_is_picked_on_without_staleness(self):
        last = self.last_pick_of_a_silent_node(close_grace="60s", stale_after="60s")
        record("  the same, `stale_after: 60s`", f"{last * 1000:.0f} ms", "over 2000 ms")
        self.assertGreater(last, SILENT_SECONDS)

    def test_a_restarted_model_server_is_picked_again(self):
        fleet = self.fleet()
        fleet.add_gateways()
        fleet.models["node-1"].signal(signal.SIGKILL)
        self.stream_end(fleet)
        back = time.time()
        fleet.start_model("node-1")
        picks = lambda: [pick for pick in fleet.events("picked", back) if pick["node"] == "node-1"]
        first = wait_for("a pick of the node that returned", picks, 30)[0]["at"] - back
        record("server restarted: first pick after", f"{first * 1000:.0f} ms")
        fleet.end_load()
        self.assertEqual(fleet.lost(), [])


if __name__ == "__main__":
    unittest.main()
