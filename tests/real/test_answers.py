"""Real answers, stored by one gateway and given to another: the same bytes, to nobody else."""

import json
import unittest

from asking import QUESTION, SYSTEM, USER, WAYS, Asking
from figures import record

ELSE = [
    {**QUESTION, "messages": [{**SYSTEM, "content": "You answer at length."}, USER]},
    {**QUESTION, "messages": [SYSTEM, {**USER, "content": "Where does the tram go?"}]},
    {**QUESTION, "messages": [USER]},
    {**QUESTION, "temperature": 0.5},
    {**QUESTION, "max_tokens": 25},
    {**QUESTION, "seed": 7},
]


class Answers(Asking):
    def test_an_answer_is_stored_by_one_language_and_given_to_the_other(self):
        compared = 0
        for storing, asking in WAYS:
            with self.subTest(storing=storing, asking=asking):
                question = {**QUESTION, "seed": len(storing)}
                stored = self.ask(storing, question)
                self.assertEqual(stored["how"], "routed")
                self.assertIn("choices", json.loads(bytes.fromhex(stored["body"])))
                for language in (asking, storing):
                    known = self.ask(language, question)
                    self.assertEqual((known["how"], known["body"]), ("known", stored["body"]))
                    self.assertEqual((known["content_type"], known["coalesced"]), ("application/json", False))
                    compared += 1
        stats = self.stats()
        counts = [stats.get(f"{name}Count", 0) for name in ("hit", "miss", "stored", "coalesced", "entry")]
        self.assertEqual(counts, [4, 2, 2, 0, 2])
        record("real answer stored by Python and by Node: same bytes", f"{compared} of 4", "4")

    def test_a_reference_is_given_in_place_of_an_answer(self):
        for storing, asking in WAYS:
            with self.subTest(storing=storing, asking=asking):
                question = {**QUESTION, "seed": len(storing)}
                reference = f"s3://answers/{storing}?v=1#ü"
                self.assertEqual(self.ask(storing, question, "--reference", reference)["how"], "routed")
                known = self.ask(asking, question)
                self.assertEqual((known["how"], known["reference"], known["body"]), ("known", reference, ""))
        record("reference to an answer, both ways", "as it was stored", "as it was stored")

    def test_whatever_differs_is_another_question(self):
        scope = ("--version", "1")
        self.ask("python", QUESTION, *scope)
        for number, question in enumerate(ELSE):
            language = ("python", "node")[number % 2]
            self.assertEqual(self.ask(language, question, *scope)["how"], "routed", question)
        for flags in ((*scope, "--tenant", "other"), ("--version", "2"), ()):
            self.assertEqual(self.ask("node", QUESTION, *flags)["how"], "routed", flags)
        # No node has these, and a known answer needs none: given, it would show.
        for flags in (("--model", "other"), ("--type", "embedding")):
            self.assertEqual(self.ask("node", QUESTION, *scope, *flags)["how"], "rejected", flags)
        differing = len(ELSE) + 5
        self.assertEqual(self.ask("node", {**QUESTION, "user": "ann", "stream": False}, *scope)["how"], "known")
        stats = self.stats()
        self.assertEqual(stats["hitCount"], 1)
        self.assertEqual(stats["storedCount"], differing - 1)
        record("real answers: changed in one thing", f"{differing} of {differing} miss", "all")

    def test_purged_answers_are_given_to_nobody(self):
        for language in ("python", "node"):
            self.assertEqual(self.ask(language, {**QUESTION, "seed": len(language)})["how"], "routed")
        self.ask("python", QUESTION, "--tenant", "other")
        self.assertEqual(self.fleet.run("answers", "purge", "--model", "tiny")["purgedCount"], "2")
        self.assertEqual(self.stats()["purgedCount"], 2)
        for storing, asking in WAYS:
            self.assertEqual(self.ask(asking, {**QUESTION, "seed": len(storing)})["how"], "routed")
        self.assertEqual(self.ask("node", QUESTION, "--tenant", "other")["how"], "known")
        record("purged answers: asked again", "2 of 2 routed, another tenant's known", "all")


if __name__ == "__main__":
    unittest.main()
