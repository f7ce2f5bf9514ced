"""The one loop that all controllers are: keys that need a look, a look at each, and when to look again. And a timer.

A key is enqueued when something about it has changed, or when its time has come. A worker reads the state anew (level,
not event), so that a key enqueued twice costs one look, and a restart is only a matter of enqueueing everything.
Keys that come in numbers can be gathered instead: all that wait are looked at together, in one transaction, say.
Two workers never look at the same key at once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Hashable, Mapping
from typing import Generic, TypeVar

import structlog

from longshore.domain.clock import Clock
from longshore.drivers.ports import Retryable
from longshore.store.errors import StoreFailed

K = TypeVar("K", bound=Hashable)
log = structlog.get_logger(__name__)

FAULT_DELAY_S = 0.5
FAULT_DELAY_MAX_S = 30.0


class Loop(Generic[K]):
    """Keys of one kind, kept true by one function.

    `reconcile(key)` returns the time (epoch seconds) at which to look at the key again although nothing changed, or
    None. When it raises Retryable the key is tried again after the time that it names; any other exception but
    StoreFailed is a fault of ours: it is logged with its traceback and the key tried again, ever more slowly.
    `together(keys)` does the same for keys that were gathered; it returns what each would have raised by itself.
    """

    def __init__(
        self,
        name: str,
        reconcile: Callable[[K], Awaitable[float | None]],
        clock: Clock,
        *,
        workers: int = 16,
        together: Callable[[Collection[K]], Awaitable[Mapping[K, Exception]]] | None = None,
    ) -> None:
        self.name = name
        self._reconcile = reconcile
        self._together = together
        self._clock = clock
        self._workers = workers
        self._due: asyncio.Queue[K] = asyncio.Queue()
        self._gathered: list[K] = []
        self._any_gathered = asyncio.Event()
        self._waiting: set[K] = set()
        self._running: set[K] = set()
        self._again: set[K] = set()
        self._timers: dict[K, asyncio.TimerHandle] = {}
        self._faults: dict[K, int] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self.on_fault: Callable[[K, Exception], None] = lambda _key, _error: None
        """Told of every fault, beside the log."""

    def enqueue(self, key: K) -> None:
        """Have a look at a key soon."""
        if key in self._running:
            self._again.add(key)
        elif key not in self._waiting:
            self._waiting.add(key)
            self._due.put_nowait(key)

    def gather(self, key: K) -> None:
        """Have a look at a key soon, together with all others that wait for that."""
        if key in self._running:
            self._again.add(key)
        elif key not in self._waiting:
            self._waiting.add(key)
            self._gathered.append(key)
            self._any_gathered.set()

    def start(self) -> None:
        """Begin to work."""
        self._tasks = [
            asyncio.create_task(self._work(), name=f"{self.name}-{number}") for number in range(self._workers)
        ]
        if self._together is not None:
            self._tasks.append(asyncio.create_task(self._work_together(self._together), name=f"{self.name}-together"))

    async def stop(self) -> None:
        """End all work. A look that is under way is cancelled: whatever it did not do is seen at the next start."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    @property
    def depth(self) -> int:
        """How many keys wait for a look."""
        return len(self._waiting)

    async def _work(self) -> None:
        while True:
            key = await self._due.get()
            self._waiting.discard(key)
            self._running.add(key)
            try:
                await self._look(key)
            finally:
                self._looked(key)
            await asyncio.sleep(0)  # a look that waited for nothing: others have their turn, a request say

    async def _work_together(self, together: Callable[[Collection[K]], Awaitable[Mapping[K, Exception]]]) -> None:
        while True:
            await self._any_gathered.wait()
            self._any_gathered.clear()
            keys, self._gathered = self._gathered, []
            self._waiting.difference_update(keys)
            self._running.update(keys)
            try:
                for key, error in (await together(keys)).items():
                    self._failed(key, error)
            except Exception as error:  # noqa: BLE001  told of each
                for key in keys:
                    self._failed(key, error)
            finally:
                for key in keys:
                    self._looked(key)

    def _looked(self, key: K) -> None:
        self._running.discard(key)
        if key in self._again:
            self._again.discard(key)
            self.enqueue(key)

    async def _look(self, key: K) -> None:
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()
        try:
            at = await self._reconcile(key)
        except Exception as error:  # noqa: BLE001  told by kind
            self._failed(key, error)
        else:
            self._faults.pop(key, None)
            if at is not None:
                self._wake_after(key, at - self._clock.now())

    def _failed(self, key: K, error: Exception) -> None:
        """Tell of it, and have the key looked at again, by itself."""
        if isinstance(error, Retryable):
            log.warning("will try again", loop=self.name, key=str(key), reason=error.reason, after_s=error.after_s)
            self._wake_after(key, error.after_s)
            return
        self.on_fault(key, error)
        if isinstance(error, StoreFailed):
            # No fault of ours, and nothing to be done here: `main` begins anew once the disk can be written.
            log.error("nothing is written any more", loop=self.name, key=str(key), reason=str(error))
            self._wake_after(key, FAULT_DELAY_MAX_S)
            return
        faults = self._faults[key] = self._faults.get(key, 0) + 1
        delay_s = min(FAULT_DELAY_MAX_S, FAULT_DELAY_S * 2 ** min(faults, 10))
        log.error("fault in a control loop", loop=self.name, key=str(key), after_s=delay_s, exc_info=error)
        self._wake_after(key, delay_s)

    def _wake_after(self, key: K, delay_s: float) -> None:
        running = asyncio.get_running_loop()
        earlier = self._timers.pop(key, None)
        if earlier is not None:
            earlier.cancel()
        self._timers[key] = running.call_later(max(0.0, delay_s), self._wake, key)

    def _wake(self, key: K) -> None:
        self._timers.pop(key, None)
        self.enqueue(key)


class Timer:
    """Does one thing at once and then every so often: for housekeeping that is never urgent."""

    def __init__(self, name: str, act: Callable[[], Awaitable[None]], every_s: float) -> None:
        self._name = name
        self._act = act
        self._every_s = every_s
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run(), name=self._name)

    async def stop(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                await self._act()
            except Exception:
                log.exception("fault in a timer", timer=self._name)
            await asyncio.sleep(self._every_s)
