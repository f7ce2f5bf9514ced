"""What a task's proxy says, on its way to its stream. Nobody waits: while Longshore is down, lines are lost."""

import asyncio
from pathlib import Path

from longshore.domain.clock import Clock
from longshore.domain.log import LogEvent
from longshore.domain.names.connect import ProxyLog
from longshore.domain.record import Scope
from longshore.drivers.connect.access import line
from longshore.drivers.haproxy.datagrams import Datagrams
from longshore.drivers.ports import LogSink

BATCH_S = 0.05
BUFFER_BYTES = 1 << 20


class ProxyLogs:
    """One proxy's. `socket` is where it tells."""

    def __init__(self, socket: Path, log: ProxyLog, sink: LogSink, clock: Clock) -> None:
        self._log = log
        self._sink = sink
        self._clock = clock
        self._scope = Scope(log.account, log.target.region)
        self._datagrams = Datagrams(socket, self._received, buffer_bytes=BUFFER_BYTES)
        self._pending: list[LogEvent] = []
        self._timer: asyncio.TimerHandle | None = None

    def missing(self) -> str | None:
        """Why nothing can be logged, or None."""
        return self._sink.missing(self._scope, self._log.target)

    def open(self) -> None:
        """Begin to listen; the socket's folder is there."""
        self._datagrams.open()

    def close(self) -> None:
        """Deliver what has come, and listen no more."""
        self._datagrams.close()
        self._deliver()

    def _received(self, told: bytes) -> None:
        now = self._clock.now()
        text = line(told.decode(errors="replace"), self._log.requests, now)
        self._pending.append(LogEvent(int(now * 1000), text))
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(BATCH_S, self._deliver)

    def _deliver(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        pending, self._pending = self._pending, []
        if pending:
            self._sink.write(self._scope, self._log.target, pending)
