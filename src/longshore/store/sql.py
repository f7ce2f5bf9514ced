"""The journal on disk: one SQLite file in WAL mode, written by one thread, many commits in one group.

`open.py` makes it. A commit that `durable` has returned for survives `kill -9` and power loss (`synchronous=FULL`).
"""

import asyncio
import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from longshore.store.errors import StoreFailed, StoreRefused
from longshore.store.journal import Row
from longshore.store.schema import APPLICATION_ID, MIGRATIONS, Migration, migrate

HEADER = b"SQLite format 3\x00"
SEPARATOR = "\x1f"
GROUP_ROWS = 5000
"""At most about this many rows in one group, so that no waiter waits for all of a large burst."""


class Lock:
    """One process per state file."""

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(path.name + ".lock")
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            owner = os.pread(self._file, 32, 0).decode(errors="replace").strip() or "unknown"
            os.close(self._file)
            raise StoreRefused(
                f"{path} is in use by another Longshore (process {owner}). Stop that one, or use another "
                "state folder with --state."
            ) from None
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, str(os.getpid()).encode(), 0)

    def release(self) -> None:
        """Let another process have it."""
        os.close(self._file)


def check_file(path: Path, newest: int) -> None:
    """Refuse a file that is not ours, of a newer version or damaged, without changing a byte of it.

    It is opened read-only. Beside a write-ahead log that a crash left, SQLite must read that too, so the check runs
    on the pair as it will be used; without one, the file alone is checked as immutable.
    """
    with path.open("rb") as file:
        head = file.read(100)
    if not head:
        return
    if not head.startswith(HEADER) or len(head) < 100:
        raise StoreRefused(
            f"{path} is not a state file of Longshore. It was left as it is; move it away to start anew."
        )
    _check_numbers(path, head, newest)
    log = path.with_name(path.name + "-wal")
    mode = "mode=ro" if log.exists() and log.stat().st_size else "mode=ro&immutable=1"
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True)
        try:
            (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
        finally:
            connection.close()
    except sqlite3.DatabaseError as error:
        found = str(error)
    if found != "ok":
        raise StoreRefused(
            f"{path} is damaged ({found}). It was left as it is: put back a copy, or move it away to start anew."
        )


def _check_numbers(path: Path, head: bytes, newest: int) -> None:
    """The version and the application id stand in the file's header, where reading them needs no SQLite."""
    version, application = (int.from_bytes(head[at : at + 4], "big") for at in (60, 68))
    if application != APPLICATION_ID and (application or version):
        raise StoreRefused(
            f"{path} is a database of another program. It was left as it is: choose another state folder with --state."
        )
    if version > newest:
        raise StoreRefused(
            f"{path} was written by a newer Longshore (version {version} of the file; this one knows {newest}). "
            "It was left as it is: use the newer Longshore, or another state folder with --state."
        )


class SqlJournal:
    """Commits, on disk."""

    def __init__(self, path: Path, migrations: Sequence[Migration] = MIGRATIONS) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = Lock(path)
        try:
            if path.exists():
                check_file(path, len(migrations))
            else:
                os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
            self._connection = _connect(path)
            migrate(self._connection, migrations)
            (self.durable_revision,) = self._connection.execute("SELECT revision FROM progress").fetchone()
        except sqlite3.Error as error:
            self._lock.release()
            raise StoreRefused(f"{path} can't be opened: {error}.") from error
        except BaseException:
            self._lock.release()
            raise
        self.failed: StoreFailed | None = None
        self._queue: list[tuple[int, Sequence[Row]]] = []
        self._waiters: list[tuple[int, asyncio.AbstractEventLoop, asyncio.Future[None]]] = []
        self._guard = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._write, name="journal", daemon=True)
        self._thread.start()

    def rows(self) -> Iterator[Row]:
        """Everything, in the order in which it was last written."""
        found = self._connection.execute("SELECT kind, key, revision, document FROM objects ORDER BY revision, key")
        for kind, key, revision, document in found:
            yield Row(kind, tuple(key.split(SEPARATOR)), revision, document)

    def append(self, revision: int, rows: Sequence[Row]) -> None:
        """Hand a commit to the writer."""
        with self._guard:
            if self.failed is not None:
                raise self.failed
            self._queue.append((revision, rows))
            self._guard.notify()

    async def durable(self, revision: int) -> None:
        """Wait for a commit."""
        with self._guard:
            if revision <= self.durable_revision:
                return
            if self.failed is not None:
                raise self.failed
            loop = asyncio.get_running_loop()
            future: asyncio.Future[None] = loop.create_future()
            self._waiters.append((revision, loop, future))
        await future

    async def close(self) -> None:
        """Write what is left, and let go of the file."""
        with self._guard:
            self._closing = True
            self._guard.notify()
        await asyncio.to_thread(self._thread.join)
        self._connection.close()
        self._lock.release()

    def _write(self) -> None:
        while True:
            with self._guard:
                while not self._queue and not self._closing:
                    self._guard.wait()
                group, self._queue = _take(self._queue)
                if not group:
                    return
            try:
                self._commit(group)
            except sqlite3.Error as error:
                self._fail(StoreFailed(f"{error}."))
                return
            self._tell(group[-1][0])

    def _commit(self, group: Sequence[tuple[int, Sequence[Row]]]) -> None:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            for _, rows in group:
                for row in rows:
                    key = SEPARATOR.join(row.key)
                    if row.document:
                        connection.execute(
                            "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?)",
                            (row.kind, key, row.revision, row.document),
                        )
                    else:
                        connection.execute("DELETE FROM objects WHERE kind = ? AND key = ?", (row.kind, key))
            connection.execute("UPDATE progress SET revision = ?", (group[-1][0],))
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def _tell(self, revision: int) -> None:
        with self._guard:
            self.durable_revision = revision
            due = [waiter for waiter in self._waiters if waiter[0] <= revision]
            self._waiters = [waiter for waiter in self._waiters if waiter[0] > revision]
        for _, loop, future in due:
            loop.call_soon_threadsafe(_settle, future, None)

    def _fail(self, failure: StoreFailed) -> None:
        with self._guard:
            self.failed = failure
            self._queue.clear()
            due, self._waiters = self._waiters, []
        for _, loop, future in due:
            loop.call_soon_threadsafe(_settle, future, failure)


def _take(
    queue: list[tuple[int, Sequence[Row]]],
) -> tuple[list[tuple[int, Sequence[Row]]], list[tuple[int, Sequence[Row]]]]:
    """The first commits of the queue, up to a group's size, and the rest."""
    rows = 0
    for number, (_, changed) in enumerate(queue):
        rows += len(changed)
        if rows >= GROUP_ROWS:
            return queue[: number + 1], queue[number + 1 :]
    return queue, []


def _settle(future: asyncio.Future[None], failure: StoreFailed | None) -> None:
    if future.done():
        return
    if failure is None:
        future.set_result(None)
    else:
        future.set_exception(failure)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA wal_autocheckpoint = 2000")
    return connection
