"""An agent dies and its node is fine: does the node keep its work?

Nobody reports for the node any more, so its outcomes must speak for it. Fair is an even share of the picks.
"""

import signal
import time
import unittest

from figures import record
from fleet import BINARY, Fleet
from process import free_port, wait_for

NODES = ("node-1", "node-2", "node-3")
SETTLE_SECONDS = 1.0
MEASURE_SECONDS = 5.0
KEPT_SHARE = 0.5


class AgentLost(unittest.TestCase):
    def kept_share(self, **freshness) -> tuple[float, str]:
        """Picks of the node without its agent, as a part of the fair share; and its state then."""
        fleet = self.enterContext(Fleet(self._testMethodName, policy={"freshness": freshness}))
        fleet.add_nodes(*NODES)
        fleet.add_gateways()
        return self.share_without_its_agent(fleet)

    def share_without_its_agent(self, fleet: Fleet) -> tuple[float, str]:
        killed = fleet.agents["node-1"].signal(signal.SIGKILL)
        wait_for("the end of the stream", lambda: fleet.logged("node's stream ended", node="node-1"))
        since, until = killed + SETTLE_SECONDS, killed + SETTLE_SECONDS + MEASURE_SECONDS
        wait_for("picks to count", lambda: time.time() > until, SETTLE_SECONDS + MEASURE_SECONDS + 5)
        state = fleet.node("node-1").get("state")
        fleet.end_load()
        self.assertEqual(fleet.lost(), [])
        picks = [pick["node"] for pick in fleet.events("picked") if since <= pick["at"] <= until]
        self.assertGreater(len(picks), 100)
        return picks.count("node-1") / (len(picks) / len(NODES)), state

    def add_node_that_looks_full(self, fleet: Fleet) -> None:
        """Adds node-1, whose agent says that it has nothing left, though its model server is idle."""
        fleet.ports["node-1"] = free_port()
        fleet.start_model("node-1")
        endpoint = f"text=http://127.0.0.1:{fleet.ports['node-1']}"
        agent = [BINARY, "report", "--server", f"http://{fleet.address}", "--node", "node-1", "--endpoint", endpoint]
        agent += ["--model", "tiny", "--cpu", "1", "--memory", "1", "--running", "0", "--waiting", "100", "--hold"]
        fleet.agents["node-1"] = fleet.start("agent-node-1", agent)
        fleet.wait_for_nodes("node-1")

    def test_a_node_that_nobody_picked_is_found_without_its_agent(self):
        fleet = self.enterContext(Fleet(self._testMethodName))
        self.add_node_that_looks_full(fleet)
        fleet.add_nodes(*NODES[1:])
        fleet.add_gateways()
        wait_for("picks", lambda: len(fleet.events("picked")) > 50)
        self.assertNotIn("node-1", [pick["node"] for pick in fleet.events("picked")])
        share, state = self.share_without_its_agent(fleet)
        record("agent killed, node looked full before: share kept", f"{share:.0%} of fair", "50 %")
        self.assertGreaterEqual(share, KEPT_SHARE)
        self.assertEqual(state, "NODE_STATE_UNREPORTED")

    def test_a_node_keeps_its_share_without_its_agent(self):
        share, state = self.kept_share()
        record("agent killed, node fine: share kept", f"{share:.0%} of fair", "50 %")
        self.assertGreaterEqual(share, KEPT_SHARE)
        self.assertEqual(state, "NODE_STATE_UNREPORTED")

    def test_twin_a_node_loses_its_share_where_outcomes_are_not_trusted(self):
        share, state = self.kept_share(outcome_trust="1ms")
        record("  the same, `outcome_trust: 1ms`", f"{share:.0%} of fair", "under 50 %")
        self.assertLess(share, KEPT_SHARE)
        self.assertEqual(state, "NODE_STATE_SILENT")


if __name__ == "__main__":
    unittest.main()
