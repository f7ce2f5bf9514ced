"""The event log, in memory and on disk."""

import stat
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from longshore.domain.log import LogEvent
from longshore.store.errors import StoreFailed, StoreRefused
from longshore.store.events import Bounds, EventLog

Open = Callable[..., EventLog]


@pytest.fixture(params=["memory", "sql"])
async def make(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Open]:
    made: list[EventLog] = []

    def open_log(**options: int) -> EventLog:
        log = EventLog(tmp_path / "events.db" if request.param == "sql" else None, **options)
        made.append(log)
        return log

    yield open_log
    for log in made:
        await log.close()


def lines(*times: int) -> list[LogEvent]:
    return [LogEvent(time_ms, f"at {time_ms}") for time_ms in times]


def times(log: EventLog, *uids: str, **options: object) -> list[int]:
    return [event.timestamp_ms for event in log.read(uids, **options)]  # type: ignore[arg-type]  # as the test says


async def test_events_are_numbered_and_read_back_in_order_of_time_then_arrival(make: Open) -> None:
    log = make()
    taken = log.append("s", [LogEvent(20, "b"), LogEvent(10, "a")], 99)
    taken += log.append("s", [LogEvent(20, "c")], 100)
    assert [event.sequence for event in taken] == [1, 2, 3]
    expected = [LogEvent(10, "a", 99, 2, "s"), LogEvent(20, "b", 99, 1, "s"), LogEvent(20, "c", 100, 3, "s")]
    assert log.read(["s"]) == expected
    await log.durable()
    assert log.read(["s"]) == expected
    assert log.read(["s"], reverse=True) == expected[::-1]
    assert log.read(["none"]) == []


@pytest.mark.parametrize("flush", [False, True])
async def test_reads_keep_to_their_times_positions_and_limit(make: Open, flush: bool) -> None:
    log = make()
    log.append("s", lines(10, 20, 20, 30), 1)
    if flush:
        await log.durable()
    log.append("s", lines(40), 1)
    assert times(log, "s", start_ms=20, end_ms=40) == [20, 20, 30]
    assert times(log, "s", after=(20, 2)) == [20, 30, 40]
    assert times(log, "s", before=(20, 3)) == [10, 20]
    assert times(log, "s", before=(40, 5), limit=2, reverse=True) == [30, 20]
    assert times(log, "s", after=(20, 3), start_ms=35) == [40]
    assert times(log, "s", limit=1, reverse=True) == [40]


@pytest.mark.parametrize("flush", [False, True])
async def test_streams_are_merged(make: Open, flush: bool) -> None:
    log = make()
    for number in range(6):
        log.append(f"s{number % 3}", lines(number * 10, number * 10 + 15), 1)
    log.append("later", lines(1000, 2000), 1)
    if flush:
        await log.durable()
    uids = ["s0", "s1", "s2", "later", "s0"]
    merged = [0, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 65, 1000, 2000]
    assert times(log, *uids) == merged
    assert times(log, *uids, limit=5) == merged[:5]
    assert times(log, *uids, limit=4, reverse=True) == merged[::-1][:4]
    assert times(log, "s0", "s1", start_ms=40, end_ms=50) == [40, 45]


@pytest.mark.parametrize("flush", [False, True])
async def test_bounds_follow_appends_and_trims(make: Open, flush: bool) -> None:
    log = make()
    assert log.bounds("s") == Bounds(None, None, None, 0)
    log.append("s", lines(30, 10), 5)
    log.append("s", lines(20), 6)
    if flush:
        await log.durable()
    assert log.bounds("s") == Bounds(10, 30, 6, 3 * (26 + 5))
    log.trim("s", 20)
    assert times(log, "s") == [20, 30]
    assert log.bounds("s") == Bounds(20, 30, 6, 2 * (26 + 5))
    log.trim("s", 20)
    log.trim("s", 5)
    log.trim("none", 5)
    await log.durable()
    assert log.bounds("s") == Bounds(20, 30, 6, 2 * (26 + 5))
    log.trim("s", 2**62)
    assert times(log, "s") == []
    assert log.bounds("s") == Bounds(None, None, 6, 0)
    await log.durable()
    log.append("s", lines(1), 7)
    assert log.bounds("s") == Bounds(1, 1, 7, 26 + 4)


@pytest.mark.parametrize("flush", [False, True])
async def test_a_deleted_stream_is_gone_at_once_and_starts_empty_again(make: Open, flush: bool) -> None:
    log = make()
    log.append("s", lines(1, 2), 1)
    log.append("kept", lines(3), 1)
    if flush:
        await log.durable()
    log.delete(["s", "none"])
    assert times(log, "s", "kept") == [3]
    (event,) = log.append("s", lines(9), 1)
    assert event.sequence == 4
    assert times(log, "s") == [9]
    await log.durable()
    assert times(log, "s", "kept") == [3, 9]
    log.clear()
    assert times(log, "s", "kept") == []
    await log.durable()
    assert times(log, "s", "kept") == []


async def test_over_its_size_the_events_taken_in_first_go(make: Open) -> None:
    log = make(limit_bytes=10_000)
    for number in range(500):
        log.append(f"s{number % 2}", [LogEvent(1000 - number, "x" * 74)], 1)
        await log.durable()
    kept = sorted(log.read(["s0", "s1"]), key=lambda event: event.sequence)
    assert 90 <= len(kept) <= 100
    assert [event.sequence for event in kept] == list(range(501 - len(kept), 501))
    bounds = [log.bounds(uid) for uid in ("s0", "s1")]
    assert sum(bound.stored_bytes for bound in bounds) == 100 * len(kept)
    assert max(bound.last_ms or 0 for bound in bounds) == kept[0].timestamp_ms
    log.trim("s0", 2**62)
    log.trim("s1", 2**62)
    assert log._size == 0


async def test_watchers_hear_which_stream_grew(make: Open) -> None:
    log = make()
    heard: list[str] = []
    unsubscribe = log.watch(heard.append)
    log.append("a", lines(1), 1)
    log.append("a", [], 1)
    log.append("b", lines(1, 2), 1)
    unsubscribe()
    log.append("c", lines(1), 1)
    assert heard == ["a", "b"]


async def test_text_that_is_no_text_is_kept_as_far_as_it_is(make: Open) -> None:
    log = make()
    log.append("s", [LogEvent(1, "half \ud800 and \0 nul"), LogEvent(1, "é")], 1)
    with pytest.raises(ValueError, match="out of range"):
        log.append("s", lines(1, 2**70), 1)
    await log.durable()
    assert [event.message for event in log.read(["s"])] == ["half ? and \0 nul", "é"]
    assert log.bounds("s").stored_bytes == 26 + 16 + 26 + 2


async def test_a_restart_finds_events_bounds_and_numbers_again(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "events.db"
    log = EventLog(path)
    log.append("a", lines(3, 1, 2), 5)
    log.append("b", lines(4), 6)
    log.append("gone", lines(4), 6)
    log.delete(["gone"])
    log.trim("a", 2)
    modes = {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes == {0o600}
    with pytest.raises(StoreRefused, match="in use"):
        EventLog(path)
    await log.close()
    log = EventLog(path)
    assert times(log, "a", "b", "gone") == [2, 3, 4]
    assert log.bounds("a") == Bounds(2, 3, 5, 2 * 30)
    assert [event.sequence for event in log.append("b", lines(5), 7)] == [6]
    await log.close()


async def test_a_full_disk_refuses_appends_and_still_reads(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events.db")
    assert log._file is not None
    log._file._connection.execute("PRAGMA max_page_count = 30")

    async def fill() -> None:
        for number in range(1000):
            log.append("s", [LogEvent(number, "x" * 1000)], 1)
            await log.durable()

    with pytest.raises(StoreFailed, match="Make room"):
        await fill()
    with pytest.raises(StoreFailed):
        log.append("s", lines(1), 1)
    assert len(log.read(["s"])) > 3
    await log.close()


def test_a_truncated_event_log_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    path.write_bytes(b"SQLite format 3\0")
    with pytest.raises(StoreRefused, match="damaged"):
        EventLog(path)
    assert path.read_bytes() == b"SQLite format 3\0"
