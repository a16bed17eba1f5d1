"""One real llama.cpp server on one port, until it is stopped.

Started as a process of its own by the fleet, so that it can be killed like any model server:
`model_server.py MODEL PORT`.
"""

import signal
import sys

import xllamacpp


def main() -> None:
    model, port = sys.argv[1], int(sys.argv[2])
    params = xllamacpp.CommonParams()
    params.model.path = model
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.endpoint_metrics = True
    params.n_parallel = 4
    params.n_ctx = 4 * 256
    params.cpuparams.n_threads = 1
    params.warmup = False
    server = xllamacpp.Server(params)  # Serves from threads of its own.
    print(f"serving {model} on {port}", flush=True)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    del server


if __name__ == "__main__":
    main()
