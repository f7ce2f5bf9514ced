"""From the bytes of Docker's log stream to log events: frames, timestamps, long lines, multi-line events. Pure.

Called by logs.py, which holds the connection.
"""

import re
from collections import Counter, deque
from datetime import UTC, datetime
from typing import NamedTuple

from longshore.domain.log import LogEvent

EVENT_LIMIT = 256 * 1024
"""CloudWatch Logs' size of one event; a longer line goes on in the next."""
PIECE = 16 * 1024
"""Docker cuts what a container prints into pieces of this size, each with a timestamp."""
STAMP = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z ")
STAMP_LENGTH = 31


class Piece(NamedTuple):
    """What Docker took down in one go: a line, or a part of one."""

    source: int
    """1 is stdout, 2 stderr: their parts of lines must not be mixed."""
    timestamp_ns: int
    content: bytes
    complete: bool
    """Whether the line ends here."""


class Frames:
    """Cuts the stream into pieces. With a terminal there are no frames, only lines."""

    def __init__(self, *, terminal: bool) -> None:
        self._terminal = terminal
        self._buffer = b""

    def feed(self, data: bytes) -> list[Piece]:
        """The pieces that are whole now."""
        self._buffer += data
        return self._lines() if self._terminal else self._framed()

    def _framed(self) -> list[Piece]:
        pieces: list[Piece] = []
        at = 0
        while len(self._buffer) - at >= 8:
            size = int.from_bytes(self._buffer[at + 4 : at + 8], "big")
            if len(self._buffer) - at - 8 < size:
                break
            pieces.append(_piece(self._buffer[at], self._buffer[at + 8 : at + 8 + size]))
            at += 8 + size
        self._buffer = self._buffer[at:]
        return pieces

    def _lines(self) -> list[Piece]:
        pieces: list[Piece] = []
        while self._buffer:
            end = self._buffer.find(b"\n", 0, STAMP_LENGTH + PIECE + 1)
            cut = STAMP_LENGTH + PIECE
            if end >= 0:
                cut = end + 1
            elif len(self._buffer) < cut + STAMP_LENGTH or not STAMP.match(self._buffer, cut):
                break
            pieces.append(_piece(1, self._buffer[:cut]))
            self._buffer = self._buffer[cut:]
        return pieces

    def rest(self) -> list[Piece]:
        """What is left at the stream's end."""
        rest, self._buffer = self._buffer, b""
        return [_piece(1, rest)] if self._terminal and rest else []


def _piece(source: int, data: bytes) -> Piece:
    stamp, _, content = data.partition(b" ")
    complete = content.endswith(b"\n")
    return Piece(source, nanoseconds(stamp.decode("ascii", "replace")), content[:-1] if complete else content, complete)


def nanoseconds(stamp: str) -> int:
    """`2026-01-02T03:04:05.123456789Z` since the epoch; 0 if it isn't a timestamp."""
    try:
        moment = datetime.strptime(stamp[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
        fraction = stamp[20:].rstrip("Z")
        return int(moment.timestamp()) * 1_000_000_000 + int(fraction.ljust(9, "0")[:9] or 0)
    except ValueError:
        return 0


class RecentPieces:
    """The last pieces of a stream, to tell in a second reading of its end which ones are new.

    Counted, not just known: the parts of a long line share a timestamp.
    """

    def __init__(self, size: int = 256) -> None:
        self._pieces: deque[tuple[int, int]] = deque(maxlen=size)
        self._left: Counter[tuple[int, int]] | None = None

    def add(self, piece: Piece) -> None:
        """A piece of the first reading."""
        self._pieces.append((piece.timestamp_ns, piece.source))

    @property
    def since_ns(self) -> int:
        """Where the second reading begins."""
        return self._pieces[0][0] if self._pieces else 0

    def had(self, piece: Piece) -> bool:
        """Whether this piece of the second reading was in the first."""
        if self._left is None:
            self._left = Counter(self._pieces)
        forgotten = len(self._pieces) == self._pieces.maxlen and piece.timestamp_ns <= self.since_ns
        key = (piece.timestamp_ns, piece.source)
        known = self._left[key] > 0
        self._left[key] -= 1
        return known or forgotten


class EventMaker:
    """Joins pieces to lines, and lines to events where a pattern says how an event begins.

    `after_ms` leaves out what was delivered before a restart: events up to and including that millisecond. With a
    pattern also the lines after it that belong to the last of those events.
    """

    def __init__(self, *, multiline_pattern: str = "", after_ms: int | None = None) -> None:
        self._pattern = re.compile(multiline_pattern) if multiline_pattern else None
        self._after_ms = after_ms
        self._skip_until_match = after_ms is not None and self._pattern is not None
        self._parts: dict[int, tuple[int, bytes]] = {}
        self._open: tuple[int, str] | None = None

    def add(self, piece: Piece) -> list[LogEvent]:
        """The events that are whole now."""
        began, content = self._parts.pop(piece.source, (piece.timestamp_ns, b""))
        content += piece.content
        if not piece.complete and len(content) < EVENT_LIMIT:
            self._parts[piece.source] = (began, content)
            return []
        events: list[LogEvent] = []
        while len(content) > EVENT_LIMIT:
            cut = _character_boundary(content, EVENT_LIMIT)
            events += self._line(began, content[:cut])
            content = content[cut:]
        if piece.complete:
            return events + self._line(began, content)
        if content:
            self._parts[piece.source] = (began, content)
        return events

    def _line(self, timestamp_ns: int, content: bytes) -> list[LogEvent]:
        timestamp_ms = timestamp_ns // 1_000_000
        if self._after_ms is not None and timestamp_ms <= self._after_ms:
            return []
        text = content.decode("utf-8", "replace").rstrip("\r")
        if self._pattern is None:
            return [LogEvent(timestamp_ms, text)]
        begins = self._pattern.search(text) is not None
        if self._skip_until_match and not begins:
            return []
        self._skip_until_match = False
        if self._open is None:
            self._open = (timestamp_ms, text)
            return []
        if not begins and len(self._open[1]) + 1 + len(text) <= EVENT_LIMIT:
            self._open = (self._open[0], f"{self._open[1]}\n{text}")
            return []
        done = self.close_event()
        self._open = (timestamp_ms, text)
        return done

    def close_event(self) -> list[LogEvent]:
        """The event that still waits for further lines (multi-line pattern), if there is one."""
        if self._open is None:
            return []
        event, self._open = LogEvent(*self._open), None
        return [event]

    def finish(self) -> list[LogEvent]:
        """At the stream's end: lines without an end, and the open event."""
        events: list[LogEvent] = []
        for timestamp_ns, content in self._parts.values():
            events += self._line(timestamp_ns, content)
        self._parts.clear()
        return events + self.close_event()


def _character_boundary(content: bytes, limit: int) -> int:
    """The last place up to `limit` that doesn't cut a UTF-8 character."""
    cut = limit
    while cut > limit - 4 and content[cut] & 0xC0 == 0x80:
        cut -= 1
    return cut
