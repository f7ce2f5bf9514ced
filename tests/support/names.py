"""Namespaces, Cloud Map services and instances as plain records, for tests that put them into a store."""

from __future__ import annotations

from typing import Any

from longshore.domain.names.naming import DiscoveryService, RecordSetting, ServiceInstance
from longshore.domain.names.zone import SOA_DATA, HostedZone, RecordSet, ZoneVpc
from tests.support.api import SCOPE

PLACE: dict[str, Any] = {"account": SCOPE.account, "region": SCOPE.region}
EVERYWHERE: dict[str, Any] = {"account": SCOPE.account, "region": ""}


def registry(*types: str, service_id: str = "srv-1", name: str = "", ttl_s: int = 10, **more: Any) -> DiscoveryService:
    """A Cloud Map service with such records in the zone `Z1`."""
    return DiscoveryService(
        **PLACE,
        **{
            "service_id": service_id,
            "namespace_id": "ns-1",
            "name": name or service_id,
            "type": "DNS_HTTP" if types else "HTTP",
            "hosted_zone_id": "Z1" if types else "",
            "records": tuple(RecordSetting(type=each, ttl_s=ttl_s) for each in types),  # type: ignore[arg-type]
            "created_at": 0.0,
            **more,
        },
    )


def instance(instance_id: str, address: str = "10.0.0.1", *, service_id: str = "srv-1", **more: Any) -> ServiceInstance:
    """An instance with an address and port 80."""
    attributes = {"AWS_INSTANCE_IPV4": address, "AWS_INSTANCE_PORT": "80", **more.pop("attributes", {})}
    made: dict[str, Any] = {"service_id": service_id, "instance_id": instance_id, "registered_at": 0.0, **more}
    return ServiceInstance(**PLACE, **made, attributes=attributes)


def zone(name: str = "example.internal", *vpc_ids: str, zone_id: str = "Z1", **more: Any) -> HostedZone:
    """A private zone of these VPCs (default: vpc-1)."""
    vpcs = tuple(ZoneVpc(region=SCOPE.region, vpc_id=vpc_id) for vpc_id in vpc_ids or ("vpc-1",))
    given = {"private": True, "vpcs": vpcs, "caller_reference": zone_id, "created_at": 0.0, **more}
    return HostedZone(**EVERYWHERE, zone_id=zone_id, name=name, **given)


def record_set(name: str, kind: str = "A", *values: str, zone_id: str = "Z1", **more: Any) -> RecordSet:
    """A user's record set."""
    return RecordSet(**EVERYWHERE, zone_id=zone_id, name=name, type=kind, values=values, **{"ttl_s": 60, **more})


def soa_set(name: str = "example.internal", ttl_s: int = 15, zone_id: str = "Z1") -> RecordSet:
    """A zone's SOA."""
    return record_set(name, "SOA", SOA_DATA, zone_id=zone_id, ttl_s=ttl_s)
