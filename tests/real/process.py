"""Starts processes, waits for what they do, and ends them: always, and each by its own id."""

import os
import random
import signal
import socket
import subprocess
import time
from pathlib import Path

POLL_SECONDS = 0.02
STOP_SECONDS = 5.0
PORT_MIN = 10_000


def wait_for(what: str, condition, seconds: float = 10.0):
    """Returns the first true value of `condition`; fails once the time is up."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s in vain for {what}")
        time.sleep(POLL_SECONDS)
    return value


def free_port() -> int:
    """A port that nobody listened on a moment ago, and that no outgoing connection is given: whoever listens there can do so
    again after a restart."""
    lowest_given = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = random.randrange(PORT_MIN, lowest_given)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def clean_environment() -> dict:
    """The environment without what the service would read as its configuration."""
    return {name: value for name, value in os.environ.items() if not name.startswith("POINTSMAN_")}


class Process:
    """A process whose output goes to a file. As a context it is ended on the way out, however that comes about."""

    def __init__(self, command: list, output: Path, environment: dict | None = None):
        self.output = output
        self.command = [str(part) for part in command]
        with output.open("wb") as sink:
            self._process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                env=clean_environment() | (environment or {}),
            )

    def __enter__(self):
        return self

    def __exit__(self, *_) -> None:
        self.stop()

    def lines(self) -> list[str]:
        """What it printed so far, whole lines only."""
        text = self.output.read_text(errors="replace")
        return text[: text.rfind("\n") + 1].splitlines()

    def runs(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def signal(self, number: signal.Signals) -> float:
        """Sends a signal and says when."""
        at = time.time()
        self._process.send_signal(number)
        return at

    def ended(self, seconds: float) -> int:
        """The exit status, once it has ended by itself."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still runs after {seconds} s: {self.command}") from None

    def stop(self) -> None:
        """Asks it to end, wakes it if it was stopped, and kills it if it does not."""
        if self.runs():
            self._process.send_signal(signal.SIGTERM)
            self._process.send_signal(signal.SIGCONT)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(STOP_SECONDS)
