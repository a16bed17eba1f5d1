"""Picks without the command line, whose start takes longer than what is measured."""

import time
from dataclasses import dataclass

import grpc

from pointsman.v1 import decision_pb2, node_pb2, routing_service_pb2 as api, routing_service_pb2_grpc as rpc

RPC_SECONDS = 20.0


@dataclass
class Decided:
    """A decision, when it was asked for and when it came, in seconds of the monotonic clock."""

    reply: api.PickNodeResponse
    sent: float
    came: float

    @property
    def reason(self) -> str:
        """Why it was refused; empty if it was not."""
        reason = self.reply.rejection.reason
        return decision_pb2.RejectionReason.Name(reason).removeprefix("REJECTION_REASON_") if reason else ""

    @property
    def rung(self) -> str:
        return decision_pb2.Rung.Name(self.reply.rung).removeprefix("RUNG_")

    @property
    def delay(self) -> float:
        """Seconds after which asking again can help; cut to milliseconds, a caller would come back too early."""
        return self.reply.rejection.retry_delay.ToNanoseconds() / 1e9


class Picker:
    """One connection to the service. As a context it is closed on the way out."""

    def __init__(self, address: str):
        self.channel = grpc.insecure_channel(address)
        self.routing = rpc.RoutingServiceStub(self.channel)

    def __enter__(self):
        grpc.channel_ready_future(self.channel).result(RPC_SECONDS)
        return self

    def __exit__(self, *_) -> None:
        self.channel.close()

    def pick(self, **fields) -> Decided:
        sent = time.monotonic()
        reply = self.routing.PickNode(request(**fields), timeout=RPC_SECONDS)
        return Decided(reply, sent, time.monotonic())

    def stream(self, requests: list[api.PickNodeRequest]) -> list[Decided]:
        """All at once on one stream; the decisions in the order in which they come."""
        sent = time.monotonic()
        picks = (api.StreamPicksRequest(pick=pick) for pick in requests)
        replies = self.routing.StreamPicks(picks, timeout=RPC_SECONDS)
        return [Decided(reply.decision, sent, time.monotonic()) for reply in replies]

    def finish(self, decided: Decided) -> None:
        """Says that a routed request is done, so that it loads its node no longer."""
        if decided.reply.HasField("route"):
            outcome = {"request_id": decided.reply.request_id, "result": api.OUTCOME_RESULT_OK}
            self.routing.ReportOutcome(api.ReportOutcomeRequest(**outcome), timeout=RPC_SECONDS)


def request(tier: str = "free", priority: str = "normal", wait: float = 0.0, **fields) -> api.PickNodeRequest:
    """A request for text of the model `tiny`."""
    fields |= {"tier": f"TIER_{tier.upper()}", "priority": f"PRIORITY_{priority.upper()}"}
    asked = api.PickNodeRequest(request_type=node_pb2.REQUEST_TYPE_TEXT, model="tiny", **fields)
    asked.max_wait.FromMilliseconds(int(wait * 1000))
    return asked
