"""The event log against a naive model: one list of events."""

import asyncio
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from longshore.domain.log import LogEvent
from longshore.store.events import EVENT_BYTES, EventLog

UIDS = ["a", "b", "c"]
TIMES = st.integers(0, 20)
POSITIONS = st.none() | st.tuples(TIMES, st.integers(0, 30))


def position(event: LogEvent) -> tuple[int, int]:
    return (event.timestamp_ms, event.sequence)


class EventLogMachine(RuleBasedStateMachine):
    on_disk = False

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "events.db" if self.on_disk else None
        self.model: list[LogEvent] = []
        self.sequence = 0

    @initialize()
    def begin(self) -> None:
        self.log = EventLog(self.path)

    @rule(uid=st.sampled_from(UIDS), times=st.lists(TIMES, max_size=6))
    def append(self, uid: str, times: list[int]) -> None:
        taken = self.log.append(uid, [LogEvent(time, f"é{time}") for time in times], 7)
        expected = [LogEvent(time, f"é{time}", 7, self.sequence + n, uid) for n, time in enumerate(times, 1)]
        assert taken == expected
        self.sequence += len(times)
        self.model += taken

    @rule(uid=st.sampled_from(UIDS), time=TIMES)
    def trim(self, uid: str, time: int) -> None:
        self.log.trim(uid, time)
        self.model = [e for e in self.model if e.stream_uid != uid or e.timestamp_ms >= time]

    @rule(uids=st.sets(st.sampled_from(UIDS)))
    def delete(self, uids: set[str]) -> None:
        self.log.delete(uids)
        self.model = [event for event in self.model if event.stream_uid not in uids]

    @rule()
    def flush(self) -> None:
        asyncio.run(self.log.durable())

    @precondition(lambda self: self.on_disk)
    @rule()
    def restart(self) -> None:
        asyncio.run(self.log.close())
        self.begin()

    @rule(
        uids=st.sets(st.sampled_from(UIDS)),
        start=st.none() | TIMES,
        end=st.none() | TIMES,
        after=POSITIONS,
        before=POSITIONS,
        limit=st.integers(1, 10),
        reverse=st.booleans(),
    )
    def read(
        self,
        uids: set[str],
        start: int | None,
        end: int | None,
        after: tuple[int, int] | None,
        before: tuple[int, int] | None,
        limit: int,
        reverse: bool,
    ) -> None:
        expected = [
            event
            for event in sorted(self.model, key=position, reverse=reverse)
            if event.stream_uid in uids
            and (start is None or event.timestamp_ms >= start)
            and (end is None or event.timestamp_ms < end)
            and (after is None or position(event) > after)
            and (before is None or position(event) < before)
        ]
        found = self.log.read(
            uids, start_ms=start, end_ms=end, after=after, before=before, limit=limit, reverse=reverse
        )
        assert found == expected[:limit]

    @invariant()
    def sums_agree(self) -> None:
        if not hasattr(self, "log"):
            return
        for uid in UIDS:
            mine = [event for event in self.model if event.stream_uid == uid]
            bounds = self.log.bounds(uid)
            assert bounds.first_ms == min((event.timestamp_ms for event in mine), default=None)
            assert bounds.last_ms == max((event.timestamp_ms for event in mine), default=None)
            assert bounds.stored_bytes == sum(len(event.message.encode()) + EVENT_BYTES for event in mine)

    def teardown(self) -> None:
        if hasattr(self, "log"):
            asyncio.run(self.log.close())
        self.folder.cleanup()


class EventLogOnDiskMachine(EventLogMachine):
    on_disk = True


TestEventLogInMemory = EventLogMachine.TestCase
TestEventLogInMemory.settings = settings(max_examples=80, stateful_step_count=25, deadline=None)
TestEventLogOnDisk = EventLogOnDiskMachine.TestCase
TestEventLogOnDisk.settings = settings(
    max_examples=20, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
