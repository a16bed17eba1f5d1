"""How long does LiteLLM's router take to decide? Lines of nodes and decisions in, nanoseconds out."""

import functools
import sys
import time

from litellm import Router

MESSAGES = [{"role": "user", "content": "hello"}]


def deployment(number: int) -> dict:
    base = f"http://10.0.{number // 250}.{number % 250 + 1}:8000/v1"
    return {
        "model_name": "model",
        "litellm_params": {"model": "openai/model", "api_key": "none", "api_base": base},
        "model_info": {"id": f"node-{number:05}"},
    }


@functools.cache
def router(nodes: int) -> Router:
    return Router(
        model_list=[deployment(number) for number in range(nodes)],
        routing_strategy="least-busy",
    )


def run(nodes: int, count: int) -> int:
    asked = router(nodes)
    started = time.perf_counter_ns()
    for _ in range(count):
        asked.get_available_deployment(model="model", messages=MESSAGES)
    return time.perf_counter_ns() - started


for line in sys.stdin:
    nodes, count = map(int, line.split())
    print(run(nodes, count), flush=True)
