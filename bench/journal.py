"""RunTask until it is acknowledged, and so on disk, on the sim engine; next to SQLite writing the same rows.

A RunTask is more than the rows of its tasks: each task is given an address (an interface, the subnet's next one), and
what the engine reports of it is written too. So the baseline is a bare loop over SQLite, with the journal's settings
and its statement, that writes every row that such a load leads to until all its tasks run, in the very groups in
which that load committed them. They are recorded of a run of its own (`recorded.py`). Both are counted in tasks.

Beside it stands what SQLite gives to as many callers as the load has, each with a connection of its own that commits
what one of its calls leads to: so they would use it without a group commit of somebody else's making.

Two loads, from 32 connections each: calls for one task, and calls for ten, which is the most that RunTask takes.
"""

import dataclasses
import json
import sqlite3
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from bench import recorded
from bench.load import run
from bench.server import Longshore, headers_for
from bench.table import Row, above, at_least, progress
from longshore.store.schema import Entry, entry_of, upsert

CONNECTIONS = 32
ROOM = ("--cpu-overcommit", "30", "--memory-overcommit", "30")
"""For all tasks of a run. Its length is such that the addresses of the default subnets suffice too."""
BASELINE = "SQLite, the same rows and groups"
BY_CALLERS = "SQLite, a connection per caller"
BUSY_S = 60.0
"""How long a caller waits for the others: SQLite lets one write at a time."""


class Pace(NamedTuple):
    """Tasks per second."""

    acknowledged: float
    """While the load lasts, with all that goes on beside it."""
    running: float
    """From the first call until the last task runs."""


def measure(quick: bool) -> list[Row]:
    """Both loads."""
    rows = []
    for count, words in ((1, "one task a call"), (10, "ten tasks a call")):
        ours, sqlite, callers = _compare(count, rounds=1 if quick else 5, duration_s=2)
        what = f"RunTask, {words}, {CONNECTIONS} connections"
        if count == 1:
            rows.append(above(f"{what}: acknowledged durably", ours.acknowledged, "/s", 300))
        rows.append(at_least(f"{what}: tasks acknowledged durably", ours.acknowledged, sqlite, "/s", BASELINE, 0.5))
        by_callers = at_least(f"{what}: the same", ours.acknowledged, callers, "/s", BY_CALLERS, 0.5)
        rows.append(dataclasses.replace(by_callers, wanted="", met=None))
        running = at_least(f"{what}: tasks until all run", ours.running, sqlite, "/s", BASELINE, 0.5)
        rows.append(dataclasses.replace(running, wanted="", met=None))
    return rows


def _compare(count: int, *, rounds: int, duration_s: int) -> tuple[Pace, float, float]:
    """The medians of Longshore, of SQLite alone and of SQLite with a connection per caller, in turns."""
    groups, tasks = _recorded(count, duration_s)
    written = sum(map(len, groups))
    progress(f"{tasks:,} tasks, {count} a call, are {written:,} rows in {len(groups):,} groups")
    ours, sqlite, callers = [], [], []
    calls = _calls(groups, written * count // tasks)
    for _ in range(rounds):
        with Longshore(*ROOM) as server:
            ours.append(_load(server, count, duration_s)[0])
        sqlite.append(tasks / _replay(groups))
        callers.append(tasks / _replay_by_callers(calls))
    whole = _merged(groups, written * count * CONNECTIONS // tasks)
    progress(
        f"Longshore: {ours}; SQLite: {sorted(map(round, sqlite))}, "
        f"and {tasks / _replay(whole):,.0f} /s in {len(whole):,} groups of all that {CONNECTIONS} calls lead to"
    )
    median = Pace(*(statistics.median(each) for each in zip(*ours, strict=True)))
    return median, statistics.median(sqlite), statistics.median(callers)


def _load(server: Longshore, count: int, duration_s: int) -> tuple[Pace, int]:
    """The pace, and how many tasks there are then."""
    launch: dict[str, Any] = {**server.furnish(), "count": count}
    began = time.perf_counter()
    load = run(
        server.url, headers_for("ecs", "RunTask"), json.dumps(launch), duration_s=duration_s, connections=CONNECTIONS
    )
    acknowledged = load.requests_per_s * count
    while server.tasks_in("pending"):
        time.sleep(0.02)
    running = server.tasks_in("running")
    pace = Pace(acknowledged, running / (time.perf_counter() - began))
    if load.errors or running < acknowledged * duration_s * 0.99 or server.ask("ecs", "RunTask", **launch)["failures"]:
        raise RuntimeError(f"{load.errors} RunTasks failed, or tasks did not run: {load}, {running:,} run")
    return pace, running


def _recorded(count: int, duration_s: int) -> tuple[list[list[Entry]], int]:
    """What SQLite is given, and of how many tasks it is."""
    with Longshore(*ROOM) as server:
        server.stop()
        groups = server.folder / "groups"
        server.run_as([sys.executable, "-m", "bench.recorded", str(groups)])
        server.start()
        _, tasks = _load(server, count, duration_s)
        server.stop()
        # Two rows for each cluster and task definition that `furnish` makes, and one more call: next to nothing.
        return [[entry_of(row) for row in group if row.document] for group in recorded.read(groups)], tasks


def _merged(groups: list[list[Entry]], least: int) -> list[list[Entry]]:
    """The same rows in larger groups, of at least so many each."""
    merged: list[list[Entry]] = [[]]
    for group in groups:
        if len(merged[-1]) >= least:
            merged.append([])
        merged[-1] += group
    return merged


def _calls(groups: list[list[Entry]], size: int) -> list[list[Entry]]:
    """The same rows in as many parts as there were calls."""
    rows = [row for group in groups for row in group]
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def _replay(groups: list[list[Entry]]) -> float:
    """How many seconds SQLite takes for them."""
    with tempfile.TemporaryDirectory(prefix="longshore-bench-") as folder:
        database = Path(folder) / "baseline.db"
        _make(database)
        began = time.perf_counter()
        _write(database, groups)
        return time.perf_counter() - began


def _replay_by_callers(calls: list[list[Entry]]) -> float:
    """How many seconds as many callers as there are connections take for them."""
    with (
        tempfile.TemporaryDirectory(prefix="longshore-bench-") as folder,
        ThreadPoolExecutor(max_workers=CONNECTIONS) as pool,
    ):
        database = Path(folder) / "baseline.db"
        _make(database)
        began = time.perf_counter()
        list(pool.map(partial(_write, database), [calls[caller::CONNECTIONS] for caller in range(CONNECTIONS)]))
        return time.perf_counter() - began


def _make(database: Path) -> None:
    with closing(_open(database)) as connection:
        connection.execute(
            "CREATE TABLE objects (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, key TEXT NOT NULL, "
            "revision INTEGER NOT NULL, document TEXT NOT NULL, checksum INTEGER NOT NULL, UNIQUE (kind, key)) STRICT"
        )


def _open(database: Path) -> sqlite3.Connection:
    """As the journal opens it."""
    connection = sqlite3.connect(database, isolation_level=None, timeout=BUSY_S)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _write(database: Path, groups: list[list[Entry]]) -> None:
    """Commit each group."""
    statement = upsert(1)
    with closing(_open(database)) as connection:
        for group in groups:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(statement, group)
            connection.execute("COMMIT")
