"""Real answers, stored by one gateway and given to another: the same bytes, to nobody else, computed once."""

import json
import signal
import sys
import unittest

from figures import record
from fleet import HERE, INSTALLED, TREE, Fleet
from process import Process, wait_for

CROWD = 200
MANY = {"max_tokens": 24, "temperature": 0}
SYSTEM = {"role": "system", "content": "You answer in one word."}
USER = {"role": "user", "content": "Where does the train go?"}
QUESTION = {"messages": [SYSTEM, USER], **MANY}
ELSE = [
    {**QUESTION, "messages": [{**SYSTEM, "content": "You answer at length."}, USER]},
    {**QUESTION, "messages": [SYSTEM, {**USER, "content": "Where does the tram go?"}]},
    {**QUESTION, "messages": [USER]},
    {**QUESTION, "temperature": 0.5},
    {**QUESTION, "max_tokens": 25},
]


class Answers(unittest.TestCase):
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
        self.assertEqual(process.ended(30), 0, process.lines())
        return [json.loads(line) for line in process.lines()]

    def ask(self, language: str, question: dict, *flags: str) -> dict:
        return self.told(self.start(language, question, *flags))[0]

    def test_an_answer_is_stored_by_one_language_and_given_to_the_other(self):
        for storing, asking in (("python", "node"), ("node", "python")):
            with self.subTest(storing=storing, asking=asking):
                question = {**QUESTION, "seed": len(storing)}
                stored = self.ask(storing, question)
                self.assertEqual(stored["how"], "routed")
                self.assertIn("choices", json.loads(bytes.fromhex(stored["body"])))
                for language in (asking, storing):
                    known = self.ask(language, question)
                    self.assertEqual((known["how"], known["body"]), ("known", stored["body"]))
        record("real answer stored by Python and by Node", "the same bytes to both", "byte-identical")

    def test_whatever_differs_is_another_question(self):
        self.ask("python", QUESTION)
        for question in ELSE:
            self.assertEqual(self.ask("node", question)["how"], "routed")
        for flags in (["--tenant", "other"], ["--version", "2"]):
            self.assertEqual(self.ask("node", QUESTION, *flags)["how"], "routed", flags)
        for flags in (["--model", "other"], ["--type", "embedding"]):
            self.assertEqual(self.ask("node", QUESTION, *flags)["how"], "rejected", flags)
        self.assertEqual(self.ask("node", {**QUESTION, "user": "ann", "stream": False})["how"], "known")
        self.assertEqual(self.fleet.run("answers", "purge", "--model", "tiny")["purgedCount"], "7")
        self.assertEqual(self.ask("node", QUESTION)["how"], "routed")
        stats = self.fleet.run("answers", "stats")
        self.assertEqual((stats["hitCount"], stats["missCount"]), ("1", "9"))
        record("real answers: changed in one thing", f"{len(ELSE) + 4} of {len(ELSE) + 4} miss", "all")

    def test_a_crowd_that_asks_the_same_is_answered_by_one_request(self):
        crowds = [self.start(kind, QUESTION, "--count", str(CROWD // 2), "--max-wait-ms", "15000") for kind in ("python", "node")]
        told = [answer for crowd in crowds for answer in self.told(crowd)]
        routed = [answer for answer in told if answer["how"] == "routed"]
        self.assertEqual((len(told), len(routed)), (CROWD, 1))
        self.assertEqual({answer["body"] for answer in told}, {routed[0]["body"]})
        record("identical requests at once: sent to a node", f"{len(routed)} of {CROWD}", "1")

    def test_a_gateway_that_dies_with_the_request_holds_the_others_up_no_longer_than_its_lease(self):
        leader = self.start("python", QUESTION, "--halt", "--lease-seconds", "2")
        wait_for("the leader to be picked", lambda: leader.lines())
        leader.signal(signal.SIGKILL)
        told = self.told(self.start("node", QUESTION, "--count", "50", "--max-wait-ms", "15000"))
        routed = sum(answer["how"] == "routed" for answer in told)
        self.assertEqual((len(told), routed), (50, 1))
        record("the leading gateway killed: sent to a node after it", f"{routed} of {len(told)}", "1")


if __name__ == "__main__":
    unittest.main()
