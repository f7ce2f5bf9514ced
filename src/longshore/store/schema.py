"""The form of the state file: its one table, its version, and how an older file is brought up to date.

`MIGRATIONS[n]` takes a file from version n to n + 1. What an added field with a default needs is nothing; a
renamed or removed field, or a kind that goes, needs a migration: `rewrite` does most of it.
"""

import sqlite3
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from longshore.store.journal import Row
from longshore.store.sqlite_file import Form
from longshore.store.wal import DamagedError

REVISION_KIND = ""
"""The kind of the one row that is no record: it holds the revision of the last commit."""

_UPSERT = (
    "INSERT INTO objects (kind, key, revision, document, checksum) VALUES (?) ON CONFLICT (kind, key) DO UPDATE SET"
    " revision = excluded.revision, document = excluded.document, checksum = excluded.checksum"
)

Entry = tuple[str, str, int, str, int]
"""A row of the table: kind, key (a JSON array), revision, document (JSON), checksum of these."""

_decode_key = msgspec.json.Decoder(tuple[str, ...]).decode
_encode = msgspec.json.Encoder().encode


def entry(kind: str, key: str, revision: int, document: str) -> Entry:
    """A row with its checksum: SQLite has none, and a flipped bit within a text would go unseen."""
    return (kind, key, revision, document, _checksum(kind, key, revision, document.encode()))


def _checksum(kind: str, key: str, revision: int, document: bytes) -> int:
    return zlib.crc32(document, zlib.crc32(f"{kind}\0{key}\0{revision}\0".encode()))


def entry_of(row: Row) -> Entry:
    """A journal's row as the table has it."""
    kind, key, revision, document = row.kind, _encode(row.key).decode(), row.revision, row.document
    return (kind, key, revision, document.decode(), _checksum(kind, key, revision, document))


def upsert(rows: int) -> str:
    """The statement that writes so many rows. One statement for all, for each one gives up Python's lock once."""
    return _UPSERT.replace("(?)", ", ".join(["(?, ?, ?, ?, ?)"] * rows))


def rows(connection: sqlite3.Connection) -> Iterator[Row]:
    """All records in the order in which they were first written; raises DamagedError for one that changed."""
    found = connection.execute("SELECT kind, key, revision, document, checksum FROM objects ORDER BY id")
    for kind, key, revision, document, checksum in found:
        encoded = document.encode()
        if _checksum(kind, key, revision, encoded) != checksum:
            raise DamagedError(f"the {kind or 'revision'} at {key} does not match its checksum")
        if kind != REVISION_KIND:
            yield Row(kind, _decode_key(key), revision, encoded)


def last_revision(connection: sqlite3.Connection) -> int:
    """The revision of the last commit."""
    found = connection.execute("SELECT revision FROM objects WHERE kind = ?", (REVISION_KIND,)).fetchone()
    if found is None:
        raise DamagedError("the row with the last revision is missing")
    revision: int = found[0]
    return revision


def rewrite(
    connection: sqlite3.Connection,
    kind: str,
    change: Callable[[dict[str, Any]], dict[str, Any] | None],
) -> None:
    """For migrations: put every document of a kind through `change`; None drops it. Keys stay as they are."""
    found = connection.execute("SELECT id, key, revision, document FROM objects WHERE kind = ?", (kind,)).fetchall()
    for number, key, revision, document in found:
        changed = change(msgspec.json.decode(document))
        if changed is None:
            connection.execute("DELETE FROM objects WHERE id = ?", (number,))
            continue
        *_, text, checksum = entry(kind, key, revision, _encode(changed).decode())
        connection.execute("UPDATE objects SET document = ?, checksum = ? WHERE id = ?", (text, checksum, number))


def _objects(connection: sqlite3.Connection) -> None:
    """Version 1: the one table."""
    connection.execute(
        "CREATE TABLE objects (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, key TEXT NOT NULL, "
        "revision INTEGER NOT NULL, document TEXT NOT NULL, checksum INTEGER NOT NULL, UNIQUE (kind, key)) STRICT"
    )
    connection.execute(upsert(1), entry(REVISION_KIND, "[]", 0, "null"))


STATE = Form("a state file", 0x4C534852, (_objects,))
"""`LSHR`: how a state file is told from any other SQLite file."""
