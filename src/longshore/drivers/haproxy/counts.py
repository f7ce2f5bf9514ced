"""Counters out of `show stat`, over all workers, old and gone ones too. A worker counts from nothing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from longshore.domain.elbv2.balancing import BalancerCounts, BalancerPlan, GroupCounts
from longshore.drivers.haproxy.render import group_owners
from longshore.drivers.haproxy.render.text import group_backend, listener_frontend, open_backend

Row = Mapping[str, str]
FRONTEND, SERVER = "0", "2"
CLASSES = ("hrsp_1xx", "hrsp_2xx", "hrsp_3xx", "hrsp_4xx", "hrsp_5xx")


@dataclass
class Sums:
    """Of one frontend, or of the servers of one backend."""

    requests: int = 0
    """Of servers: all that one was chosen for, answered or not; each once, however often it was tried."""
    answered: int = 0
    codes: list[int] = field(default_factory=lambda: [0, 0, 0, 0, 0])
    bytes_in: int = 0
    bytes_out: int = 0
    connections: int = 0
    response_ms: int = 0
    """Weighted by answers."""

    @property
    def response_time_s(self) -> float:
        """From a request's end to its answer's begin, on average of the last thousand or so."""
        return self.response_ms / self.answered / 1000 if self.answered else 0.0

    def add(self, other: "Sums") -> None:
        """Add all but what is open now."""
        self.requests += other.requests
        self.answered += other.answered
        self.codes = [mine + its for mine, its in zip(self.codes, other.codes, strict=True)]
        self.bytes_in += other.bytes_in
        self.bytes_out += other.bytes_out
        self.response_ms += other.response_ms


ByProxy = dict[str, Sums]


def sums(rows: Iterable[Row]) -> ByProxy:
    """One worker's counters by proxy."""
    found: ByProxy = {}
    for row in rows:
        if row["type"] in (FRONTEND, SERVER):
            total = found.setdefault(row["pxname"], Sums())
            answered = _number(row, "req_tot") or _number(row, "stot")
            tries = _number(row, "stot") - _number(row, "wretr") - _number(row, "wredis")
            total.add(
                Sums(
                    tries if row["type"] == SERVER else answered,
                    answered,
                    [_number(row, name) for name in CLASSES],
                    _number(row, "bin"),
                    _number(row, "bout"),
                    response_ms=_number(row, "rtime") * answered,
                )
            )
            total.connections += _number(row, "scur")
    return found


class Counters:
    """What was counted since the driver was opened, whatever reloads there were."""

    def __init__(self) -> None:
        self._gone: ByProxy = {}
        self._workers: dict[int, ByProxy] = {}

    def update(self, workers: Mapping[int, ByProxy]) -> None:
        """What the living workers, by pid, say now. What others said last is kept."""
        for pid in self._workers.keys() - workers.keys():
            for proxy, counted in self._workers[pid].items():
                self._gone.setdefault(proxy, Sums()).add(counted)
        self._workers = dict(workers)

    def of(self, *proxies: str) -> Sums:
        """Sums over proxies."""
        total = Sums()
        for source in (self._gone, *self._workers.values()):
            for proxy in proxies:
                if (counted := source.get(proxy)) is not None:
                    total.add(counted)
                    total.connections += counted.connections
        return total

    def counts(self, plan: BalancerPlan) -> tuple[list[BalancerCounts], list[GroupCounts]]:
        """As the port says."""
        balancers = []
        for balancer in plan.load_balancers:
            total = self.of(*(listener_frontend(listener.listener_id) for listener in balancer.listeners))
            balancers.append(
                BalancerCounts(
                    lb_id=balancer.lb_id,
                    requests=total.requests,
                    codes=_codes(total),
                    connections=total.connections,
                    bytes_in=total.bytes_in,
                    bytes_out=total.bytes_out,
                )
            )
        owners = group_owners(plan)
        return balancers, [
            self._group(owners[group.group_id], group.group_id) for group in plan.groups if group.group_id in owners
        ]

    def _group(self, lb_id: str, group_id: str) -> GroupCounts:
        total = self.of(group_backend(group_id), open_backend(group_id))
        return GroupCounts(
            lb_id=lb_id,
            group_id=group_id,
            requests=total.requests,
            codes=_codes(total),
            response_time_s=total.response_time_s,
            connections=total.connections,
        )


def _codes(total: Sums) -> tuple[int, int, int, int, int]:
    first, second, third, fourth, fifth = total.codes
    return first, second, third, fourth, fifth


def _number(row: Row, column: str) -> int:
    return int(row.get(column) or 0)
