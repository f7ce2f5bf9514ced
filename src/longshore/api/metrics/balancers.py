"""What `/metrics` tells of load balancers: counters of the data plane, and how many targets are in which state."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from longshore.domain.elbv2.balancer import LoadBalancer, Target, TargetGroup
from longshore.domain.elbv2.balancing import BalancerCounts, GroupCounts
from longshore.store.store import Store

Counts = tuple[Sequence[BalancerCounts], Sequence[GroupCounts]]
CODES = ("1xx", "2xx", "3xx", "4xx", "5xx")


class BalancerMetrics(Collector):
    """Names of load balancers and target groups are those of CloudWatch's dimensions, `app/NAME/ID`."""

    def __init__(self, store: Store, counts: Callable[[], Counts]) -> None:
        self._store = store
        self._counts = counts

    def collect(self) -> Iterator[Metric]:
        """All of it."""
        balancers, groups = self._counts()
        paths = {balancer.lb_id: balancer.path for balancer in self._store.all(LoadBalancer)}
        names = {group.group_id: group.path for group in self._store.all(TargetGroup)}
        yield from _of_balancers([(paths[each.lb_id], each) for each in balancers if each.lb_id in paths])
        known = [each for each in groups if each.lb_id in paths and each.group_id in names]
        yield from _of_groups([((paths[each.lb_id], names[each.group_id]), each) for each in known])
        targets = GaugeMetricFamily("longshore_targets", "Targets by state", labels=["target_group", "state"])
        for group_id, name in names.items():
            states = Counter(_state(target) for target in self._store.select(Target, "group", (group_id,)))
            for state, count in states.items():
                targets.add_metric([name, state], count)
        yield targets


def _of_balancers(counted: Sequence[tuple[str, BalancerCounts]]) -> Iterator[Metric]:
    requests = _counter("longshore_load_balancer_requests", "Requests from clients", "load_balancer")
    responses = _counter("longshore_load_balancer_responses", "Answers to clients", "load_balancer", "code")
    traffic = _counter("longshore_load_balancer_bytes", "Bytes from and to clients", "load_balancer", "direction")
    connections = _gauge("longshore_load_balancer_connections", "Connections of clients", "load_balancer")
    for path, counts in counted:
        requests.add_metric([path], counts.requests)
        for code, count in zip(CODES, counts.codes, strict=True):
            responses.add_metric([path, code], count)
        traffic.add_metric([path, "in"], counts.bytes_in)
        traffic.add_metric([path, "out"], counts.bytes_out)
        connections.add_metric([path], counts.connections)
    yield from (requests, responses, traffic, connections)


def _of_groups(counted: Sequence[tuple[tuple[str, str], GroupCounts]]) -> Iterator[Metric]:
    both = ("load_balancer", "target_group")
    requests = _counter("longshore_target_group_requests", "Requests to targets", *both)
    responses = _counter("longshore_target_group_responses", "Answers of targets", *both, "code")
    seconds = _gauge("longshore_target_group_response_seconds", "Average time to a target's answer", *both)
    connections = _gauge("longshore_target_group_connections", "Connections to targets", *both)
    for names, counts in counted:
        requests.add_metric(list(names), counts.requests)
        for code, count in zip(CODES, counts.codes, strict=True):
            responses.add_metric([*names, code], count)
        seconds.add_metric(list(names), counts.response_time_s)
        connections.add_metric(list(names), counts.connections)
    yield from (requests, responses, seconds, connections)


def _counter(name: str, text: str, *labels: str) -> CounterMetricFamily:
    return CounterMetricFamily(name, text, labels=labels)


def _gauge(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, labels=labels)


def _state(target: Target) -> str:
    return "draining" if target.draining else target.state
