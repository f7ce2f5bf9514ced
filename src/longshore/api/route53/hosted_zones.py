"""Hosted zones: made, described, listed and deleted, and the VPCs in which they are known."""

from collections.abc import Callable, Iterable
from typing import Any

from longshore.api.common.zones import OWN_TYPES, conflicting, count_sets, global_scope, make_zone, remove_zone
from longshore.api.operation import Call, Operation
from longshore.api.route53.lookup import (
    ZONE_PREFIX,
    Answer,
    change_view,
    changed,
    find_zone,
    in_order,
    invalid,
    max_items,
    namespace_of,
    own_zone,
)
from longshore.domain.ec2.network import Vpc
from longshore.domain.names.dns_name import absolute, shown
from longshore.domain.names.zone import NAME_SERVERS, HostedZone, RecordSet, ZoneChange, ZoneVpc
from longshore.wire.errors import ApiError
from longshore.wire.pagination import page

MOST_ZONES = 100
SOA_TTL_S = 900
LINKED = "servicediscovery.amazonaws.com"
NO_DELEGATION_SETS = "Reusable delegation sets are not served: leave DelegationSetId out."


def create_hosted_zone(call: Call) -> Answer:
    """CreateHostedZone: private with a VPC, public without."""
    params = call.params
    name = _name(params["Name"])
    config, vpc = params.get("HostedZoneConfig") or {}, params.get("VPC")
    if config.get("PrivateZone") and vpc is None:
        raise invalid("When you're creating a private hosted zone (PrivateZone is true), you must give its VPC")
    reference = params["CallerReference"]
    if call.tx.count(HostedZone, "reference", (*global_scope(call), reference)):
        text = f"A hosted zone has already been created with the specified caller reference: {reference}"
        raise ApiError("HostedZoneAlreadyExists", text)
    vpcs = (_vpc(call, vpc),) if vpc is not None else ()
    for each in vpcs:
        _check_free(call, name, each)
    zone = make_zone(
        call,
        name=name,
        private=bool(vpcs),
        vpcs=vpcs,
        comment=config.get("Comment") or "",
        caller_reference=reference,
        soa_ttl_s=SOA_TTL_S,
    )
    answer = {
        "HostedZone": zone_view(call, zone),
        "ChangeInfo": changed(call),
        "Location": f"https://route53.amazonaws.com/2013-04-01/hostedzone/{zone.zone_id}",
    }
    return {**answer, **({"VPC": _vpc_view(vpcs[0])} if vpcs else {"DelegationSet": _delegation()})}


def get_hosted_zone(call: Call) -> Answer:
    """GetHostedZone, with the VPCs of a private zone."""
    zone = find_zone(call, call.params["Id"])
    answer = {"HostedZone": zone_view(call, zone)}
    if zone.private:
        return {**answer, "VPCs": [_vpc_view(vpc) for vpc in zone.vpcs]}
    return {**answer, "DelegationSet": _delegation()}


def delete_hosted_zone(call: Call) -> Answer:
    """DeleteHostedZone, once it has no record sets but its SOA and NS."""
    zone = own_zone(call, call.params["Id"])
    for record_set in call.tx.select(RecordSet, "zone", (zone.zone_id,)):
        if record_set.name != zone.name or record_set.type not in OWN_TYPES:
            text = "The specified hosted zone contains non-required resource record sets and so cannot be deleted."
            raise ApiError("HostedZoneNotEmpty", text)
    remove_zone(call, zone.zone_id)
    return {"ChangeInfo": changed(call)}


def update_hosted_zone_comment(call: Call) -> Answer:
    """UpdateHostedZoneComment."""
    zone = own_zone(call, call.params["Id"]).but(comment=call.params.get("Comment") or "")
    call.tx.put(zone)
    return {"HostedZone": zone_view(call, zone)}


def get_hosted_zone_count(call: Call) -> Answer:
    """GetHostedZoneCount."""
    return {"HostedZoneCount": call.tx.count(HostedZone, "scope", global_scope(call))}


def get_dnssec(call: Call) -> Answer:
    """GetDNSSEC: no public zone is signed. Tools ask before they delete a zone with its records."""
    if find_zone(call, call.params["HostedZoneId"]).private:
        raise ApiError("InvalidArgument", "Operation is unsupported for private hosted zones.")
    return {"Status": {"ServeSignature": "NOT_SIGNING"}, "KeySigningKeys": []}


def get_change(call: Call) -> Answer:
    """GetChange."""
    change_id = call.params["Id"].removeprefix("/change/")
    found = call.tx.get(ZoneChange, (*global_scope(call), change_id))
    if found is None:
        raise ApiError("NoSuchChange", f"A change with the specified change ID {change_id[:64]} does not exist.")
    return {"ChangeInfo": change_view(found)}


# ------------------------------------------------------------------------------------------------------------ lists


def list_hosted_zones(call: Call) -> Answer:
    """ListHostedZones, by id."""
    limit, marker = max_items(call, MOST_ZONES), (call.params.get("Marker") or "").removeprefix(ZONE_PREFIX)
    only_private = call.params.get("HostedZoneType") == "PrivateHostedZone"
    zones = sorted(_zones(call), key=lambda zone: zone.zone_id)
    if only_private:
        zones = [zone for zone in zones if zone.private]
    if marker:
        zones = [zone for zone in zones if zone.zone_id >= marker]
    more = zones[limit:]
    answer = {
        "HostedZones": [zone_view(call, zone) for zone in zones[:limit]],
        "Marker": call.params.get("Marker") or "",
        "IsTruncated": bool(more),
        "MaxItems": str(limit),
    }
    return {**answer, "NextMarker": more[0].zone_id} if more else answer


def list_hosted_zones_by_name(call: Call) -> Answer:
    """ListHostedZonesByName: in the order of their labels, from a name on, and of zones of that name from an id on."""
    limit = max_items(call, MOST_ZONES)
    name, zone_id = call.params.get("DNSName"), call.params.get("HostedZoneId")
    if zone_id and not name:
        raise invalid("HostedZoneId can be given only with DNSName")
    zones = sorted(_zones(call), key=_by_name)
    if name:
        start = (in_order(_name(name)), (zone_id or "").removeprefix(ZONE_PREFIX))
        zones = [zone for zone in zones if _by_name(zone) >= start]
    more = zones[limit:]
    answer: Answer = {
        "HostedZones": [zone_view(call, zone) for zone in zones[:limit]],
        "IsTruncated": bool(more),
        "MaxItems": str(limit),
    }
    if name:
        answer["DNSName"] = name
    if zone_id:
        answer["HostedZoneId"] = zone_id
    if more:
        answer |= {"NextDNSName": shown(more[0].name), "NextHostedZoneId": more[0].zone_id}
    return answer


def list_hosted_zones_by_vpc(call: Call) -> Answer:
    """ListHostedZonesByVPC."""
    vpc = _vpc(call, {"VPCId": call.params["VPCId"], "VPCRegion": call.params["VPCRegion"]})
    limit = max_items(call, MOST_ZONES)
    found = [zone for zone in call.tx.select(HostedZone, "vpc", (vpc.vpc_id,)) if zone.account == call.scope.account]
    found.sort(key=lambda zone: zone.zone_id)
    shown_zones, more = page(
        found,
        lambda zone: zone.zone_id,
        limit,
        call.params.get("NextToken"),
        operation="ListHostedZonesByVPC",
        code="InvalidPaginationToken",
        scope=vpc.vpc_id,
    )
    summaries = [
        {
            "HostedZoneId": zone.zone_id,
            "Name": shown(zone.name),
            "Owner": {"OwningService": "cloudmap.amazonaws.com"}
            if zone.namespace_id
            else {"OwningAccount": zone.account},
        }
        for zone in shown_zones
    ]
    return {"HostedZoneSummaries": summaries, "MaxItems": str(limit), "NextToken": more}


# ------------------------------------------------------------------------------------------------------------- VPCs


def associate_vpc_with_hosted_zone(call: Call) -> Answer:
    """AssociateVPCWithHostedZone. Those of namespaces can be in more VPCs, too, as on AWS."""
    zone = find_zone(call, call.params["HostedZoneId"])
    vpc = _vpc(call, call.params["VPC"])
    if not zone.private:
        text = f"You can associate VPCs only with private hosted zones: {zone.zone_id} is public"
        raise ApiError("PublicZoneVPCAssociation", text)
    if vpc not in zone.vpcs:
        _check_free(call, zone.name, vpc)
        call.tx.put(zone.but(vpcs=(*zone.vpcs, vpc)))
    return {"ChangeInfo": changed(call, call.params.get("Comment"))}


def disassociate_vpc_from_hosted_zone(call: Call) -> Answer:
    """DisassociateVPCFromHostedZone. The last VPC stays."""
    zone = find_zone(call, call.params["HostedZoneId"])
    vpc = _vpc(call, call.params["VPC"])
    if vpc not in zone.vpcs:
        text = f"The VPC {vpc.vpc_id} and the hosted zone {zone.zone_id} are not associated"
        raise ApiError("VPCAssociationNotFound", text)
    if len(zone.vpcs) == 1:
        text = f"The VPC {vpc.vpc_id} is the last one associated with the hosted zone {zone.zone_id}"
        raise ApiError("LastVPCAssociation", text)
    call.tx.put(zone.but(vpcs=tuple(each for each in zone.vpcs if each != vpc)))
    return {"ChangeInfo": changed(call, call.params.get("Comment"))}


def _vpc(call: Call, given: dict[str, Any]) -> ZoneVpc:
    region, vpc_id = given.get("VPCRegion") or call.scope.region, given.get("VPCId") or ""
    if call.tx.get(Vpc, (call.scope.account, region, vpc_id)) is None:
        raise ApiError("InvalidVPCId", f"The VPC: {vpc_id[:64]} in region {region} that you provided is not found")
    return ZoneVpc(region=region, vpc_id=vpc_id)


def _check_free(call: Call, name: str, vpc: ZoneVpc) -> None:
    text = conflicting(call, name, vpc)
    if text is not None:
        raise ApiError("ConflictingDomainExists", text)


def _name(given: str) -> str:
    name = absolute(given)
    if name is None:
        raise ApiError("InvalidDomainName", f"{given[:255]} is not a valid domain name")
    return name


def _zones(call: Call) -> Iterable[HostedZone]:
    return call.tx.select(HostedZone, "scope", global_scope(call))


_Place = tuple[tuple[str, ...], str]
_by_name: Callable[[HostedZone], _Place] = lambda zone: (in_order(zone.name), zone.zone_id)  # noqa: E731


def zone_view(call: Call, zone: HostedZone) -> Answer:
    """A zone as Route 53 answers it."""
    config: Answer = {"PrivateZone": zone.private}
    if zone.comment:
        config["Comment"] = zone.comment
    view: Answer = {
        "Id": ZONE_PREFIX + zone.zone_id,
        "Name": shown(zone.name),
        "CallerReference": zone.caller_reference,
        "Config": config,
        "ResourceRecordSetCount": count_sets(call, zone),
    }
    if zone.namespace_id:
        view["LinkedService"] = {"ServicePrincipal": LINKED, "Description": namespace_of(zone)}
    return view


def _vpc_view(vpc: ZoneVpc) -> Answer:
    return {"VPCRegion": vpc.region, "VPCId": vpc.vpc_id}


def _delegation() -> Answer:
    return {"NameServers": [name.removesuffix(".") for name in NAME_SERVERS]}


OPERATIONS: dict[str, Operation] = {
    "AssociateVPCWithHostedZone": Operation(associate_vpc_with_hosted_zone),
    "CreateHostedZone": Operation(
        create_hosted_zone,
        refuses={"DelegationSetId": NO_DELEGATION_SETS},
        codes={"DelegationSetId": "NoSuchDelegationSet"},
    ),
    "DeleteHostedZone": Operation(delete_hosted_zone),
    "DisassociateVPCFromHostedZone": Operation(disassociate_vpc_from_hosted_zone),
    "GetChange": Operation(get_change),
    "GetDNSSEC": Operation(get_dnssec),
    "GetHostedZone": Operation(get_hosted_zone),
    "GetHostedZoneCount": Operation(get_hosted_zone_count),
    "ListHostedZones": Operation(
        list_hosted_zones,
        refuses={"DelegationSetId": NO_DELEGATION_SETS},
        codes={"DelegationSetId": "NoSuchDelegationSet"},
    ),
    "ListHostedZonesByName": Operation(list_hosted_zones_by_name),
    "ListHostedZonesByVPC": Operation(list_hosted_zones_by_vpc),
    "UpdateHostedZoneComment": Operation(update_hosted_zone_comment),
}
