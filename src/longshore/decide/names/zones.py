"""What of a hosted zone is answered to a question: records of instances and of record sets, as values.

Pure. Called by `control/names/zones.py` for questions to the name server, and by the Route 53 API, which shows the
record sets of a namespace's zone.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from longshore.domain.names.dns_name import absolute
from longshore.domain.names.naming import ALIAS, CNAME, IPV4, IPV6, PORT, DiscoveryService, ServiceInstance
from longshore.domain.names.resolving import DnsRecord
from longshore.domain.names.zone import HostedZone, RecordSet

MOST_RECORDS = 8
"""Of a name with the policy MULTIVALUE, as Route 53 answers it."""
_VALUES = {"A": IPV4, "AAAA": IPV6, "CNAME": CNAME}
_ESCAPE = re.compile(r"\\([0-3][0-7]{2})|\\(.)", re.DOTALL)


class Held(NamedTuple):
    """A record that an instance has: at which name, of which type, with which data."""

    name: str
    type: str
    ttl_s: int
    data: str


def service_name(service: DiscoveryService, zone: HostedZone) -> str:
    """A service's name in its zone."""
    return f"{service.name.lower()}.{zone.name}"


def host_name(instance: ServiceInstance, service: DiscoveryService, zone: HostedZone) -> str:
    """The name of one instance, which an SRV record tells."""
    return f"{absolute(instance.instance_id) or ''}.{service_name(service, zone)}"


def records_of(instance: ServiceInstance, service: DiscoveryService, zone: HostedZone) -> Iterator[Held]:
    """All records of an instance but those of an alias, which are another's addresses."""
    name = service_name(service, zone)
    for setting in service.records:
        data = data_of(instance, service, zone, setting.type)
        if data is not None:
            yield Held(name, setting.type, setting.ttl_s, data)
    srv_ttl_s = service.ttl_s("SRV")
    if srv_ttl_s is not None:
        for kind in ("A", "AAAA"):
            address = instance.attributes.get(_VALUES[kind])
            if address is not None:
                yield Held(host_name(instance, service, zone), kind, srv_ttl_s, address)


def data_of(instance: ServiceInstance, service: DiscoveryService, zone: HostedZone, kind: str) -> str | None:
    """The data of the record of a type that an instance has at its service's name; None if it has none."""
    if kind == "SRV":
        port, label = instance.attributes.get(PORT), absolute(instance.instance_id)
        return f"1 1 {port} {host_name(instance, service, zone)}" if port is not None and label is not None else None
    value = instance.attributes.get(_VALUES[kind])
    return None if value is None else zone_file(value)


def alias_of(instance: ServiceInstance) -> str | None:
    """The name whose addresses are the instance's, if it is an alias."""
    return instance.attributes.get(ALIAS)


def of_set(record_set: RecordSet, owner: str) -> tuple[DnsRecord, ...]:
    """The records of a record set, at the name that was asked for."""
    ttl_s, kind = record_set.ttl_s, record_set.type
    return tuple(DnsRecord(owner, kind, ttl_s, zone_file(value)) for value in record_set.values)


def zone_file(value: str) -> str:
    r"""Route 53's octal escapes as the decimal ones of zone files: `\052` is `\042`."""
    if "\\" not in value:
        return value

    def decimal(match: re.Match[str]) -> str:
        return f"\\{int(match[1], 8):03d}" if match[1] else match[0]

    return _ESCAPE.sub(decimal, value)


def weighted(record_sets: Sequence[RecordSet], number: int) -> RecordSet:
    """The record set that a number below `weights(record_sets)` falls on. All are equal where no weight is above 0."""
    if not any(each.weight for each in record_sets):
        return record_sets[number]
    for each in record_sets:
        number -= each.weight or 0
        if number < 0:
            return each
    raise ValueError("the number is not below the sum of the weights")


def weights(record_sets: Sequence[RecordSet]) -> int:
    """How many numbers there are to choose a weighted record set by."""
    return sum(each.weight or 0 for each in record_sets) or len(record_sets)
