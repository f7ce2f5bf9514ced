"""What a reload carries over of health checks."""

import random
from itertools import product

import pytest

from longshore.drivers.haproxy.carried import (
    COLUMNS,
    SHORTEST_SPREAD_S,
    Count,
    Rounds,
    Server,
    count_in,
    count_of,
    state_file,
    state_of,
    states_in,
)

BEFORE = """\
1
# be_id be_name …
4 g-1 7 s1 10.0.0.1 2 4 1 1 30 17 2 5 6 0 0 0 - 80 - 0 0 - - 0
4 g-1 8 s2 10.0.0.2 0 0 1 1 9 15 3 1 6 0 0 0 - 80 - 0 0 - - 0
4 g-1 9 s3 10.0.0.3 2 1 1 1 30 15 3 6 14 0 0 0 - 80 - 0 0 - - 0
4 g-1 10 s4 10.0.0.4 1 0 100 100 3 15 3 6 6 0 0 0 - 80 - 0 0 - - 0
4 g-1 11 s6 10.0.0.6 0 0 1 1 9 17 2 0 6 0 0 0 - 80 - 0 0 - - 0
"""


def server(number: int, *, down: bool = False, slow: bool = False, address: str = "", tls: bool = False) -> Server:
    return Server("g-1", f"s{number}", address or f"10.0.0.{number}", 80, down, slow, 3, 4, tls)


def row(given: Server, before: str = BEFORE) -> dict[str, str]:
    lines = state_file([(given, state_of(given, states_in(before)))]).splitlines()
    assert lines[0] == "1"
    assert lines[1].split()[1:] == COLUMNS
    return dict(zip(COLUMNS, lines[2].split(), strict=True))


@pytest.mark.parametrize(
    ("given", "state", "status"),
    [
        (server(1), "2", "17"),
        (server(2), "0", "15"),
        (server(2, down=False), "0", "15"),  # the worker knows better
        (server(3), "2", "1"),  # it was in maintenance
        (server(1, address="10.0.0.9"), "2", "1"),  # somebody else was in its slot
        (server(1, address="10.0.0.9", down=True), "0", "1"),
        (server(5), "2", "1"),
        (server(5, slow=True), "1", "1"),
        (server(4), "2", "15"),  # slow start is over
        (server(4, slow=True), "1", "15"),
        (server(2, slow=True), "0", "15"),
    ],
)
def test_server_begins_as_the_old_worker_knew_it(given: Server, state: str, status: str) -> None:
    found = row(given)
    assert found["srv_op_state"] == state
    assert found["srv_check_status"] == status
    assert found["srv_admin_state"] == "0"  # what its configuration says, it says now
    assert found["srv_check_state"] == "6"


def test_first_worker_begins_with_what_the_driver_knows() -> None:
    assert row(server(1), before="")["srv_op_state"] == "2"
    assert row(server(1, down=True), before="")["srv_op_state"] == "0"
    assert row(server(1, tls=True), before="")["srv_use_ssl"] == "1"
    assert row(server(1, tls=True))["srv_use_ssl"] == "1"


@pytest.mark.parametrize(
    ("number", "count", "with_two_earlier"),
    [
        (1, Count(up=True, passed=False, against=1), 3),
        (2, Count(up=False, passed=True, against=1), 3),
        (4, Count(up=True, passed=True, against=0), 0),
        (6, Count(up=False, passed=False, against=0), 0),
    ],
)
def test_checks_against_the_state_are_counted_over_workers(number: int, count: Count, with_two_earlier: int) -> None:
    found = count_of(states_in(BEFORE)["g-1", f"s{number}"], server(number))
    assert found == count
    assert found.with_earlier(2) == with_two_earlier


@pytest.mark.parametrize(
    ("status", "check", "count"),
    [
        ("UP", "L7OK", Count(up=True, passed=True, against=0)),
        ("UP", "L7STS", Count(up=True, passed=False, against=0)),  # by an earlier worker's check
        ("UP 3/4", "L4CON", Count(up=True, passed=False, against=1)),
        ("UP 1/4", "* L7TOUT", Count(up=True, passed=False, against=3)),
        ("DOWN", "L7STS", Count(up=False, passed=False, against=0)),
        ("DOWN 2/3", "L4OK", Count(up=False, passed=True, against=2)),
    ],
)
def test_rows_tell_how_many_checks_went_against_the_state(status: str, check: str, count: Count) -> None:
    assert count_in({"status": status, "check_status": check}) == count


INTERVALS = (5, 30, 300)
SERVERS = 40


@pytest.mark.parametrize("seed", range(20))
def test_every_server_is_checked_within_about_two_intervals_however_often_workers_change(seed: int) -> None:
    chance = random.Random(seed)
    rounds = Rounds()
    last = {interval: [0.0] * SERVERS for interval in INTERVALS}
    longest = dict.fromkeys(INTERVALS, 0.0)
    now = 0.0
    for _ in range(400):
        spread = rounds.begin(INTERVALS, now)
        ends = now + chance.choice((SHORTEST_SPREAD_S, 1.0, 7.0, 40.0, 700.0)) * chance.uniform(1.0, 1.5)
        for interval, number in product(INTERVALS, range(SERVERS)):
            # As HAProxy does: the first check by the server's place among all, then one each interval.
            checked = now + min(interval, spread) * number / SERVERS
            while checked < ends:
                longest[interval] = max(longest[interval], checked - last[interval][number])
                last[interval][number] = checked
                checked += interval
        now = ends
    for interval, found in longest.items():
        assert found <= 2 * interval + SHORTEST_SPREAD_S, interval


def test_quiet_worker_spreads_its_checks_over_the_interval() -> None:
    rounds = Rounds()
    assert rounds.begin([30], 0.0) >= 30
    assert rounds.begin([30], 1000.0) >= 30
    assert Rounds().begin([], 0.0) > 0
