"""A service, one model server, and gateways in two languages that share answers: what tests of answers begin with."""

import json
import sys
import unittest

from fleet import HERE, INSTALLED, TREE, Fleet
from process import Process

SYSTEM = {"role": "system", "content": "You answer in one word."}
USER = {"role": "user", "content": "Where does the train go?"}
QUESTION = {"messages": [SYSTEM, USER], "max_tokens": 24, "temperature": 0}
WAYS = (("python", "node"), ("node", "python"))  # Who stores or leads, who asks or follows.


class Asking(unittest.TestCase):
    """Asks as gateways do."""

    def setUp(self):
        self.fleet = self.enterContext(Fleet(self._testMethodName))
        self.fleet.add_nodes("node-1")
        self.asked = 0

    def start(self, language: str, question: dict, *flags: str) -> Process:
        self.asked += 1
        name = f"{language}-{self.asked}"
        python = [sys.executable, HERE / "ask.py"]
        node = ["node", HERE / "ask.mjs", "--protos", TREE / "proto"]
        command = {"python": python, "node": node}[language] + ["--server", self.fleet.address, "--name", name]
        command += ["--question", json.dumps(question), *flags]
        return self.fleet.start(f"ask-{name}", command, NODE_PACKAGES=str(INSTALLED))

    def told(self, process: Process) -> list[dict]:
        """The answers of a gateway, once it has ended."""
        self.assertEqual(process.ended(30), 0, process.lines())
        told = [json.loads(line) for line in process.lines()]
        return [answer for answer in told if answer["how"] not in ("sent", "held")]

    def ask(self, language: str, question: dict, *flags: str) -> dict:
        (answer,) = self.told(self.start(language, question, *flags))
        return answer

    def stats(self) -> dict[str, int]:
        """What became of answers so far."""
        return {name: int(count) for name, count in self.fleet.run("answers", "stats").items()}
