"""Reads: DescribeTasks of ten tasks and DescribeClusters, signatures checked, next to moto's server, same load.

moto checks no signature. Its own answer to the same request is the baseline, from as many connections.
"""

from typing import Any

from bench.load import Load, run, signed
from bench.server import Longshore, Moto, Server
from bench.table import Row, at_least, below, progress
from longshore.api.callers.credentials import Credentials, KeyPair
from longshore.config import DEFAULT_ACCOUNT
from longshore.state import master_key

TASKS = 10
NAME = "moto's server"


def measure(quick: bool) -> list[Row]:
    """Both servers, one after the other: they would share the machine's cores."""
    duration_s = 3 if quick else 15
    ours, half = _longshore(duration_s)
    theirs = _moto(duration_s)
    rows: list[Row] = []
    for operation, load in ours.items():
        what = f"{operation}, signed, requests per second"
        rows.append(at_least(what, load.requests_per_s, theirs[operation].requests_per_s, "/s", NAME, 10))
        what = f"{operation} at half that load ({half[operation].requests_per_s:,.0f} /s), p99"
        rows.append(below(what, half[operation].p99_ms, "ms", 10))
    return rows


def _requests(server: Server, launch: dict[str, Any]) -> dict[str, dict[str, Any]]:
    tasks = server.ask("ecs", "RunTask", count=TASKS, **launch)["tasks"]
    if len(tasks) != TASKS:
        raise RuntimeError(f"{len(tasks)} of {TASKS} tasks were started")
    return {
        "DescribeTasks": {"cluster": "default", "tasks": [task["taskArn"] for task in tasks]},
        "DescribeClusters": {"clusters": ["default"]},
    }


def _load(server: Server, operation: str, params: Any, keys: KeyPair, duration_s: int, rate: float | None) -> Load:
    headers, body = signed(server.url, "ecs", operation, params, keys)
    load = run(server.url, headers, body, duration_s=duration_s, rate=rate)
    if load.errors:
        raise RuntimeError(f"{load.errors} of {server.url}'s answers were errors")
    progress(f"{type(server).__name__} {operation}: {load}")
    return load


def _longshore(duration_s: int) -> tuple[dict[str, Load], dict[str, Load]]:
    full: dict[str, Load] = {}
    half: dict[str, Load] = {}
    with Longshore() as server:
        requests = _requests(server, server.furnish())
        server.until_running(TASKS)
        server.stop()
        server._command.append("--auth")  # noqa: SLF001  furnished without signatures, measured with them
        server.start()
        keys = Credentials(master_key(server.state, ""), DEFAULT_ACCOUNT).root()
        for operation, params in requests.items():
            _load(server, operation, params, keys, 2, None)  # warm
            full[operation] = _load(server, operation, params, keys, duration_s, None)
            rate = full[operation].requests_per_s / 2
            half[operation] = _load(server, operation, params, keys, duration_s, rate)
    return full, half


def _moto(duration_s: int) -> dict[str, Load]:
    keys = KeyPair("x", "x")
    with Moto() as server:
        requests = _requests(server, server.furnish())
        return {
            operation: _load(server, operation, params, keys, duration_s, None)
            for operation, params in requests.items()
        }
