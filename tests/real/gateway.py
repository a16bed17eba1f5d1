"""A gateway in Python: asks where each request goes, forwards it, tells how it went, tries again elsewhere.

Runs until SIGTERM, then finishes what it has begun. Prints one JSON object a line: `gateway.mjs` prints the same.
"""

import argparse
import http.client
import itertools
import json
import signal
import threading
import time
from urllib.parse import urlsplit

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from pointsman.v1 import node_pb2, routing_service_pb2 as api, routing_service_pb2_grpc as rpc

REQUEST_SECONDS = 10.0  # A request that is not answered by then is lost.
RPC_SECONDS = 2.0
PAUSE_SECONDS = 0.05
RESULTS = {True: api.OUTCOME_RESULT_OK, False: api.OUTCOME_RESULT_FAILED}


class Gateway:
    """What the workers share."""

    def __init__(self, options: argparse.Namespace):
        self.options = options
        channel = grpc.insecure_channel(options.server)
        self.routing = rpc.RoutingServiceStub(channel)
        self.health = health_pb2_grpc.HealthStub(channel)
        self.leaving = threading.Event()
        self.numbers = itertools.count(1)
        self.printing = threading.Lock()

    def say(self, event: str, **fields) -> None:
        with self.printing:
            print(json.dumps({"event": event, "at": time.time()} | fields), flush=True)

    def work(self) -> None:
        """Sends one request after the other."""
        while not self.leaving.is_set():
            request = f"{self.options.name}-{next(self.numbers)}"
            self.say("begun", request=request)
            self.say("done", request=request, ok=self.serve(request))

    def serve(self, request: str) -> bool:
        """Gets one request answered, on whichever node."""
        deadline = time.monotonic() + REQUEST_SECONDS
        tried: list[str] = []
        while time.monotonic() < deadline:
            picked = self.pick(request, tried)
            if picked is None:
                time.sleep(PAUSE_SECONDS)
                tried.clear()  # All were tried, or none could be: any of them may be back.
            elif self.attempt(request, picked):
                return True
            else:
                tried.append(picked.node_id)
        return False

    def pick(self, request: str, tried: list[str]) -> api.PickNodeResponse | None:
        """The route of a request; `None` if there is none now."""
        asked = api.PickNodeRequest(
            request_id=request,
            request_type=node_pb2.REQUEST_TYPE_TEXT,
            model="tiny",
            excluded_node_ids=tried,
        )
        sent = time.time()
        try:
            decision = self.routing.PickNode(asked, timeout=RPC_SECONDS)
        except grpc.RpcError as error:
            self.say("error", request=request, sent=sent, code=error.code().name, message=error.details())
            return None
        if decision.HasField("rejection"):
            self.say("rejected", request=request, sent=sent, message=decision.rejection.message)
            return None
        self.say("picked", request=request, sent=sent, node=decision.route.node_id)
        return decision.route

    def attempt(self, request: str, route) -> bool:
        """Forwards to the picked node and tells how it went."""
        started = time.monotonic()
        first_token = None
        try:
            first_token = forward(route.endpoint, started, self.options)
        except (OSError, http.client.HTTPException) as error:
            self.say("failed", request=request, node=route.node_id, message=repr(error))
        ok = first_token is not None
        if ok or not self.options.mute:
            self.report(request, route.lease_id, ok, first_token)
        return ok

    def report(self, request: str, lease: str, ok: bool, first_token: float | None) -> None:
        outcome = api.ReportOutcomeRequest(request_id=request, lease_id=lease, result=RESULTS[ok])
        if first_token is not None:
            outcome.first_token_latency.FromNanoseconds(int(first_token * 1e9))
        try:
            self.routing.ReportOutcome(outcome, timeout=RPC_SECONDS)
        except grpc.RpcError as error:
            self.say("unreported", request=request, code=error.code().name)

    def watch(self) -> None:
        """Leaves when the service says that it will."""
        try:
            for reply in self.health.Watch(health_pb2.HealthCheckRequest()):
                status = health_pb2.HealthCheckResponse.ServingStatus.Name(reply.status)
                self.say("health", status=status)
                if status == "NOT_SERVING":
                    self.leaving.set()
        except grpc.RpcError as error:
            self.say("unwatched", code=error.code().name)


def forward(endpoint: str, started: float, options: argparse.Namespace) -> float:
    """Streams one completion; the seconds until its first token. Raises if the answer is not whole."""
    connection = http.client.HTTPConnection(urlsplit(endpoint).netloc, timeout=options.forward_seconds)
    message = {"role": "user", "content": "Where does the train go?"}
    body = {"messages": [message], "max_tokens": options.tokens, "stream": True}
    try:
        connection.request("POST", "/v1/chat/completions", json.dumps(body))
        answer = connection.getresponse()
        if answer.status != 200 or not answer.readline():
            raise http.client.HTTPException(f"status {answer.status}")
        first_token = time.monotonic() - started
        if b"data: [DONE]" not in answer.read():
            raise http.client.HTTPException("the answer broke off")
        return first_token
    finally:
        connection.close()


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--server", required=True)
    parser.add_argument("--name", required=True, help="begins the ids of its requests")
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--tokens", type=int, default=24)
    parser.add_argument("--forward-seconds", type=float, default=2.0)
    parser.add_argument("--mute", action="store_true", help="report no failures: the service must see for itself")
    parser.add_argument("--watch", action="store_true", help="leave when health says NOT_SERVING")
    return parser.parse_args()


def main() -> None:
    gateway = Gateway(options())
    signal.signal(signal.SIGTERM, lambda *_: gateway.leaving.set())
    if gateway.options.watch:
        threading.Thread(target=gateway.watch, daemon=True).start()
    workers = [threading.Thread(target=gateway.work) for _ in range(gateway.options.workers)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    gateway.say("end")


if __name__ == "__main__":
    main()
