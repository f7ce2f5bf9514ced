"""The loop that all controllers are: one look at a key at a time, and keys that are looked at together."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from longshore.control.loop import Loop
from longshore.drivers.ports import Retryable
from longshore.system import SystemClock

if TYPE_CHECKING:
    from collections.abc import Collection


class Looks:
    """What a loop did: its looks at single keys, and at keys together."""

    def __init__(self) -> None:
        self.single: list[str] = []
        self.batches: list[list[str]] = []
        self.now: Counter[str] = Counter()
        self.failures: dict[str, Exception] = {}
        self.pause = asyncio.Event()
        self.pause.set()
        self.loop: Loop[str] = Loop("test", self._one, SystemClock(), workers=3, together=self._many)
        self.faults: list[str] = []
        self.loop.on_fault = lambda key, _error: self.faults.append(key)

    async def _one(self, key: str) -> None:
        self._begin(key)
        await self.pause.wait()
        self.now[key] -= 1
        self.single.append(key)

    async def _many(self, keys: Collection[str]) -> dict[str, Exception]:
        for key in keys:
            self._begin(key)
        await self.pause.wait()
        for key in keys:
            self.now[key] -= 1
        self.batches.append(list(keys))
        failures, self.failures = self.failures, {}
        return failures

    def _begin(self, key: str) -> None:
        assert not self.now[key], f"{key} is looked at twice at once"
        self.now[key] += 1

    async def until(self, looks: int) -> None:
        """So many looks of either kind are over."""
        async with asyncio.timeout(20):
            while len(self.single) + len(self.batches) < looks:  # noqa: ASYNC110  a test may poll
                await asyncio.sleep(0.001)


async def test_keys_that_wait_are_looked_at_together_and_those_that_come_meanwhile_next() -> None:
    looks = Looks()
    looks.pause.clear()
    for key in "ab":
        looks.loop.gather(key)
    looks.loop.start()
    await asyncio.sleep(0)
    for key in "cdc":
        looks.loop.gather(key)
    looks.pause.set()
    await looks.until(2)
    assert looks.batches == [["a", "b"], ["c", "d"]]
    await looks.loop.stop()


async def test_a_key_is_never_looked_at_by_itself_and_with_others_at_once() -> None:
    looks = Looks()
    looks.loop.start()
    looks.pause.clear()
    looks.loop.gather("a")
    await asyncio.sleep(0.01)
    looks.loop.enqueue("a")
    looks.loop.gather("a")
    looks.loop.enqueue("b")
    await asyncio.sleep(0.01)
    looks.pause.set()
    await looks.until(3)
    assert looks.batches == [["a"]]
    assert sorted(looks.single) == ["a", "b"]
    await looks.loop.stop()


async def test_a_key_that_fails_among_others_is_tried_again_by_itself() -> None:
    looks = Looks()
    looks.failures = {"b": Retryable("not now", after_s=0.01)}
    for key in "abc":
        looks.loop.gather(key)
    looks.loop.start()
    await looks.until(2)
    assert looks.batches == [["a", "b", "c"]]
    assert looks.single == ["b"]
    assert not looks.faults
    await looks.loop.stop()


async def test_a_fault_of_all_is_told_of_each() -> None:
    looks = Looks()
    looks.loop.gather("a")
    looks.loop.gather("a")
    looks.loop.gather("b")
    looks.now["b"] = 1  # as if it were looked at already: the look raises
    looks.loop.start()
    async with asyncio.timeout(20):
        while len(looks.faults) < 2:  # noqa: ASYNC110  as above
            await asyncio.sleep(0.001)
    assert looks.faults == ["a", "b"]
    await looks.loop.stop()
