"""Limits, and a fleet that is busy: who is refused, for how long, and who goes on?"""

import time
import unittest

from figures import record
from fleet import Fleet
from process import wait_for

ASK = ("pick", "--type", "text", "--model", "tiny")
REJECTED = 3


def seconds(duration: str) -> float:
    """A duration in proto3 JSON."""
    return float(duration.removesuffix("s"))


class Limits(unittest.TestCase):
    def test_the_third_request_in_a_second_is_refused_and_told_when_to_come_back(self):
        fleet = self.enterContext(Fleet(self._testMethodName))
        load = ("--cpu", "0.1", "--memory", "0.1")
        fleet.run("report", "--node", "node-1", "--endpoint", "text=http://node-1.internal", "--model", "tiny", *load)
        ask = (*ASK, "--user", "ann")
        fleet.run(*ask)
        fleet.run(*ask)
        refused = fleet.run(*ask, status=REJECTED)["rejection"]
        at = time.monotonic()
        delay = seconds(refused["retryDelay"])
        self.assertEqual(refused["reason"], "REJECTION_REASON_OVER_LIMIT")
        self.assertEqual(refused["overLimit"]["rule"], "free-requests")
        self.assertLessEqual(delay, 0.5)
        fleet.run(*ASK, "--user", "ben")
        again = fleet.run(*ask, "--max-wait", "2s")
        waited = time.monotonic() - at
        self.assertIn("route", again)
        # The command itself takes time: it may come late, never early.
        self.assertGreaterEqual(waited, delay - 0.05)
        self.assertLessEqual(waited, delay + 1.0)
        record("free user, third request: told to come back in", f"{delay * 1000:.0f} ms", "500 ms")
        limits = {limit["name"]: limit for limit in fleet.run("limits")["limits"]}
        self.assertEqual(limits["free-requests"]["admittedCount"], "4")

    def test_limits_come_from_the_file_and_survive_a_change_of_another(self):
        ann = {"name": "ann", "per": "user", "requests_per_second": 0.01, "burst": 1}
        other = {"name": "other", "per": "tenant", "requests_per_second": 1000}
        fleet = self.enterContext(Fleet(self._testMethodName, policy={"limits": {"rules": [ann, other]}}))
        fleet.run("report", "--node", "node-1", "--endpoint", "text=http://node-1.internal", "--cpu", "0.1")
        fleet.run(*ASK, "--user", "ann")
        fleet.run(*ASK, "--user", "ann", status=REJECTED)
        fleet.configure(policy={"limits": {"rules": [ann, {**other, "name": "another"}]}})
        names = lambda: [limit["name"] for limit in fleet.run("limits")["limits"]]
        wait_for("the new file", lambda: names() == ["ann", "another"])
        fleet.run(*ASK, "--user", "ann", status=REJECTED)


class Busy(unittest.TestCase):
    def load(self, percent: int) -> None:
        """Says by hand that the node is that busy."""
        load = ("--cpu", str(percent / 100), "--memory", str(percent / 100), "--waiting", str(percent))
        for name, kind in (("node-1", "normal"), ("node-2", "high")):
            flags = ("--node", name, "--class", kind, "--endpoint", f"text=http://{name}.internal")
            self.fleet.run("report", *flags, *load)

    def test_low_priority_is_turned_away_while_the_fleet_is_busy(self):
        self.fleet = self.enterContext(Fleet(self._testMethodName))
        low, premium = (*ASK, "--priority", "low"), (*ASK, "--tier", "premium")
        self.load(50)
        self.assertEqual(self.fleet.run(*low)["rung"], "RUNG_NORMAL")
        self.load(85)
        refused = self.fleet.run(*low, status=REJECTED)
        self.assertEqual((refused["rung"], refused["rejection"]["reason"]), ("RUNG_BUSY", "REJECTION_REASON_BUSY"))
        self.assertGreater(seconds(refused["rejection"]["retryDelay"]), 0)
        self.assertEqual(self.fleet.run(*ASK)["rung"], "RUNG_BUSY")
        self.assertEqual(self.fleet.run(*premium)["route"]["nodeId"], "node-2")
        self.load(50)
        since = time.monotonic()
        wait_for("low priority to go on", lambda: "route" in self.fleet.run(*low))
        record("busy fleet is calm again: low priority goes on after", f"{time.monotonic() - since:.1f} s", "2 s")
        self.assertLess(time.monotonic() - since, 2.0)
        changes = [line["rung"] for line in self.fleet.logged("pool changed its rung")]
        self.assertEqual(changes, ["Busy", "Normal"])


if __name__ == "__main__":
    unittest.main()
