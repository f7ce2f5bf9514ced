"""Record sets: listed, a user's own and those that Cloud Map keeps, and changed, all of a batch or nothing."""

from collections.abc import Iterator

from longshore.api.operation import Call, Operation
from longshore.api.route53.batch import apply_change, refused
from longshore.api.route53.lookup import Answer, changed, find_zone, in_order, invalid, max_items, own_zone
from longshore.api.route53.values import alias_view, zone_of_alias
from longshore.decide.names.zones import alias_of, records_of, service_name
from longshore.domain.names.dns_name import absolute, shown
from longshore.domain.names.naming import DiscoveryService, ServiceInstance
from longshore.domain.names.zone import HostedZone, RecordSet
from longshore.wire.errors import ApiError

MOST_SETS = 300
MOST_CHANGES = 1000
_RULE = "ChangeBatch.Changes[].ResourceRecordSet."
_POLICY = "This routing policy is not served: use simple, weighted or multivalue records."


def list_resource_record_sets(call: Call) -> Answer:
    """ListResourceRecordSets: in the order of the names' labels, then types, from one on."""
    zone = find_zone(call, call.params["HostedZoneId"])
    limit, start = max_items(call, MOST_SETS), _start(call)
    found = sorted([*call.tx.select(RecordSet, "zone", (zone.zone_id,)), *_of_namespace(call, zone)], key=_place)
    rest = [each for each in found if _place(each) >= start]
    answer: Answer = {
        "ResourceRecordSets": [set_view(each) for each in rest[:limit]],
        "IsTruncated": len(rest) > limit,
        "MaxItems": str(limit),
    }
    if len(rest) > limit:
        following = rest[limit]
        answer |= {"NextRecordName": shown(following.name), "NextRecordType": following.type}
        if following.set_identifier:
            answer["NextRecordIdentifier"] = following.set_identifier
    return answer


_Place = tuple[tuple[str, ...], str, str]


def _start(call: Call) -> _Place:
    name, kind = call.params.get("StartRecordName"), call.params.get("StartRecordType")
    identifier = call.params.get("StartRecordIdentifier")
    if kind and not name:
        raise invalid("StartRecordType can be given only with StartRecordName")
    if identifier and not kind:
        raise invalid("StartRecordIdentifier can be given only with StartRecordName and StartRecordType")
    if not name:
        return ((), "", "")
    known = absolute(name)
    if known is None:
        raise invalid(f"{name[:255]} is not a valid domain name")
    return (in_order(known), kind or "", identifier or "")


def _place(record_set: RecordSet) -> _Place:
    return (in_order(record_set.name), record_set.type, record_set.set_identifier)


def _of_namespace(call: Call, zone: HostedZone) -> Iterator[RecordSet]:
    """What Cloud Map keeps in a zone: record sets of every instance."""
    for service in call.tx.select(DiscoveryService, "zone", (zone.zone_id,)):
        for instance in call.tx.select(ServiceInstance, "service", (*service.scope, service.service_id)):
            yield from _of_instance(call, zone, service, instance)


def _of_instance(
    call: Call, zone: HostedZone, service: DiscoveryService, instance: ServiceInstance
) -> Iterator[RecordSet]:
    weighted, at = service.routing_policy == "WEIGHTED", service_name(service, zone)
    shared = RecordSet(
        account=zone.account,
        region=zone.region,
        zone_id=zone.zone_id,
        name=at,
        type="A",
        set_identifier=instance.instance_id,
        weight=1 if weighted else None,
        multivalue=not weighted,
    )
    target = alias_of(instance)
    if target is not None:
        for setting in service.records:
            yield shared.but(type=setting.type, alias={"HostedZoneId": zone_of_alias(call, target), "DNSName": target})
        return
    for held in records_of(instance, service, zone):
        record_set = shared.but(type=held.type, ttl_s=held.ttl_s, values=(held.data,))
        if held.name != at:
            record_set = record_set.but(name=held.name, set_identifier="", weight=None, multivalue=False)
        yield record_set


def set_view(record_set: RecordSet) -> Answer:
    """A record set as Route 53 answers it."""
    view: Answer = {"Name": shown(record_set.name), "Type": record_set.type}
    if record_set.set_identifier:
        view["SetIdentifier"] = record_set.set_identifier
    if record_set.weight is not None:
        view["Weight"] = record_set.weight
    if record_set.multivalue:
        view["MultiValueAnswer"] = True
    if record_set.alias:
        return {**view, "AliasTarget": alias_view(record_set)}
    return {**view, "TTL": record_set.ttl_s, "ResourceRecords": [{"Value": value} for value in record_set.values]}


def change_resource_record_sets(call: Call) -> Answer:
    """ChangeResourceRecordSets: in order, all or nothing; in the next answer of the name server."""
    zone = own_zone(call, call.params["HostedZoneId"])
    batch = call.params["ChangeBatch"]
    if len(batch["Changes"]) > MOST_CHANGES:
        raise invalid(f"A batch can have at most {MOST_CHANGES} changes")
    faults: list[str] = []
    for change in batch["Changes"]:
        try:
            apply_change(call, zone, change["Action"], change["ResourceRecordSet"])
        except ApiError as error:
            if error.code != "InvalidChangeBatch":
                raise
            faults += error.members["messages"]  # the rest is looked at as well: all faults are told at once
    if faults:
        raise refused(*faults)
    return {"ChangeInfo": changed(call, batch.get("Comment"))}


OPERATIONS: dict[str, Operation] = {
    "ChangeResourceRecordSets": Operation(
        change_resource_record_sets,
        refuses={
            **{
                f"{_RULE}{name}": _POLICY
                for name in ("Region", "GeoLocation", "Failover", "CidrRoutingConfig", "GeoProximityLocation")
            },
            f"{_RULE}HealthCheckId": "Health checks of Route 53 are not served: leave HealthCheckId out.",
            f"{_RULE}TrafficPolicyInstanceId": "Traffic policies are not served: give ResourceRecords or AliasTarget.",
        },
        inert={
            f"{_RULE}AliasTarget.EvaluateTargetHealth": (
                "Kept and answered; a load balancer's addresses are answered whether its targets are healthy or not."
            )
        },
    ),
    "ListResourceRecordSets": Operation(list_resource_record_sets),
}
