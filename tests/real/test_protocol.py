"""Standard clients that know nothing of this project: can they lint the API, discover it, call it and probe it?"""

import json
import subprocess
import unittest

from fleet import INSTALLED, TREE, Fleet
from process import wait_for

BUF = INSTALLED / "node_modules" / ".bin" / "buf"
BUF_SECONDS = 30
SERVICES = ("RoutingService", "LoadService", "NodeService")
PROBES = ("", "readiness", "liveness", *(f"pointsman.v1.{service}" for service in SERVICES))


def buf(*command: str) -> str:
    """What a `buf` command prints; fails if it fails."""
    told = subprocess.run([BUF, *command], capture_output=True, text=True, timeout=BUF_SECONDS, cwd=TREE)
    assert told.returncode == 0, f"buf {command}: {told.stdout}{told.stderr}"
    return told.stdout


class Protocol(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = cls.enterClassContext(Fleet(cls.__name__))
        spec = ("--node", "node-1", "--class", "normal", "--endpoint", "text=http://node-1.internal", "--model", "tiny")
        cls.fleet.run("report", *spec, "--cpu", "0.5", "--memory", "0.5", "--waiting", "0")

    def call(self, *flags: str) -> str:
        method = flags[-1]
        url = f"http://{self.fleet.address}/{method}" if "/" in method else f"http://{self.fleet.address}"
        flags = flags[:-1] if "/" in method else flags
        return buf("curl", "--http2-prior-knowledge", "--protocol", "grpc", *flags, url)

    def test_the_proto_files_pass_the_lint(self):
        buf("lint", "proto")

    def test_reflection_lists_the_services(self):
        for version in ("grpc-v1", "grpc-v1alpha"):
            with self.subTest(version=version):
                listed = self.call("--reflect-protocol", version, "--list-services")
                for service in SERVICES:
                    self.assertIn(f"pointsman.v1.{service}", listed)

    def test_a_pick_by_reflection(self):
        asked = {"requestType": "REQUEST_TYPE_TEXT", "model": "tiny"}
        told = json.loads(self.call("--data", json.dumps(asked), "pointsman.v1.RoutingService/PickNode"))
        self.assertEqual(told["route"]["nodeId"], "node-1")
        self.assertEqual(told["route"]["endpoint"], "http://node-1.internal")

    def test_every_probe_says_serving(self):
        for service in PROBES:
            with self.subTest(service=service):
                asked = json.dumps({"service": service})
                told = json.loads(self.call("--data", asked, "grpc.health.v1.Health/Check"))
                self.assertEqual(told, {"status": "SERVING"})


if __name__ == "__main__":
    unittest.main()
