"""What is told to the workers, many at a time: who waits for the socket goes together. Not while a reload is on."""

import asyncio
from collections.abc import Callable, Sequence

from longshore.drivers.haproxy.process import HaproxyProcess
from longshore.drivers.haproxy.runtime import RuntimeFailure
from longshore.drivers.ports import Retryable


class Commands:
    """Commands on their way to all workers of a process."""

    def __init__(self, process: HaproxyProcess) -> None:
        self.reloading = asyncio.Lock()
        """Held through a reload: a command in between would reach only a worker that is on its way out."""
        self._process = process
        self._waiting: list[tuple[Callable[[], Sequence[str]], asyncio.Future[None]]] = []
        self._flushing: asyncio.Task[None] | None = None

    async def tell(self, commands: Callable[[], Sequence[str]]) -> None:
        """Returns when they are carried out. Without a process: at once, since its start brings everything.

        What is to be said is asked for when its turn comes: a reload before that may bring other servers.
        Raises Retryable.
        """
        if not self._process.running:
            return
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((commands, done))
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._flush())
        await done

    async def _flush(self) -> None:
        while self._waiting:
            async with self.reloading:
                batch, self._waiting = self._waiting, []
                failure: Retryable | None = None
                try:
                    if self._process.running:
                        await self._process.runtime.tell([command for commands, _ in batch for command in commands()])
                except RuntimeFailure as error:
                    failure = Retryable(str(error))
            for _, done in batch:
                if done.cancelled():
                    continue
                if failure is None:
                    done.set_result(None)
                else:
                    done.set_exception(failure)
