"""A crowd asks the same at once: is it computed once, also where the gateway dies that was to compute it?"""

import json
import signal
import time
import unittest
import urllib.request

from asking import QUESTION, WAYS, Asking
from figures import record
from process import Process, wait_for

CROWD = 200  # Half of it from each gateway.
LEASE_SECONDS = 2.0
LATE_SECONDS = 1.5
# What was read is decided a moment later.
DECIDED_SECONDS = 0.3
COMPUTED = "llamacpp:tokens_predicted_total"
FLAGS = ("--count", str(CROWD // 2), "--max-wait-ms", "10000")


class Coalescing(Asking):
    def computed(self) -> float:
        """Tokens that the model server has computed so far, by its own count."""
        url = f"http://127.0.0.1:{self.fleet.ports['node-1']}/metrics"
        with urllib.request.urlopen(url, timeout=5) as page:
            lines = page.read().decode().splitlines()
        return next(float(line.split()[1]) for line in lines if line.startswith(f"{COMPUTED} "))

    def crowd(self, language: str, *flags: str) -> Process:
        """Half of the crowd, once the service has read all of its requests."""
        crowd = self.start(language, QUESTION, *FLAGS, *flags)
        wait_for("the crowd's requests to be read", lambda: any('"sent"' in line for line in crowd.lines()))
        return crowd

    def held(self, *crowds: Process) -> Process:
        """The gateway that was told to compute the answer."""
        leads = lambda: [crowd for crowd in crowds if any('"held"' in line for line in crowd.lines())]
        return wait_for("one of the crowd to be routed", leads)[0]

    def assert_computed_once(self, told: list[dict], before: float) -> dict:
        """Exactly one was routed, the model server computed one answer, all others waited and got it."""
        routed = [answer for answer in told if answer["how"] == "routed"]
        known = [answer for answer in told if answer["how"] == "known"]
        coalesced = sum(answer["coalesced"] for answer in known)
        self.assertEqual((len(routed), len(known), coalesced), (1, len(told) - 1, len(told) - 1))
        (routed,) = routed
        self.assertEqual({answer["body"] for answer in known}, {routed["body"]})
        tokens = json.loads(bytes.fromhex(routed["body"]))["usage"]["completion_tokens"]
        self.assertEqual(self.computed() - before, tokens)
        return routed

    def test_a_crowd_that_asks_the_same_is_answered_by_one_request(self):
        before = self.computed()
        crowds = [self.crowd(language, "--hold") for language in WAYS[0]]
        time.sleep(DECIDED_SECONDS)
        self.held(*crowds)
        for crowd in crowds:
            crowd.signal(signal.SIGUSR2)
        told = [answer for crowd in crowds for answer in self.told(crowd)]
        self.assertEqual(len(told), CROWD)
        self.assert_computed_once(told, before)
        self.assertEqual(self.stats()["coalescedCount"], CROWD - 1)
        record("identical requests at once: sent to a node, coalesced", f"1, {CROWD - 1} of {CROWD}", f"1, {CROWD - 1}")

    def lose_the_leader(self, leading: str, following: str) -> float:
        """Seconds from the kill of the leading gateway until another request of the crowd is forwarded."""
        before = self.computed()
        leader = self.crowd(leading, "--hold", "--lease-ms", str(int(LEASE_SECONDS * 1000)))
        self.held(leader)
        followers = self.crowd(following)
        time.sleep(DECIDED_SECONDS)
        killed = leader.signal(signal.SIGKILL)
        told = self.told(followers)
        self.assertEqual(len(told), CROWD // 2)
        return self.assert_computed_once(told, before)["at"] - killed

    def test_one_more_is_routed_where_the_leading_gateway_dies(self):
        for leading, following in WAYS:
            with self.subTest(leading=leading):
                waited = self.lose_the_leader(leading, following)
                bound = LEASE_SECONDS + LATE_SECONDS
                record(f"leading {leading} gateway killed: one more is sent after", f"{waited:.1f} s", f"{bound} s")
                self.assertLessEqual(waited, bound)
                self.fleet.run("answers", "purge")


if __name__ == "__main__":
    unittest.main()
