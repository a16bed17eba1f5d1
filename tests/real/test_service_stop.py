"""The service is told to stop, or is killed, under load: is a pick lost, and does everything come back by itself?"""

import signal
import socket
import time
import unittest

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from figures import record
from fleet import Fleet
from process import wait_for

NODES = ("node-1", "node-2", "node-3")
EXIT_SECONDS = 15
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


class ServiceStops(unittest.TestCase):
    def setUp(self):
        self.fleet = self.enterContext(Fleet(self._testMethodName, server={}))
        self.fleet.add_nodes(*NODES)

    def silent_connection(self) -> None:
        """A client that connects and never says a word."""
        host, port = self.fleet.address.split(":")
        self.enterContext(socket.create_connection((host, int(port))))

    def check(self) -> int:
        with grpc.insecure_channel(self.fleet.address) as channel:
            asked = health_pb2.HealthCheckRequest()
            return health_pb2_grpc.HealthStub(channel).Check(asked, timeout=2).status

    def come_back(self) -> None:
        """Starts the service again and expects that all is as before, with no request lost."""
        started = time.time()
        self.fleet.start_service()
        self.fleet.wait_for_nodes(*NODES)
        record("  restart: all agents are back after", f"{time.time() - started:.1f} s")
        again = lambda: self.fleet.events("picked", started)
        record("  restart: first pick after", f"{wait_for('a pick', again)[0]['at'] - started:.1f} s")
        self.fleet.end_load()
        self.assertEqual(self.fleet.lost(), [])

    def test_a_stop_under_load_loses_no_pick(self):
        fleet = self.fleet
        fleet.add_gateways()
        watcher = fleet.add_gateway("python", "--watch")
        self.silent_connection()
        stopped = fleet.service.signal(signal.SIGTERM)
        wait_for("Check to say NOT_SERVING", lambda: self.check() == NOT_SERVING, 2)
        self.assertEqual(watcher.ended(5), 0)
        status = fleet.service.ended(EXIT_SECONDS)
        took = time.time() - stopped
        record("SIGTERM under load: exit", f"{took:.1f} s, status {status}", f"{EXIT_SECONDS} s, 0")
        self.assertEqual(status, 0)
        self.assert_no_pick_lost(stopped)
        self.come_back()

    def assert_no_pick_lost(self, stopped: float) -> None:
        fleet = self.fleet
        told = [event for event in fleet.events("health") if event["status"] == "NOT_SERVING"]
        record("SIGTERM under load: Watch says so after", f"{(told[0]['at'] - stopped) * 1000:.0f} ms")
        leaving = fleet.logged("leaving: streams end, connections are told to go away")[0]["at"]
        lost = [error for error in fleet.events("error") if error["sent"] < leaving]
        picks = len(fleet.events("picked", stopped))
        record("SIGTERM under load: picks lost while draining", f"{len(lost)} of {picks + len(lost)}", "0")
        self.assertEqual(lost, [])
        self.assertGreater(picks, 50)

    def test_a_killed_service_is_found_again(self):
        self.fleet.add_gateways()
        self.fleet.service.signal(signal.SIGKILL)
        self.fleet.service.ended(5)
        record("service killed under load", "restarted on its address")
        self.come_back()


if __name__ == "__main__":
    unittest.main()
