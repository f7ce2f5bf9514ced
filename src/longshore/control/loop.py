"""The one loop that all controllers are: keys that need a look, a look at each, and when to look again. And a timer.

A key is enqueued when something about it has changed, or when its time has come. A worker reads the state anew (level,
not event), so that a key enqueued twice costs one look, and a restart is only a matter of enqueueing everything.
Two workers never look at the same key at once.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
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
    """

    def __init__(
        self, name: str, reconcile: Callable[[K], Awaitable[float | None]], clock: Clock, *, workers: int = 16
    ) -> None:
        self.name = name
        self._reconcile = reconcile
        self._clock = clock
        self._workers = workers
        self._due: deque[K] = deque()
        self._waiting: set[K] = set()
        self._running: set[K] = set()
        self._again: set[K] = set()
        self._timers: dict[K, asyncio.TimerHandle] = {}
        self._faults: dict[K, int] = {}
        self._wakeup = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.on_fault: Callable[[K, Exception], None] = lambda _key, _error: None
        """Told of every fault, beside the log."""

    def enqueue(self, key: K) -> None:
        """Have a look at a key soon."""
        if key in self._running:
            self._again.add(key)
        elif key not in self._waiting:
            self._waiting.add(key)
            self._due.append(key)
            self._wakeup.set()

    def start(self) -> None:
        """Begin to work."""
        self._tasks = [
            asyncio.create_task(self._work(), name=f"{self.name}-{number}") for number in range(self._workers)
        ]

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
        return len(self._due)

    async def _work(self) -> None:
        while True:
            while not self._due:
                self._wakeup.clear()
                await self._wakeup.wait()
            key = self._due.popleft()
            self._waiting.discard(key)
            self._running.add(key)
            try:
                await self._look(key)
            finally:
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
        except Retryable as error:
            log.warning("will try again", loop=self.name, key=str(key), reason=error.reason, after_s=error.after_s)
            self._wake_after(key, error.after_s)
        except StoreFailed as error:
            self.on_fault(key, error)
            # No fault of ours, and nothing to be done here: `main` begins anew once the disk can be written.
            log.error("nothing is written any more", loop=self.name, key=str(key), reason=str(error))  # noqa: TRY400
            self._wake_after(key, FAULT_DELAY_MAX_S)
        except Exception as error:
            self.on_fault(key, error)
            faults = self._faults[key] = self._faults.get(key, 0) + 1
            delay_s = min(FAULT_DELAY_MAX_S, FAULT_DELAY_S * 2 ** min(faults, 10))
            log.exception("fault in a control loop", loop=self.name, key=str(key), after_s=delay_s)
            self._wake_after(key, delay_s)
        else:
            self._faults.pop(key, None)
            if at is not None:
                self._wake_after(key, at - self._clock.now())

    def _wake_after(self, key: K, delay_s: float) -> None:
        running = asyncio.get_running_loop()
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
