"""What a caller of CloudWatch means by an alarm, and the errors where it means nothing."""

from typing import Any

from longshore.api.operation import Call
from longshore.domain.scaling.alarm import Alarm, CompositeAlarm, MetricAlarm
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


def alarm_named(call: Call, name: str) -> Alarm | None:
    """The alarm of that name, of either kind."""
    key = (*call.scope, name)
    return call.tx.get(MetricAlarm, key) or call.tx.get(CompositeAlarm, key)


def found_alarm(call: Call, name: str) -> Alarm:
    """The alarm of that name. Raises ResourceNotFound."""
    alarm = alarm_named(call, name)
    if alarm is None:
        raise ApiError("ResourceNotFound", f"There is no alarm with the name {name}.")
    return alarm


ACTIONS = {
    "OKActions": "ok_actions",
    "AlarmActions": "alarm_actions",
    "InsufficientDataActions": "insufficient_data_actions",
}
"""Members of what an alarm sets off, and the fields of records that have them."""


def asked_of_both(params: Answer) -> dict[str, Any]:
    """What metric and composite alarms are given alike, by the record's fields. Raises ValidationError."""
    enabled = params.get("ActionsEnabled")
    return {
        "tags": checked_tags({}, params.get("Tags")),
        "description": params.get("AlarmDescription"),
        "actions_enabled": enabled is None or enabled,
        **_actions(params),
    }


def _actions(params: Answer) -> dict[str, tuple[str, ...]]:
    """What an alarm is to set off, by the record's fields. Raises ValidationError."""
    actions = {field: tuple(params.get(name) or ()) for name, field in ACTIONS.items()}
    for name, field in ACTIONS.items():
        wrong = [action for action in actions[field] if not action.startswith("arn:")]
        if wrong:
            raise invalid(f"Invalid arn syntax: {wrong[0][:128]} in {name}")
    return actions


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
