"""Asks a question once or many times at once, as a gateway that shares answers does; `ask.mjs` does the same.

Prints one JSON object an answer: how it came (`routed`, `known`, `rejected`), and its bytes in hex.
"""

import argparse
import http.client
import json
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import grpc
from fingerprint import fingerprint

from pointsman.v1 import answer_service_pb2 as answers, answer_service_pb2_grpc as answers_rpc
from pointsman.v1 import node_pb2, routing_service_pb2 as api, routing_service_pb2_grpc as rpc

RPC_SECONDS = 20.0


class Asker:
    def __init__(self, options: argparse.Namespace):
        self.options = options
        self.question = json.loads(options.question)
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

    def ask(self, number: int) -> dict:
        request = f"{self.options.name}-{number}"
        pick = api.PickNodeRequest(request_id=request, **self.scope)
        pick.max_wait.FromMilliseconds(self.options.max_wait_ms)
        pick.lease_ttl.FromSeconds(self.options.lease_seconds)
        decision = self.routing.PickNode(pick, timeout=RPC_SECONDS)
        match decision.WhichOneof("outcome"):
            case "cached_answer":
                known = decision.cached_answer
                return {"how": "known", "coalesced": known.coalesced, "body": known.inline.hex()}
            case "route":
                return self.forward(request, decision.route)
        return {"how": "rejected", "reason": decision.rejection.reason}

    def forward(self, request: str, route) -> dict:
        """Has it answered, tells so, and keeps the answer for others."""
        if self.options.halt:
            say({"how": "halted"})
            signal.pause()
        body = complete(route.endpoint, self.question)
        outcome = {"tenant": self.options.tenant, "request_id": request, "result": api.OUTCOME_RESULT_OK}
        self.routing.ReportOutcome(api.ReportOutcomeRequest(**outcome), timeout=RPC_SECONDS)
        kept = answers.StoreAnswerRequest(inline=body, content_type="application/json", **self.scope)
        self.answers.StoreAnswer(kept, timeout=RPC_SECONDS)
        return {"how": "routed", "body": body.hex()}


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
    parser.add_argument("--lease-seconds", type=int, default=60)
    parser.add_argument("--halt", action="store_true", help="do nothing with a route: to be killed")
    return parser.parse_args()


def main() -> None:
    asker = Asker(options())
    with ThreadPoolExecutor(asker.options.count) as pool:
        for told in pool.map(asker.ask, range(asker.options.count)):
            say(told)


if __name__ == "__main__":
    sys.exit(main())
