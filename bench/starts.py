"""RunTask until RUNNING, against the raw Docker calls that do the same: a pause container and one joined to it."""

import secrets
import statistics
import tempfile
import time
from pathlib import Path

import httpx

from bench.table import Result
from tests.support.engine import client, docker_url, free_cidr, host_of, labelled, remove
from tests.support.images import busybox_image
from tests.support.server import Server

COMMAND = ["sh", "-c", "trap 'exit 0' TERM; sleep 1000 & wait"]


class Raw:
    """A network of its own, and containers made by hand."""

    def __init__(self, http: httpx.Client, image: str, cidr: str) -> None:
        self._http = http
        self._image = image
        self._cidr = cidr
        self._label = {"longshore.bench": "raw"}
        ipam = {"Config": [{"Subnet": cidr}]}
        name = f"bench-{secrets.token_hex(3)}"
        self._network = self._post("/networks/create", {"Name": name, "IPAM": ipam, "Labels": self._label})["Id"]
        self._name = name
        self._next = 10

    def start(self) -> tuple[float, list[str]]:
        """Seconds, and what to remove."""
        began = time.perf_counter()
        self._next += 1
        address = {"IPAMConfig": {"IPv4Address": str(host_of(self._cidr, self._next))}}
        pause = self._create({"NetworkingConfig": {"EndpointsConfig": {self._name: address}}}, self._name)
        joined = self._create({}, f"container:{pause}")
        return time.perf_counter() - began, [joined, pause]

    def _create(self, more: dict[str, object], network: str) -> str:
        body = {"Image": self._image, "Cmd": COMMAND, "Labels": self._label, "HostConfig": {"NetworkMode": network}}
        identifier: str = self._post("/containers/create", body | more)["Id"]
        self._post(f"/containers/{identifier}/start", {})
        return identifier

    def remove(self, containers: list[str]) -> None:
        """Take containers away again."""
        for container in containers:
            self._http.delete(f"/containers/{container}", params={"force": "true"})

    def close(self) -> None:
        """Take the network away."""
        self._http.delete(f"/networks/{self._network}")

    def _post(self, path: str, body: dict[str, object]) -> dict[str, str]:
        answer = self._http.post(path, json=body)
        answer.raise_for_status()
        found: dict[str, str] = answer.json() if answer.content else {}
        return found


def run(*, quick: bool) -> list[Result]:
    """Alternating, so that both see the same machine."""
    url = docker_url()
    image = busybox_image(url)
    ours: list[float] = []
    theirs: list[float] = []
    with tempfile.TemporaryDirectory() as folder, client(url) as http:
        server = Server(Path(folder), free_cidr(url, 16))
        raw = Raw(http, image, free_cidr(url, 16))
        try:
            server.start()
            server.prepare()
            definition = server.define("bench", {"name": "app", "image": image, "command": COMMAND})
            for number in range(4 if quick else 12):
                seconds, containers = raw.start()
                raw.remove(containers)
                arn = server.run(definition)
                task = server.running(arn)
                server.ecs.stop_task(task=arn)
                server.stopped(arn)
                if number:  # the first warms up both
                    theirs.append(seconds)
                    ours.append((task["startedAt"] - task["createdAt"]).total_seconds())
        finally:
            server.close()
            raw.close()
            left = labelled(url, "longshore.bench")
            remove(url, left)
    mine, base = statistics.median(ours), statistics.median(theirs)
    name = "RunTask until RUNNING, one awsvpc container"
    return [Result(name, f"{mine * 1000:.0f} ms", f"{base * 1000:.0f} ms", mine / base, "≤ 1.5", mine / base <= 1.5)]
