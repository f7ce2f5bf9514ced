"""A journal that fails: whoever waits hears of it, nothing more is taken, and memory goes back to what is on disk.

The journal here is such as a simulator brings: it keeps rows, and syncs or fails when told to.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from longshore.store.errors import StoreFailed
from longshore.store.journal import Row
from longshore.store.open import open_store
from longshore.store.sql import SqlJournal
from longshore.store.store import Change, Store
from tests.support.store_records import KINDS, Item, Note, item, key, note


class HeldJournal:
    """A disk that syncs when it is told to."""

    def __init__(self) -> None:
        self.durable_revision = 0
        self.failed: StoreFailed | None = None
        self.commits: list[tuple[int, Sequence[Row]]] = []
        self._changed = asyncio.Event()

    def append(self, revision: int, rows: Sequence[Row]) -> None:
        if self.failed:
            raise self.failed
        self.commits.append((revision, rows))

    async def durable(self, revision: int) -> None:
        while revision > self.durable_revision:
            if self.failed:
                raise StoreFailed(*self.failed.args)
            await self._changed.wait()

    async def close(self) -> None:
        pass

    def sync(self, revision: int) -> None:
        self.durable_revision = revision
        self._changed.set()
        self._changed = asyncio.Event()

    def fail(self) -> None:
        self.failed = StoreFailed("the disk is full")
        self._changed.set()

    def after_crash(self) -> list[Row]:
        """The rows that a restart finds: those of the synced commits."""
        found = {(row.kind, row.key): row for r, rows in self.commits if r <= self.durable_revision for row in rows}
        return [row for row in found.values() if row.document]


def put(store: Store, *records: Item | Note) -> int:
    with store.transaction() as tx:
        for record in records:
            tx.put(record)
    return store.revision


async def test_durable_waits_for_its_revision_and_no_later_one() -> None:
    journal = HeldJournal()
    store = Store(KINDS, journal)
    first, second = put(store, note("a")), put(store, note("b"))
    waits = [asyncio.create_task(store.durable(revision)) for revision in (first, second)]
    journal.sync(first)
    await waits[0]
    assert not waits[1].done()
    journal.sync(second)
    await waits[1]


async def test_after_a_failure_memory_is_what_a_restart_would_find() -> None:
    journal = HeldJournal()
    store = Store(KINDS, journal)
    put(store, item("a", "red", 1), item("b", "red", 2))
    journal.sync(1)
    heard: list[Change] = []
    put(store, item("a", "blue", 5), note("n"))
    put(store, item("c", "blue", 7))
    with store.transaction() as tx:
        tx.delete(Item, key("b"))
    store.watch(heard.append)
    waits = [asyncio.create_task(store.durable(revision)) for revision in (2, 3, 4)]
    await asyncio.sleep(0)
    journal.fail()
    outcomes = await asyncio.gather(*waits, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [StoreFailed] * 3
    assert str(store.failed) == "the disk is full"

    restarted = Store(KINDS, HeldJournal())
    restarted.load(journal.after_crash(), 1)
    assert {r.key: r for r in store.all(Item)} == {r.key: r for r in restarted.all(Item)}
    assert list(store.all(Note)) == []
    assert store.revision == restarted.revision == 1
    assert store.tally(Item, "weight", ("red",)) == 3
    assert store.count(Item, "colour", ("blue",)) == 0
    assert [change.after for change in heard] == [item("b", "red", 2), None, None, item("a", "red", 1)]


async def test_after_a_failure_reads_are_true_and_writes_are_refused() -> None:
    journal = HeldJournal()
    store = Store(KINDS, journal)
    put(store, note("a"))
    journal.sync(1)
    late = put(store, note("b"))
    journal.fail()
    with store.transaction() as tx:
        assert tx.get(Note, key("b")) is None
    assert store.get(Note, key("b")) is None
    await store.durable(store.revision)
    for revision in (None, late):
        with pytest.raises(StoreFailed):
            await store.durable(revision)
    with pytest.raises(StoreFailed):
        put(store, note("a"))


async def test_a_writer_that_waits_only_after_the_failure_is_not_told_that_it_is_safe() -> None:
    journal = HeldJournal()
    store = Store(KINDS, journal)
    put(store, note("a"))
    journal.fail()
    assert store.failed is not None
    assert store.revision == 0
    with pytest.raises(StoreFailed):
        await store.durable()


async def test_a_full_disk_fails_the_store_until_it_is_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    store = open_store(path, KINDS)
    journal = store._journal
    assert isinstance(journal, SqlJournal)
    assert journal._connection is not None
    journal._connection.execute("PRAGMA max_page_count = 40")
    acknowledged = -1

    async def fill() -> None:
        nonlocal acknowledged
        for number in range(1000):
            put(store, note("counter", number), item(str(number), text="x" * 1000))
            await store.durable()
            acknowledged = number

    with pytest.raises(StoreFailed, match="full"):
        await fill()
    assert acknowledged > 0
    assert store.get(Note, key("counter")) == note("counter", acknowledged)
    assert store.get(Item, key(str(acknowledged + 1))) is None
    with pytest.raises(StoreFailed, match="by itself"):
        put(store, note("more"))
    await store.close()
    store = open_store(path, KINDS)
    assert store.get(Note, key("counter")) == note("counter", acknowledged)
    put(store, note("more"))
    await store.durable()
    await store.close()
