"""The store against a naive model: plain dictionaries, with indexes and tallies computed anew for each question."""

import asyncio
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from longshore.domain.record import Key
from longshore.store.open import open_store
from longshore.store.store import Change, Reader, Transaction
from tests.support.store_records import KINDS, SCOPE, Item, item, key

NAMES = st.sampled_from("abcde")
COLOURS = st.sampled_from(["", "red", "blue"])
Steps = list[tuple[str, str | None, int]]
STEPS: st.SearchStrategy[Steps] = st.lists(st.tuples(NAMES, st.none() | COLOURS, st.integers(-3, 3)), max_size=8)
Model = dict[Key, Item]


def check(reader: Reader, model: Model) -> None:
    assert {record.key: record for record in reader.all(Item)} == model
    for name in "abcde":
        assert reader.get(Item, key(name)) == model.get(key(name))
    for colour in ("", "red", "blue"):
        matching = {found.key: found for found in model.values() if colour and found.colour == colour}
        selected = reader.select(Item, "colour", (colour,))
        assert {found.key: found for found in selected} == matching
        assert [found.key for found in selected] == reader.select_keys(Item, "colour", (colour,))
        assert reader.count(Item, "colour", (colour,)) == len(selected) == len(matching)
        assert reader.tally(Item, "weight", (colour,)) == sum(r.weight for r in model.values() if r.colour == colour)
    assert reader.tally(Item, "items", SCOPE) == len(model)


def play(tx: Transaction, model: Model, steps: Steps) -> None:
    for number, (name, colour, weight) in enumerate(steps):
        if colour is None:
            tx.delete(Item, key(name))
            model.pop(key(name), None)
        else:
            model[key(name)] = item(name, colour, weight, text=str(number % 2))
            tx.put(model[key(name)])
        check(tx, model)


class _Abandoned(Exception):  # noqa: N818 - not an error
    pass


class StoreMachine(RuleBasedStateMachine):
    on_disk = False

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "state.db" if self.on_disk else None
        self.model: Model = {}
        self.heard: Model = {}
        self.revision = 0

    @initialize()
    def begin(self) -> None:
        self.store = open_store(self.path, KINDS)
        self.store.watch(self.hear)

    def hear(self, change: Change) -> None:
        assert self.heard.get(change.key) == change.before
        assert change.before != change.after
        assert change.revision == self.store.revision
        if change.after is None:
            del self.heard[change.key]
        else:
            assert isinstance(change.after, Item)
            self.heard[change.key] = change.after

    @rule(steps=STEPS)
    def commit(self, steps: Steps) -> None:
        model = dict(self.model)
        with self.store.transaction() as tx:
            play(tx, model, steps)
        self.revision += model != self.model
        self.model = model

    @rule(steps=STEPS)
    def abandon(self, steps: Steps) -> None:
        order = self.store.select_keys(Item, "colour", ("red",))
        try:
            with self.store.transaction() as tx:
                play(tx, dict(self.model), steps)
                raise _Abandoned
        except _Abandoned:
            pass
        assert self.store.select_keys(Item, "colour", ("red",)) == order

    @precondition(lambda self: self.on_disk)
    @rule(wait=st.booleans())
    def restart(self, wait: bool) -> None:
        async def close() -> None:
            if wait:
                await self.store.durable()
            await self.store.close()

        asyncio.run(close())
        self.begin()

    @invariant()
    def agrees(self) -> None:
        if hasattr(self, "store"):
            check(self.store, self.model)
            assert self.heard == self.model
            assert self.store.revision == self.revision
            table = self.store._tables["item"]
            assert all(table.indexes.values())
            assert all(table.tallies.values())

    def teardown(self) -> None:
        if hasattr(self, "store"):
            asyncio.run(self.store.close())
        self.folder.cleanup()


class StoreOnDiskMachine(StoreMachine):
    on_disk = True


TestStoreInMemory = StoreMachine.TestCase
TestStoreInMemory.settings = settings(max_examples=100, stateful_step_count=20, deadline=None)
TestStoreOnDisk = StoreOnDiskMachine.TestCase
TestStoreOnDisk.settings = settings(
    max_examples=15, stateful_step_count=15, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
