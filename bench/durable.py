"""RunTask acknowledged durably on the sim engine, against SQLite's own group commit of rows of the same size."""

import asyncio
import json
import sqlite3
import tempfile
import time
from pathlib import Path

from bench.chain import Rig
from bench.table import Result

CALLERS = 32


def run(*, quick: bool) -> list[Result]:
    """Both on the same disk, one after the other."""
    calls = 300 if quick else 1500
    with tempfile.TemporaryDirectory(dir=Path(__file__).parent) as folder:
        rate, row_bytes = asyncio.run(_ours(Path(folder), calls))
        base = _sqlite(Path(folder) / "baseline.db", calls, row_bytes)
    name = "RunTask acknowledged durably, 32 callers"
    return [Result(name, f"{rate:.0f}/s", f"{base:.0f}/s", rate / base, "≥ 300/s", rate >= 300)]


async def _ours(folder: Path, calls: int) -> tuple[float, int]:
    rig = Rig(folder)
    await rig.prepare()
    network = {"awsvpcConfiguration": {"subnets": rig.subnets}}
    body = {"taskDefinition": "bench", "launchType": "FARGATE", "networkConfiguration": network}
    left = iter(range(calls))

    async def caller() -> None:
        for _ in left:
            await rig.call("RunTask", body)

    began = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    rate = calls / (time.perf_counter() - began)
    row_bytes = rig.task_bytes()
    await rig.close()
    return rate, row_bytes


def _sqlite(path: Path, rows: int, row_bytes: int) -> float:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE t (key TEXT PRIMARY KEY, document TEXT)")
    document = json.dumps("x" * row_bytes)
    began = time.perf_counter()
    for first in range(0, rows, CALLERS):
        connection.execute("BEGIN")
        for number in range(first, min(rows, first + CALLERS)):
            connection.execute("INSERT INTO t VALUES (?, ?)", (str(number), document))
        connection.execute("COMMIT")
    rate = rows / (time.perf_counter() - began)
    connection.close()
    return rate
