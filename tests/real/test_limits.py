"""Limits: who is refused, is the time to come back true, and what happens to those who wait?"""

import signal
import unittest
from time import monotonic, sleep

from figures import record
from fleet import Fleet
from picking import Decided, Picker, request
from process import wait_for

FREE_SECONDS = 0.5  # Free users may ask twice a second, by default.
MARGIN_SECONDS = 0.1
TRIES = 10
CROWD, RATE = 50, 10
LATE_SECONDS = 1.0
NODE = ("--node", "node-1", "--endpoint", "text=http://node-1.internal", "--cpu", "0.1", "--memory", "0.1")


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


class Limits(unittest.TestCase):
    def start(self, *rules: dict) -> None:
        """The service with one idle node; without rules, those of the default."""
        policy = {"limits": {"rules": list(rules)}} if rules else {}
        self.fleet = self.enterContext(Fleet(self._testMethodName, policy=policy))
        self.fleet.run("report", *NODE)
        self.picker = self.enterContext(Picker(self.fleet.address))

    def third(self, user: str) -> Decided | None:
        """The third request of a user within a moment; `None` where the machine took longer for it."""
        first, second, third = (self.picker.pick(user=user) for _ in range(3))
        self.assertEqual((first.reason, second.reason), ("", ""))
        return third if third.came - first.sent < FREE_SECONDS - 2 * MARGIN_SECONDS else None

    def measured(self, attempt):
        """The first attempt on which the machine was fast enough for it to say anything; each is another user's."""
        attempts = (attempt(f"user-{number}") for number in range(TRIES))
        found = next((measured for measured in attempts if measured is not None), None)
        self.assertIsNotNone(found, f"the machine stalled {TRIES} times in a row")
        return found

    def test_the_third_request_in_a_second_is_refused_and_told_when_to_come_back(self):
        self.start()
        refused = self.measured(self.third)
        self.assertEqual(refused.reason, "OVER_LIMIT")
        over = refused.reply.rejection.over_limit
        self.assertEqual((over.rule, over.limit, over.remaining, over.needed), ("free-requests", 2, 0, 1))
        record("free user, third request: told to come back in", milliseconds(refused.delay), "500 ms")
        self.assertGreater(refused.delay, 0)
        self.assertLessEqual(refused.delay, FREE_SECONDS)
        self.assertEqual(self.picker.pick(user="somebody else").reason, "")
        limits = {limit["name"]: limit for limit in self.fleet.run("limits")["limits"]}
        self.assertGreaterEqual(int(limits["free-requests"]["refusedCount"]), 1)

    def just_before_and_after(self, user: str) -> tuple[float, float] | None:
        """By how much a request came too early and was refused, and too late and was admitted."""
        refused = self.third(user)
        if refused is None:
            return None
        self.assertEqual(refused.reason, "OVER_LIMIT")
        # The service decided between `sent` and `came`: so it admits from some time between these two.
        earliest, latest = refused.sent + refused.delay, refused.came + refused.delay
        sleep(max(0, earliest - MARGIN_SECONDS - monotonic()))
        before = self.picker.pick(user=user)
        sleep(max(0, latest - monotonic()))
        after = self.picker.pick(user=user)
        if before.came >= earliest:
            return None
        self.assertEqual((before.reason, after.reason), ("OVER_LIMIT", ""))
        self.assertLessEqual(before.delay, latest - before.sent + 0.001)
        return earliest - before.came, after.sent - earliest

    def test_the_time_to_come_back_is_neither_too_short_nor_too_long(self):
        self.start()
        early, late = self.measured(self.just_before_and_after)
        margins = f"{milliseconds(early)} before, {milliseconds(late)} after"
        record("free user comes back: refused, admitted", margins, f"at most {milliseconds(MARGIN_SECONDS)} before")
        self.assertLessEqual(early, MARGIN_SECONDS)

    def test_a_crowd_that_waits_is_served_in_order_at_the_rate_of_the_rule(self):
        self.start({"name": "crowd", "per": "user", "requests_per_second": RATE, "burst": 1})
        crowd = [request(user="ann", request_id=f"{number}", wait=10.0) for number in range(CROWD)]
        served = self.picker.stream(crowd)
        self.assertEqual([decided.reason for decided in served], [""] * CROWD)
        self.assertEqual([decided.reply.request_id for decided in served], [asked.request_id for asked in crowd])
        took = served[-1].came - served[0].came
        fair = (CROWD - 1) / RATE
        record(f"{CROWD} requests of one user wait: all served, in order, in", f"{took:.2f} s", f"{fair} s, never less")
        # The rule counts in the service, this in the client: one reply may come later than the last.
        self.assertGreaterEqual(took, fair - MARGIN_SECONDS)
        self.assertLessEqual(took, fair + LATE_SECONDS)

    def reload(self, how: str, *rules: dict) -> None:
        """Puts other rules into force by an edited file, with a signal besides or without."""
        self.fleet.configure(policy={"limits": {"rules": list(rules)}})
        if how == "SIGHUP":
            self.fleet.service.signal(signal.SIGHUP)
        names = lambda: [limit["name"] for limit in self.fleet.run("limits")["limits"]]
        wait_for("the new rules", lambda: names() == [rule["name"] for rule in rules])

    def test_limits_survive_a_change_of_another_rule(self):
        slow = {"name": "slow", "per": "user", "requests_per_second": 0.01, "burst": 1}
        other = {"name": "other", "per": "tenant", "requests_per_second": 1000}
        self.start(slow, other)
        self.assertEqual(self.picker.pick(user="ann").reason, "")
        delays = [self.picker.pick(user="ann").delay]
        for how in ("edited", "SIGHUP"):
            self.reload(how, slow, {**other, "name": how, "requests_per_second": 999})
            refused = self.picker.pick(user="ann")
            self.assertEqual(refused.reason, "OVER_LIMIT")
            delays.append(refused.delay)
        told = ", ".join(f"{delay:.1f}" for delay in delays)
        record("another rule reloaded twice: time to come back", f"{told} s", "falling")
        self.assertEqual(delays, sorted(delays, reverse=True))
        # The same measurement sees it where a count is lost: under another name a rule begins anew.
        self.reload("edited", {**slow, "name": "renamed"})
        self.assertEqual(self.picker.pick(user="ann").reason, "")


if __name__ == "__main__":
    unittest.main()
