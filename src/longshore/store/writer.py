"""One thread that writes what the event loop hands it, many things in one group commit.

Used by the journal and the event log. It knows no SQL: `commit` does that, on the thread. After a failed commit the
writer takes nothing more; what it had said to be done stays done.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from longshore.store.errors import StoreFailed

T = TypeVar("T")

GROUP_ITEMS = 5000
"""At most this many items in one group, so that no waiter waits for all of a large burst."""


class Writer(Generic[T]):
    """Items in, in rising numbers; `done` follows. All methods are for the event loop's thread."""

    def __init__(
        self,
        name: str,
        commit: Callable[[list[T]], None],
        describe: Callable[[Exception], str],
        *,
        done: int = 0,
        linger_s: float = 0.0,
    ) -> None:
        """`linger_s` is how long items may wait for company while nobody waits for them."""
        self.done = done
        self.failed: StoreFailed | None = None
        self._commit = commit
        self._describe = describe
        self._linger_s = linger_s
        self._queue: list[tuple[int, T]] = []
        self._waiters: list[tuple[int, asyncio.Future[None]]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def put(self, number: int, item: T) -> None:
        """Queue an item; raises StoreFailed once a commit has failed."""
        with self._changed:
            if self.failed is not None:
                raise StoreFailed(*self.failed.args)
            if self._closing:
                raise StoreFailed("The store is closed.")
            self._queue.append((number, item))
            if len(self._queue) == 1 or len(self._queue) == GROUP_ITEMS:
                self._changed.notify()

    async def durable(self, number: int) -> None:
        """Return once everything up to this number is committed; raise StoreFailed if it never will be."""
        if number <= self.done:
            return
        loop = asyncio.get_running_loop()
        with self._changed:
            if number <= self.done:
                return
            if self.failed is not None:
                raise StoreFailed(*self.failed.args)
            future = loop.create_future()
            self._loop = loop
            self._waiters.append((number, future))
            if len(self._waiters) == 1:
                self._changed.notify()
        await future

    async def close(self) -> None:
        """Commit what is queued, and end the thread."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        await asyncio.to_thread(self._thread.join)

    def _next(self) -> list[tuple[int, T]]:
        """The next group, once there is one; nothing at the end."""
        with self._changed:
            while not self._queue and not self._closing:
                self._changed.wait()
            until = time.monotonic() + self._linger_s
            while not (self._waiters or self._closing or len(self._queue) >= GROUP_ITEMS):
                left_s = until - time.monotonic()
                if left_s <= 0:
                    break
                self._changed.wait(left_s)
            group = self._queue[:GROUP_ITEMS]
            del self._queue[:GROUP_ITEMS]
            return group

    def _run(self) -> None:
        while group := self._next():
            failure: StoreFailed | None = None
            try:
                self._commit([item for _, item in group])
            except Exception as error:  # noqa: BLE001 - whatever it is, the waiters must hear of it
                failure = StoreFailed(self._describe(error))
            with self._changed:
                if failure is None:
                    self.done = group[-1][0]
                else:
                    self.failed = failure
                    self._queue.clear()
                if self._waiters and self._loop is not None and not self._loop.is_closed():
                    # One call for the whole group: waking the loop is a system call.
                    self._loop.call_soon_threadsafe(self._wake)
            if failure is not None:
                return

    def _wake(self) -> None:
        with self._changed:
            due = [
                (number, future) for number, future in self._waiters if number <= self.done or self.failed is not None
            ]
            self._waiters = [] if self.failed else [w for w in self._waiters if w[0] > self.done]
        for number, future in due:
            if future.done():  # its caller was cancelled
                continue
            if number <= self.done:
                future.set_result(None)
            elif self.failed is not None:
                future.set_exception(StoreFailed(*self.failed.args))
