"""Servers under measurement, each in a process and a folder of its own: Longshore as a user starts it, and moto's.

Used by the benchmarks. A server ends with its `with` block.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

READY_S = 60.0
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
REGION = "us-east-1"
SLEEPER = "trap 'exit 0' TERM; while :; do sleep 100 & wait $!; done"
NOT_HANDED_ON = ("AWS_", "LONGSHORE_", "PYTHONDONTWRITEBYTECODE")
"""Variables without which a server starts: the last has Python compile all of it anew at each start."""
TARGETS = {"ecs": "AmazonEC2ContainerServiceV20141113"}


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Server:
    """A server's process, from its first answer on."""

    def __init__(self, command: list[str], port: int, ready_path: str, log: Path) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._command = command
        self._ready_path = ready_path
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self.http = httpx.Client(base_url=self.url, timeout=60, trust_env=False)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self.http.close()

    def start(self) -> float:
        """Start; how many seconds until it answered."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(NOT_HANDED_ON)}
        began = time.perf_counter()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log, env=clean)
        while time.perf_counter() - began < READY_S:
            try:
                self.http.get(self._ready_path)
            except httpx.HTTPError:
                if self._process.poll() is not None:
                    break
                time.sleep(0.01)
            else:
                return time.perf_counter() - began
        raise RuntimeError(f"{self._command} did not answer; it said:\n{self._log.read_text()[-3000:]}")

    def stop(self) -> None:
        """End it."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    @property
    def pid(self) -> int:
        """The process."""
        if self._process is None:
            raise RuntimeError("the server does not run")
        return self._process.pid

    def cpu_s(self) -> float:
        """CPU time that the process has used so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_S

    def rss_mb(self) -> float:
        """Resident memory."""
        found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{self.pid}/status").read_text())
        return int(found[1]) / 1000 if found else 0.0

    def ask(self, service: str, operation: str, /, **params: Any) -> Any:
        """Call an operation of a JSON service, unsigned but for the scope."""
        answer = self.http.post("/", content=json.dumps(params), headers=headers_for(service, operation))
        if answer.status_code != httpx.codes.OK:
            raise RuntimeError(f"{operation}: {answer.status_code} {answer.text}")
        return answer.json()

    def default_subnets(self) -> list[str]:
        """The ids of the default VPC's subnets."""
        form = "Action=DescribeSubnets&Version=2016-11-15"
        answer = self.http.post("/", content=form, headers={**_scope("ec2"), "content-type": FORM})
        return re.findall(r"<subnetId>(.*?)</subnetId>", answer.text)

    def furnish(self, **document: Any) -> dict[str, Any]:
        """A cluster and a task definition; what RunTask and CreateService are told to use them."""
        self.ask("ecs", "CreateCluster", clusterName="default")
        container = {"name": "app", "image": "app", "memory": 128, **document}
        self.ask(
            "ecs",
            "RegisterTaskDefinition",
            family="web",
            networkMode="awsvpc",
            requiresCompatibilities=["FARGATE"],
            cpu="256",
            memory="512",
            containerDefinitions=[container],
        )
        network = {"awsvpcConfiguration": {"subnets": self.default_subnets(), "securityGroups": []}}
        return {"taskDefinition": "web", "launchType": "FARGATE", "networkConfiguration": network}


FORM = "application/x-www-form-urlencoded; charset=utf-8"


def _scope(service: str) -> dict[str, str]:
    credential = f"Credential=x/20260101/{REGION}/{service}/aws4_request"
    return {"authorization": f"AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=0"}


def headers_for(service: str, operation: str) -> dict[str, str]:
    """The headers of a JSON request that is not signed."""
    target = {"x-amz-target": f"{TARGETS[service]}.{operation}", "content-type": "application/x-amz-json-1.1"}
    return {**_scope(service), **target}


PROGRAM = [sys.executable, "-m", "longshore.cli.app"]


class Longshore(Server):
    """`longshore up`, with a fresh state folder."""

    def __init__(self, *options: str, engine: str = "sim") -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="longshore-bench-")
        self.folder = Path(self._folder.name)
        self.state = self.folder / "state"
        port = free_port()
        words = ["--engine", engine, "--state", str(self.state), "--port", str(port), *options]
        command = [*PROGRAM, "up", *words]
        super().__init__(command, port, "/_longshore/health", self.folder / "log")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        self._folder.cleanup()

    def run_as(self, program: list[str]) -> None:
        """From the next start on, run another program with the same options."""
        self._command[: self._command.index("up")] = program

    def tasks_in(self, status: str) -> int:
        """How many tasks of the default cluster are `running` or `pending`."""
        cluster = self.ask("ecs", "DescribeClusters", clusters=["default"])["clusters"][0]
        count: int = cluster[f"{status}TasksCount"]
        return count

    def until_running(self, count: int, limit_s: float = 120.0) -> float:
        """Wait until so many tasks run; how many seconds that took."""
        began = time.perf_counter()
        while self.tasks_in("running") < count:
            if time.perf_counter() - began > limit_s:
                raise TimeoutError(f"{self.tasks_in('running')} of {count} tasks run after {limit_s:.0f} s")
            time.sleep(0.02)
        return time.perf_counter() - began


class Moto(Server):
    """moto's server, as its documentation starts it."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="moto-bench-")
        port = free_port()
        command = [str(Path(sys.executable).with_name("moto_server")), "-H", "127.0.0.1", "-p", str(port)]
        super().__init__(command, port, "/moto-api/", Path(self._folder.name) / "log")
