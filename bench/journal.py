"""RunTask until it is acknowledged, and so on disk, on the sim engine; next to SQLite writing the same rows.

The baseline is a bare loop over SQLite with the journal's settings: the very rows that the answered transactions wrote
(one task each), in groups as large as the number of connections, which is all that can wait for one commit.
"""

import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from bench.load import run
from bench.server import Longshore, headers_for
from bench.table import Row, above, at_least, progress

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
        rows = _task_rows(server.state / "state.db")
        baseline = _group_commits(server.folder / "baseline.db", rows)
    what = f"RunTask acknowledged durably, {CONNECTIONS} connections"
    return [
        above(what, load.requests_per_s, "/s", 300),
        at_least(what, load.requests_per_s, baseline, "/s", f"SQLite, groups of {CONNECTIONS}", 0.5),
    ]


def _task_rows(path: Path) -> list[tuple[str, str, int, str, int]]:
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT kind, key, revision, document, checksum FROM objects WHERE kind = 'task'")
        return found.fetchall()


def _group_commits(path: Path, rows: list[tuple[str, str, int, str, int]]) -> float:
    """Rows per second."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(
            "CREATE TABLE objects (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, key TEXT NOT NULL, "
            "revision INTEGER NOT NULL, document TEXT NOT NULL, checksum INTEGER NOT NULL, UNIQUE (kind, key)) STRICT"
        )
        began = time.perf_counter()
        for start in range(0, len(rows), CONNECTIONS):
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(
                "INSERT INTO objects (kind, key, revision, document, checksum) VALUES (?, ?, ?, ?, ?)",
                rows[start : start + CONNECTIONS],
            )
            connection.execute("COMMIT")
        return len(rows) / (time.perf_counter() - began)
