"""Hosted zones as both Route 53 and Cloud Map make and remove them: with SOA and NS, and all that is in them."""

from longshore.api.operation import Call
from longshore.domain.names.naming import DiscoveryService, Namespace, ServiceInstance
from longshore.domain.names.zone import GLOBAL, NAME_SERVERS, SOA_DATA, HostedZone, RecordSet, ZoneVpc
from longshore.domain.record import Scope

NS_TTL_S = 172800
ID_LENGTH = 19
"""Of a zone's id behind its `Z`: `/hostedzone/` before it, which some clients send, just fits the model."""
OWN_TYPES = frozenset({"SOA", "NS"})
"""What a zone has at its own name as long as it exists."""


def global_scope(call: Call) -> Scope:
    """Where Route 53's records are kept: one place for all regions of an account."""
    return Scope(call.scope.account, GLOBAL)


def make_zone(
    call: Call,
    *,
    name: str,
    private: bool,
    vpcs: tuple[ZoneVpc, ...],
    comment: str,
    caller_reference: str,
    soa_ttl_s: int,
    namespace: Namespace | None = None,
) -> HostedZone:
    """A new zone, written with its SOA and NS. `name` is as records have it."""
    scope = global_scope(call)
    zone = HostedZone(
        account=scope.account,
        region=scope.region,
        zone_id=f"Z{call.ids.token(ID_LENGTH).upper()}",
        name=name,
        private=private,
        vpcs=vpcs,
        comment=comment,
        caller_reference=caller_reference,
        created_at=call.now,
        namespace_region=namespace.region if namespace else "",
        namespace_id=namespace.namespace_id if namespace else "",
    )
    call.tx.put(zone)
    soa = RecordSet(
        account=scope.account,
        region=scope.region,
        zone_id=zone.zone_id,
        name=name,
        type="SOA",
        ttl_s=soa_ttl_s,
        values=(SOA_DATA,),
    )
    call.tx.put(soa)
    call.tx.put(soa.but(type="NS", ttl_s=NS_TTL_S, values=NAME_SERVERS))
    return zone


def remove_zone(call: Call, zone_id: str) -> None:
    """The zone gone, with every record set in it."""
    scope = global_scope(call)
    for record_set in call.tx.select(RecordSet, "zone", (zone_id,)):
        call.tx.delete(RecordSet, record_set.key)
    call.tx.delete(HostedZone, (*scope, zone_id))


def soa_ttl_s(call: Call, zone_id: str) -> int:
    """The TTL of a zone's SOA: for how long the absence of a name may be remembered."""
    soa = _soa(call, zone_id)
    return soa.ttl_s if soa else 0


def set_soa_ttl(call: Call, zone_id: str, ttl_s: int) -> None:
    """Change it."""
    soa = _soa(call, zone_id)
    if soa is not None:
        call.tx.put(soa.but(ttl_s=ttl_s))


def conflicting(call: Call, name: str, vpc: ZoneVpc) -> str | None:
    """Why a VPC can't have another zone of a name: it has one. None if it has none."""
    for other in call.tx.select(HostedZone, "vpc_name", (vpc.vpc_id, name)):
        return (
            f"The VPC {vpc.vpc_id} in region {vpc.region} has already been associated with the hosted zone "
            f"{other.zone_id} with the same domain name."
        )
    return None


def count_sets(call: Call, zone: HostedZone) -> int:
    """How many record sets a zone has, those of Cloud Map's instances among them."""
    count = call.tx.count(RecordSet, "zone", (zone.zone_id,))
    for service in call.tx.select(DiscoveryService, "zone", (zone.zone_id,)):
        instances = call.tx.count(ServiceInstance, "service", (*service.scope, service.service_id))
        count += instances * (len(service.records) + (service.ttl_s("SRV") is not None))
    return count


def _soa(call: Call, zone_id: str) -> RecordSet | None:
    scope = global_scope(call)
    zone = call.tx.get(HostedZone, (*scope, zone_id))
    return call.tx.get(RecordSet, (*scope, zone_id, zone.name, "SOA", "")) if zone else None
