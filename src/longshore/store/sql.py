"""The journal on disk: one SQLite file in WAL mode, written by one thread, many commits in one group.

`open.py` makes it. A commit that `durable` has returned for survives `kill -9` and power loss (`synchronous=FULL`).
"""

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from longshore.store.errors import StoreFailed
from longshore.store.journal import Row
from longshore.store.schema import REVISION_KIND, STATE, Entry, entry, entry_of, upsert
from longshore.store.sqlite_file import FileLock, Form, connect
from longshore.store.writer import Writer

_CHUNK = 64
"""Rows per statement: few enough that the statements of all sizes stay prepared."""


class SqlJournal:
    """Commits, on disk. Takes over the lock, and the file as its last reader found it at `revision`."""

    def __init__(self, path: Path, lock: FileLock, form: Form = STATE) -> None:
        self._path = path
        self._lock = lock
        self._form = form
        self._connection: sqlite3.Connection | None = None
        self._writer: Writer[Sequence[Row]] | None = None

    def open(self, revision: int) -> None:
        """Begin to write. Until now the file has not been touched."""
        self._connection = connect(self._path, self._form)
        self._writer = Writer("journal", self._commit, self._describe, done=revision)

    @property
    def _open(self) -> Writer[Sequence[Row]]:
        if self._writer is None:
            raise StoreFailed("The journal is not open.")
        return self._writer

    @property
    def durable_revision(self) -> int:
        """Every commit up to this one is on disk."""
        return self._open.done

    @property
    def failed(self) -> StoreFailed | None:
        """Why writing ended, if it did."""
        return self._open.failed

    def append(self, revision: int, rows: Sequence[Row]) -> None:
        """Hand a commit to the writer."""
        self._open.put(revision, rows)

    async def durable(self, revision: int) -> None:
        """Wait for a commit."""
        await self._open.durable(revision)

    async def close(self) -> None:
        """Write what is left, and let go of the file."""
        if self._connection is None:
            return
        await self._open.close()
        connection, self._connection = self._connection, None
        with suppress(sqlite3.Error):  # after a failure it cannot tidy up, which it need not
            await asyncio.to_thread(connection.close)
        self._lock.release()

    def _describe(self, error: Exception) -> str:
        return (
            f"The state cannot be written to {self._path} ({error}). What was acknowledged is safe, and nothing more "
            "is accepted. Make room on the disk if it is full; Longshore goes on by itself then."
        )

    def _commit(self, group: list[Sequence[Row]]) -> None:
        """One SQL transaction for all; of several writes to one record only the last is written."""
        connection = self._connection
        if connection is None:
            raise StoreFailed("The journal is closed.")
        last = {(row.kind, row.key): row for rows in group for row in rows}
        gone = [row for row in last.values() if not row.document]
        entries = [entry(REVISION_KIND, "[]", group[-1][0].revision, "null")]
        entries += [entry_of(row) for row in last.values() if row.document]
        if not gone and len(entries) <= _CHUNK:
            _write(connection, entries)
            return
        connection.execute("BEGIN IMMEDIATE")
        try:
            for start in range(0, len(entries), _CHUNK):
                _write(connection, entries[start : start + _CHUNK])
            connection.executemany(
                "DELETE FROM objects WHERE kind = ? AND key = ?", [entry_of(row)[:2] for row in gone]
            )
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _write(connection: sqlite3.Connection, entries: Sequence[Entry]) -> None:
    connection.execute(upsert(len(entries)), [value for each in entries for value in each])
