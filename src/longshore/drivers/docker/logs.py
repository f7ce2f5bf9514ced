"""Follows what a container prints and hands it to the log sink, within a tenth of a second and nothing twice.

One LogPump per container with a log target; made and awaited by the task's runner. Reconnects by itself.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NamedTuple

import aiohttp

from longshore.domain.clock import Clock
from longshore.domain.log import LogEvent, LogTarget
from longshore.domain.record import Scope
from longshore.drivers.docker.client import DockerClient, DockerError, UnreachableError
from longshore.drivers.docker.lines import EventMaker, Frames, Piece, RecentPieces
from longshore.drivers.ports import LogSink

BATCH_S = 0.05
"""How long lines are gathered. Twice that is the longest that one waits."""
SETTLE_MS = 10
"""Lines this young wait for the next batch: those of one millisecond shall be in one batch, so that after a restart
"newer than the newest delivered" neither repeats nor loses one."""
MULTILINE_IDLE_S = 1.0
"""An event that might go on (multi-line pattern) is taken as whole when nothing came for this long."""
BATCH_LIMIT = 5000


class LogSource(NamedTuple):
    """What to follow, and where it goes."""

    container_id: str
    terminal: bool
    scope: Scope
    target: LogTarget


class LogPump:
    """One container's output on its way to the sink."""

    def __init__(
        self,
        client: DockerClient,
        sink: LogSink,
        clock: Clock,
        reachable: Callable[[], Awaitable[None]],
        source: LogSource,
    ) -> None:
        self._client = client
        self._sink = sink
        self._clock = clock
        self._reachable = reachable
        self._source = source
        self._pending: list[LogEvent] = []
        self._flusher: asyncio.TimerHandle | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._task = asyncio.create_task(self._run(), name=f"logs {source.container_id[:12]}")

    def again(self) -> None:
        """The container was started again in place: follow on from where the last run ended."""
        before = self._task

        async def follow() -> None:
            await asyncio.wait([before])
            await self._run()

        self._task = asyncio.create_task(follow(), name=f"logs {self._source.container_id[:12]}")

    async def finished(self) -> None:
        """Wait until everything that the container printed has been delivered (it must have stopped)."""
        await asyncio.wait([self._task])

    async def abandon(self) -> None:
        """Stop following. What was not delivered is read again after a restart."""
        self._task.cancel()
        await asyncio.wait([self._task])
        for timer in (self._flusher, self._idle):
            if timer is not None:
                timer.cancel()

    async def _run(self) -> None:
        while True:
            try:
                await self._follow()
            except UnreachableError:
                await self._reachable()
            except DockerError:
                return  # the container is gone, and its output with it
            else:
                return

    async def _follow(self) -> None:
        source = self._source
        after_ms = self._sink.resume_from_ms(source.scope, source.target)
        maker = EventMaker(multiline_pattern=source.target.multiline_pattern, after_ms=after_ms)
        recent = RecentPieces()
        since_ns = 0 if after_ms is None else after_ms * 1_000_000
        try:
            async for pieces in self._read(since_ns, follow=True):
                for piece in pieces:
                    recent.add(piece)
                    self._take(maker.add(piece))
                self._wait_for_more(maker)
            # A follower may miss what is printed right before the end (Docker 20.10): so read the end once more.
            async for pieces in self._read(max(since_ns, recent.since_ns), follow=False):
                for piece in pieces:
                    if not recent.had(piece):
                        self._take(maker.add(piece))
            self._take(maker.finish())
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise UnreachableError(str(error)) from error
        finally:
            self._deliver(len(self._pending))

    async def _read(self, since_ns: int, *, follow: bool) -> AsyncIterator[list[Piece]]:
        """What the container printed from then on, as it comes."""
        params: dict[str, Any] = {"follow": follow, "stdout": True, "stderr": True, "timestamps": True}
        if since_ns:
            params["since"] = f"{since_ns // 1_000_000_000}.{since_ns % 1_000_000_000:09d}"
        frames = Frames(terminal=self._source.terminal)
        path = f"/containers/{self._source.container_id}/logs"
        async with self._client.stream("GET", path, params=params) as response:
            async for data in response.content.iter_any():
                yield frames.feed(data)
        yield frames.rest()

    def _wait_for_more(self, maker: EventMaker) -> None:
        if self._source.target.multiline_pattern:
            if self._idle is not None:
                self._idle.cancel()
            self._idle = asyncio.get_running_loop().call_later(
                MULTILINE_IDLE_S, lambda: self._take(maker.close_event())
            )

    def _take(self, events: list[LogEvent]) -> None:
        self._pending += events
        if len(self._pending) >= BATCH_LIMIT:
            self._flush()
        elif self._pending and self._flusher is None:
            self._flusher = asyncio.get_running_loop().call_later(BATCH_S, self._flush)

    def _flush(self) -> None:
        """Deliver what is old enough; what is left goes with the next batch."""
        if self._flusher is not None:
            self._flusher.cancel()
            self._flusher = None
        settled = int(self._clock.now() * 1000) - SETTLE_MS
        count = len(self._pending)
        while count and self._pending[count - 1].timestamp_ms > settled and len(self._pending) < 2 * BATCH_LIMIT:
            count -= 1
        young = len(self._pending) - count
        self._deliver(count)
        if young:
            # Delivered next time whatever the clock says: a clock set back must not hold lines.
            loop = asyncio.get_running_loop()
            self._flusher = loop.call_later(BATCH_S, self._flush_all, young)

    def _flush_all(self, young: int) -> None:
        self._flusher = None
        self._deliver(min(young, len(self._pending)))
        self._take([])

    def _deliver(self, count: int) -> None:
        batch, self._pending = self._pending[:count], self._pending[count:]
        if batch:
            self._sink.write(self._source.scope, self._source.target, batch)
