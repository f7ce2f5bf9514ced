"""Puts what containers print into CloudWatch Logs: the `LogSink` of the engines, on the store and the event log.

Engines call it from the event loop's thread, never inside a transaction. A group belongs to the task's account and to
the region that its `awslogs-region` names.
"""

from collections.abc import Sequence

from longshore.domain.clock import Clock, Ids
from longshore.domain.log import LogEvent, LogGroup, LogStream, LogTarget
from longshore.domain.record import Key, Scope
from longshore.store.events import EventLog
from longshore.store.store import Store

NO_GROUP = "The specified log group does not exist."


class StoreLogSink:
    """One for all engines."""

    def __init__(self, store: Store, events: EventLog, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._events = events
        self._clock = clock
        self._ids = ids

    def write(self, scope: Scope, target: LogTarget, events: Sequence[LogEvent]) -> None:
        """Append to the stream, which is made when it is first written to."""
        if not events:
            return
        now = self._clock.now()
        self._events.append(self._stream(scope, target, now).uid, events, int(now * 1000))

    def resume_from_ms(self, scope: Scope, target: LogTarget) -> int | None:
        """The newest timestamp of the stream."""
        stream = self._store.get(LogStream, _key(scope, target))
        return None if stream is None else self._events.bounds(stream.uid).last_ms

    def missing(self, scope: Scope, target: LogTarget) -> str | None:
        """Why nothing can be written there."""
        if target.create_group or self._store.get(LogGroup, _key(scope, target)[:3]):
            return None
        return NO_GROUP

    async def durable(self) -> None:
        """Streams and events."""
        await self._store.durable()
        await self._events.durable()

    def _stream(self, scope: Scope, target: LogTarget, now: float) -> LogStream:
        key = _key(scope, target)
        found = self._store.get(LogStream, key)
        if found is not None:
            return found
        account, region, group, name = key
        uid = self._ids.hex(16)
        stream = LogStream(account=account, region=region, group=group, name=name, uid=uid, created_at=now)
        with self._store.transaction() as tx:
            if tx.get(LogGroup, key[:3]) is None:
                # Deleted while the task runs, or awslogs-create-group: either way the lines must not be lost.
                tx.put(LogGroup(account=account, region=region, name=group, created_at=now))
            tx.put(stream)
        return stream


def _key(scope: Scope, target: LogTarget) -> Key:
    return (scope.account, target.region, target.group, target.stream)
