"""What a caller of CloudWatch means by an alarm, and the errors where it means nothing."""

from typing import Any

from longshore.api.operation import Call
from longshore.domain.scaling.alarm import MetricAlarm
from longshore.domain.tag import Tags, tags_from
from longshore.wire.errors import ApiError

Answer = dict[str, Any]
MAX_TAGS = 50


def invalid(text: str) -> ApiError:
    """ValidationError, as the Query API names it."""
    return ApiError("ValidationException", text)


def bad_value(text: str) -> ApiError:
    """InvalidParameterValue."""
    return ApiError("InvalidParameterValueException", text)


def bad_combination(text: str) -> ApiError:
    """InvalidParameterCombination."""
    return ApiError("InvalidParameterCombinationException", text)


def found_alarm(call: Call, name: str) -> MetricAlarm:
    """The alarm of that name. Raises ResourceNotFound."""
    alarm = call.tx.get(MetricAlarm, (*call.scope, name))
    if alarm is None:
        raise ApiError("ResourceNotFound", f"There is no alarm with the name {name}.")
    return alarm


def checked_tags(present: Tags, pairs: Any) -> Tags:
    """The tags after some were added. Raises InvalidParameterValue."""
    given = tags_from(pairs, "Key", "Value")
    for key in given:
        if key.lower().startswith("aws:"):
            raise bad_value(f"The tag key {key} is reserved: keys can't begin with aws:.")
    tags = {**present, **given}
    if len(tags) > MAX_TAGS:
        raise bad_value(f"A resource can have at most {MAX_TAGS} tags.")
    return tags
