"""The runtime socket: commands to the workers of a running HAProxy, through its master.

After a reload old workers go on until their last connection has ended, so what is said of a target is said to all.
"""

import asyncio
import contextlib
import csv
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

LINE_BYTES = 8000
"""How long a line of commands may be; HAProxy's buffer is `render.BUFFER_BYTES`."""
TIMEOUT_S = 10.0
RELOAD_S = 30.0
COLUMNS = 62
"""Columns of `show stat` that matter: up to `ttime`."""
REFUSALS = ("No such", "Unknown command", "Can't find", "Require", "Invalid", "Permission denied", "Missing")
"""What an answer begins with when a command was not carried out."""


class RuntimeFailure(Exception):  # noqa: N818  named for what it is told about
    """The master does not answer, or a command was refused."""


class Worker(NamedTuple):
    """A worker process."""

    pid: int
    current: bool
    """Of the newest configuration."""


class Processes(NamedTuple):
    """What the master says of itself."""

    reloads: int
    failed: int
    workers: tuple[Worker, ...]

    @property
    def current(self) -> Worker | None:
        """The newest worker; None when HAProxy could not start one."""
        return next((worker for worker in self.workers if worker.current), None)


class Server(NamedTuple):
    """A line of `show servers state`: a slot."""

    backend: str
    name: str
    address: str
    port: int
    maintenance: bool


class Runtime:
    """Talks to one HAProxy master."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    async def ask(self, line: str) -> str:
        """The answer to a line of commands. Raises RuntimeFailure."""
        try:
            async with asyncio.timeout(TIMEOUT_S):
                reader, writer = await asyncio.open_unix_connection(str(self._socket))
                try:
                    writer.write(line.encode() + b"\n")
                    writer.write_eof()
                    return (await reader.read(-1)).decode(errors="replace")
                finally:
                    writer.close()
                    with contextlib.suppress(OSError):
                        await writer.wait_closed()
        except OSError as error:  # TimeoutError too
            raise RuntimeFailure(f"HAProxy does not answer at {self._socket}: {error!r}") from error

    async def processes(self) -> Processes:
        """The master and its workers. Raises RuntimeFailure."""
        return parse_processes(await self.ask("show proc"))

    async def tell(self, commands: Sequence[str]) -> None:
        """Have every worker carry out commands. Raises RuntimeFailure when the newest refuses one.

        An old worker may refuse: it knows no slots that came after it.
        """
        processes = await self.processes()
        if processes.current is None:
            raise RuntimeFailure("HAProxy has no worker at the moment.")
        for worker in processes.workers:
            for line in _lines(worker.pid, commands):
                answer = await self.ask(line)
                if worker.current and (refusal := _refusal(answer)):
                    raise RuntimeFailure(f"HAProxy refused a command: {refusal}")

    async def on_worker(self, worker: Worker, command: str) -> str:
        """What one worker answers to one command. Raises RuntimeFailure."""
        return await self.ask(f"@!{worker.pid} {command}")

    async def stat(self, worker: Worker, *queries: str) -> list[dict[str, str]]:
        """Rows of `show stat` for each query, such as `g-1 4 -1`; none for a proxy that the worker does not know.

        Raises RuntimeFailure.
        """
        rows: list[dict[str, str]] = []
        for line in _lines(worker.pid, [f"show stat {query}".rstrip() for query in queries]):
            rows.extend(parse_stat(await self.ask(line)))
        return rows

    async def servers(self, worker: Worker) -> list[Server]:
        """Every slot. Raises RuntimeFailure."""
        return parse_servers(await self.on_worker(worker, "show servers state"))

    async def reload(self) -> None:
        """Read the configuration anew. Returns when the new worker works. Raises RuntimeFailure when it doesn't."""
        before = await self.processes()
        await self.ask("reload")
        try:
            async with asyncio.timeout(RELOAD_S):
                while not await self._reloaded(before):  # noqa: ASYNC110  another process does it
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise RuntimeFailure("HAProxy did not finish its reload.") from None

    async def _reloaded(self, before: Processes) -> bool:
        try:
            after = await self.processes()
        except RuntimeFailure:  # the master begins anew: a moment without a socket
            return False
        if after.failed > before.failed:
            raise RuntimeFailure("HAProxy could not take the new configuration; the old one goes on.")
        return after.reloads > before.reloads and after.current is not None


def parse_processes(text: str) -> Processes:
    """The answer to `show proc`. Raises RuntimeFailure for anything else."""
    reloads = failed = None
    workers: list[Worker] = []
    old = False
    for line in text.splitlines():
        words = line.split()
        if line.startswith("# old workers"):
            old = True
        elif len(words) >= 3 and words[1] == "master":
            reloads = int(words[2])
            failed = int(line.partition("[failed:")[2].partition("]")[0] or 0)
        elif len(words) >= 3 and words[1] == "worker":
            workers.append(Worker(int(words[0]), current=not old))
    if reloads is None or failed is None:
        raise RuntimeFailure(f"HAProxy's master answered something else than its processes: {text[:80]!r}")
    return Processes(reloads, failed, tuple(workers))


def parse_stat(text: str) -> list[dict[str, str]]:
    """Rows of one or several `show stat` answers, by column."""
    rows: list[dict[str, str]] = []
    columns: list[str] = []
    for line in text.splitlines():
        if line.startswith("# pxname"):
            columns = line[2:].split(",")[:COLUMNS]
        elif columns and "," in line:  # not what is said of a proxy that there isn't
            values = next(csv.reader([line])) if '"' in line else line.split(",")
            rows.append(dict(zip(columns, values, strict=False)))
    return rows


def parse_servers(text: str) -> list[Server]:
    """Slots in a `show servers state` answer: its columns 2, 4, 5, 7 (bit 0: maintenance by command) and 19."""
    found = []
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 19 and not line.startswith("#"):
            found.append(Server(words[1], words[3], words[4], int(words[18]), maintenance=bool(int(words[6]) & 1)))
    return found


def _lines(pid: int, commands: Sequence[str]) -> list[str]:
    """Commands joined to lines: each needs its own prefix, or it goes to the master."""
    lines: list[str] = []
    current = ""
    for command in commands:
        addressed = f"@!{pid} {command}"
        if current and len(current) + len(addressed) > LINE_BYTES:
            lines.append(current)
            current = ""
        current = f"{current};{addressed}" if current else addressed
    return [*lines, current] if current else lines


def _refusal(answer: str) -> str:
    return next((line for line in answer.splitlines() if line.startswith(REFUSALS)), "")
