"""CloudWatch's alarms, what became of them, and dashboards. Written by the API; alarms of policies by Application Auto
Scaling's. What an alarm watches is kept as it was given; nothing evaluates it yet.
"""

from collections.abc import Iterator
from typing import Any, ClassVar

from longshore.domain.arn import Arn
from longshore.domain.record import Key, Record, Scope
from longshore.domain.tag import Tags

INSUFFICIENT_DATA = "INSUFFICIENT_DATA"
UNCHECKED = "Unchecked: Initial alarm creation"
"""The reason of a new alarm's state."""
HISTORY_S = 30 * 86400.0
"""How long AWS keeps what became of an alarm."""
HISTORY_ITEMS = 1000
"""How many items of one alarm are kept at most."""


def alarm_arn(scope: Scope, name: str) -> str:
    """`arn:aws:cloudwatch:REGION:ACCOUNT:alarm:NAME`."""
    return str(Arn("cloudwatch", scope, f"alarm:{name}"))


def dashboard_arn(account: str, name: str) -> str:
    """`arn:aws:cloudwatch::ACCOUNT:dashboard/NAME`: dashboards are one set for all regions."""
    return str(Arn("cloudwatch", Scope(account, ""), f"dashboard/{name}"))


class Alarm(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What both kinds of alarms have. They share their names.

    The state is the API's (SetAlarmState) until alarms are evaluated; then the evaluation's.
    """

    type: ClassVar[str]
    """As `AlarmTypes` has it."""

    name: str
    description: str | None = None
    actions_enabled: bool = True
    ok_actions: tuple[str, ...] = ()
    alarm_actions: tuple[str, ...] = ()
    insufficient_data_actions: tuple[str, ...] = ()
    state: str = INSUFFICIENT_DATA
    state_reason: str = UNCHECKED
    state_reason_data: str = ""
    state_updated_at: float
    state_changed_at: float
    configured_at: float
    history_items: int = 0
    """How many items its history has ever had: the number of the next one."""
    tags: Tags = {}

    @property
    def arn(self) -> str:
        """Its ARN."""
        return alarm_arn(self.scope, self.name)

    @property
    def actions(self) -> frozenset[str]:
        """All that it would set off."""
        return frozenset((*self.ok_actions, *self.alarm_actions, *self.insufficient_data_actions))

    def names(self) -> Key:
        """By name."""
        return (self.name,)


class MetricAlarm(Alarm, frozen=True, kw_only=True, omit_defaults=True):
    """An alarm on a metric, or on what an expression makes of several.

    `settings` are the members of PutMetricAlarm that say what is watched and how, under AWS's names.
    """

    kind: ClassVar[str] = "metric_alarm"
    type: ClassVar[str] = "MetricAlarm"

    settings: dict[str, Any]

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By scope, by the metric, and by what it would set off."""
        yield "scope", self.scope
        if "MetricName" in self.settings:
            yield "metric", (*self.scope, self.settings["Namespace"], self.settings["MetricName"])
        for action in self.actions:
            yield "action", (action,)


class CompositeAlarm(Alarm, frozen=True, kw_only=True, omit_defaults=True):
    """An alarm on the states of others."""

    kind: ClassVar[str] = "composite_alarm"
    type: ClassVar[str] = "CompositeAlarm"

    rule: str
    """As it was given."""
    children: tuple[str, ...] = ()
    """The names of the alarms in it."""
    suppressor: str = ""
    """The name or ARN of the alarm that holds back its actions; empty: none."""
    suppressor_wait_s: int | None = None
    suppressor_extension_s: int | None = None

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By scope, and by each alarm that its rule names."""
        yield "scope", self.scope
        for child in self.children:
            yield "child", (*self.scope, child)


class AlarmHistoryItem(Record, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that became of an alarm. Gone with the alarm, or after 30 days."""

    kind: ClassVar[str] = "alarm_history_item"

    alarm: str
    alarm_type: str = "MetricAlarm"
    number: int
    """Rises within one alarm."""
    at: float
    type: str
    summary: str
    data: str
    """A JSON document."""

    def names(self) -> Key:
        """By alarm and number."""
        return (self.alarm, f"{self.number:09d}")

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By scope and by alarm."""
        yield "scope", self.scope
        yield "alarm", (*self.scope, self.alarm)


class Dashboard(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A dashboard: a document that nobody draws. Dashboards are one set for all regions, so the region is empty."""

    kind: ClassVar[str] = "dashboard"

    name: str
    body: str
    modified_at: float
    tags: Tags = {}

    @property
    def arn(self) -> str:
        """Its ARN."""
        return dashboard_arn(self.account, self.name)

    def names(self) -> Key:
        """By name."""
        return (self.name,)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By account."""
        yield "scope", self.scope
