"""One real llama.cpp server on one port, until it is stopped: `model_server.py MODEL PORT`.

A process of its own, so that it can be killed like any model server.
"""

import signal
import sys

import xllamacpp


def main() -> None:
    model, port = sys.argv[1], int(sys.argv[2])
    stop = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stop)
    params = xllamacpp.CommonParams()
    params.model.path = model
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.endpoint_metrics = True
    params.n_parallel = 4
    params.n_ctx = 4 * 512
    params.cpuparams.n_threads = 1
    params.warmup = False
    server = xllamacpp.Server(params)  # Serves from threads of its own, for as long as it is referenced.
    signal.sigwait(stop)
    del server


if __name__ == "__main__":
    main()
