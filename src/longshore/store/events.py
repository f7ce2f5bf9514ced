"""The log events of CloudWatch Logs, apart from the records. (In memory for now: its SQLite file comes with it.)"""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from longshore.domain.log import LogEvent


class EventLog:
    """Events by stream, in the order (timestamp, sequence)."""

    def __init__(self, path: Path | None = None) -> None:
        self._streams: dict[str, list[LogEvent]] = {}
        self._sequence = 0
        self._watchers: list[Callable[[str], None]] = []

    def append(self, stream_uid: str, events: Sequence[LogEvent], now_ms: int) -> list[LogEvent]:
        taken = []
        for event in events:
            self._sequence += 1
            taken.append(event._replace(ingested_ms=now_ms, sequence=self._sequence, stream_uid=stream_uid))
        self._streams.setdefault(stream_uid, []).extend(taken)
        for watcher in self._watchers:
            watcher(stream_uid)
        return taken

    async def durable(self) -> None: ...

    def read(
        self,
        stream_uids: Collection[str],
        *,
        start_ms: int | None = None,
        end_ms: int | None = None,
        after: tuple[int, int] | None = None,
        before: tuple[int, int] | None = None,
        limit: int = 10_000,
        reverse: bool = False,
    ) -> list[LogEvent]:
        found = [
            e
            for uid in stream_uids
            for e in self._streams.get(uid, [])
            if (start_ms is None or e.timestamp_ms >= start_ms)
            and (end_ms is None or e.timestamp_ms < end_ms)
            and (after is None or (e.timestamp_ms, e.sequence) > after)
            and (before is None or (e.timestamp_ms, e.sequence) < before)
        ]
        found.sort(key=lambda e: (e.timestamp_ms, e.sequence), reverse=reverse)
        return found[:limit]

    def watch(self, callback: Callable[[str], None]) -> Callable[[], None]:
        self._watchers.append(callback)
        return lambda: self._watchers.remove(callback)

    async def close(self) -> None: ...

    def clear(self) -> None:
        self._streams.clear()

    def trim(self, stream_uid: str, older_than_ms: int) -> None: ...
