"""The configuration file changes while the service runs: is the new policy in force, and is a bad one refused?"""

import unittest

from fleet import Fleet
from process import wait_for

PICK = ("--type", "text", "--model", "tiny")
NODES = [
    {"id": name, "class": "normal", "endpoints": {"text": f"http://127.0.0.1:{port}"}, "models": [{"name": "tiny"}]}
    for name, port in (("node-1", 8001), ("node-2", 8002))
]


class Reload(unittest.TestCase):
    def setUp(self):
        self.fleet = self.enterContext(Fleet(self._testMethodName, nodes=NODES))

    def balance(self) -> str:
        return self.fleet.run("explain", *PICK)["decision"]["explanation"]["balance"]

    def nodes(self) -> int:
        return len(self.fleet.run("nodes", "list").get("nodes", []))

    def test_an_edited_file_comes_into_force(self):
        self.assertEqual((self.balance(), self.nodes()), ("weighted_load", 2))
        self.fleet.configure(policy={"balance": "round_robin"}, nodes=NODES[:1])
        wait_for("the new file", lambda: (self.balance(), self.nodes()) == ("round_robin", 1))
        # The log lies beside the file, and must not count as a change of it.
        self.assertEqual(self.fleet.logged("reloaded: the configuration has not changed"), [])

    def test_a_bad_file_changes_nothing_and_is_told(self):
        self.fleet.configure(policy={"balance": "by_gut_feeling"}, nodes=[])
        told = lambda: [line for line in self.fleet.service.lines() if "by_gut_feeling" in line]
        wait_for("the log to tell of the bad file", told)
        self.assertEqual((self.balance(), self.nodes()), ("weighted_load", 2))
        self.fleet.configure(policy={"balance": "random"}, nodes=NODES)
        wait_for("the next good file", lambda: self.balance() == "random")


if __name__ == "__main__":
    unittest.main()
