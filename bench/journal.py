"""RunTask until it is acknowledged, and so on disk, on the sim engine; next to SQLite writing the same rows.

A RunTask is more than the row of its task: the task is given an address (an interface, the subnet's next one), and
what the engine reports of it is written too. So the baseline is a bare loop over SQLite that writes, with the
journal's settings and its statement, every row that the calls led to, each commit whole and in its order. They come
from a Longshore inside this process, asked the same over as many connections. Its groups are as many commits as there
are connections: no more calls can wait for one group, so this is the fastest that SQLite can acknowledge them.
"""

import asyncio
import json
import logging
import sqlite3
import time
from contextlib import closing
from itertools import groupby
from pathlib import Path

import httpx
import msgspec
import structlog

from bench.load import run
from bench.server import Longshore, free_port, headers_for
from bench.table import Row, above, at_least, progress
from longshore import main
from longshore.config import Config
from longshore.domain.network import Subnet
from longshore.domain.task import Task
from longshore.store.journal import Row as Entry
from longshore.store.schema import entry_of, upsert
from longshore.store.store import Change

CONNECTIONS = 32


def measure(quick: bool) -> list[Row]:
    """One run of each."""
    duration_s = 3 if quick else 8
    with Longshore() as server:
        launch = server.furnish()
        body = json.dumps({**launch, "count": 1})
        load = run(server.url, headers_for("ecs", "RunTask"), body, duration_s=duration_s, connections=CONNECTIONS)
        if load.errors:
            raise RuntimeError(f"{load.errors} RunTasks failed")
        progress(f"RunTask: {load}")
        server.stop()
        calls = 1000 if quick else 3000
        commits = asyncio.run(_commits_of(calls))
        written = sum(map(len, commits))
        progress(f"{calls:,} RunTasks are {len(commits):,} commits of {written:,} rows")
        baseline = calls / _group_commits(server.folder / "baseline.db", commits)
    what = f"RunTask acknowledged durably, {CONNECTIONS} connections"
    return [
        above(what, load.requests_per_s, "/s", 300),
        at_least(what, load.requests_per_s, baseline, "/s", f"SQLite, the same rows, groups of {CONNECTIONS}", 0.5),
    ]


async def _commits_of(calls: int) -> list[list[Entry]]:
    """The rows of each commit that so many RunTasks lead to, until their tasks run."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))  # as a server has it
    port = free_port()
    longshore = main.Longshore(Config(state=None, engine="sim", port=port))
    changes: list[Change] = []
    async with longshore.running(), httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as http:

        async def ask(operation: str, **params: object) -> None:
            answer = await http.post("/", content=json.dumps(params), headers=headers_for("ecs", operation))
            answer.raise_for_status()

        await ask("CreateCluster", clusterName="default")
        container = {"name": "app", "image": "app", "memory": 128}
        definition = {"networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], "cpu": "256", "memory": "512"}
        await ask("RegisterTaskDefinition", family="web", containerDefinitions=[container], **definition)
        subnets = [subnet.subnet_id for subnet in longshore.store.all(Subnet)]
        longshore.store.watch(changes.append)
        left = iter(range(calls))

        async def client() -> None:
            network = {"awsvpcConfiguration": {"subnets": subnets, "securityGroups": []}}
            for _ in left:
                await ask("RunTask", taskDefinition="web", launchType="FARGATE", networkConfiguration=network)

        await asyncio.gather(*(client() for _ in range(CONNECTIONS)))
        while sum(task.last_status == "RUNNING" for task in longshore.store.all(Task)) < calls:  # noqa: ASYNC110  a benchmark may poll
            await asyncio.sleep(0.05)
    return [[_entry(change) for change in group] for _, group in groupby(changes, key=lambda change: change.revision)]


def _entry(change: Change) -> Entry:
    document = b"" if change.after is None else msgspec.json.encode(change.after)
    return Entry(change.kind, change.key, change.revision, document)


def _group_commits(path: Path, commits: list[list[Entry]]) -> float:
    """How many seconds SQLite takes for them."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(
            "CREATE TABLE objects (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, key TEXT NOT NULL, "
            "revision INTEGER NOT NULL, document TEXT NOT NULL, checksum INTEGER NOT NULL, UNIQUE (kind, key)) STRICT"
        )
        groups = [
            [entry_of(row) for rows in commits[start : start + CONNECTIONS] for row in rows]
            for start in range(0, len(commits), CONNECTIONS)
        ]
        statement = upsert(1)
        began = time.perf_counter()
        for group in groups:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(statement, group)
            connection.execute("COMMIT")
        return time.perf_counter() - began
