"""What containers print goes into streams, and what is old goes out again."""

from dataclasses import dataclass, field

from longshore.control.logs import NO_GROUP, StoreLogSink
from longshore.control.retention import Retention, due
from longshore.domain.kinds import KINDS
from longshore.domain.log import LogEvent, LogGroup, LogStream, LogTarget
from longshore.domain.record import Scope
from longshore.drivers.ports import LogSink
from longshore.store.events import EventLog
from longshore.store.open import open_store
from longshore.store.store import Store
from tests.support.world import SeededIds

SCOPE = Scope("123456789012", "us-east-1")
TARGET = LogTarget(group="/app", stream="web/app/1", region="eu-west-1")
DAY_MS = 86_400_000


@dataclass
class Clock:
    """A clock that is set."""

    at: float = 1_700_000_000.0

    def now(self) -> float:
        return self.at


@dataclass
class Rig:
    store: Store = field(default_factory=lambda: open_store(None, KINDS))
    events: EventLog = field(default_factory=lambda: EventLog(None))
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.sink: LogSink = StoreLogSink(self.store, self.events, self.clock, SeededIds())

    def group(self, retention_days: int | None = None) -> None:
        with self.store.transaction() as tx:
            tx.put(
                LogGroup(
                    account=SCOPE.account,
                    region="eu-west-1",
                    name="/app",
                    created_at=0.0,
                    retention_days=retention_days,
                )
            )

    def stream(self) -> LogStream:
        found = self.store.get(LogStream, (SCOPE.account, "eu-west-1", "/app", "web/app/1"))
        assert found is not None
        return found

    def lines(self) -> list[str]:
        return [event.message for event in self.events.read([self.stream().uid])]


def test_missing_group_is_named_unless_it_may_be_made() -> None:
    rig = Rig()
    assert rig.sink.missing(SCOPE, TARGET) == NO_GROUP
    made = LogTarget(group="/app", stream="a", region="eu-west-1", create_group=True)
    assert rig.sink.missing(SCOPE, made) is None
    rig.group()
    assert rig.sink.missing(SCOPE, TARGET) is None
    elsewhere = LogTarget(group="/app", stream="a", region="us-east-1")
    assert rig.sink.missing(SCOPE, elsewhere) == NO_GROUP


def test_stream_is_made_at_the_first_line_and_kept() -> None:
    rig = Rig()
    rig.group()
    assert rig.sink.resume_from_ms(SCOPE, TARGET) is None
    rig.sink.write(SCOPE, TARGET, [LogEvent(5, "a"), LogEvent(7, "b")])
    uid = rig.stream().uid
    rig.sink.write(SCOPE, TARGET, [LogEvent(7, "c")])
    assert rig.stream().uid == uid
    assert rig.lines() == ["a", "b", "c"]
    assert rig.sink.resume_from_ms(SCOPE, TARGET) == 7


def test_group_is_made_with_its_first_stream() -> None:
    rig = Rig()
    rig.sink.write(
        SCOPE, LogTarget(group="/app", stream="web/app/1", region="eu-west-1", create_group=True), [LogEvent(1, "a")]
    )
    assert rig.store.count(LogGroup, "scope", (SCOPE.account, "eu-west-1")) == 1
    assert rig.lines() == ["a"]


async def test_events_past_retention_are_trimmed_and_younger_ones_stay() -> None:
    rig = Rig()
    rig.group(retention_days=3)
    now_ms = int(rig.clock.at * 1000)
    ages = (4 * DAY_MS, 3 * DAY_MS + 1, 3 * DAY_MS, 0)
    rig.sink.write(SCOPE, TARGET, [LogEvent(now_ms - age, str(age)) for age in ages])
    await Retention(rig.store, rig.events, rig.clock).sweep()
    assert rig.lines() == [str(3 * DAY_MS), "0"]


async def test_group_without_retention_keeps_everything() -> None:
    rig = Rig()
    rig.group()
    rig.sink.write(SCOPE, TARGET, [LogEvent(1, "old")])
    assert due(rig.store, rig.clock.at) == []
    await Retention(rig.store, rig.events, rig.clock).sweep()
    assert rig.lines() == ["old"]
