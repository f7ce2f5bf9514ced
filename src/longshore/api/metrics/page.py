"""What `/metrics` tells Prometheus. One registry per server, so that two in one process don't meet."""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from longshore.api.metrics.balancers import BalancerMetrics, Counts
from longshore.api.metrics.connect import ByTask, ConnectMetrics
from longshore.domain.ecs.cluster import Cluster
from longshore.domain.ecs.task import Task
from longshore.store.store import Store

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)


class Metrics:
    """Counters of the request chain, and gauges read from the store when asked."""

    def __init__(
        self,
        store: Store,
        balancer_counts: Callable[[], Counts] = lambda: ((), ()),
        connect_counts: Callable[[], ByTask] = dict,
    ) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "longshore_requests", "API requests", ["service", "operation", "code"], registry=self._registry
        )
        self._seconds = Histogram(
            "longshore_request_seconds",
            "Time to answer an API request",
            ["service"],
            buckets=BUCKETS,
            registry=self._registry,
        )
        self._known: dict[tuple[str, str, str], tuple[Counter, Histogram]] = {}
        """Those that `labels` has found, which takes longer than to count: as many as the page has lines of."""
        self._registry.register(_State(store))
        self._registry.register(BalancerMetrics(store, balancer_counts))
        self._registry.register(ConnectMetrics(store, connect_counts))

    def request(self, service: str, operation: str, code: str, seconds: float) -> None:
        """One request was answered."""
        known = self._known.get((service, operation, code))
        if known is None:
            counter, histogram = self._requests.labels(service, operation, code), self._seconds.labels(service)
            known = self._known[service, operation, code] = (counter, histogram)
        known[0].inc()
        known[1].observe(seconds)

    def render(self) -> bytes:
        """The page."""
        return generate_latest(self._registry)


class _State(Collector):
    """What the store knows without counting."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def collect(self) -> Iterator[Metric]:
        tasks = GaugeMetricFamily("longshore_tasks", "Live tasks", labels=["cluster", "status"])
        for cluster in self._store.all(Cluster):
            place = (*cluster.scope, cluster.name)
            for status in ("running", "pending"):
                tasks.add_metric([cluster.arn, status], self._store.tally(Task, status, place))
        yield tasks
        for name, unit in (("cpu_units", "CPU units"), ("memory_mib", "MiB of memory")):
            reserved = GaugeMetricFamily(f"longshore_reserved_{name}", f"{unit} that live tasks reserve")
            reserved.add_metric([], self._store.tally(Task, name, ()))
            yield reserved
        revision = GaugeMetricFamily("longshore_store_revision", "Commits so far")
        revision.add_metric([], self._store.revision)
        yield revision
