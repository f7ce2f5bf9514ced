"""RunTask until RUNNING on real containers, next to the same calls made to the Docker Engine's API by hand.

The baseline makes, in a network that exists, a pause container with an address and a container that joins it, and
starts both: what any awsvpc task is on Docker. With namespaces kept warm, the baseline is the joined container alone,
next to a pause container that runs already. Longshore and the baseline take turns, so that neither has the better
moment. Everything carries an instance label of its own and is removed.
"""

import asyncio
import contextlib
import json
import secrets
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Self

import httpx

from bench.server import SLEEPER, Longshore
from bench.table import Row, at_least, at_most, progress
from tests.support import data_plane, engine, images

BATCH = 20
LABEL = "longshore.instance"
SOCKET = "/var/run/docker.sock"
NAME = "raw Docker API"


@contextlib.contextmanager
def docker_server(*options: str) -> Iterator[tuple[Longshore, str]]:
    """Longshore on the Docker Engine, and an image that is present there. What is left at the end is removed."""
    url = engine.docker_url()
    image = images.busybox_image(url)
    with Longshore("--docker-url", url, *options, engine="docker") as server:
        instance = (server.state / "instance").read_text().strip()
        try:
            yield server, image
        finally:
            server.stop()
            _sweep(instance)


def _sweep(instance: str) -> None:
    data_plane.end(instance)
    url = engine.docker_url()
    engine.remove(url, frozenset(t for t in engine.labelled(url, LABEL) if t.instance == instance))


def measure(quick: bool) -> list[Row]:
    """Alternating runs: one task, then twenty at once; and one task with namespaces kept warm."""
    return [*_with_server((), _cold, quick), *_with_server(("--warm", "1"), _warm, quick)]


Measure = Callable[[Longshore, dict[str, Any], "_Raw", bool], Awaitable[list[Row]]]


def _with_server(options: tuple[str, ...], measured: Measure, quick: bool) -> list[Row]:
    with docker_server(*options) as (server, image):
        launch = server.furnish(image=image, command=["sh", "-c", SLEEPER])
        vpc = launch["networkConfiguration"]["awsvpcConfiguration"]
        vpc["subnets"] = vpc["subnets"][:1]
        server.ask("ecs", "RunTask", count=1, **launch)  # the first one makes the network
        server.until_running(1)
        try:
            return asyncio.run(_beside_raw(server, launch, image, measured, quick))
        finally:
            stop_all(server)


async def _beside_raw(
    server: Longshore, launch: dict[str, Any], image: str, measured: Measure, quick: bool
) -> list[Row]:
    instance = f"bench-{secrets.token_hex(4)}"
    try:
        async with _Raw(instance, image) as raw:
            return await measured(server, launch, raw, quick)
    finally:
        _sweep(instance)


async def _warm(server: Longshore, launch: dict[str, Any], raw: "_Raw", quick: bool) -> list[Row]:
    ours, theirs = [], []
    for _ in range(4 if quick else 20):
        await raw.until_warm((server.state / "instance").read_text().strip())
        ours.append(_tasks(server, launch, 1))
        theirs.append(await raw.joined())
    one, raw_one = (1000 * statistics.median(times) for times in (ours, theirs))
    progress(f"one task, warm: {sorted(round(t, 3) for t in ours)}; raw: {sorted(round(t, 3) for t in theirs)}")
    return [at_most("RunTask until RUNNING, namespaces kept warm", one, raw_one, "ms", "joined container alone", 1.3)]


async def _cold(server: Longshore, launch: dict[str, Any], raw: "_Raw", quick: bool) -> list[Row]:
    ours, theirs = [], []
    for _ in range(4 if quick else 20):
        ours.append(_tasks(server, launch, 1))
        theirs.append(await raw.tasks(1))
    many, raw_many = [], []
    for _ in range(1 if quick else 4):
        many.append(_tasks(server, launch, BATCH))
        raw_many.append(await raw.tasks(BATCH))
    one, raw_one = (1000 * statistics.median(times) for times in (ours, theirs))
    progress(f"one task: {sorted(round(t, 3) for t in ours)}; raw: {sorted(round(t, 3) for t in theirs)}")
    all_of, raw_all_of = statistics.median(many), statistics.median(raw_many)
    return [
        at_most("RunTask until RUNNING, one awsvpc container", one, raw_one, "ms", NAME, 1.5),
        at_least(f"{BATCH} tasks at once", BATCH / all_of, BATCH / raw_all_of, "/s", NAME, 0.8),
    ]


def _tasks(server: Longshore, launch: dict[str, Any], count: int) -> float:
    """Seconds from RunTask until all are RUNNING. They are gone again afterwards."""
    began = time.perf_counter()
    arns: list[str] = []
    while len(arns) < count:
        made = server.ask("ecs", "RunTask", count=min(10, count - len(arns)), **launch)
        if made["failures"]:
            raise RuntimeError(f"RunTask: {made['failures']}")
        arns += [task["taskArn"] for task in made["tasks"]]
    _until(server, arns, "RUNNING", pause_s=0.003 if count == 1 else 0.02)
    took = time.perf_counter() - began
    for arn in arns:
        server.ask("ecs", "StopTask", task=arn)
    _until(server, arns, "STOPPED", pause_s=0.05)
    return took


def _until(server: Longshore, arns: list[str], status: str, pause_s: float) -> None:
    deadline = time.monotonic() + 120
    while True:
        tasks = server.ask("ecs", "DescribeTasks", tasks=arns)["tasks"]
        if all(task["lastStatus"] == status for task in tasks):
            return
        gone = [task for task in tasks if status == "RUNNING" and task["lastStatus"] == "STOPPED"]
        if gone or time.monotonic() > deadline:
            raise RuntimeError(f"not {status}: {[(t['lastStatus'], t.get('stoppedReason')) for t in gone or tasks]}")
        time.sleep(pause_s)


def stop_all(server: Longshore) -> None:
    """Stop every task of the server and wait until their containers are gone."""
    arns = server.ask("ecs", "ListTasks")["taskArns"]
    for arn in arns:
        server.ask("ecs", "StopTask", task=arn)
    if arns:
        _until(server, arns, "STOPPED", pause_s=0.1)


class _Raw:
    """The baseline: plain HTTP to the Engine."""

    def __init__(self, instance: str, image: str) -> None:
        self._labels = {LABEL: instance}
        self._image = image
        self._network = f"longshore-{instance}"
        self._cidr = engine.free_cidr(engine.docker_url(), 24)
        self._number = 10
        limits = httpx.Limits(max_connections=64, max_keepalive_connections=64)
        url = engine.docker_url()
        transport = httpx.AsyncHTTPTransport(uds=url.removeprefix("unix://") if "unix" in url else None, limits=limits)
        base = "http://docker" if "unix" in url else "http://" + url.split("://", 1)[-1]
        self._http = httpx.AsyncClient(transport=transport, base_url=base, timeout=120)

    async def __aenter__(self) -> Self:
        ipam = {"Config": [{"Subnet": self._cidr}]}
        body = {"Name": self._network, "Labels": self._labels, "IPAM": ipam, "CheckDuplicate": True}
        await self._post("/networks/create", body)
        pause = (await self._http.get("/images/json", params={"filters": '{"reference":["longshore/pause"]}'})).json()
        self._pause_image = pause[0]["RepoTags"][0]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def tasks(self, count: int) -> float:
        """Seconds until all run. They are gone again afterwards."""
        began = time.perf_counter()
        made = await asyncio.gather(*(self._task() for _ in range(count)))
        took = time.perf_counter() - began
        for pair in made:
            for container in reversed(pair):
                await self._http.delete(f"/containers/{container}", params={"force": "true", "v": "true"})
        return took

    async def joined(self) -> float:
        """Seconds until a container runs that joins a pause container which ran before."""
        pause = await self._pause()
        began = time.perf_counter()
        container = await self._join(pause)
        took = time.perf_counter() - began
        for each in (container, pause):
            await self._http.delete(f"/containers/{each}", params={"force": "true", "v": "true"})
        return took

    async def until_warm(self, instance: str) -> None:
        """Wait until Longshore keeps a namespace ready, and a moment more: the Engine has other things to finish."""
        filters = json.dumps({"label": [f"{LABEL}={instance}"], "name": ["-warm-"], "status": ["running"]})
        deadline = time.monotonic() + 30
        while not (await self._http.get("/containers/json", params={"filters": filters})).json():
            if time.monotonic() > deadline:
                raise RuntimeError("no namespace is kept warm")
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.3)

    async def _task(self) -> tuple[str, str]:
        pause = await self._pause()
        return pause, await self._join(pause)

    async def _pause(self) -> str:
        self._number = 10 + (self._number - 9) % 240
        address = {"IPAMConfig": {"IPv4Address": str(engine.host_of(self._cidr, self._number))}}
        return await self._container(
            {
                "Image": self._pause_image,
                "NetworkingConfig": {"EndpointsConfig": {self._network: address}},
                "HostConfig": {"NetworkMode": self._network},
            }
        )

    async def _join(self, pause: str) -> str:
        host = {"NetworkMode": f"container:{pause}", "Memory": 128 << 20}
        return await self._container({"Image": self._image, "Cmd": ["sh", "-c", SLEEPER], "HostConfig": host})

    async def _container(self, body: dict[str, Any]) -> str:
        made = await self._post("/containers/create", {"Labels": self._labels, **body})
        container: str = made["Id"]
        await self._post(f"/containers/{container}/start", {})
        return container

    async def _post(self, path: str, body: dict[str, Any]) -> Any:
        answer = await self._http.post(path, json=body)
        if not answer.is_success:
            raise RuntimeError(f"{path}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else {}
