"""Asks a question once or many times at once, as a gateway that shares answers does; `ask.mjs` does the same.

Prints one JSON object an answer: how it came (`routed`, `known`, `rejected`), and its bytes in hex. Before that,
`sent` once the service has read all requests, and `held` when one was routed and waits for SIGUSR2 (`--hold`).
"""

import argparse
import http.client
import json
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import grpc
from fingerprint import fingerprint

from pointsman.v1 import answer_service_pb2 as answers, answer_service_pb2_grpc as answers_rpc
from pointsman.v1 import decision_pb2, node_pb2, routing_service_pb2 as api, routing_service_pb2_grpc as rpc

RPC_SECONDS = 20.0


class Asker:
    def __init__(self, options: argparse.Namespace):
        self.options = options
        self.question = json.loads(options.question)
        self.released = threading.Event()
        channel = grpc.insecure_channel(options.server)
        self.routing = rpc.RoutingServiceStub(channel)
        self.answers = answers_rpc.AnswerServiceStub(channel)
        self.scope = {
            "tenant": options.tenant,
            "request_type": node_pb2.RequestType.Value(f"REQUEST_TYPE_{options.type.upper()}"),
            "model": options.model,
            "model_version": options.version,
            "fingerprint": fingerprint(self.question),
        }

    def send(self, number: int) -> tuple[str, grpc.Future]:
        """Sends one pick and does not wait for what comes of it."""
        request = f"{self.options.name}-{number}"
        pick = api.PickNodeRequest(request_id=request, **self.scope)
        pick.max_wait.FromMilliseconds(self.options.max_wait_ms)
        pick.lease_ttl.FromMilliseconds(self.options.lease_ms)
        return request, self.routing.PickNode.future(pick, timeout=RPC_SECONDS)

    def all_read(self) -> None:
        """Returns once the service has read what was sent before: a connection is read in order."""
        self.routing.ExplainPick(api.ExplainPickRequest(pick=api.PickNodeRequest(**self.scope)), timeout=RPC_SECONDS)

    def answer(self, sent: tuple[str, grpc.Future]) -> dict:
        request, decided = sent
        decision = decided.result()
        match decision.WhichOneof("outcome"):
            case "cached_answer":
                known = decision.cached_answer
                how = {"how": "known", "coalesced": known.coalesced, "content_type": known.content_type}
                return how | {"body": known.inline.hex(), "reference": known.reference}
            case "route":
                return self.forward(request, decision.route)
        return {"how": "rejected", "reason": decision_pb2.RejectionReason.Name(decision.rejection.reason)}

    def forward(self, request: str, route) -> dict:
        """Has it answered, tells so, and keeps the answer for others."""
        if self.options.hold:
            say({"how": "held"})
            self.released.wait()
        routed_at = time.time()
        body = complete(route.endpoint, self.question)
        outcome = {"tenant": self.options.tenant, "request_id": request, "result": api.OUTCOME_RESULT_OK}
        self.routing.ReportOutcome(api.ReportOutcomeRequest(**outcome), timeout=RPC_SECONDS)
        reference = self.options.reference
        kept = {"reference": reference} if reference else {"inline": body, "content_type": "application/json"}
        self.answers.StoreAnswer(answers.StoreAnswerRequest(**kept, **self.scope), timeout=RPC_SECONDS)
        return {"how": "routed", "at": routed_at, "body": body.hex()}


def complete(endpoint: str, question: dict) -> bytes:
    connection = http.client.HTTPConnection(urlsplit(endpoint).netloc, timeout=RPC_SECONDS)
    connection.request("POST", "/v1/chat/completions", json.dumps(question))
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status == 200, body
    return body


def say(told: dict) -> None:
    print(json.dumps(told), flush=True)


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    for flag in ("--server", "--name", "--question"):
        parser.add_argument(flag, required=True)
    parser.add_argument("--tenant", default="default")
    parser.add_argument("--type", default="text")
    parser.add_argument("--model", default="tiny")
    parser.add_argument("--version", default="")
    parser.add_argument("--count", type=int, default=1, help="so many at once")
    parser.add_argument("--max-wait-ms", type=int, default=0)
    parser.add_argument("--lease-ms", type=int, default=60_000)
    parser.add_argument("--reference", help="keep the answer elsewhere, and store this in its place")
    parser.add_argument("--hold", action="store_true", help="forward no request before SIGUSR2")
    return parser.parse_args()


def main() -> None:
    asker = Asker(options())
    signal.signal(signal.SIGUSR2, lambda *_: asker.released.set())
    sent = [asker.send(number) for number in range(asker.options.count)]
    asker.all_read()
    say({"how": "sent"})
    with ThreadPoolExecutor(asker.options.count) as pool:
        for told in pool.map(asker.answer, sent):
            say(told)


if __name__ == "__main__":
    sys.exit(main())
