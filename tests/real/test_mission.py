"""The four nodes of the original task, by the command line: are the loads and the picks those that it asks for?"""

import unittest

from figures import record
from fleet import Fleet

# Node, class, processor, memory, waiting requests, types, load = 0.4 · cpu% + 0.3 · memory% + 0.3 · queue.
NODES = [
    ("node-1", "high", 0.30, 0.40, 5, ["text"], 25.5),
    ("node-2", "normal", 0.75, 0.65, 20, ["image"], 55.5),
    ("node-3", "high", 0.25, 0.35, 3, ["text"], 21.4),
    ("node-4", "normal", 0.40, 0.50, 8, ["audio", "text"], 33.4),
]
# Tier, priority, type, expected node.
PICKS = [
    ("premium", "normal", "text", "node-3"),
    ("free", "low", "text", "node-4"),
    ("free", "low", "image", "node-2"),
    ("free", "low", "audio", "node-4"),
    ("free", "high", "text", "node-3"),
]
REJECTED = 3


class Mission(unittest.TestCase):
    def setUp(self):
        self.fleet = self.enterContext(Fleet(self._testMethodName))
        for name, node_class, cpu, memory, waiting, types, _ in NODES:
            endpoints = [flag for kind in types for flag in ("--endpoint", f"{kind}=http://{name}.internal/{kind}")]
            load = ["--cpu", str(cpu), "--memory", str(memory), "--waiting", str(waiting)]
            self.fleet.run("report", "--node", name, "--class", node_class, *endpoints, "--model", "tiny", *load)

    def pick(self, tier: str, priority: str, kind: str, *flags: str, status: int = 0) -> dict:
        asked = ("--tier", tier, "--priority", priority, "--type", kind, "--model", "tiny", *flags)
        return self.fleet.run("pick", *asked, status=status)

    def test_the_loads_are_those_of_the_formula(self):
        loads = {name: round(self.fleet.node(name)["loadScore"], 6) for name, *_ in NODES}
        self.assertEqual(loads, {name: load for name, *_, load in NODES})
        record("mission: loads of node-1 to node-4", " ".join(map(str, loads.values())), "25.5 55.5 21.4 33.4")

    def test_each_request_goes_where_the_mission_says(self):
        for tier, priority, kind, expected in PICKS:
            with self.subTest(tier=tier, priority=priority, kind=kind):
                decision = self.pick(tier, priority, kind)
                self.assertEqual(decision["route"]["nodeId"], expected)
                settled = self.fleet.run("outcome", "--request-id", decision["requestId"], "--result", "ok")
                self.assertEqual(settled["status"], "OUTCOME_STATUS_SETTLED")
        record("mission: picks as asked for", f"{len(PICKS)} of {len(PICKS)}", "all")

    def test_a_premium_image_is_rejected_by_the_class_filter(self):
        decision = self.pick("premium", "normal", "image", status=REJECTED)
        self.assertEqual(decision["rejection"]["reason"], "REJECTION_REASON_NO_ELIGIBLE_NODE")
        self.assertEqual(decision["rejection"]["emptiedBy"], "FILTER_NODE_CLASS")

    def test_a_failed_node_is_followed_by_the_next(self):
        decision = self.pick("premium", "normal", "text", "--exclude", "node-3")
        self.assertEqual(decision["route"]["nodeId"], "node-1")


if __name__ == "__main__":
    unittest.main()
