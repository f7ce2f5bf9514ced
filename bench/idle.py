"""What it costs to do nothing: CPU and memory with tasks that just run, next to the same server with no tasks."""

import time

from bench.docker_tasks import docker_server, stop_all
from bench.server import SLEEPER, Longshore, Server
from bench.table import Row, below, progress

SETTLE_S = 6.0
ROOM = ("--cpu-overcommit", "100", "--memory-overcommit", "100")
"""A hundred tasks that sleep: more than a small machine would promise to tasks that work."""


def measure(quick: bool) -> list[Row]:
    """First the sim engine, then Docker."""
    look_s = 5.0 if quick else 30.0
    rows: list[Row] = []
    with Longshore() as server:
        launch = server.furnish()
        time.sleep(SETTLE_S)
        empty = _idle(server, look_s)
        rows += _rows(server, launch, "sim engine", 100, empty, look_s)
    with docker_server(*ROOM) as (server, image):
        launch = server.furnish(image=image, command=["sh", "-c", SLEEPER])
        time.sleep(SETTLE_S)
        empty = _idle(server, look_s)
        try:
            rows += _rows(server, launch, "docker engine", 10 if quick else 100, empty, look_s)
        finally:
            stop_all(server)
    return rows


def _rows(
    server: Longshore, launch: dict[str, object], engine: str, tasks: int, empty: tuple[float, float], look_s: float
) -> list[Row]:
    for _ in range(tasks // 10):
        server.ask("ecs", "RunTask", count=10, **launch)
    server.until_running(tasks)
    time.sleep(SETTLE_S)
    cpu, memory_mb = _idle(server, look_s)
    progress(f"{engine}: {cpu:.2f} % of a core, {memory_mb:.0f} MB with {tasks} tasks; {empty} with none")
    share = below(f"{engine}, {tasks} tasks running: CPU of one core", cpu, "%", 1)
    memory = below(f"{engine}, {tasks} tasks running: memory", memory_mb, "MB", 150)
    none = "no tasks"
    return [
        Row(share.what, share.ours, f"{empty[0]:.2f} %", none, None, share.wanted, share.met),
        Row(memory.what, memory.ours, f"{empty[1]:.0f} MB", none, memory_mb / empty[1], memory.wanted, memory.met),
    ]


def _idle(server: Server, look_s: float) -> tuple[float, float]:
    """`(percent of a core, memory in MB)`."""
    cpu_s, began = server.cpu_s(), time.perf_counter()
    time.sleep(look_s)
    return 100 * (server.cpu_s() - cpu_s) / (time.perf_counter() - began), server.rss_mb()
