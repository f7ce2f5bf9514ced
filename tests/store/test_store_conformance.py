"""What every store does, in memory and on disk alike."""

import asyncio
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from longshore.domain.ecs.cluster import Cluster
from longshore.domain.record import Record
from longshore.store.errors import TransactionMisusedError, UnknownKindError
from longshore.store.open import open_store
from longshore.store.store import Change, Store, Transaction
from tests.support.store_records import KINDS, SCOPE, Item, Note, item, key, note


@pytest.fixture(params=["memory", "sql"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    store = open_store(tmp_path / "state" / "longshore.db" if request.param == "sql" else None, KINDS)
    yield store
    await store.close()


def put(store: Store, *records: Item | Note) -> None:
    with store.transaction() as tx:
        for record in records:
            tx.put(record)


async def test_what_was_put_is_read_back_by_key_and_index_and_tally(store: Store) -> None:
    put(store, item("a", "red", 2), item("b", "red", 3), item("c", "blue", 5), note("a", 1))
    await store.durable()
    assert store.get(Item, key("a")) == item("a", "red", 2)
    assert store.get(Note, key("a")) == note("a", 1)
    assert store.get(Note, key("b")) is None
    assert store.select(Item, "colour", ("red",)) == [item("a", "red", 2), item("b", "red", 3)]
    assert store.select_keys(Item, "colour", ("blue",)) == [key("c")]
    assert store.select(Item, "colour", ("green",)) == []
    assert store.count(Item, "scope", SCOPE) == 3
    assert store.tally(Item, "weight", ("red",)) == 5
    assert store.tally(Item, "weight", ("green",)) == 0
    assert [record.name for record in store.all(Item)] == ["a", "b", "c"]


async def test_a_change_moves_the_record_to_its_new_index_value(store: Store) -> None:
    put(store, item("a", "red", 2), item("b", "red", 3))
    put(store, item("a", "blue", 7))
    assert store.select_keys(Item, "colour", ("red",)) == [key("b")]
    assert store.select_keys(Item, "colour", ("blue",)) == [key("a")]
    assert (store.tally(Item, "weight", ("red",)), store.tally(Item, "weight", ("blue",))) == (3, 7)
    assert store.select_keys(Item, "scope", SCOPE) == [key("a"), key("b")]


async def test_a_transaction_reads_its_own_writes_and_nobody_else_does(store: Store) -> None:
    put(store, item("a", "red", 2), item("b", "red", 3))
    with store.transaction() as tx:
        tx.put(item("c", "red", 5))
        tx.put(item("a", "blue", 2))
        tx.delete(Item, key("b"))
        assert tx.select(Item, "colour", ("red",)) == [item("c", "red", 5)]
        assert tx.count(Item, "colour", ("blue",)) == 1
        assert tx.tally(Item, "weight", ("red",)) == 5
        assert tx.get(Item, key("b")) is None
        assert [record.name for record in tx.all(Item)] == ["a", "c"]
        assert store.select_keys(Item, "colour", ("red",)) == [key("a"), key("b")]
        assert store.tally(Item, "weight", ("red",)) == 5
    assert store.select(Item, "colour", ("red",)) == [item("c", "red", 5)]


async def test_all_may_be_changed_while_a_transaction_goes_through_it(store: Store) -> None:
    put(store, *(item(str(number), "red") for number in range(10)))
    with store.transaction() as tx:
        for record in tx.all(Item):
            if int(record.name) % 2:
                tx.delete(Item, record.key)
            else:
                tx.put(record.but(colour="blue"))
    assert store.count(Item, "colour", ("blue",)) == store.count(Item, "scope", SCOPE) == 5


async def test_an_exception_leaves_everything_as_it_was(store: Store) -> None:
    put(store, item("a", "red", 2), item("b", "red", 3))
    heard: list[Change] = []
    store.watch(heard.append)

    def stumble() -> None:
        with store.transaction() as tx:
            tx.put(item("a", "blue", 9))
            tx.delete(Item, key("b"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        stumble()
    assert store.select(Item, "colour", ("red",)) == [item("a", "red", 2), item("b", "red", 3)]
    assert (store.tally(Item, "weight", ("red",)), store.tally(Item, "weight", ("blue",))) == (5, 0)
    assert (store.revision, heard) == (1, [])


async def test_what_cannot_be_encoded_changes_nothing(store: Store) -> None:
    with pytest.raises(UnicodeEncodeError):
        put(store, note("fine"), item("half a pair", text="\ud800"))
    assert store.get(Note, key("fine")) is None
    assert store.revision == 0
    put(store, note("fine"))
    await store.durable()


async def test_equal_puts_and_changes_taken_back_are_no_commit(store: Store) -> None:
    put(store, item("a", "red", 2))
    heard: list[Change] = []
    store.watch(heard.append)
    put(store, item("a", "red", 2))
    with store.transaction() as tx:
        tx.delete(Item, key("never there"))
        tx.put(item("b"))
        tx.delete(Item, key("b"))
        tx.delete(Item, key("a"))
        tx.put(item("a", "red", 2))
    assert (store.revision, heard) == (1, [])
    await store.durable()


async def test_watchers_hear_each_net_change_with_its_revision_until_they_unsubscribe(store: Store) -> None:
    heard: list[Change] = []
    unsubscribe = store.watch(heard.append)
    with store.transaction() as tx:
        tx.put(item("a", "red"))
        tx.put(item("a", "blue"))
    with store.transaction() as tx:
        tx.delete(Item, key("a"))
        tx.put(note("n"))
    unsubscribe()
    unsubscribe()
    put(store, note("n", 2))
    assert heard == [
        Change("item", key("a"), None, item("a", "blue"), 1),
        Change("item", key("a"), item("a", "blue"), None, 2),
        Change("note", key("n"), None, note("n"), 2),
    ]


async def test_watchers_of_a_class_hear_of_no_other(store: Store) -> None:
    heard: list[Change] = []
    store.watch(heard.append, Note)
    put(store, note("n"), item("a"))
    put(store, item("a", "red"))
    assert heard == [Change("note", key("n"), None, note("n"), 1)]


async def test_a_broken_watcher_is_heard_of_but_the_commit_and_other_watchers_stand(store: Store) -> None:
    heard: list[Change] = []

    def broken(change: Change) -> None:
        raise LookupError(change.key)

    store.watch(broken)
    store.watch(heard.append)
    with pytest.raises(LookupError):
        put(store, note("a"), note("b"))
    assert (len(heard), store.revision) == (2, 1)
    assert store.get(Note, key("b")) == note("b")


async def test_nesting_is_refused_and_the_outer_transaction_goes_on(store: Store) -> None:
    with store.transaction() as tx:
        tx.put(note("a"))
        with pytest.raises(TransactionMisusedError), store.transaction():
            pass
    assert store.get(Note, key("a")) == note("a")


async def test_a_watcher_cannot_write(store: Store) -> None:
    def writer(_: Change) -> None:
        put(store, note("more"))

    store.watch(writer)
    with pytest.raises(TransactionMisusedError):
        put(store, note("a"))
    assert store.get(Note, key("more")) is None


async def test_a_transaction_that_ended_takes_no_more(store: Store) -> None:
    with store.transaction() as tx:
        pass
    with pytest.raises(TransactionMisusedError):
        tx.put(note("late"))


async def test_a_class_that_the_store_does_not_hold_is_refused(store: Store) -> None:
    with pytest.raises(UnknownKindError, match="Cluster"):
        store.get(Cluster, key("a"))


async def test_many_writers_wait_together_and_each_finds_its_revision_durable(store: Store) -> None:
    async def write(number: int) -> None:
        put(store, note(str(number), number))
        revision = store.revision
        await asyncio.sleep(0)
        await store.durable(revision)
        await store.durable()

    await asyncio.gather(*(write(number) for number in range(300)))
    assert store.revision == 300


async def test_a_cancelled_waiter_harms_no_other(store: Store) -> None:
    put(store, note("a"))
    cancelled = asyncio.create_task(store.durable())
    other = asyncio.create_task(store.durable())
    await asyncio.sleep(0)
    cancelled.cancel()
    await other
    await asyncio.gather(cancelled, return_exceptions=True)
    put(store, note("b"))
    await store.durable()


async def test_a_restart_finds_records_indexes_tallies_and_revision_again(tmp_path: Path) -> None:
    path = tmp_path / "longshore.db"
    store = open_store(path, KINDS)
    put(store, *(item(f"{number}\x1f\"'é", "red", number) for number in range(200)), note("n"))
    put(store, *(item(f"{number}\x1f\"'é", "blue", number) for number in range(0, 200, 2)))
    with store.transaction() as tx:
        tx.delete(Note, key("n"))
    before = (store.revision, list(store.all(Item)), store.tally(Item, "weight", ("blue",)))
    await store.close()
    store = open_store(path, KINDS)
    assert (store.revision, list(store.all(Item)), store.tally(Item, "weight", ("blue",))) == before
    assert store.count(Item, "colour", ("red",)) == 100
    assert store.get(Note, key("n")) is None
    await store.durable()
    await store.close()


async def test_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    store = open_store(tmp_path / "state" / "longshore.db", KINDS)
    put(store, note("a"))
    await store.durable()
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "state").iterdir()}
    assert modes.keys() == {"longshore.db", "longshore.db-wal", "longshore.db-shm", "longshore.db.lock"}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    await store.close()


async def test_a_follower_writes_into_the_commit_it_follows_with_each_net_change(store: Store) -> None:
    heard: list[tuple[object, object]] = []

    def follow(tx: Transaction, before: Record | None, after: Record | None) -> None:
        heard.append((before, after))
        if isinstance(after, Item):
            tx.put(note(after.name, len(tx.select(Item, "colour", (after.colour,)))))

    store.follow(Item, follow)
    put(store, item("a", "red", 1), item("b", "red", 1))
    assert store.revision == 1
    assert store.get(Note, key("b")) == note("b", 2)
    with store.transaction() as tx:
        tx.put(item("a", "blue", 1))
        tx.put(item("a", "red", 1))
        tx.put(note("c", 1))
        tx.delete(Item, key("b"))
    assert heard[2:] == [(item("b", "red", 1), None)]


async def test_a_broken_follower_leaves_everything_as_it_was(store: Store) -> None:
    def broken(_tx: Transaction, _before: Record | None, _after: Record | None) -> None:
        raise RuntimeError("broken")

    store.follow(Item, broken)
    with pytest.raises(RuntimeError, match="broken"):
        put(store, item("a", "red", 1))
    assert (store.revision, store.get(Item, key("a"))) == (0, None)
    put(store, note("a", 1))
