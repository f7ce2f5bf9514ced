"""GetLogEvents and FilterLogEvents: pages of events, in both directions.

An event's place is (timestamp, sequence), over all streams. Tokens hold a place, so that a reader who comes back with
one sees what was written since, nothing twice.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from longshore.api.logs.lookup import NO_STREAM, Answer, find_group, find_stream, invalid
from longshore.api.logs.matching import PatternError
from longshore.api.logs.pattern import Predicate, compile_pattern
from longshore.api.operation import Call
from longshore.domain.log import LogEvent, LogGroup, LogStream
from longshore.wire.errors import ApiError
from longshore.wire.pagination import decode_token, encode_token

MAX_EVENTS = 10_000
ANSWER_BYTES = 1_048_576
EVENT_OVERHEAD_BYTES = 26
BATCH = 1000
SCAN_EVENTS = 10_000
SCAN_BYTES = 8 * 1_048_576
"""A call looks at no more than this, so that a search over much does not hold up others: the answer then has a token
and perhaps no event, as AWS's has."""

LATEST_MS = 10**15 - 1
"""The last time that a token can hold: the year 33658."""

Place = tuple[int, int]
_TOKEN = re.compile(r"([fb])/(\d{15})(\d{19})/s")


# GetLogEvents -------------------------------------------------------------------------------------------------------


class _Cursor(NamedTuple):
    """Where a token goes on: forward with what comes after a place, backward with what comes before it."""

    forward: bool
    place: Place

    def __str__(self) -> str:
        return f"{'f' if self.forward else 'b'}/{self.place[0]:015d}{self.place[1]:019d}/s"


def get_log_events(call: Call) -> Answer:
    """One page of a stream, oldest event first. At either end the token that was given comes back."""
    params = call.params
    stream = find_stream(call, find_group(call), params["logStreamName"])
    cursor = _cursor(params.get("nextToken"))
    forward = cursor.forward if cursor else bool(params.get("startFromHead"))
    found = call.events.read(
        [stream.uid],
        start_ms=params.get("startTime"),
        end_ms=params.get("endTime"),
        after=cursor.place if cursor and forward else None,
        before=cursor.place if cursor and not forward else None,
        limit=min(params.get("limit") or MAX_EVENTS, MAX_EVENTS),
        reverse=not forward,
    )
    events = fitting(found)
    if not forward:
        events.reverse()
    ahead, behind = _tokens(events, cursor, params.get("startTime") or 0)
    return {
        "events": [
            {"timestamp": event.timestamp_ms, "message": event.message, "ingestionTime": event.ingested_ms}
            for event in events
        ],
        "nextForwardToken": str(ahead),
        "nextBackwardToken": str(behind),
    }


def _cursor(token: str | None) -> _Cursor | None:
    if token is None:
        return None
    found = _TOKEN.fullmatch(token)
    if found is None or not token.isascii():
        raise invalid("The specified nextToken is invalid.")
    return _Cursor(found[1] == "f", (int(found[2]), int(found[3])))


def _tokens(events: Sequence[LogEvent], cursor: _Cursor | None, start_ms: int) -> tuple[_Cursor, _Cursor]:
    """The tokens for what comes after and before a page; beside an empty page, both stand where the reader stands."""
    if events:
        return _Cursor(True, _place(events[-1])), _Cursor(False, _place(events[0]))
    if cursor is None:
        # Before everything that may come: sequence numbers begin at 1.
        start_ms = min(start_ms, LATEST_MS)
        return _Cursor(True, (start_ms, 0)), _Cursor(False, (start_ms, 0))
    timestamp_ms, sequence = cursor.place
    if cursor.forward:
        return cursor, _Cursor(False, (timestamp_ms, sequence + 1))
    return _Cursor(True, (timestamp_ms, max(0, sequence - 1))), cursor


def fitting(events: Iterable[LogEvent]) -> list[LogEvent]:
    """As many of the events as an answer may hold, and at least one."""
    taken: list[LogEvent] = []
    size = 0
    for event in events:
        size += _size(event)
        if taken and size > ANSWER_BYTES:
            break
        taken.append(event)
    return taken


def _place(event: LogEvent) -> Place:
    return event.timestamp_ms, event.sequence


def _size(event: LogEvent) -> int:
    return len(event.message.encode("utf-8", "surrogatepass")) + EVENT_OVERHEAD_BYTES


# FilterLogEvents ----------------------------------------------------------------------------------------------------


class _Found(NamedTuple):
    """What a search found, and the place to go on from; None when nothing is left."""

    events: list[LogEvent]
    at: Place | None


def filter_log_events(call: Call) -> Answer:
    """Events of all or some streams of a group that match a pattern, in the order of time."""
    params = call.params
    group = find_group(call)
    matches = _pattern(params.get("filterPattern") or "")
    names = {stream.uid: stream.name for stream in _streams(call, group)}
    scope = _request_digest(call, group)
    forward, at = params.get("startFromHead") is not False, None
    if params.get("nextToken"):
        forward, at = _decode(params["nextToken"], scope)
    found = _search(call, list(names), matches, at, forward=forward)
    answer: Answer = {
        "events": [
            {
                "logStreamName": names[event.stream_uid],
                "timestamp": event.timestamp_ms,
                "message": event.message,
                "ingestionTime": event.ingested_ms,
                "eventId": f"{event.timestamp_ms:020d}{event.sequence:036d}",
            }
            for event in found.events
        ],
        "searchedLogStreams": [],  # always empty since 2020
    }
    if found.at is not None:
        key = f"{'f' if forward else 'b'} {found.at[0]} {found.at[1]}"
        answer["nextToken"] = encode_token("FilterLogEvents", key, scope=scope)
    return answer


def _pattern(text: str) -> Predicate:
    try:
        return compile_pattern(text)
    except PatternError as error:
        raise invalid(f"Invalid filter pattern: {error}.") from None


def _streams(call: Call, group: LogGroup) -> list[LogStream]:
    names, prefix = call.params.get("logStreamNames"), call.params.get("logStreamNamePrefix")
    if names and prefix:
        raise invalid("logStreamNamePrefix and logStreamNames are mutually exclusive: specify one of them.")
    if not names:
        streams = call.tx.select(LogStream, "group", group.key)
        return [stream for stream in streams if stream.name.startswith(prefix or "")]
    found = [call.tx.get(LogStream, (*group.key, name)) for name in dict.fromkeys(names)]
    present = [stream for stream in found if stream is not None]
    if len(present) < len(found):
        raise ApiError("ResourceNotFoundException", NO_STREAM)
    return present


def _search(call: Call, uids: Sequence[str], matches: Predicate, at: Place | None, *, forward: bool) -> _Found:
    """Look at events in batches until the page is full, nothing is left, or enough has been looked at."""
    params = call.params
    limit = params.get("limit") or MAX_EVENTS
    end_ms = params["endTime"] + 1 if params.get("endTime") is not None else None
    taken: list[LogEvent] = []
    answered = scanned = scanned_bytes = 0
    while uids and scanned < SCAN_EVENTS and scanned_bytes < SCAN_BYTES:
        batch = call.events.read(
            uids,
            start_ms=params.get("startTime"),
            end_ms=end_ms,
            after=at if forward else None,
            before=None if forward else at,
            limit=BATCH,
            reverse=not forward,
        )
        for event in batch:
            size = _size(event)
            scanned_bytes += size
            if matches(event.message):
                if len(taken) == limit or (taken and answered + size > ANSWER_BYTES):
                    return _Found(taken, at)
                taken.append(event)
                answered += size
            at = _place(event)
        scanned += len(batch)
        if len(batch) < BATCH:
            return _Found(taken, None)
    return _Found(taken, at if uids else None)


def _request_digest(call: Call, group: LogGroup) -> str:
    """What must be the same on every page of a search. Times may differ: followers move them along."""
    named = ("filterPattern", "logStreamNames", "logStreamNamePrefix")
    asked = [group.name, *(call.params.get(name) for name in named)]
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()


def _decode(token: str, scope: str) -> tuple[bool, Place]:
    key = decode_token("FilterLogEvents", token, code="InvalidParameterException", scope=scope)
    direction, timestamp_ms, sequence = key.split(" ")
    return direction == "f", (int(timestamp_ms), int(sequence))
