"""Placing a service's tasks on the sim engine with few and with many tasks present, and starting with many."""

import asyncio
import resource
import tempfile
import time
from pathlib import Path

from bench.chain import Rig
from bench.table import Result
from longshore.domain.kinds import KINDS
from longshore.domain.task import Task
from longshore.store.open import open_store

STEP = 500
"""Tasks of each service: what is placed at once."""


def run(*, quick: bool) -> list[Result]:
    """The cost of a task must not grow with how many there are."""
    many = 2000 if quick else 10_000
    with tempfile.TemporaryDirectory(dir=Path(__file__).parent) as folder:
        first, last = asyncio.run(_fill(Path(folder), many))
        began = time.perf_counter()
        store = open_store(Path(folder) / "state.db", KINDS)
        loaded = time.perf_counter() - began
        present = sum(1 for _ in store.all(Task))
        asyncio.run(store.close())
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    cost = f"cost of a task with {many} present, over that with {STEP * 2}"
    return [
        Result(
            cost,
            f"{STEP / last:.0f} placed/s",
            f"{STEP / first:.0f} placed/s",
            last / first,
            "≤ 1.5",
            last / first <= 1.5,
        ),
        Result(f"opening the state with {present} tasks", f"{loaded:.2f} s", "3 s", loaded / 3, "≤ 1", loaded <= 3),
        Result("memory of it all", f"{memory:.0f} MiB", "500 MiB", memory / 500, "≤ 1", memory <= 500),
    ]


async def _fill(folder: Path, many: int) -> tuple[float, float]:
    rig = Rig(folder)
    await rig.prepare()
    network = {"awsvpcConfiguration": {"subnets": rig.subnets}}
    took = []
    for number in range(many // STEP):
        began = time.perf_counter()
        body = {"serviceName": f"s{number}", "taskDefinition": "bench", "desiredCount": STEP, "launchType": "FARGATE"}
        await rig.call("CreateService", body | {"networkConfiguration": network})
        while rig.store.count(Task, "live", ()) < STEP * (number + 1):  # noqa: ASYNC110  nothing tells of a count
            await asyncio.sleep(0.001)
        await rig.store.durable()
        took.append(time.perf_counter() - began)
        while any(t.last_status != "RUNNING" for t in rig.store.select(Task, "live", ())):  # noqa: ASYNC110  as above
            await asyncio.sleep(0.2)
    await rig.close()
    return took[1], took[-1]
