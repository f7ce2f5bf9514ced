"""Opening a store, in memory or on a file. Called by `main` and by tests."""

from collections.abc import Sequence
from pathlib import Path

from longshore.domain.record import Record
from longshore.store.errors import StoreRefused
from longshore.store.journal import MemoryJournal
from longshore.store.schema import STATE, last_revision, rows
from longshore.store.sql import SqlJournal
from longshore.store.sqlite_file import FileLock, Form, check_header, examined
from longshore.store.store import Store


def open_store(path: Path | None, kinds: Sequence[type[Record]], form: Form = STATE) -> Store:
    """The store in this file, made if it is not there; without a path the same in memory only.

    Raises StoreRefused, with a sentence for the user, for a file that cannot be used. Such a file is unchanged, for
    all of it is read and checked before it is opened for writing.
    """
    if path is None:
        return Store(kinds, MemoryJournal())
    lock = FileLock(path)
    try:
        check_header(path, form)
        journal = SqlJournal(path, lock, form)
        store = Store(kinds, journal)
        if path.exists():
            with examined(path, form) as content:
                try:
                    store.load(rows(content), last_revision(content))
                except StoreRefused as refusal:
                    raise StoreRefused(f"{path} cannot be used and was left as it is. {refusal}") from refusal
        journal.open(store.revision)
    except BaseException:
        lock.release()
        raise
    return store
