"""Hosted zones, answered from the store at every question: a user's record sets, and the instances of Cloud Map.

Called by the name server through `Zones`. Writes nothing, and looks at no more than a question needs: the zone is found
by its name, the name by an index, and of many instances a few are drawn.
"""

from collections.abc import Sequence

from longshore.control.names.pools import Pools
from longshore.decide.names import zones as decide
from longshore.domain.clock import Ids, drawn
from longshore.domain.elbv2.balancer import LoadBalancer, dns_name_in
from longshore.domain.names.dns_name import cuts, parents, within
from longshore.domain.names.naming import DiscoveryService, ServiceInstance
from longshore.domain.names.resolving import DnsRecord, ZoneAnswer
from longshore.domain.names.zone import HostedZone, RecordSet
from longshore.store.store import Store

LOAD_BALANCER_TTL_S = 60
"""Of an alias' addresses, as AWS has it."""
MAX_ALIASES = 8
"""Aliases of aliases that are followed."""
_ADDRESSES = ("A", "AAAA")


class HostedZoneNames:
    """All zones, each for the VPCs that it belongs to; the host is told all of them."""

    def __init__(self, store: Store, ids: Ids) -> None:
        self._store = store
        self._ids = ids
        self._pools = Pools(store)

    def answer(self, vpc_id: str | None, name: str, record_type: str) -> ZoneAnswer | None:
        """What the nearest zone above the name says, a private one before a public one; None where there is none."""
        zone = self._zone(vpc_id, name)
        if zone is None:
            return None
        sets = self._sets(zone, name)
        found = self._of_sets(zone, sets, name, record_type)
        exists = bool(sets)
        if not exists and zone.namespace_id:
            held = self._of_namespace(zone, name, record_type)
            exists, found = held is not None, held or ()
        return ZoneAnswer(self._soa(zone), found, exists=exists or self._above_others(zone, name))

    def _zone(self, vpc_id: str | None, name: str) -> HostedZone | None:
        candidates = (name, *parents(name))
        for candidate in candidates:
            found = (
                self._store.select(HostedZone, "private", (candidate,))
                if vpc_id is None
                else self._store.select(HostedZone, "vpc_name", (vpc_id, candidate))
            )
            if found:  # several VPCs may have zones of one name: the host, which is in none, is told the oldest
                return min(found, key=_age)
        for candidate in candidates:
            found = self._store.select(HostedZone, "public", (candidate,))
            if found:
                return min(found, key=_age)
        return None

    def _soa(self, zone: HostedZone) -> DnsRecord:
        soa = self._store.get(RecordSet, (*zone.scope, zone.zone_id, zone.name, "SOA", ""))
        if soa is None:
            raise LookupError(f"the zone {zone.zone_id} has no SOA")
        return decide.of_set(soa, zone.name)[0]

    # ------------------------------------------------------------------------------------------------- record sets

    def _sets(self, zone: HostedZone, name: str) -> list[RecordSet]:
        """The record sets of a name; where there is no such name, those of the wildcard that stands for it."""
        found = self._store.select(RecordSet, "name", (zone.zone_id, name))
        if found or name == zone.name or self._above_others(zone, name):
            return found
        for parent in parents(name):
            wild = self._store.select(RecordSet, "name", (zone.zone_id, f"*.{parent}"))
            if wild or parent == zone.name or self._exists(zone, parent):
                return wild  # nearest name that exists: a wildcard further up is not for what is below this one
        return []

    def _exists(self, zone: HostedZone, name: str) -> bool:
        return self._store.count(RecordSet, "name", (zone.zone_id, name)) > 0 or self._above_others(zone, name)

    def _above_others(self, zone: HostedZone, name: str) -> bool:
        """Whether a name has others below it, and exists because of them."""
        place = (zone.zone_id, name)
        if self._store.count(RecordSet, "below", place):
            return True
        relative = _relative(zone, name)
        return bool(relative) and self._store.count(DiscoveryService, "below", (zone.zone_id, relative)) > 0

    def _of_sets(
        self, zone: HostedZone, sets: Sequence[RecordSet], owner: str, record_type: str, hops: int = 0
    ) -> tuple[DnsRecord, ...]:
        """Of the type, or the CNAME in its place."""
        chosen = [each for each in sets if each.type == record_type] or [each for each in sets if each.type == "CNAME"]
        if len(chosen) > 1 and chosen[0].multivalue:
            chosen = drawn(chosen, decide.MOST_RECORDS, self._ids)
        elif len(chosen) > 1:
            chosen = [decide.weighted(chosen, self._ids.choice(decide.weights(chosen)))]
        found: list[DnsRecord] = []
        for each in chosen:
            if each.alias:
                found += self._alias(zone, each.alias["DNSName"], owner, record_type, hops)
            else:
                found += decide.of_set(each, owner)
        return tuple(found)

    def _alias(
        self, zone: HostedZone, target: str, owner: str, record_type: str, hops: int = 0
    ) -> tuple[DnsRecord, ...]:
        """What an alias means: a load balancer's addresses, or records of its own zone."""
        balancers = self._store.select(LoadBalancer, "dns", (dns_name_in(target),))
        if balancers:
            addresses = [each.address for each in balancers[0].zones] if record_type == "A" else []
            return tuple(DnsRecord(owner, "A", LOAD_BALANCER_TTL_S, address) for address in addresses)
        if hops >= MAX_ALIASES or not within(target, zone.name):
            return ()
        return self._of_sets(zone, self._sets(zone, target), owner, record_type, hops + 1)

    # ------------------------------------------------------------------------------------------ Cloud Map's instances

    def _of_namespace(self, zone: HostedZone, name: str, record_type: str) -> tuple[DnsRecord, ...] | None:
        """The records of a service's or an instance's name; None where no instance has it."""
        relative = _relative(zone, name)
        for service in self._store.select(DiscoveryService, "record", (zone.zone_id, relative)):
            place = (*service.scope, service.service_id)
            if self._store.count(ServiceInstance, "service", place):
                return self._of_service(zone, service, name, record_type)
        return self._of_host(zone, relative, name, record_type)

    def _of_service(
        self, zone: HostedZone, service: DiscoveryService, name: str, record_type: str
    ) -> tuple[DnsRecord, ...]:
        """Of its healthy instances; where none is healthy, of the others."""
        kind = "CNAME" if service.ttl_s("CNAME") is not None else record_type
        if service.ttl_s(kind) is None:
            return ()
        most = decide.MOST_RECORDS if service.routing_policy == "MULTIVALUE" else 1
        for health in ("HEALTHY", "UNHEALTHY"):
            drawn = self._pools.draw(service.key, health, most, self._ids)
            records = self._of_instances(zone, service, drawn, name, kind)
            if not records and len(drawn) == most:  # none of these has such a record: a service's types were changed
                place = (*service.scope, service.service_id, health)
                others = self._store.select(ServiceInstance, "health", place)
                records = self._of_instances(zone, service, others, name, kind)[:most]
            if records:
                return records
        return ()

    def _of_instances(
        self, zone: HostedZone, service: DiscoveryService, instances: Sequence[ServiceInstance], name: str, kind: str
    ) -> tuple[DnsRecord, ...]:
        ttl_s = service.ttl_s(kind) or 0
        found: list[DnsRecord] = []
        for instance in instances:
            alias = decide.alias_of(instance)
            if alias is not None:
                found += self._alias(zone, alias.lower().removesuffix("."), name, kind)
                continue
            data = decide.data_of(instance, service, zone, kind)
            if data is not None:
                found.append(DnsRecord(name, kind, ttl_s, data))
        return tuple(found)

    def _of_host(self, zone: HostedZone, relative: str, name: str, record_type: str) -> tuple[DnsRecord, ...] | None:
        """The address of an instance that an SRV record names."""
        for cut in cuts(relative):
            for service in self._store.select(DiscoveryService, "record", (zone.zone_id, cut.tail)):
                ttl_s = service.ttl_s("SRV")
                label = cut.head.replace("\\", "")
                place = (*service.scope, service.service_id, label)
                instances = self._store.select(ServiceInstance, "label", place) if ttl_s is not None else []
                if instances:
                    kind = record_type if record_type in _ADDRESSES else ""
                    data = decide.data_of(instances[0], service, zone, kind) if kind else None
                    return (DnsRecord(name, kind, ttl_s or 0, data),) if data else ()
        return None


def _age(zone: HostedZone) -> tuple[float, str]:
    return (zone.created_at, zone.zone_id)


def _relative(zone: HostedZone, name: str) -> str:
    return name.removesuffix(zone.name).removesuffix(".")
