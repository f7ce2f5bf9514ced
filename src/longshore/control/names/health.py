"""Checks the instances of Cloud Map services with a HealthCheckConfig, each every half a minute.

The only writer of the health of those instances. Who has no such config costs nothing.
"""

from longshore.control.loop import Loop
from longshore.decide.names import health as decide
from longshore.domain.clock import Clock
from longshore.domain.names.naming import DiscoveryService, HealthCheckConfig, ServiceInstance
from longshore.domain.record import Key, Record
from longshore.drivers.ports import EndpointProbe
from longshore.store.store import Change, Reader, Store


class HealthChecks:
    """One loop over instances, by key."""

    def __init__(self, store: Store, probe: EndpointProbe, clock: Clock) -> None:
        self._store = store
        self._probe = probe
        self._clock = clock
        self._runs: dict[Key, decide.Run] = {}
        self.loop: Loop[Key] = Loop("health checks", self._reconcile, clock, workers=16)
        store.watch(self._changed, ServiceInstance, DiscoveryService)

    def resume(self) -> None:
        """At a start: look at every instance that is to be checked."""
        for service in self._store.all(DiscoveryService):
            if service.health_check is not None:
                self._enqueue(service)

    def _enqueue(self, service: DiscoveryService) -> None:
        for key in self._store.select_keys(ServiceInstance, "service", (*service.scope, service.service_id)):
            self.loop.enqueue(key)

    def _changed(self, change: Change) -> None:
        before, after = change.before, change.after
        if isinstance(after, ServiceInstance):
            moved = not isinstance(before, ServiceInstance) or before.attributes != after.attributes
            service = _service_of(self._store, after) if moved else None
            if service is not None and service.health_check is not None:
                self.loop.enqueue(after.key)
        elif isinstance(before, ServiceInstance):
            self._runs.pop(before.key, None)
        elif isinstance(after, DiscoveryService) and _check(before) != after.health_check:
            self._enqueue(after)

    async def _reconcile(self, key: Key) -> float | None:
        instance = self._store.get(ServiceInstance, key)
        service = _service_of(self._store, instance) if instance is not None else None
        if instance is None or service is None:
            return None
        check = decide.check_of(service, instance)
        if check is None:
            self._no_more(service, key)
            return None
        self._write(key, passed=await self._probe(check))
        return self._clock.now() + decide.INTERVAL_S

    def _write(self, key: Key, *, passed: bool) -> None:
        """What was found of the instance, as it is now: it may have gone, or its check."""
        with self._store.transaction() as tx:
            instance = tx.get(ServiceInstance, key)
            service = _service_of(tx, instance) if instance is not None else None
            if instance is None or service is None or service.health_check is None:
                return
            run = self._runs.get(key, decide.Run())
            health, self._runs[key] = decide.judged(service, instance.health, run, passed=passed)
            if health != instance.health:
                tx.put(instance.but(health=health))
                tx.put(service.but(revision=service.revision + 1))

    def _no_more(self, service: DiscoveryService, key: Key) -> None:
        """A check that was taken away leaves nobody unhealthy."""
        self._runs.pop(key, None)
        if service.custom_health:
            return
        with self._store.transaction() as tx:
            instance = tx.get(ServiceInstance, key)
            if instance is not None and instance.health == "UNHEALTHY":
                tx.put(instance.but(health="HEALTHY"))
                tx.put(service.but(revision=service.revision + 1))


def _check(record: Record | None) -> HealthCheckConfig | None:
    return record.health_check if isinstance(record, DiscoveryService) else None


def _service_of(reader: Reader, instance: ServiceInstance) -> DiscoveryService | None:
    return reader.get(DiscoveryService, (*instance.scope, instance.service_id))
