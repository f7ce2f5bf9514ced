"""The records of one kind in memory, with their indexes and tallies; and a transaction's view over them.

Owned by `store.py`, used by nobody else. No journal, no revision, no I/O. Neither class ever copies a table:
the cost of a change is the size of the change.
"""

from collections.abc import Iterator

from longshore.domain.record import Filing, Key, Record

IndexKey = tuple[str, Key]
"""An index or tally by name, and one value or group of it."""


def tallies_of(record: Record | None) -> dict[IndexKey, int]:
    """What a record adds to which tally; nothing when there is no record."""
    sums: dict[IndexKey, int] = {}
    if record is not None:
        for name, group, amount in record.tallies():
            sums[name, group] = sums.get((name, group), 0) + amount
    return sums


def indexes_of(record: Record | None) -> dict[IndexKey, None]:
    """The values that a record is found by, each once, in the record's order."""
    return {} if record is None else dict.fromkeys(record.indexes())


_NEVER = Filing(object(), object())
_OTHERWISE = Filing(object(), object())
"""Two that agree in nothing: of records that don't say what they are filed by, and where one is missing."""


def _filings(before: Record | None, after: Record | None) -> tuple[Filing, Filing]:
    """What two versions of a record are filed by: what they agree in need not be looked at."""
    if before is None or after is None:
        return _NEVER, _OTHERWISE
    return before.filed_by() or _NEVER, after.filed_by() or _OTHERWISE


class Table:
    """Committed records of one kind."""

    __slots__ = ("indexes", "records", "tallies")

    def __init__(self) -> None:
        self.records: dict[Key, Record] = {}
        self.indexes: dict[IndexKey, dict[Key, None]] = {}
        self.tallies: dict[IndexKey, int] = {}

    def get(self, key: Key) -> Record | None:
        """The record at a key."""
        return self.records.get(key)

    def keys(self, index: str, value: Key) -> list[Key]:
        """Keys found by an index, in the order in which they came into it."""
        return list(self.indexes.get((index, value), ()))

    def select(self, index: str, value: Key) -> list[Record]:
        """Records found by an index, in the same order."""
        records = self.records
        return [records[key] for key in self.indexes.get((index, value), ())]

    def count(self, index: str, value: Key) -> int:
        """How many records an index finds."""
        return len(self.indexes.get((index, value), ()))

    def tally(self, name: str, group: Key) -> int:
        """The sum of a tally's group."""
        return self.tallies.get((name, group), 0)

    def all(self) -> Iterator[Record]:
        """Every record. The table must not change meanwhile."""
        return iter(self.records.values())

    def apply(self, key: Key, before: Record | None, after: Record | None) -> None:
        """Put `after` in the place of `before`, in indexes and tallies too."""
        if after is None:
            del self.records[key]
        else:
            self.records[key] = after
            if before is None:
                self._insert(key, after)
                return
        was, is_now = _filings(before, after)
        if was.indexes != is_now.indexes:
            self._move(key, indexes_of(before), indexes_of(after))
        if was.tallies != is_now.tallies:
            for group, amount in tallies_of(after).items():
                self._add(group, amount)
            for group, amount in tallies_of(before).items():
                self._add(group, -amount)

    def _move(self, key: Key, old: dict[IndexKey, None], new: dict[IndexKey, None]) -> None:
        for entry in old:
            if entry not in new:
                members = self.indexes[entry]
                del members[key]
                if not members:
                    del self.indexes[entry]
        for entry in new:
            if entry not in old:
                self.indexes.setdefault(entry, {})[key] = None

    def _insert(self, key: Key, record: Record) -> None:
        """A record that was not there: nothing to compare with. What loading a state is made of."""
        for entry in record.indexes():
            members = self.indexes.get(entry)
            if members is None:
                self.indexes[entry] = {key: None}
            else:
                members[key] = None
        for name, group, amount in record.tallies():
            self._add((name, group), amount)

    def _add(self, group: IndexKey, amount: int) -> None:
        total = self.tallies.get(group, 0) + amount
        if total:
            self.tallies[group] = total
        else:
            self.tallies.pop(group, None)


class Overlay:
    """A transaction's changes to one table, and the table as it reads with them."""

    __slots__ = ("_unindexed", "added", "changed", "removed", "sums", "table")

    def __init__(self, table: Table) -> None:
        self.table = table
        self.changed: dict[Key, Record | None] = {}
        self.added: dict[IndexKey, dict[Key, None]] = {}
        self.removed: dict[IndexKey, set[Key]] = {}
        self.sums: dict[IndexKey, int] = {}
        self._unindexed: list[tuple[Key, Record | None, Record | None]] = []
        """Changes not yet in `added`, `removed` and `sums`: most transactions never ask an index after a change."""

    def get(self, key: Key) -> Record | None:
        """The record at a key."""
        if key in self.changed:
            return self.changed[key]
        return self.table.records.get(key)

    def set(self, key: Key, after: Record | None) -> None:
        """Note a change; one that changes nothing leaves no trace."""
        before = self.get(key)
        if before == after:
            return
        self.changed[key] = after
        self._unindexed.append((key, before, after))

    def _catch_up(self) -> None:
        """Bring indexes and sums up to the last change; the first thing that every question about them does."""
        for key, before, after in self._unindexed:
            self._index(key, before, after)
        self._unindexed.clear()

    def _index(self, key: Key, before: Record | None, after: Record | None) -> None:
        was, is_now = _filings(before, after)
        if was.indexes != is_now.indexes:
            old, new = indexes_of(before), indexes_of(after)
            for entry in old:
                if entry not in new:
                    self._leave(entry, key)
            for entry in new:
                if entry not in old:
                    self._enter(entry, key)
        if was.tallies == is_now.tallies:
            return
        for group, amount in tallies_of(before).items():
            self.sums[group] = self.sums.get(group, 0) - amount
        for group, amount in tallies_of(after).items():
            self.sums[group] = self.sums.get(group, 0) + amount

    def _leave(self, entry: IndexKey, key: Key) -> None:
        added = self.added.get(entry)
        if added is not None and key in added:
            del added[key]
        else:
            self.removed.setdefault(entry, set()).add(key)

    def _enter(self, entry: IndexKey, key: Key) -> None:
        removed = self.removed.get(entry)
        if removed is not None and key in removed:
            removed.discard(key)  # back where it was: it keeps its place, as it will after the commit
        else:
            self.added.setdefault(entry, {})[key] = None

    def keys(self, index: str, value: Key) -> list[Key]:
        """Keys found by an index: the committed ones in their order, then this transaction's."""
        self._catch_up()
        entry = (index, value)
        committed = self.table.indexes.get(entry, ())
        removed = self.removed.get(entry)
        keys = [key for key in committed if key not in removed] if removed else list(committed)
        keys.extend(self.added.get(entry, ()))
        return keys

    def select(self, index: str, value: Key) -> list[Record]:
        """Records found by an index, in the same order."""
        changed, records = self.changed, self.table.records
        found = (changed[key] if key in changed else records[key] for key in self.keys(index, value))
        return [record for record in found if record is not None]

    def count(self, index: str, value: Key) -> int:
        """How many records an index finds."""
        self._catch_up()
        entry = (index, value)
        committed = len(self.table.indexes.get(entry, ()))
        return committed - len(self.removed.get(entry, ())) + len(self.added.get(entry, ()))

    def tally(self, name: str, group: Key) -> int:
        """The sum of a tally's group, this transaction's changes in it."""
        self._catch_up()
        return self.table.tallies.get((name, group), 0) + self.sums.get((name, group), 0)

    def all(self) -> Iterator[Record]:
        """Every record, as of this call: the transaction may go on changing them meanwhile."""
        changed = dict(self.changed)
        for key, record in self.table.records.items():
            now = changed.pop(key, record)
            if now is not None:
                yield now
        yield from (record for record in changed.values() if record is not None)
