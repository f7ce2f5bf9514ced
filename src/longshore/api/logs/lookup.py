"""What a caller means by a log group or stream, and the errors where it means nothing. Called by every operation."""

from typing import Any

from longshore.api.operation import Call
from longshore.domain.arn import Arn
from longshore.domain.log import LogGroup, LogStream
from longshore.domain.record import Scope
from longshore.wire.errors import ApiError

Answer = dict[str, Any]

NO_GROUP = "The specified log group does not exist."
NO_STREAM = "The specified log stream does not exist."


def invalid(message: str) -> ApiError:
    """InvalidParameterException."""
    return ApiError("InvalidParameterException", message)


def group_named(call: Call, name: str) -> LogGroup:
    """The log group of that name."""
    group = call.tx.get(LogGroup, (*call.scope, name))
    if group is None:
        raise ApiError("ResourceNotFoundException", NO_GROUP)
    return group


def find_group(call: Call) -> LogGroup:
    """The log group of a call that takes `logGroupName` or `logGroupIdentifier` (a name or an ARN)."""
    name, identifier = call.params.get("logGroupName"), call.params.get("logGroupIdentifier")
    if (name is None) == (identifier is None):
        raise invalid("Specify either logGroupName or logGroupIdentifier, and not both.")
    return group_at(call, identifier) if identifier is not None else group_named(call, str(name))


def group_at(call: Call, reference: str) -> LogGroup:
    """The log group with a name or ARN, which may end in `:*`."""
    arn = Arn.parse(reference)
    if arn is None:
        return group_named(call, reference)
    name = name_in(arn, call.scope)
    if name is None:
        raise ApiError("ResourceNotFoundException", NO_GROUP)
    return group_named(call, name)


def name_in(arn: Arn, scope: Scope) -> str | None:
    """The log group's name in an ARN of this account and region."""
    kind, _, name = arn.resource.partition(":")
    if (arn.service, arn.scope, kind) != ("logs", scope, "log-group"):
        return None
    return name.removesuffix(":*")


def find_stream(call: Call, group: LogGroup, name: str) -> LogStream:
    """The stream of that name."""
    stream = call.tx.get(LogStream, (*group.key, name))
    if stream is None:
        raise ApiError("ResourceNotFoundException", NO_STREAM)
    return stream


def group_arn(group: LogGroup) -> str:
    """`arn:aws:logs:REGION:ACCOUNT:log-group:NAME`."""
    return str(Arn("logs", group.scope, f"log-group:{group.name}"))


def milliseconds(seconds: float) -> int:
    """Times of CloudWatch Logs are whole milliseconds."""
    return int(seconds * 1000)
