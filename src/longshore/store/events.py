"""The log events of CloudWatch Logs, apart from the records: many, small, never changed, dropped when old.

Called by `api/logs` and by whoever writes containers' output, from the event loop's thread. Appends go to a file
through a writer thread and are kept in memory, readable at once, until they are there; without a path memory is all
there is.
"""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from longshore.domain.log import LogEvent
from longshore.store.errors import StoreFailed
from longshore.store.events_file import EventFile, Position, Span, StreamRow, Taken, Write

GIB = 1 << 30
EVENT_BYTES = 26
"""What CloudWatch Logs counts for each event beside its message."""
_FAR = 1 << 62
"""Beyond every time and sequence; SQLite's integers end a little further."""


class Bounds(NamedTuple):
    """What DescribeLogStreams tells of a stream; None where it has no event."""

    first_ms: int | None
    last_ms: int | None
    last_ingested_ms: int | None
    stored_bytes: int


class _Stream:
    """A stream's sums, and its events that are not in the file yet, in order."""

    __slots__ = ("count", "first_ms", "first_stale", "floor", "ingested_ms", "last_ms", "number", "size", "tail", "uid")

    def __init__(self, number: int, uid: str) -> None:
        self.number = number
        self.uid = uid
        self.first_ms = _FAR
        self.first_stale = False
        self.last_ms = -_FAR
        self.ingested_ms = 0
        self.size = 0
        self.count = 0
        self.tail: list[LogEvent] = []
        self.floor: tuple[int, int] | None = None
        """Until the writer has done this step, events older than this time are still in the file: (step, time)."""

    def row(self) -> StreamRow:
        return StreamRow(self.number, self.uid, self.first_ms, self.last_ms, self.ingested_ms, self.size, self.count)

    def filed_within(self, span: Span) -> Span:
        return span if self.floor is None else span._replace(low=max(span.low, (self.floor[1], 0)))

    def tail_within(self, span: Span) -> list[LogEvent]:
        begin = bisect_left(self.tail, span.low, key=_position)
        return self.tail[begin : bisect_left(self.tail, span.high, lo=begin, key=_position)]

    def lose(self, count: int, size: int) -> None:
        """Take away events that are gone."""
        self.count -= count
        self.size -= size
        self.first_stale = True
        if not self.count:
            self.first_ms, self.last_ms, self.first_stale = _FAR, -_FAR, False


class EventLog:
    """Events by stream uid, ordered by `(timestamp_ms, sequence)`."""

    def __init__(self, path: Path | None = None, *, limit_bytes: int | None = None) -> None:
        """Over `limit_bytes` (1 GiB on disk, 64 MiB in memory) the events taken in first go.

        Raises StoreRefused for a file that cannot be used.
        """
        self._limit = limit_bytes or (GIB if path else GIB // 16)
        self._file = EventFile(path) if path else None
        self._streams: dict[str, _Stream] = {}
        self._numbers: dict[int, _Stream] = {}
        self._watchers: dict[object, Callable[[str], None]] = {}
        self._sequence = self._flushed = self._cut = 0
        self._step = self._settled = 0
        self._unsettled: dict[int, _Stream] = {}
        """Streams with events or deletions that were not in the file when last looked, by number."""
        self._appended: deque[tuple[int, int]] = deque()
        """`(step, last sequence)` of the appends that were not in the file when last looked."""
        self._order: deque[LogEvent] = deque()
        """Without a file: all events as they came."""
        if self._file is not None:
            rows, self._sequence = self._file.load()
            self._flushed = self._sequence
            for row in rows:
                self._restore(row)
        self._last_number = max(self._numbers, default=0)
        self._size = sum(stream.size for stream in self._streams.values())

    def _restore(self, row: StreamRow) -> None:
        stream = self._streams[row.uid] = self._numbers[row.number] = _Stream(row.number, row.uid)
        stream.first_ms, stream.last_ms, stream.ingested_ms = row.first_ms, row.last_ms, row.ingested_ms
        stream.size, stream.count = row.stored_bytes, row.events
        stream.first_stale = stream.count > 0

    def append(self, stream_uid: str, events: Sequence[LogEvent], now_ms: int) -> list[LogEvent]:
        """Take events in, numbered in their order; readable at once, safe after `durable`.

        Raises StoreFailed once the file could not be written, ValueError for a time no calendar has.
        """
        if not events:
            return []
        taken, rows, size = [], [], 0
        stream = self._streams.get(stream_uid)
        number = self._last_number + 1 if stream is None else stream.number
        for sequence, event in enumerate(events, self._sequence + 1):
            if not -_FAR < event.timestamp_ms < _FAR:
                raise ValueError(f"An event's time is out of range: {event.timestamp_ms}.")
            encoded = event.message.encode(errors="replace")  # half a surrogate pair is no text; the rest is kept
            message = event.message if event.message.isascii() else encoded.decode()
            size += len(encoded) + EVENT_BYTES
            taken.append(LogEvent(event.timestamp_ms, message, now_ms, sequence, stream_uid))
            rows.append((sequence, number, event.timestamp_ms, now_ms, message, len(encoded) + EVENT_BYTES))
        changed = _Stream(number, stream_uid) if stream is None else stream
        times = [event.timestamp_ms for event in taken]
        after = changed.row()._replace(
            first_ms=min(changed.first_ms, *times),
            last_ms=max(changed.last_ms, *times),
            ingested_ms=now_ms,
            stored_bytes=changed.size + size,
            events=changed.count + len(taken),
        )
        self._write(Write(streams=[after], events=rows, sequence=taken[-1].sequence))
        self._take(changed, after, taken)
        for watcher in list(self._watchers.values()):
            watcher(stream_uid)
        return taken

    def _take(self, stream: _Stream, after: StreamRow, taken: list[LogEvent]) -> None:
        """Change memory, now that nothing can fail any more."""
        self._sequence = taken[-1].sequence
        self._last_number = max(self._last_number, stream.number)
        self._size += after.stored_bytes - stream.size
        self._streams[stream.uid] = self._numbers[stream.number] = stream
        stream.first_ms, stream.last_ms, stream.ingested_ms = after.first_ms, after.last_ms, after.ingested_ms
        stream.size, stream.count = after.stored_bytes, after.events
        for event in taken:
            if not stream.tail or _position(stream.tail[-1]) < _position(event):
                stream.tail.append(event)
            else:
                insort(stream.tail, event, key=_position)
        if self._file is None:
            self._order.extend(taken)
        else:
            self._appended.append((self._step, self._sequence))
            self._unsettled[stream.number] = stream
        self._settle()
        if self._size > self._limit:
            self._make_room()

    async def durable(self) -> None:
        """Return once everything done so far is on disk; raise StoreFailed if it never will be."""
        if self._file is not None:
            await self._file.writer.durable(self._step)

    @property
    def failed(self) -> StoreFailed | None:
        """Why the file can no longer be written, once that is so."""
        return self._file.writer.failed if self._file is not None else None

    def read(
        self,
        stream_uids: Collection[str],
        *,
        start_ms: int | None = None,
        end_ms: int | None = None,
        after: Position | None = None,
        before: Position | None = None,
        limit: int = 10_000,
        reverse: bool = False,
    ) -> list[LogEvent]:
        """Events of these streams, merged: from `start_ms` on, before `end_ms`, between `after` and `before`.

        The first `limit` in order, or with `reverse` the last ones, newest first.
        """
        self._settle()
        low = max((-_FAR if start_ms is None else start_ms, 0), (-_FAR, 0))
        high = min((_FAR if end_ms is None else end_ms, 0), (_FAR, 0))
        if after is not None:
            low = max(low, (after[0], after[1] + 1))
        if before is not None:
            high = min(high, before)
        streams = [self._streams[uid] for uid in set(stream_uids) if uid in self._streams]
        return self._merge(streams, Span(low, high), limit, reverse=reverse)

    def _merge(self, streams: list[_Stream], span: Span, limit: int, *, reverse: bool) -> list[LogEvent]:
        """Nearest streams first, so that those that begin behind the last event wanted are not read at all."""
        streams = [s for s in streams if s.count and s.first_ms <= span.high[0] and s.last_ms >= span.low[0]]
        streams.sort(key=lambda s: (-s.last_ms if reverse else s.first_ms, s.number))
        found: list[LogEvent] = []
        for stream in streams:
            if len(found) >= limit:
                last = found[-1].timestamp_ms
                if stream.last_ms < last if reverse else stream.first_ms > last:
                    break
            more = self._of(stream, span, limit, reverse=reverse)
            found = sorted([*found, *more], key=_position, reverse=reverse)[:limit] if found else more
        return found

    def _of(self, stream: _Stream, span: Span, limit: int, *, reverse: bool) -> list[LogEvent]:
        """The first or last events of one stream within a span: those in the file and those not yet there."""
        tail = stream.tail_within(span)
        if reverse:
            tail.reverse()
        if self._file is None:
            return tail[:limit]
        filed = self._file.read(
            stream.number, stream.filed_within(span), Taken(self._cut, self._flushed), limit, reverse=reverse
        )
        found = [event._replace(stream_uid=stream.uid) for event in filed]
        if tail:
            found = sorted(found + tail, key=_position, reverse=reverse)
        return found[:limit]

    def bounds(self, stream_uid: str) -> Bounds:
        """A stream's times and bytes, without reading it."""
        self._settle()
        stream = self._streams.get(stream_uid)
        if stream is None:
            return Bounds(None, None, None, 0)
        if stream.first_stale:
            first = self._of(stream, _ALL, 1, reverse=False)
            last = self._of(stream, _ALL, 1, reverse=True)
            stream.first_ms, stream.last_ms = first[0].timestamp_ms, last[0].timestamp_ms
            stream.first_stale = False
        empty = not stream.count
        return Bounds(
            None if empty else stream.first_ms,
            None if empty else stream.last_ms,
            stream.ingested_ms or None,
            stream.size,
        )

    def delete(self, stream_uids: Iterable[str]) -> None:
        """Forget streams with all their events."""
        streams = [self._streams[uid] for uid in set(stream_uids) if uid in self._streams]
        if not streams:
            return
        self._write(Write(gone=[stream.number for stream in streams], sequence=self._sequence))
        for stream in streams:
            del self._streams[stream.uid], self._numbers[stream.number]
            self._unsettled.pop(stream.number, None)
            self._size -= stream.size
            stream.count = 0
        if self._file is None:
            self._order = deque(event for event in self._order if event.stream_uid in self._streams)

    def clear(self) -> None:
        """Forget everything."""
        self.delete(list(self._streams))

    def trim(self, stream_uid: str, older_than_ms: int) -> None:
        """Drop a stream's events from before a time. Costs nothing where there are none."""
        self._settle()
        stream = self._streams.get(stream_uid)
        older_than_ms = max(-_FAR, min(older_than_ms, _FAR))
        if stream is None or stream.first_ms >= older_than_ms:
            return
        span = Span((-_FAR, 0), (older_than_ms, 0))
        old = stream.tail_within(span)
        count, size = len(old), sum(map(_size, old))
        if older_than_ms > stream.last_ms:
            count, size = stream.count, stream.size
        elif self._file is not None:
            filed_count, filed_size = self._file.sums(
                stream.number, stream.filed_within(span), Taken(self._cut, self._flushed)
            )
            count, size = count + filed_count, size + filed_size
        if count:
            self._drop(stream, older_than_ms, count, size)

    def _drop(self, stream: _Stream, older_than_ms: int, count: int, size: int) -> None:
        after = stream.row()._replace(stored_bytes=stream.size - size, events=stream.count - count)
        if not after.events:
            after = after._replace(first_ms=_FAR, last_ms=-_FAR)
        self._write(Write(streams=[after], trim=(stream.number, older_than_ms), sequence=self._sequence))
        stream.tail = [event for event in stream.tail if event.timestamp_ms >= older_than_ms]
        stream.lose(count, size)
        self._size -= size
        if self._file is None:
            uid = stream.uid
            self._order = deque(e for e in self._order if e.stream_uid != uid or e.timestamp_ms >= older_than_ms)
        else:
            stream.floor = (self._step, older_than_ms)
            self._unsettled[stream.number] = stream

    def _make_room(self) -> None:
        """Drop what was taken in first: the excess and a little more, so that it is not done for each event."""
        excess = self._size - self._limit + min(self._limit // 20, 1 << 18)
        lost: dict[int, tuple[int, int]] = {}
        cut = 0
        for sequence, number, size in self._oldest():
            count, total = lost.get(number, (0, 0))
            lost[number] = (count + 1, total + size)
            cut, excess = sequence, excess - size
            if excess <= 0:
                break
        if not cut:
            return
        streams = [(self._numbers[number], *sums) for number, sums in lost.items()]
        rows = [
            stream.row()._replace(stored_bytes=stream.size - size, events=stream.count - count)
            for stream, count, size in streams
        ]
        self._write(Write(streams=rows, cut=cut, sequence=self._sequence))
        self._cut = cut
        for stream, count, size in streams:
            stream.lose(count, size)
            self._size -= size
            if self._file is None:
                stream.tail = [event for event in stream.tail if event.sequence > cut]
        while self._order and self._order[0].sequence <= cut:
            self._order.popleft()

    def _oldest(self) -> Iterable[tuple[int, int, int]]:
        if self._file is None:
            return ((e.sequence, self._streams[e.stream_uid].number, _size(e)) for e in self._order)
        if any(stream.floor for stream in self._unsettled.values()):
            return ()  # the file still has events that count as gone; the next append will see to it
        oldest = self._file.oldest(Taken(self._cut, self._flushed))
        return (row for row in oldest if row[1] in self._numbers)

    def _write(self, writes: Write) -> None:
        if self._file is not None:
            self._file.writer.put(self._step + 1, writes)
            self._step += 1

    def _settle(self) -> None:
        """See how far the writer has come, and let go of what is in the file by now."""
        if self._file is None:
            return
        done = self._file.writer.done
        if done == self._settled:
            return
        self._settled = done
        while self._appended and self._appended[0][0] <= done:
            self._flushed = self._appended.popleft()[1]
        for number, stream in list(self._unsettled.items()):
            stream.tail = [event for event in stream.tail if event.sequence > self._flushed]
            if stream.floor is not None and stream.floor[0] <= done:
                stream.floor = None
            if not stream.tail and stream.floor is None:
                del self._unsettled[number]

    def watch(self, callback: Callable[[str], None]) -> Callable[[], None]:
        """Call back with the uid of each stream that grew; the callback may only enqueue. Returns unsubscribe."""
        token = object()
        self._watchers[token] = callback

        def unsubscribe() -> None:
            self._watchers.pop(token, None)

        return unsubscribe

    async def close(self) -> None:
        """Write what is left, and let go of the file."""
        if self._file is not None:
            await self._file.close()


_ALL = Span((-_FAR, 0), (_FAR, 0))


def _position(event: LogEvent) -> Position:
    return (event.timestamp_ms, event.sequence)


def _size(event: LogEvent) -> int:
    return len(event.message.encode()) + EVENT_BYTES
