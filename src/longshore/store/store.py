"""The one place where state lives: transactions over records in memory, written through to a journal.

Called by `api` and `control`, from one event loop's thread only. A transaction is synchronous, so it is
atomic; never `await` inside one. Nothing here does I/O: that is the journal's, which is handed in.

A commit is in memory at once and on disk a moment later. Whoever tells the outside world of a write, or of what
was read, first awaits `durable`.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple, Protocol, TypeVar

import msgspec

from longshore.domain.record import Key, Record
from longshore.store.errors import StoreFailed, StoreRefused, TransactionMisusedError, UnknownKindError
from longshore.store.journal import Journal, Row
from longshore.store.table import Overlay, Table

R = TypeVar("R", bound=Record)

_encode = msgspec.json.Encoder().encode


class Change(NamedTuple):
    """One record's change in one commit; `before` is None where it came, `after` where it went."""

    kind: str
    key: Key
    before: Record | None
    after: Record | None
    revision: int


Watcher = Callable[[Change], None]
Follower = Callable[["Transaction", Record | None, Record | None], None]
"""`(transaction, before, after)` of a record that is about to be committed."""


class _View(Protocol):
    """What a table and a transaction's overlay have in common."""

    def get(self, key: Key) -> Record | None: ...
    def keys(self, index: str, value: Key) -> list[Key]: ...
    def select(self, index: str, value: Key) -> list[Record]: ...
    def count(self, index: str, value: Key) -> int: ...
    def tally(self, name: str, group: Key) -> int: ...
    def all(self) -> Iterator[Record]: ...


class Reader:
    """Reads, the same in the store and in a transaction (which sees its own writes).

    Lists found by an index are in the order in which records came into that index value; after a restart, in
    the order in which the records were first written. Sort where the outside world sees an order.
    """

    revision: int
    """The number of the last commit; one more for each commit that changed something."""

    def _view(self, cls: type[Record]) -> _View:
        raise NotImplementedError

    def get(self, cls: type[R], key: Key) -> R | None:
        """The record at a key."""
        found: R | None = self._view(cls).get(key)  # type: ignore[assignment]  # a view holds one class
        return found

    def select(self, cls: type[R], index: str, value: Key) -> list[R]:
        """The records that say themselves found by this value of this index."""
        found: list[R] = self._view(cls).select(index, value)  # type: ignore[assignment]  # as above
        return found

    def select_keys(self, cls: type[Record], index: str, value: Key) -> list[Key]:
        """Their keys alone."""
        return self._view(cls).keys(index, value)

    def count(self, cls: type[Record], index: str, value: Key) -> int:
        """How many there are, without listing them."""
        return self._view(cls).count(index, value)

    def tally(self, cls: type[Record], name: str, group: Key) -> int:
        """The sum over all records of what they add to this group of this tally."""
        return self._view(cls).tally(name, group)

    def all(self, cls: type[R]) -> Iterator[R]:
        """Every record of a class. Outside a transaction, don't await or commit while iterating."""
        found: Iterator[R] = self._view(cls).all()  # type: ignore[assignment]  # as above
        return found


class Transaction(Reader):
    """Changes that will be committed together, or not at all."""

    __slots__ = ("_failed", "_open", "_overlays", "_tables", "revision")

    def __init__(self, tables: dict[str, Table], revision: int, failed: StoreFailed | None) -> None:
        self._tables = tables
        self._overlays: dict[str, Overlay] = {}
        self._open = True
        self._failed = failed
        self.revision = revision

    def _view(self, cls: type[Record]) -> _View:
        return self._overlays.get(cls.kind) or _table_of(self._tables, cls)

    def _change(self, cls: type[Record], key: Key, after: Record | None) -> None:
        if not self._open:
            raise TransactionMisusedError("This transaction has ended; open another one.")
        if self._failed is not None:
            raise StoreFailed(*self._failed.args)
        overlay = self._overlays.get(cls.kind)
        if overlay is None:
            overlay = self._overlays[cls.kind] = Overlay(_table_of(self._tables, cls))
        overlay.set(key, after)

    def put(self, record: Record) -> None:
        """Write a record, new or in the place of the one with its key. Writing an equal one changes nothing."""
        self._change(type(record), record.key, record)

    def delete(self, cls: type[Record], key: Key) -> None:
        """Remove a record; nothing happens where there is none."""
        self._change(cls, key, None)

    def _changed(self, kind: str) -> list[tuple[Record | None, Record | None]]:
        """What this transaction has changed so far of one kind: before and after."""
        overlay = self._overlays.get(kind)
        if overlay is None:
            return []
        pairs = [(overlay.table.records.get(key), after) for key, after in overlay.changed.items()]
        return [(before, after) for before, after in pairs if before != after]

    def _end(self, revision: int) -> list[Change]:
        """Close, and give what this transaction changed in all."""
        self._open = False
        changes = []
        for kind, overlay in self._overlays.items():
            for key, after in overlay.changed.items():
                before = overlay.table.records.get(key)
                if before != after:
                    changes.append(Change(kind, key, before, after, revision))
        self._overlays = {}
        return changes


def _table_of(tables: dict[str, Table], cls: type[Record]) -> Table:
    try:
        return tables[cls.kind]
    except (KeyError, AttributeError):
        raise UnknownKindError(
            f"{cls.__name__} is not among the record classes that this store was opened with."
        ) from None


class Store(Reader):
    """Records of the given classes, in memory, with a journal behind them."""

    def __init__(self, kinds: Sequence[type[Record]], journal: Journal, revision: int = 0) -> None:
        self._classes = {cls.kind: cls for cls in kinds}
        if len(self._classes) != len(kinds):
            raise ValueError("Two record classes have the same kind.")
        self._tables = {kind: Table() for kind in self._classes}
        self._journal = journal
        self._watchers: dict[object, tuple[frozenset[str], Watcher]] = {}
        self._followers: list[tuple[str, Follower]] = []
        self._current: Transaction | None = None
        self._pending: deque[list[Change]] = deque()
        self._failed: StoreFailed | None = None
        self.revision = revision

    def _view(self, cls: type[Record]) -> _View:
        return _table_of(self._tables, cls)

    def load(self, rows: Iterable[Row], revision: int = 0) -> None:
        """Take in the rows of a journal, before the first transaction. `revision` is the journal's last one.

        Raises StoreRefused for a row that this program cannot read. A field it does not know is such a case: a
        newer Longshore wrote it, and reading on would lose it at the record's next change.
        """
        decoders = {kind: msgspec.json.Decoder(cls) for kind, cls in self._classes.items()}
        for row in rows:
            decoder = decoders.get(row.kind)
            if decoder is None:
                raise StoreRefused(
                    f"It holds records of the kind {row.kind!r}, which this version of Longshore does not "
                    "know. Use the version that wrote it, or a newer one."
                )
            try:
                record = decoder.decode(row.document)
            except (msgspec.DecodeError, ValueError) as error:
                raise StoreRefused(
                    f"The {row.kind} {'/'.join(row.key)} cannot be read ({error}). Use the version of "
                    "Longshore that wrote it, or a newer one; or go back to a copy."
                ) from error
            if record.key != row.key or row.key in self._tables[row.kind].records:
                raise StoreRefused(
                    f"The {row.kind} {'/'.join(record.key)} stands at the key {'/'.join(row.key)}, or stands "
                    "there twice. The file is damaged: go back to a copy."
                )
            self._tables[row.kind].apply(row.key, None, record)
            revision = max(revision, row.revision)
        self.revision = max(self.revision, revision)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Changes that are committed when the block ends, and forgotten when it raises. Never await inside.

        Raises StoreFailed where something is written once the journal has failed; reads go on working.
        """
        if self._current is not None:
            raise TransactionMisusedError(
                "A transaction is open already (or its watchers are being called); a watcher may only enqueue."
            )
        self._check_failure()
        transaction = self._current = Transaction(self._tables, self.revision, self._failed)
        try:
            try:
                yield transaction
                self._follow(transaction)
            except BaseException:
                transaction._end(0)  # noqa: SLF001 - a transaction is the store's own
                raise
            self._commit(transaction._end(self.revision + 1))  # noqa: SLF001 - as above
        finally:
            self._current = None

    def _follow(self, transaction: Transaction) -> None:
        for kind, follower in self._followers:
            for before, after in transaction._changed(kind):  # noqa: SLF001 - as above
                follower(transaction, before, after)

    def _commit(self, changes: list[Change]) -> None:
        if not changes:
            return
        revision = self.revision + 1
        # Encoded and journalled before memory changes, so that a record that cannot be written changes nothing.
        rows = [
            Row(change.kind, change.key, revision, b"" if change.after is None else _encode(change.after))
            for change in changes
        ]
        self._journal.append(revision, rows)
        self.revision = revision
        pending, durable = self._pending, self._journal.durable_revision
        if durable < revision:
            pending.append(changes)
        while pending and pending[0][0].revision <= durable:
            pending.popleft()
        self._apply(changes)

    def _apply(self, changes: list[Change]) -> None:
        """Change memory, then tell the watchers: all of them, even when one raises."""
        for change in changes:
            self._tables[change.kind].apply(change.key, change.before, change.after)
        broken: Exception | None = None
        for kinds, watcher in list(self._watchers.values()):
            for change in changes:
                if change.kind not in kinds:
                    continue
                try:
                    watcher(change)
                except Exception as error:  # noqa: BLE001 - raised below, once every watcher has been told
                    broken = broken or error
        if broken is not None:
            raise broken

    async def durable(self, revision: int | None = None) -> None:
        """Return once everything up to `revision` (default: the latest) is on disk; at once if it is.

        Raises StoreFailed where that will never be. After a failure memory goes back to what is on disk, so
        `durable(store.revision)` tells a reader that what it read is true, while plain `durable()` always
        raises: a writer must not take another's durability for its own.
        """
        if revision is None:
            if self._failed is not None:
                raise StoreFailed(*self._failed.args)
            revision = self.revision
        if revision > self._journal.durable_revision:
            try:
                await self._journal.durable(revision)
            except StoreFailed:
                self._check_failure()
                raise

    def _check_failure(self) -> None:
        """When the journal has failed, undo in memory what never reached the disk, newest first."""
        if self._failed is not None or self._journal.failed is None:
            return
        self._failed = self._journal.failed
        durable = self._journal.durable_revision
        lost = [changes for changes in self._pending if changes[0].revision > durable]
        self._pending.clear()
        self.revision = durable
        for changes in reversed(lost):
            self._apply([Change(c.kind, c.key, c.after, c.before, durable) for c in reversed(changes)])

    def watch(self, callback: Watcher, *classes: type[Record]) -> Callable[[], None]:
        """Call back for every change (of these classes, if any are given), inside the commit. Returns unsubscribe.

        The callback may only enqueue.
        """
        token = object()
        self._watchers[token] = (frozenset(cls.kind for cls in classes or self._classes.values()), callback)

        def unsubscribe() -> None:
            self._watchers.pop(token, None)

        return unsubscribe

    def follow(self, cls: type[Record], callback: Follower) -> None:
        """Call back at the end of each transaction for every record of a class that it changed, before the commit.

        What the callback writes is part of the same commit: for what must never be seen apart from its cause. It
        changes records of other classes, and finds what it knows no other way by an index. If it raises, nothing
        has changed.
        """
        _table_of(self._tables, cls)
        self._followers.append((cls.kind, callback))

    async def close(self) -> None:
        """Write what is left, and let go of the file."""
        await self._journal.close()

    @property
    def failed(self) -> Exception | None:
        """Why the journal can no longer be written, once that is so."""
        self._check_failure()
        return self._failed
