"""Log streams: create, delete, describe."""

from typing import NamedTuple

from longshore.api.logs.lookup import (
    Answer,
    find_group,
    find_stream,
    group_arn,
    group_named,
    invalid,
    milliseconds,
)
from longshore.api.operation import Call
from longshore.domain.log import LogGroup, LogStream
from longshore.wire.errors import ApiError
from longshore.wire.pagination import page

PAGE = 50


def create_log_stream(call: Call) -> Answer:
    """A new, empty stream."""
    group = group_named(call, call.params["logGroupName"])
    name = call.params["logStreamName"]
    if call.tx.get(LogStream, (*group.key, name)) is not None:
        raise ApiError("ResourceAlreadyExistsException", "The specified log stream already exists")
    call.tx.put(
        LogStream(
            account=group.account,
            region=group.region,
            group=group.name,
            name=name,
            uid=call.ids.hex(16),
            created_at=call.now,
        )
    )
    return {}


def delete_log_stream(call: Call) -> Answer:
    """The stream and its events."""
    group = group_named(call, call.params["logGroupName"])
    stream = find_stream(call, group, call.params["logStreamName"])
    call.tx.delete(LogStream, stream.key)
    call.events.delete([stream.uid])
    return {}


class _Placed(NamedTuple):
    """A stream and its place in the order that was asked for."""

    place: str
    stream: LogStream


def describe_log_streams(call: Call) -> Answer:
    """Streams by name or by the time of their newest event."""
    params = call.params
    group = find_group(call)
    prefix, order = params.get("logStreamNamePrefix"), params.get("orderBy") or "LogStreamName"
    by_time, descending = order == "LastEventTime", bool(params.get("descending"))
    if by_time and prefix is not None:
        raise invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")
    streams = call.tx.select(LogStream, "group", group.key)
    placed = [
        _Placed(f"{_newest_ms(call, stream):020d}/{stream.name}" if by_time else stream.name, stream)
        for stream in streams
        if stream.name.startswith(prefix or "")
    ]
    placed.sort(key=lambda entry: entry.place, reverse=descending)
    shown, more = page(
        placed,
        lambda entry: entry.place,
        params.get("limit") or PAGE,
        params.get("nextToken"),
        operation="DescribeLogStreams",
        scope=f"{group.name} {order} {descending} {prefix or ''}",
        descending=descending,
    )
    return {"logStreams": [_view(call, group, entry.stream) for entry in shown], "nextToken": more}


def _newest_ms(call: Call, stream: LogStream) -> int:
    """When the newest event was; a stream without any is as old as its creation."""
    last_ms = call.events.bounds(stream.uid).last_ms
    return milliseconds(stream.created_at) if last_ms is None else last_ms


def _view(call: Call, group: LogGroup, stream: LogStream) -> Answer:
    view: Answer = {
        "logStreamName": stream.name,
        "creationTime": milliseconds(stream.created_at),
        "arn": f"{group_arn(group)}:log-stream:{stream.name}",
        "storedBytes": 0,  # of streams AWS says 0 since 2019
    }
    first_ms, last_ms, ingested_ms, _ = call.events.bounds(stream.uid)
    if first_ms is not None:
        view |= {"firstEventTimestamp": first_ms, "lastEventTimestamp": last_ms}
    if ingested_ms is not None:
        view |= {"lastIngestionTime": ingested_ms, "uploadSequenceToken": sequence_token(ingested_ms)}
    return view


def sequence_token(number: int) -> str:
    """What old clients send back with their next PutLogEvents; any is accepted, as on AWS since 2023."""
    return f"{number:056d}"
