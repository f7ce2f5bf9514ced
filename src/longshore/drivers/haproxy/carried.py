"""What a reload carries over of health checks. Pure.

A new worker knows nothing of the checks before it. It would take every server for up, end slow starts, and spread its
first checks over a whole interval, so that reloads which come faster put some checks off for ever. So it is given each
server's state, in HAProxy's server state file, and a time within which it has to have checked everything. How many
checks in a row went against the state HAProxy doesn't take from the file: that is remembered here, and whoever looks at
checks adds it to what the worker has counted since.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from longshore.drivers.haproxy.health import PASSES

SHORTEST_SPREAD_S = 0.5
"""Reloads that come still faster may put checks off: thousands at once would do harm."""
HEADER = (
    "be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight "
    "srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state "
    "bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr "
    "srv_agent_addr srv_agent_port"
)
COLUMNS = HEADER.split()
FORCED = 1
"""In `srv_admin_state`: in maintenance by command."""
STOPPED, STARTING, RUNNING = "0", "1", "2"
PASSED = ("3", "4")
INITIAL_STATUS, NO_RESULT = "1", "0"
"""Of a check that never ran."""
CHECKS_ON = "6"
PROGRESS = re.compile(r" (\d+)/(\d+)$")

State = Mapping[str, str]
"""A server's row of `show servers state`, by column."""


class Server(NamedTuple):
    """A server with checks that a new worker begins with."""

    backend: str
    name: str
    address: str
    port: int
    down: bool
    """What is known of it where the old worker says nothing."""
    starts_slowly: bool
    """It still has less than its share."""
    rise: int
    fall: int
    tls: bool


class Count(NamedTuple):
    """Where a server's checks stand."""

    up: bool
    passed: bool
    """What the last check said."""
    against: int
    """How many in a row said otherwise than the state."""

    def with_earlier(self, earlier: int) -> int:
        """`against`, with those that earlier workers saw; one check that agrees with the state ends them all."""
        return 0 if self.passed == self.up else earlier + self.against


def count_in(row: Mapping[str, str]) -> Count:
    """What a row of `show stat` tells: `UP 2/3` has two failures to go of three, `DOWN 1/3` one success."""
    status = row.get("status", "")
    up = not status.startswith("DOWN")
    progress = PROGRESS.search(status)
    done, whole = (int(progress[1]), int(progress[2])) if progress else (0, 0)
    return Count(up, row.get("check_status", "").lstrip("* ") in PASSES, whole - done if up else done)


def states_in(answer: str) -> dict[tuple[str, str], State]:
    """Rows of `show servers state`, by backend and server."""
    rows = (line.split() for line in answer.splitlines())
    return {
        (words[1], words[3]): dict(zip(COLUMNS, words, strict=True)) for words in rows if len(words) == len(COLUMNS)
    }


def state_of(server: Server, states: Mapping[tuple[str, str], State]) -> State | None:
    """Its state among these; not that of what was in its slot before, nor one from its time in maintenance."""
    state = states.get((server.backend, server.name))
    if state is None or (state["srv_addr"], state["srv_port"]) != (server.address, str(server.port)):
        return None
    return None if int(state["srv_admin_state"]) & FORCED else state


def count_of(state: State, server: Server) -> Count:
    """Where its checks stand, by its state."""
    up, health = state["srv_op_state"] != STOPPED, int(state["srv_check_health"])
    against = server.rise + server.fall - 1 - health if up else health
    return Count(up, state["srv_check_result"] in PASSED, against)


def state_file(servers: Iterable[tuple[Server, State | None]]) -> str:
    """HAProxy's server state file, of servers and their states so far (`state_of`). It finds them by their names.

    Servers that are left out begin as the configuration says.
    """
    return "\n".join(["1", f"# {HEADER}", *(_line(server, state) for server, state in servers), ""])


def begins_up(server: Server, state: State | None) -> bool:
    """Whether it begins as a server that is up."""
    return not server.down if state is None else state["srv_op_state"] != STOPPED


def _line(server: Server, state: State | None) -> str:
    row = dict.fromkeys(COLUMNS, "0") | {"be_id": "1", "srv_id": "1"} | dict.fromkeys(_ABSENT, "-")
    row |= {
        "be_name": server.backend,
        "srv_name": server.name,
        "srv_addr": server.address,
        "srv_port": str(server.port),
        "srv_use_ssl": str(int(server.tls)),
        "srv_check_state": CHECKS_ON,
    }
    if state is not None:
        row |= {name: state[name] for name in _KEPT}
    else:
        row |= {"srv_check_status": INITIAL_STATUS, "srv_check_result": NO_RESULT}
    up = STARTING if server.starts_slowly else RUNNING
    row["srv_op_state"] = up if begins_up(server, state) else STOPPED
    return " ".join(row[name] for name in COLUMNS)


_ABSENT = ("srv_fqdn", "srvrecord", "srv_check_addr", "srv_agent_addr")
_KEPT = (
    "srv_uweight",
    "srv_iweight",
    "srv_time_since_last_change",
    "srv_check_status",
    "srv_check_result",
    "srv_check_health",
)


class Rounds:
    """Over how long each worker spreads its first checks, so that no target waits for much more than two intervals."""

    def __init__(self) -> None:
        self._since: dict[int, float] = {}
        """By interval: everything with it has been checked at least once from then on."""
        self._began = 0.0
        self._spread_s = 0.0

    def begin(self, intervals: Collection[int], now: float) -> float:
        """A worker begins, whose groups have these intervals (seconds). Returns the seconds."""
        self._since = {interval: self._checked_since(interval, now) for interval in intervals}
        left = [since + 2 * interval - now for interval, since in self._since.items()]
        self._spread_s = max(SHORTEST_SPREAD_S, min(left, default=SHORTEST_SPREAD_S))
        self._began = now
        return self._spread_s

    def _checked_since(self, interval: int, now: float) -> float:
        since = self._since.get(interval)
        if since is None:
            return now
        whole = now - self._began >= min(interval, self._spread_s)
        return max(self._began, now - interval) if whole else since
