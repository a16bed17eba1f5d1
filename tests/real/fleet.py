"""A fleet of real parts on free ports: the service, model servers, an agent beside each, and gateways.

Everything it starts ends with it. What each part prints stays in `target/real/logs/`.
"""

import json
import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

from process import Process, clean_environment, free_port, wait_for

HERE = Path(__file__).parent
TREE = HERE.parent.parent
INSTALLED = TREE / "target" / "real"
BINARY = Path(os.environ.get("POINTSMAN_BIN", TREE / "target" / "release" / "pointsman"))
MODEL = INSTALLED / "tiny.gguf"
COMMAND_SECONDS = 20


class Fleet(ExitStack):
    """The service alone; nodes and gateways are added. `sections` are those of its configuration."""

    def __init__(self, name: str, **sections):
        super().__init__()
        self.logs = INSTALLED / "logs" / name
        self.logs.mkdir(parents=True, exist_ok=True)
        # Nobody waits for the drain where it is not what is tested.
        self.sections = {"log": {"format": "json"}, "server": {"drain_delay": "0s"}} | sections
        self.config = self.logs / "pointsman.yaml"
        self.configure()
        self.address = f"127.0.0.1:{free_port()}"
        self.starts = 0
        self.ports: dict[str, int] = {}
        self.models: dict[str, Process] = {}
        self.agents: dict[str, Process] = {}
        self.gateways: list[Process] = []

    def __enter__(self):
        super().__enter__()
        try:
            self.start_service()
        except BaseException:
            self.close()
            raise
        return self

    def configure(self, **sections) -> None:
        """Writes the configuration file; JSON is YAML."""
        self.sections |= sections
        self.config.write_text(json.dumps(self.sections, indent=2))

    def start(self, name: str, command: list, **environment: str) -> Process:
        """Starts a part that ends with the fleet."""
        return self.enter_context(Process(command, self.logs / f"{name}.log", environment))

    def start_service(self) -> None:
        """Starts the service, always at the same address."""
        self.starts += 1
        command = [BINARY, "serve", "--config", self.config, "--listen", self.address]
        self.service = self.start(f"service-{self.starts}", command)
        self.address = wait_for("the service to listen", self.listening)[0]["address"]

    def listening(self) -> list[dict]:
        """The log line that says where the service listens; fails if it ended instead."""
        assert self.service.runs(), f"the service ended: {self.service.output.read_text()}"
        return self.logged("listening")

    def logged(self, message: str, **fields) -> list[dict]:
        """Lines of the service's log with this message, and when: `at`, in seconds."""
        found = []
        for line in self.service.lines():
            entry = json.loads(line)
            told = entry.pop("fields", {}) | entry
            if told.get("message") == message and fields.items() <= told.items():
                found.append(told | {"at": datetime.fromisoformat(told["timestamp"]).timestamp()})
        return found

    def add_nodes(self, *names: str) -> None:
        """Adds nodes, each a model server with its agent, and waits until all can be picked."""
        for name in names:
            self.ports[name] = free_port()
            self.start_model(name)
            url = f"http://127.0.0.1:{self.ports[name]}"
            agent = [BINARY, "agent", "--server", f"http://{self.address}", "--node", name, "--class", "normal"]
            agent += ["--endpoint", f"text={url}", "--model", "tiny"]
            agent += ["--engine", "llama_cpp", "--engine-url", f"{url}/metrics"]
            self.agents[name] = self.start(f"agent-{name}", agent)
        self.wait_for_nodes(*names)

    def start_model(self, name: str) -> None:
        """Starts a node's model server, where it was if it ran before."""
        command = [sys.executable, HERE / "model_server.py", MODEL, self.ports[name]]
        self.models[name] = self.start(f"model-{name}", command)

    def wait_for_nodes(self, *names: str) -> None:
        """Waits until all can be picked and their model servers were read."""
        wait_for("all nodes to be ready", lambda: all(map(self.is_ready, names)), 20)

    def is_ready(self, name: str) -> bool:
        """Whether a node can be picked and its model server was read; fails if one of its parts ended."""
        for part in (self.models[name], self.agents[name]):
            assert part.runs(), f"{part.command} ended: {part.output.read_text()}"
        node = self.node(name)
        return node.get("state") == "NODE_STATE_READY" and "runningRequestCount" in node.get("load", {})

    def node(self, name: str) -> dict:
        """A node as the service sees it; empty if it does not know it."""
        nodes = self.run("nodes", "list").get("nodes", [])
        return next((node for node in nodes if node["spec"]["nodeId"] == name), {})

    def run(self, *command: str, status: int = 0) -> dict:
        """What a command of the CLI answers, which must end with `status`."""
        asked = [BINARY, *command, "--server", f"http://{self.address}", "--output", "json"]
        told = subprocess.run(
            asked, capture_output=True, text=True, timeout=COMMAND_SECONDS, env=clean_environment()
        )
        assert told.returncode == status, f"{command} ended with {told.returncode}: {told.stderr}{told.stdout}"
        return json.loads(told.stdout)

    def add_gateway(self, language: str, *flags: str) -> Process:
        """Adds load: a gateway in "python" or "node". Waits until it has had an answer."""
        name = f"{language}-{len(self.gateways) + 1}"
        python = [sys.executable, HERE / "gateway.py"]
        node = ["node", HERE / "gateway.mjs", "--protos", TREE / "proto"]
        command = {"python": python, "node": node}[language] + ["--server", self.address, "--name", name, *flags]
        gateway = self.start(f"gateway-{name}", command, NODE_PACKAGES=str(INSTALLED))
        self.gateways.append(gateway)
        wait_for("a gateway's first answer", lambda: any('"done"' in line for line in gateway.lines()))
        return gateway

    def add_gateways(self, *flags: str) -> None:
        """Adds load: one gateway of each language."""
        for language in ("python", "node"):
            self.add_gateway(language, *flags)

    def events(self, kind: str, since: float = 0.0) -> list[dict]:
        """What the gateways told of one kind since some time."""
        told = (json.loads(line) for gateway in self.gateways for line in gateway.lines() if f'"{kind}"' in line)
        return [event for event in told if event["event"] == kind and event["at"] >= since]

    def end_load(self) -> None:
        """Lets the gateways finish what they have begun."""
        for gateway in self.gateways:
            if gateway.runs():
                gateway.signal(signal.SIGTERM)
        for gateway in self.gateways:
            assert gateway.ended(15) == 0, gateway.lines()[-5:]

    def lost(self) -> list[str]:
        """Requests that were begun and not answered."""
        answered = {event["request"] for event in self.events("done") if event["ok"]}
        return [event["request"] for event in self.events("begun") if event["request"] not in answered]
