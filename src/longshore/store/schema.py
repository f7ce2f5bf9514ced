"""The form of the state file, its version, and how an older one is brought up to date.

A migration takes the file from its number to the next, inside one transaction with the new number: a crash in the
middle leaves the older file.
"""

import sqlite3
from collections.abc import Callable, Sequence

APPLICATION_ID = 0x4C534852
"""`LSHR`: how a state file is told from any other SQLite file."""

Migration = Callable[[sqlite3.Connection], None]


def _objects(connection: sqlite3.Connection) -> None:
    """Version 0 to 1: the one table. Keys are joined by U+001F, which no name of AWS's can hold."""
    connection.execute(
        "CREATE TABLE objects (kind TEXT NOT NULL, key TEXT NOT NULL, revision INTEGER NOT NULL, "
        "document BLOB NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID"
    )
    connection.execute("CREATE TABLE progress (only INTEGER PRIMARY KEY CHECK (only = 1), revision INTEGER NOT NULL)")
    connection.execute("INSERT INTO progress VALUES (1, 0)")


MIGRATIONS: Sequence[Migration] = (_objects,)


def migrate(connection: sqlite3.Connection, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Bring a file to the newest version."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    for number in range(version, len(migrations)):
        connection.execute("BEGIN IMMEDIATE")
        try:
            migrations[number](connection)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {number + 1}")
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
