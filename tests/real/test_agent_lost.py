"""An agent dies and its node is fine: does the node keep its work?

Nobody reports for the node any more, so its outcomes must speak for it. Fair is an even share of the picks.
"""

import signal
import time
import unittest

from figures import record
from fleet import Fleet
from process import wait_for

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
