"""Opening a store, in memory or on a file. Called by `main` and by tests."""

from collections.abc import Sequence
from pathlib import Path

from longshore.domain.record import Record
from longshore.store.journal import MemoryJournal
from longshore.store.sql import SqlJournal
from longshore.store.store import Store


def open_store(path: Path | None, kinds: Sequence[type[Record]]) -> Store:
    """The store in this file, made if it is not there; without a path the same in memory only.

    Raises StoreRefused, with a sentence for the user, for a file that cannot be used.
    """
    if path is None:
        return Store(kinds, MemoryJournal())
    journal = SqlJournal(path)
    store = Store(kinds, journal, journal.durable_revision)
    store.load(journal.rows(), journal.durable_revision)
    return store
