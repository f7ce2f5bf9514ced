"""One change of a batch: a record set made, replaced or removed, with the rules and texts of Route 53.

Writes into the call's transaction: what raises undoes the whole batch.
"""

from collections.abc import Mapping
from typing import Any

from longshore.api.common.zones import OWN_TYPES
from longshore.api.operation import Call
from longshore.api.route53.lookup import ZONE_PREFIX
from longshore.api.route53.values import fault_in
from longshore.domain.elbv2.hosted_zones import holds, is_of_load_balancers
from longshore.domain.names.dns_name import absolute, shown, within
from longshore.domain.names.zone import HostedZone, RecordSet
from longshore.wire.errors import ApiError

LB_TYPES = ("A", "AAAA")


def apply_change(call: Call, zone: HostedZone, action: str, given: Mapping[str, Any]) -> None:
    """Make one change. Raises InvalidChangeBatch."""
    wanted = _record_set(zone, action, given)
    present = call.tx.get(RecordSet, wanted.key)
    said = f"[name='{shown(wanted.name)}', type='{wanted.type}'{_identified(wanted)}]"
    if action == "DELETE":
        if present is None:
            raise refused(f"Tried to delete resource record set {said} but it was not found")
        if not _alike(present, wanted):
            text = f"Tried to delete resource record set {said} but the values provided do not match the current values"
            raise refused(text)
        _check_own(zone, present)
        call.tx.delete(RecordSet, present.key)
        return
    if action == "CREATE" and present is not None:
        raise refused(f"Tried to create resource record set {said} but it already exists")
    _check_values(wanted)
    _check_beside(call, zone, wanted)
    if wanted.alias:
        _check_alias(call, zone, wanted)
    call.tx.put(wanted)


def refused(*texts: str) -> ApiError:
    """The error of a batch, its texts in brackets as Route 53 lists them."""
    return ApiError("InvalidChangeBatch", f"[{', '.join(texts)}]", members={"messages": list(texts)})


def _record_set(zone: HostedZone, action: str, given: Mapping[str, Any]) -> RecordSet:
    """The record set that a change speaks of."""
    name = absolute(given["Name"])
    if name is None:
        raise refused(
            f"FATAL problem: DomainLabelTooLong or an invalid character encountered with '{given['Name'][:255]}'"
        )
    if not within(name, zone.name):
        raise refused(f"RRSet with DNS name {shown(name)} is not permitted in zone {shown(zone.name)}")
    alias, ttl_s, records = given.get("AliasTarget"), given.get("TTL"), given.get("ResourceRecords")
    if bool(alias) == bool(records) or bool(records) != (ttl_s is not None):
        text = (
            "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or "
            f"TrafficPolicyInstanceId], but found {'more than one' if alias else 'none'} in Change with "
            f"[Action={action}, Name={shown(name)}, Type={given['Type']}, SetIdentifier={given.get('SetIdentifier')}]"
        )
        raise ApiError("InvalidInput", text)
    multivalue = bool(given.get("MultiValueAnswer"))
    record_set = RecordSet(
        account=zone.account,
        region=zone.region,
        zone_id=zone.zone_id,
        name=name,
        type=given["Type"],
        set_identifier=given.get("SetIdentifier") or "",
        ttl_s=ttl_s or 0,
        values=tuple(each["Value"] for each in records or ()),
        alias=_alias(alias) if alias else {},
        evaluate_target_health=bool(alias and alias["EvaluateTargetHealth"]),
        weight=given.get("Weight"),
        multivalue=multivalue,
    )
    _check_policy(record_set)
    return record_set


def _alias(given: Mapping[str, Any]) -> dict[str, str]:
    target = absolute(given["DNSName"])
    if target is None:
        raise refused(f"The alias target {given['DNSName'][:255]} is not a valid domain name")
    return {"HostedZoneId": given["HostedZoneId"].removeprefix(ZONE_PREFIX), "DNSName": target}


def _check_policy(wanted: RecordSet) -> None:
    policies = (wanted.weight is not None) + wanted.multivalue
    if bool(wanted.set_identifier) != (policies == 1) or policies > 1:
        raise refused(
            f"RRSet with DNS name {shown(wanted.name)}, type {wanted.type} must have a SetIdentifier with either a "
            "Weight or MultiValueAnswer, or none of these"
        )
    if wanted.multivalue and (wanted.alias or wanted.type in {"CNAME", "NS"}):
        raise refused(f"MultiValueAnswer is not permitted for aliases, CNAME and NS records: {shown(wanted.name)}")


def _check_values(wanted: RecordSet) -> None:
    for value in wanted.values:
        fault = fault_in(wanted.type, value)
        if fault is not None:
            raise refused(f"Invalid Resource Record: 'FATAL problem: {fault}'")
    if len(set(wanted.values)) < len(wanted.values):
        raise refused(f"Duplicate Resource Record in {shown(wanted.name)}, type {wanted.type}")
    if len(wanted.values) > 1 and (wanted.type in {"CNAME", "SOA"} or wanted.multivalue):
        raise refused(f"RRSet with DNS name {shown(wanted.name)}, type {wanted.type} can have one value only")


def _check_beside(call: Call, zone: HostedZone, wanted: RecordSet) -> None:
    """What else there is of its name must suit it."""
    at, of = shown(wanted.name), shown(zone.name)
    if wanted.name == zone.name and wanted.type == "CNAME":
        raise refused(f"RRSet of type CNAME with DNS name {at} is not permitted at apex in zone {of}")
    if wanted.type == "SOA" and wanted.name != zone.name:
        raise refused(f"RRSet of type SOA with DNS name {at} is not permitted: it is for the name of the zone {of}")
    if wanted.name == zone.name and wanted.type in OWN_TYPES and (wanted.set_identifier or wanted.alias):
        raise refused(f"RRSet of type {wanted.type} with DNS name {at} at apex takes values and no routing policy")
    for other in call.tx.select(RecordSet, "name", (zone.zone_id, wanted.name)):
        if other.key == wanted.key:
            continue
        if other.type != wanted.type:
            if "CNAME" in {other.type, wanted.type}:
                raise refused(
                    f"RRSet of type {wanted.type} with DNS name {at} is not permitted because a conflicting RRSet of "
                    f"type {other.type} with the same DNS name already exists in zone {of}"
                )
        elif _policy(other) != _policy(wanted):
            raise refused(
                f"RRSet with DNS name {at}, type {wanted.type}{_identified(wanted)} cannot be created as "
                f"{_policy(other)} sets exist with the same name and type"
            )


def _policy(record_set: RecordSet) -> str:
    if record_set.weight is not None:
        return "weighted"
    return "multivalue" if record_set.multivalue else "simple"


def _check_alias(call: Call, zone: HostedZone, wanted: RecordSet) -> None:
    """Aliases lead to load balancers, and to record sets of the same zone."""
    target, zone_id = wanted.alias["DNSName"], wanted.alias["HostedZoneId"]
    said = f"Tried to create an alias that targets {shown(target)}, type {wanted.type} in zone {zone_id}, but "
    if is_of_load_balancers(zone_id):
        if wanted.type not in LB_TYPES:
            raise refused(f"{said}load balancers have A and AAAA records alone")
        if not holds(zone_id, target):
            raise refused(f"{said}the alias target name does not lie within the target zone")
        return  # a load balancer of that name may come yet, as on AWS
    if zone_id != zone.zone_id:
        raise refused(f"{said}here aliases lead to load balancers and to names of the same zone alone")
    if not within(target, zone.name):
        raise refused(f"{said}the alias target name does not lie within the target zone")
    others = call.tx.select(RecordSet, "name", (zone.zone_id, target))
    if not any(other.type == wanted.type and other.key != wanted.key for other in others):
        raise refused(f"{said}that target was not found")


def _check_own(zone: HostedZone, present: RecordSet) -> None:
    if present.name == zone.name and present.type in OWN_TYPES:
        count = "exactly one SOA record" if present.type == "SOA" else "at least one NS record for the zone itself"
        raise refused(f"A HostedZone must contain {count}.")


def _alike(present: RecordSet, wanted: RecordSet) -> bool:
    return present.but(values=tuple(sorted(present.values))) == wanted.but(values=tuple(sorted(wanted.values)))


def _identified(record_set: RecordSet) -> str:
    return f", set-identifier='{record_set.set_identifier}'" if record_set.set_identifier else ""
