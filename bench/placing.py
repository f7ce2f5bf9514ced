"""The service scheduler with many tasks present, on the sim engine: how fast it places more, and what a task costs.

Services of 100 tasks are created until 1,000 and then 10,000 tasks run; at both sizes 1,000 more are placed and taken
away again. Cost is the process's CPU time per task until it runs, so that other work of the machine counts little.
At the end the server is started anew: until its first answer, for which it has read the whole state.
"""

import dataclasses
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import msgspec

from bench.server import Longshore
from bench.table import Row, above, at_most, below, progress
from longshore.state import DATABASE

PER_SERVICE = 100
PROBE = 1000
SMALL, LARGE = 1_000, 10_000


def measure(quick: bool) -> list[Row]:
    """Grow, probe, grow, probe, restart."""
    large = 3_000 if quick else LARGE
    with Longshore("--memory-overcommit", "8") as server:
        launch = server.furnish()
        _Services(server, launch).grow_to(SMALL)
        _, cost_small, running_small = _probe(server, launch, SMALL)
        grown = _Services(server, launch)
        grown.count = SMALL
        grown.grow_to(large)
        placed, cost_large, running_large = _probe(server, launch, large)
        memory_mb = server.rss_mb()
        server.stop()
        bare_s = _bare_read(server.state / DATABASE)
        restart_s = server.start()
        server.until_running(large)
        return [
            above(f"tasks placed by services, {large:,} present", placed, "/s", 1000),
            Row(
                f"tasks until they run, {large:,} present",
                f"{running_large:,.0f} /s",
                f"{running_small:,.0f} /s",
                f"{SMALL:,} present",
                running_large / running_small,
            ),
            at_most(f"CPU per task, {large:,} present", cost_large, cost_small, "ms", f"{SMALL:,} present", 1.5),
            _restart(large, restart_s, bare_s),
            below(f"memory with {large:,} tasks (and {PROBE:,} stopped)", memory_mb, "MB", 500),
            below("memory after that restart", server.rss_mb(), "MB", 500),
        ]


def _bare_read(path: Path) -> float:
    """Seconds for reading every record of a state file, and nothing else."""
    began = time.perf_counter()
    with closing(sqlite3.connect(path)) as connection:
        for (document,) in connection.execute("SELECT document FROM objects ORDER BY id"):
            msgspec.json.decode(document)
    return time.perf_counter() - began


def _restart(tasks: int, ours_s: float, bare_s: float) -> Row:
    asked = below(f"restart with {tasks:,} tasks", ours_s, "s", 3)
    name = "SQLite and msgspec reading the same rows"
    return dataclasses.replace(asked, baseline=f"{bare_s:.2f} s", baseline_name=name, ratio=ours_s / bare_s)


class _Services:
    """Services of a hundred tasks each."""

    def __init__(self, server: Longshore, launch: dict[str, object]) -> None:
        self._server = server
        self._launch = launch
        self.count = 0

    def grow_to(self, tasks: int) -> None:
        """Until so many tasks run."""
        for number in range(self.count, tasks, PER_SERVICE):
            self._server.ask("ecs", "CreateService", serviceName=f"s{number}", desiredCount=PER_SERVICE, **self._launch)
        self.count = tasks
        took = self._server.until_running(tasks, limit_s=400)
        progress(f"{tasks:,} tasks run after {took:.1f} s more")


def _probe(server: Longshore, launch: dict[str, object], present: int) -> tuple[float, float, float]:
    """`(tasks placed per second, CPU ms per task until it runs, tasks per second until they run)`."""
    time.sleep(2)  # what follows a start is over
    names = [f"probe{number}" for number in range(PROBE // PER_SERVICE)]
    cpu_s, began = server.cpu_s(), time.perf_counter()
    for name in names:
        server.ask("ecs", "CreateService", serviceName=name, desiredCount=PER_SERVICE, **launch)
    while server.tasks_in("running") + server.tasks_in("pending") < present + PROBE:
        time.sleep(0.002)
    placed_s = time.perf_counter() - began
    server.until_running(present + PROBE)
    running_s = time.perf_counter() - began
    cost_ms = (server.cpu_s() - cpu_s) / PROBE * 1000
    progress(
        f"{PROBE:,} more with {present:,}: placed in {placed_s:.2f} s, run after {running_s:.2f} s, "
        f"{cost_ms:.2f} ms CPU each"
    )
    for name in names:
        server.ask("ecs", "DeleteService", service=name, force=True)
    while server.tasks_in("running") > present or server.tasks_in("pending"):
        time.sleep(0.05)
    time.sleep(2)
    return PROBE / placed_s, cost_ms, PROBE / running_s
