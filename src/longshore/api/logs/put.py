"""PutLogEvents: what a batch may hold, and which of its events are too old or too new."""

import itertools
from collections.abc import Sequence
from typing import Any

from longshore.api.logs.lookup import Answer, find_stream, group_named, invalid, milliseconds
from longshore.api.logs.streams import sequence_token
from longshore.api.operation import Call
from longshore.domain.log import LogEvent

BATCH_BYTES = 1_048_576
EVENT_OVERHEAD_BYTES = 26
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
TOO_NEW_MS = 2 * HOUR_MS
TOO_OLD_MS = 14 * DAY_MS


def put_log_events(call: Call) -> Answer:
    """Append a batch to a stream; events out of range are left out, and the answer says which."""
    group = group_named(call, call.params["logGroupName"])
    stream = find_stream(call, group, call.params["logStreamName"])
    batch = [LogEvent(event["timestamp"], event["message"]) for event in call.params["logEvents"]]
    check_batch(batch)
    now_ms = milliseconds(call.now)
    begin, end, rejected = accepted(batch, now_ms, group.retention_days)
    if begin < end:
        call.events.append(stream.uid, batch[begin:end], now_ms)
    answer: Answer = {"nextSequenceToken": sequence_token(now_ms)}
    if rejected:
        answer["rejectedLogEventsInfo"] = rejected
    return answer


def check_batch(batch: Sequence[LogEvent]) -> None:
    """The rules for a batch as a whole."""
    size = sum(len(event.message.encode("utf-8", "surrogatepass")) + EVENT_OVERHEAD_BYTES for event in batch)
    if size > BATCH_BYTES:
        raise invalid(f"Upload too large: {size} bytes exceeds limit of {BATCH_BYTES}")
    if any(after.timestamp_ms < before.timestamp_ms for before, after in itertools.pairwise(batch)):
        raise invalid("Log events in a single PutLogEvents request must be in chronological order.")
    if batch[-1].timestamp_ms - batch[0].timestamp_ms > DAY_MS:
        raise invalid("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")


def accepted(batch: Sequence[LogEvent], now_ms: int, retention_days: int | None) -> tuple[int, int, dict[str, Any]]:
    """`(begin, end, rejectedLogEventsInfo)`: which part of a chronological batch is taken, and why not the rest."""
    expired = 0
    if retention_days is not None:
        expired = sum(event.timestamp_ms < now_ms - retention_days * DAY_MS for event in batch)
    too_old = sum(event.timestamp_ms < now_ms - TOO_OLD_MS for event in batch)
    end = sum(event.timestamp_ms <= now_ms + TOO_NEW_MS for event in batch)
    rejected = {}
    if expired:
        rejected["expiredLogEventEndIndex"] = expired
    if too_old:
        rejected["tooOldLogEventEndIndex"] = too_old
    if end < len(batch):
        rejected["tooNewLogEventStartIndex"] = end
    return max(expired, too_old), end, rejected
