"""The event log's file: its tables, the writes of its writer thread, and the reads of the event loop's thread.

Used by `events.py` alone, which decides what is written and knows what is not on disk yet.
"""

import asyncio
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from longshore.domain.log import LogEvent
from longshore.store.sqlite_file import FileLock, Form, connect
from longshore.store.writer import Writer

Position = tuple[int, int]
"""`(timestamp_ms, sequence)`: the order of events."""


class Span(NamedTuple):
    """Events from `low` on, up to but not including `high`."""

    low: Position
    high: Position

    def holds(self, event: LogEvent) -> bool:
        """Whether an event lies within."""
        return self.low <= (event.timestamp_ms, event.sequence) < self.high


class Taken(NamedTuple):
    """The events that count among those in the file, by their sequences."""

    above: int
    """Up to here they have been dropped, though the writer may not have come to it yet."""
    to: int
    """Later ones are counted as not written yet."""


class StreamRow(NamedTuple):
    """A stream's sums as they are stored. Its number stands for its uid in the rows of events."""

    number: int
    uid: str
    first_ms: int
    last_ms: int
    ingested_ms: int
    stored_bytes: int
    events: int


class Write(NamedTuple):
    """One step for the writer. Steps are written in order, each with the sums that hold after it."""

    streams: Sequence[StreamRow] = ()
    events: Sequence[tuple[int, int, int, int, str, int]] = ()
    """Rows of `events`."""
    gone: Sequence[int] = ()
    """Streams to delete, by number."""
    trim: tuple[int, int] | None = None
    """A stream's number, and the time before which its events go."""
    cut: int | None = None
    """Every event up to this sequence goes."""
    sequence: int = 0
    """The last sequence number given out."""


def _tables(connection: sqlite3.Connection) -> None:
    """Version 1. Events are appended in order of sequence, and read by stream and time."""
    connection.execute(
        "CREATE TABLE streams (number INTEGER PRIMARY KEY, uid TEXT NOT NULL, first_ms INTEGER NOT NULL, last_ms "
        "INTEGER NOT NULL, ingested_ms INTEGER NOT NULL, stored_bytes INTEGER NOT NULL, events INTEGER NOT NULL) STRICT"
    )
    connection.execute(
        "CREATE TABLE events (sequence INTEGER PRIMARY KEY, stream INTEGER NOT NULL, timestamp_ms INTEGER NOT NULL, "
        "ingested_ms INTEGER NOT NULL, message TEXT NOT NULL, bytes INTEGER NOT NULL) STRICT"
    )
    connection.execute("CREATE INDEX events_by_time ON events (stream, timestamp_ms)")
    connection.execute("CREATE TABLE progress (sequence INTEGER NOT NULL) STRICT")
    connection.execute("INSERT INTO progress VALUES (0)")


EVENTS = Form("an event log", 0x4C534C47, (_tables,))
"""`LSLG`."""


class EventFile:
    """The file, open for as long as the event log is."""

    def __init__(self, path: Path, form: Form = EVENTS, *, linger_s: float = 0.2) -> None:
        self._path = path
        self._lock = FileLock(path)
        try:
            self._connection = connect(path, form)
            self._reader = sqlite3.connect(path, isolation_level=None)
            self._reader.execute("PRAGMA query_only = 1")
        except BaseException:
            self._lock.release()
            raise
        self.writer: Writer[Write] = Writer("events", self._commit, self._describe, linger_s=linger_s)

    def _describe(self, error: Exception) -> str:
        return (
            f"Log events cannot be written to {self._path} ({error}). Make room on the disk if it is full; Longshore "
            "goes on by itself then."
        )

    async def close(self) -> None:
        """Write what is left, and let go of the file."""
        await self.writer.close()
        self._reader.close()
        with suppress(sqlite3.Error):  # after a failure it cannot tidy up, which it need not
            await asyncio.to_thread(self._connection.close)
        self._lock.release()

    def load(self) -> tuple[list[StreamRow], int]:
        """All streams, and the last sequence number given out."""
        streams = [StreamRow(*row) for row in self._reader.execute("SELECT * FROM streams")]
        (sequence,) = self._reader.execute("SELECT sequence FROM progress").fetchone()
        return streams, sequence

    def _commit(self, group: list[Write]) -> None:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            for writes in group:
                _write(connection, writes)
            sums = {row.number: row for writes in group for row in writes.streams}
            for number in (number for writes in group for number in writes.gone):
                sums.pop(number, None)
            connection.executemany("INSERT OR REPLACE INTO streams VALUES (?, ?, ?, ?, ?, ?, ?)", sums.values())
            connection.execute("UPDATE progress SET sequence = ?", (group[-1].sequence,))
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def read(self, number: int, span: Span, taken: Taken, limit: int, *, reverse: bool) -> Iterator[LogEvent]:
        """Events of a stream in order, without the stream's uid."""
        order = "DESC" if reverse else "ASC"
        query = _READ + f" ORDER BY timestamp_ms {order}, sequence {order} LIMIT ?"
        (low_ms, low), (high_ms, high) = span
        found = self._reader.execute(query, (number, low_ms, high_ms, low_ms, low, high_ms, high, *taken, limit))
        return (LogEvent(*row) for row in found.fetchall())

    def sums(self, number: int, span: Span, taken: Taken) -> tuple[int, int]:
        """How many events a stream has within a span, and their bytes."""
        (low_ms, low), (high_ms, high) = span
        count, total = self._reader.execute(
            "SELECT count(*), coalesce(sum(bytes), 0) FROM events WHERE stream = ? AND timestamp_ms BETWEEN ? AND ? "
            "AND (timestamp_ms, sequence) >= (?, ?) AND (timestamp_ms, sequence) < (?, ?) "
            "AND sequence > ? AND sequence <= ?",
            (number, low_ms, high_ms, low_ms, low, high_ms, high, *taken),
        ).fetchone()
        return count, total

    def oldest(self, taken: Taken) -> Iterable[tuple[int, int, int]]:
        """`(sequence, stream's number, bytes)` of the events first taken in, in that order."""
        return self._reader.execute(
            "SELECT sequence, stream, bytes FROM events WHERE sequence > ? AND sequence <= ? ORDER BY sequence",
            taken,
        )


_READ = (
    "SELECT timestamp_ms, message, ingested_ms, sequence FROM events WHERE stream = ? AND timestamp_ms BETWEEN ? AND ? "
    "AND (timestamp_ms, sequence) >= (?, ?) AND (timestamp_ms, sequence) < (?, ?) AND sequence > ? AND sequence <= ?"
)


def _write(connection: sqlite3.Connection, writes: Write) -> None:
    if writes.events:
        connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", writes.events)
    for number in writes.gone:
        connection.execute("DELETE FROM events WHERE stream = ?", (number,))
        connection.execute("DELETE FROM streams WHERE number = ?", (number,))
    if writes.trim is not None:
        connection.execute("DELETE FROM events WHERE stream = ? AND timestamp_ms < ?", writes.trim)
    if writes.cut is not None:
        connection.execute("DELETE FROM events WHERE sequence <= ?", (writes.cut,))
