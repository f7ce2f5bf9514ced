"""What `/metrics` tells of Service Connect: what each service's tasks sent to each discovery name, by their proxies."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from longshore.domain.ecs.task import Task
from longshore.domain.names.connect import ConnectCounts
from longshore.domain.record import Key
from longshore.store.store import Store

CODES = ("1xx", "2xx", "3xx", "4xx", "5xx")
LABELS = ("cluster", "service", "task", "discovery_name")
ByTask = Mapping[Key, Sequence[ConnectCounts]]


class ConnectMetrics(Collector):
    """Counters of live tasks; those of a task end with it."""

    def __init__(self, store: Store, counts: Callable[[], ByTask]) -> None:
        self._store = store
        self._counts = counts

    def collect(self) -> Iterator[Metric]:
        """All of it."""
        requests = _counter("requests", "Requests sent, or connections where it is TCP")
        responses = _counter("responses", "Answers that came back", "code")
        traffic = _counter("bytes", "Bytes sent and received", "direction")
        connections = _gauge("connections", "Connections to endpoints")
        seconds = _gauge("response_seconds", "Average time to an answer")
        for key, counted in self._counts().items():
            task = self._store.get(Task, key)
            if task is None:
                continue
            for each in counted:
                labels = [task.cluster, task.service_name, task.task_id, each.discovery_name]
                requests.add_metric(labels, each.requests)
                for code, count in zip(CODES, each.codes, strict=True):
                    responses.add_metric([*labels, code], count)
                traffic.add_metric([*labels, "sent"], each.bytes_in)
                traffic.add_metric([*labels, "received"], each.bytes_out)
                connections.add_metric(labels, each.connections)
                seconds.add_metric(labels, each.response_time_s)
        yield from (requests, responses, traffic, connections, seconds)


def _counter(name: str, text: str, *labels: str) -> CounterMetricFamily:
    return CounterMetricFamily(f"longshore_service_connect_{name}", text, labels=[*LABELS, *labels])


def _gauge(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"longshore_service_connect_{name}", text, labels=[*LABELS, *labels])
