"""Composite alarms: put, shown, and who holds on to whom. Nothing evaluates their rules yet."""

from collections.abc import Iterable

from longshore.api.cloudwatch.composite_rules import named_in
from longshore.api.cloudwatch.lookup import Answer, alarm_named, asked_of_both, bad_combination, invalid
from longshore.api.common.alarms import keep_alarm
from longshore.api.operation import Call
from longshore.domain.arn import Arn
from longshore.domain.scaling.alarm import Alarm, CompositeAlarm, MetricAlarm


def put_composite_alarm(call: Call) -> Answer:
    """PutCompositeAlarm: a new one, or all of one that is there but its state and its tags."""
    params = call.params
    name, rule = params["AlarmName"], params["AlarmRule"]
    if call.tx.get(MetricAlarm, (*call.scope, name)) is not None:
        raise invalid(f"{name} is a metric alarm: delete it, or choose another name.")
    named = named_in(rule)
    children = {each: _name_of(call, each) for each in named}
    missing = [each for each, child in children.items() if not child or alarm_named(call, child) is None]
    if missing:
        text = f"Could not save the composite alarm as alarms [{', '.join(missing)}] in the alarm rule do not exist"
        raise invalid(text)
    keep_alarm(
        call,
        CompositeAlarm,
        name,
        rule=rule,
        children=tuple(dict.fromkeys(children.values())),
        **_suppression(call),
        **asked_of_both(params),
    )
    return {}


def _suppression(call: Call) -> Answer:
    params = call.params
    suppressor = params.get("ActionsSuppressor") or ""
    wait_s, extension_s = params.get("ActionsSuppressorWaitPeriod"), params.get("ActionsSuppressorExtensionPeriod")
    if len({bool(suppressor), wait_s is not None, extension_s is not None}) > 1:
        text = "ActionsSuppressor, ActionsSuppressorWaitPeriod and ActionsSuppressorExtensionPeriod go together."
        raise bad_combination(text)
    if suppressor:
        name = _name_of(call, suppressor)
        if not name or alarm_named(call, name) is None:
            raise invalid(f"The ActionsSuppressor {suppressor[:256]} is no alarm.")
        if any(period_s is not None and period_s < 0 for period_s in (wait_s, extension_s)):
            raise invalid("The periods of an ActionsSuppressor are numbers of seconds.")
    return {"suppressor": suppressor, "suppressor_wait_s": wait_s, "suppressor_extension_s": extension_s}


def _name_of(call: Call, reference: str) -> str:
    """The name that a name or ARN means; empty for an ARN of elsewhere."""
    if not reference.startswith("arn:"):
        return reference
    arn = Arn.parse(reference)
    here = arn is not None and arn.service == "cloudwatch" and arn.scope == call.scope
    return arn.resource.removeprefix("alarm:") if arn is not None and here else ""


def check_not_needed(call: Call, alarms: Iterable[Alarm]) -> None:
    """Nothing that is to go may be named by a composite alarm that stays. Raises ValidationError."""
    going = {alarm.name for alarm in alarms}
    needed = [
        name
        for name in sorted(going)
        if any(parent.name not in going for parent in call.tx.select(CompositeAlarm, "child", (*call.scope, name)))
    ]
    if needed:
        whom = "it" if len(needed) == 1 else "them"
        raise invalid(f"Cannot delete {','.join(needed)} as there are composite alarm(s) depending on {whom}.")


def children_of(call: Call, name: str) -> list[Alarm]:
    """The alarms that a composite alarm's rule names."""
    alarm = call.tx.get(CompositeAlarm, (*call.scope, name))
    found = (alarm_named(call, child) for child in (alarm.children if alarm is not None else ()))
    return [child for child in found if child is not None]


def parents_of(call: Call, name: str) -> list[Alarm]:
    """The composite alarms whose rules name an alarm."""
    return list(call.tx.select(CompositeAlarm, "child", (*call.scope, name)))


def composite_view(alarm: CompositeAlarm) -> Answer:
    """What of `CompositeAlarm` metric alarms don't have."""
    view: Answer = {"AlarmRule": alarm.rule}
    if alarm.suppressor:
        view |= {
            "ActionsSuppressor": alarm.suppressor,
            "ActionsSuppressorWaitPeriod": alarm.suppressor_wait_s,
            "ActionsSuppressorExtensionPeriod": alarm.suppressor_extension_s,
        }
    return view
