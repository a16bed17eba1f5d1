"""A fleet that is busy: who is turned away, who goes on, and is all well again as soon as the load has fallen?"""

import itertools
import threading
import time
import unittest

from figures import record
from fleet import Fleet
from picking import Decided, Picker
from process import wait_for

# Tier and priority of those who ask, in turn, all the time.
GUESTS = [("free", "low"), ("free", "normal"), ("free", "high"), ("premium", "low")]
PAUSE_SECONDS = 0.02
CALM_SECONDS = 2.0
WATCH_SECONDS = 0.6
CAPACITY = 10_000  # So long a queue that the picks themselves do not count.


class Busy(unittest.TestCase):
    def setUp(self):
        self.fleet = self.enterContext(Fleet(self._testMethodName, policy={"load": {"queue_capacity": CAPACITY}}))
        self.seen: list[tuple[tuple[str, str], Decided]] = []
        self.enough = threading.Event()

    def load(self, percent: int) -> tuple[float, float]:
        """Says by hand that both nodes are that busy. When it began to say so, and when the service knew."""
        began = time.monotonic()
        share = str(percent / 100)
        load = ("--cpu", share, "--memory", share, "--waiting", str(percent * CAPACITY // 100))
        for name, kind in (("node-1", "normal"), ("node-2", "high")):
            node = ("--node", name, "--class", kind, "--endpoint", f"text=http://{name}.internal")
            self.fleet.run("report", *node, *load)
        return began, time.monotonic()

    def ask_all_the_time(self) -> None:
        """Lets all guests ask in turn, until the end of the test."""

        def ask() -> None:
            with Picker(self.fleet.address) as picker:
                for guest in itertools.cycle(GUESTS):
                    decided = picker.pick(tier=guest[0], priority=guest[1])
                    self.seen.append((guest, decided))
                    picker.finish(decided)
                    if self.enough.wait(PAUSE_SECONDS):
                        return

        asking = threading.Thread(target=ask)
        asking.start()
        self.addCleanup(asking.join)
        self.addCleanup(self.enough.set)

    def watch(self, since: float) -> dict[tuple[str, str], set[tuple[str, str]]]:
        """What each guest that asked from then on for a while was told: reasons and rungs."""
        until = since + WATCH_SECONDS
        wait_for("guests to be answered", lambda: self.seen and self.seen[-1][1].sent > until)
        told = {guest: set() for guest in GUESTS}
        for guest, decided in self.seen:
            if since <= decided.sent <= until:
                told[guest].add((decided.reason, decided.rung))
        return told

    def assert_told(self, percent: int, rung: str, refused: int) -> None:
        """At this load the first so many guests are turned away, the others go on, and all are told the rung."""
        self.assertEqual(
            self.watch(self.load(percent)[1]),
            {guest: {("BUSY" if place < refused else "", rung)} for place, guest in enumerate(GUESTS)},
            f"at a load of {percent}",
        )

    def calm(self, percent: int) -> float:
        """Seconds from before the report of this load until the last decision that was not normal.

        Who is turned away is still wanted: a pool is calm where it would be so with them.
        """
        since, _ = self.load(percent)
        time.sleep(CALM_SECONDS)
        told = self.watch(since + CALM_SECONDS)
        self.assertEqual(told, {guest: {("", "NORMAL")} for guest in GUESTS})
        return max((decided.came - since for _, decided in self.seen if decided.rung != "NORMAL"), default=0.0)

    def test_who_matters_less_is_turned_away_while_the_fleet_is_busy(self):
        self.load(50)
        self.ask_all_the_time()
        self.assert_told(75, "NORMAL", 0)
        self.assert_told(85, "BUSY", 1)
        self.assert_told(75, "BUSY", 1)  # Between the thresholds nothing changes.
        calm = [self.calm(45)]
        self.assert_told(97, "OVERLOADED", 2)
        calm.append(self.calm(25))
        delays = [decided.delay for _, decided in self.seen if decided.reason]
        self.assertGreater(min(delays), 0)
        changes = [line["rung"] for line in self.fleet.logged("pool changed its rung")]
        told, after = f"{min(delays):.1f} to {max(delays):.1f} s", ", ".join(f"{end * 1000:.0f} ms" for end in calm)
        record("busy fleet: turned away, told to come back in", f"{len(delays)}, {told}", "over 0 s")
        record("busy fleet, calm again: last not normal after", after, f"{CALM_SECONDS:.0f} s")
        record("busy fleet: changes in the log", " ".join(changes), "each once")
        self.assertLess(max(calm), CALM_SECONDS)
        self.assertEqual(changes[:2], ["Busy", "Normal"])
        self.assertEqual([rung for rung, _ in itertools.groupby(changes)], changes)
        self.assertIn(changes[2:], (["Overloaded", "Normal"], ["Overloaded", "Busy", "Normal"]))


if __name__ == "__main__":
    unittest.main()
