"""Load balancers: created with an address in each of their subnets, described, moved, deleted.

A load balancer is `provisioning` when it is created; `control/balancers.py` makes it `active` once it can be reached.
"""

from collections.abc import Mapping
from typing import Any

from longshore.api.elbv2.errors import conflict
from longshore.api.elbv2.limits import limits_of
from longshore.api.elbv2.lookup import find_load_balancer
from longshore.api.elbv2.names import check_name
from longshore.api.elbv2.paging import paged
from longshore.api.elbv2.tags import checked_tags
from longshore.api.elbv2.zones import Place, asked_places, attach, detach, moved
from longshore.api.operation import Call, Operation
from longshore.domain.ec2.endpoint import EndpointServiceConfiguration
from longshore.domain.ec2.network import NetworkInterface, SecurityGroup
from longshore.domain.ec2.routing import InternetGateway
from longshore.domain.elbv2.balancer import DNS_ZONE, Listener, LoadBalancer, LoadBalancerType, Rule, Scheme, Zone
from longshore.domain.elbv2.balancer_attributes import load_balancer_attributes
from longshore.domain.elbv2.hosted_zones import hosted_zone
from longshore.wire.errors import ApiError

MAX_NAMED = 20
MAX_SECURITY_GROUPS = 5
NOT_FOUND = "One or more load balancers not found"

_NO_IPV6 = "Load balancers have IPv4 addresses alone."
_ADDRESSES = {
    "SubnetMappings[].AllocationId": "Elastic IP addresses are not served: leave AllocationId out.",
    "SubnetMappings[].IPv6Address": _NO_IPV6,
    "SubnetMappings[].SourceNatIpv6Prefix": _NO_IPV6,
    "IpAddressType": f"{_NO_IPV6} Use ipv4.",
    "EnablePrefixForIpv6SourceNat": _NO_IPV6,
}
_ADDRESSES_ALLOWED: Mapping[str, tuple[Any, ...]] = {
    "IpAddressType": ("ipv4",),
    "EnablePrefixForIpv6SourceNat": ("off",),
}


def create_load_balancer(call: Call) -> dict[str, Any]:
    """CreateLoadBalancer. A call for one that exists answers with it, unless it asks for something else."""
    params = call.params
    name: str = params["Name"]
    check_name(name, "Load balancer")
    if name.lower().startswith("internal-"):
        raise ApiError("ValidationError", f"Load balancer name '{name}' cannot begin with 'internal-'")
    kind: LoadBalancerType = params.get("Type") or "application"
    scheme: Scheme = params.get("Scheme") or "internet-facing"
    places = asked_places(call, kind, scheme)
    lb_id, digits = call.ids.hex(16), call.ids.digits(10)
    vpc_id = places[0].subnet.vpc_id
    # DNS names have no case. Ours are in small letters, so that whoever looks one up needs no second index.
    prefix = "internal-" if scheme == "internal" else ""
    balancer = LoadBalancer(
        account=call.scope.account,
        region=call.scope.region,
        lb_id=lb_id,
        name=name,
        type=kind,
        scheme=scheme,
        vpc_id=vpc_id,
        zones=(),
        security_groups=_security_groups(call, kind, vpc_id, params.get("SecurityGroups") or ()),
        ip_address_type=params.get("IpAddressType") or "ipv4",
        dns_name=f"{prefix}{name}-{digits}.{call.scope.region}.{DNS_ZONE}".lower(),
        created_at=call.now,
        tags=checked_tags(params.get("Tags")),
    )
    known = call.tx.select(LoadBalancer, "name", (*call.scope, name))
    if known:
        return {"LoadBalancers": [view(_same(known[0], balancer, places))]}
    _check_quota(call, kind)
    if scheme == "internet-facing" and not _has_gateway(call, vpc_id):
        raise ApiError("InvalidSubnet", f"VPC {vpc_id} has no internet gateway: attach one, or use Scheme internal")
    balancer = balancer.but(zones=tuple(attach(call, balancer, place) for place in places))
    call.tx.put(balancer)
    return {"LoadBalancers": [view(balancer)]}


def describe_load_balancers(call: Call) -> dict[str, Any]:
    """DescribeLoadBalancers: those with the ARNs or names that are given, or all."""
    arns, names = call.params.get("LoadBalancerArns") or (), call.params.get("Names") or ()
    if arns and names:
        text = "Load balancer names and load balancer ARNs cannot be specified at the same time"
        raise ApiError("ValidationError", text)
    if max(len(arns), len(names)) > MAX_NAMED:
        raise ApiError("ValidationError", f"At most {MAX_NAMED} load balancers can be named in one call")
    if arns:
        found = [find_load_balancer(call, arn) for arn in dict.fromkeys(arns)]
    elif names:
        found = [_named(call, name) for name in dict.fromkeys(names)]
    else:
        found = call.tx.select(LoadBalancer, "scope", call.scope)
    found.sort(key=_name)
    shown, marker = paged(call, "DescribeLoadBalancers", found, _name)
    return {"LoadBalancers": [view(balancer) for balancer in shown], "NextMarker": marker}


def delete_load_balancer(call: Call) -> dict[str, Any]:
    """DeleteLoadBalancer, with its listeners and rules. One that does not exist is no error."""
    arn: str = call.params["LoadBalancerArn"]
    try:
        balancer = find_load_balancer(call, arn)
    except ApiError as error:
        if error.code == "LoadBalancerNotFound":
            return {}
        raise
    if load_balancer_attributes(balancer)["deletion_protection.enabled"] == "true":
        text = f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled"
        raise ApiError("OperationNotPermitted", text)
    if call.tx.count(EndpointServiceConfiguration, "load_balancer", (arn,)):
        text = f"Load balancer '{arn}' cannot be deleted because it is currently associated with another service"
        raise ApiError("ResourceInUse", text)
    for listener in call.tx.select(Listener, "load_balancer", (balancer.lb_id,)):
        call.tx.delete(Listener, listener.key)
    for rule in call.tx.select(Rule, "load_balancer", (balancer.lb_id,)):
        call.tx.delete(Rule, rule.key)
    detach(call, balancer.zones)
    call.tx.delete(LoadBalancer, balancer.key)
    return {}


def set_subnets(call: Call) -> dict[str, Any]:
    """SetSubnets: the load balancer is in these, and in no others."""
    balancer = find_load_balancer(call, call.params["LoadBalancerArn"])
    places = asked_places(call, balancer.type, balancer.scheme)
    if places[0].subnet.vpc_id != balancer.vpc_id:
        text = f"The subnets must belong to the VPC of the load balancer, '{balancer.vpc_id}'"
        raise conflict(text)
    balancer = balancer.but(zones=moved(call, balancer, places))
    call.tx.put(balancer)
    answer: dict[str, Any] = {
        "AvailabilityZones": [_zone_view(zone) for zone in balancer.zones],
        "IpAddressType": call.params.get("IpAddressType") or balancer.ip_address_type,
    }
    if balancer.type == "network":
        answer["EnablePrefixForIpv6SourceNat"] = call.params.get("EnablePrefixForIpv6SourceNat") or "off"
    return answer


def set_security_groups(call: Call) -> dict[str, Any]:
    """SetSecurityGroups: these replace the load balancer's."""
    balancer = find_load_balancer(call, call.params["LoadBalancerArn"])
    asked = call.params["SecurityGroups"]
    if not asked:
        raise ApiError("ValidationError", "At least one security group must be specified")
    if balancer.type == "network" and not balancer.security_groups:
        text = "Security groups cannot be added to a load balancer of type 'network' that was created without any"
        raise conflict(text)
    groups = _security_groups(call, balancer.type, balancer.vpc_id, asked)
    for zone in balancer.zones:
        interface = call.tx.get(NetworkInterface, (*call.scope, zone.interface_id))
        if interface is not None:
            call.tx.put(interface.but(security_groups=groups))
    call.tx.put(balancer.but(security_groups=groups))
    answer: dict[str, Any] = {"SecurityGroupIds": list(groups)}
    if balancer.type == "network":
        enforced = call.params.get("EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic") or "on"
        answer["EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"] = enforced
    return answer


def set_ip_address_type(call: Call) -> dict[str, Any]:
    """SetIpAddressType: ipv4 is what every load balancer has."""
    balancer = find_load_balancer(call, call.params["LoadBalancerArn"])
    call.tx.put(balancer.but(ip_address_type=call.params["IpAddressType"]))
    return {"IpAddressType": call.params["IpAddressType"]}


def describe_capacity_reservation(call: Call) -> dict[str, Any]:
    """DescribeCapacityReservation: there is none, as nothing makes one."""
    find_load_balancer(call, call.params["LoadBalancerArn"])
    return {"CapacityReservationState": []}


def view(balancer: LoadBalancer) -> dict[str, Any]:
    """A load balancer, as ELBv2 answers it."""
    state: dict[str, str] = {"Code": balancer.state}
    if balancer.state_reason:
        state["Reason"] = balancer.state_reason
    shown: dict[str, Any] = {
        "LoadBalancerArn": balancer.arn,
        "LoadBalancerName": balancer.name,
        "DNSName": balancer.dns_name,
        "CanonicalHostedZoneId": hosted_zone(balancer.region, balancer.type),
        "CreatedTime": balancer.created_at,
        "Scheme": balancer.scheme,
        "VpcId": balancer.vpc_id,
        "State": state,
        "Type": balancer.type,
        "AvailabilityZones": [_zone_view(zone) for zone in balancer.zones],
        "IpAddressType": balancer.ip_address_type,
    }
    if balancer.security_groups:
        shown["SecurityGroups"] = list(balancer.security_groups)
    if balancer.type == "network":
        shown["EnablePrefixForIpv6SourceNat"] = "off"
        if balancer.security_groups:
            shown["EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"] = "on"
    return shown


def _zone_view(zone: Zone) -> dict[str, Any]:
    addresses = [{"PrivateIPv4Address": zone.address}] if zone.chosen else []
    return {"ZoneName": zone.name, "SubnetId": zone.subnet_id, "LoadBalancerAddresses": addresses}


def _named(call: Call, name: str) -> LoadBalancer:
    found = call.tx.select(LoadBalancer, "name", (*call.scope, name))
    if not found:
        raise ApiError("LoadBalancerNotFound", NOT_FOUND)
    return found[0]


def _security_groups(call: Call, kind: LoadBalancerType, vpc_id: str, asked: Any) -> tuple[str, ...]:
    """The groups that were asked for, checked. Without any an application load balancer has its VPC's default one."""
    if not asked:
        groups = call.tx.select(SecurityGroup, "vpc", (*call.scope, vpc_id)) if kind == "application" else ()
        return tuple(group.group_id for group in groups if group.name == "default")
    chosen = tuple(dict.fromkeys(asked))
    if len(chosen) > MAX_SECURITY_GROUPS:
        text = f"At most {MAX_SECURITY_GROUPS} security groups can be specified"
        raise conflict(text)
    for group_id in chosen:
        group = call.tx.get(SecurityGroup, (*call.scope, group_id))
        if group is None:
            raise ApiError("InvalidSecurityGroup", f"The security group '{group_id}' does not exist")
        if group.vpc_id != vpc_id:
            text = f"The security group '{group_id}' does not belong to the VPC '{vpc_id}'"
            raise ApiError("InvalidSecurityGroup", text)
    return chosen


def _same(known: LoadBalancer, asked: LoadBalancer, places: list[Place]) -> LoadBalancer:
    """The load balancer of this name, if it is what was asked for; otherwise DuplicateLoadBalancerName."""
    here = {zone.subnet_id: zone.address for zone in known.zones}
    there = {place.subnet.subnet_id: place.address or here.get(place.subnet.subnet_id) for place in places}
    settings = [
        (each.type, each.scheme, each.ip_address_type, frozenset(each.security_groups), each.tags)
        for each in (known, asked)
    ]
    if settings[0] != settings[1] or here != there:
        text = f"A load balancer with the same name '{known.name}' exists, but with different settings"
        raise ApiError("DuplicateLoadBalancerName", text)
    return known


def _has_gateway(call: Call, vpc_id: str) -> bool:
    return call.tx.count(InternetGateway, "vpc", (*call.scope, vpc_id)) > 0


def _check_quota(call: Call, kind: LoadBalancerType) -> None:
    most = limits_of(call.tx)[f"{kind}-load-balancers"]
    if sum(each.type == kind for each in call.tx.select(LoadBalancer, "scope", call.scope)) >= most:
        text = (
            f"The maximum number of load balancers of type '{kind}' has been reached: {most}. "
            "Start Longshore with a higher --lb-limit to have more."
        )
        raise ApiError("TooManyLoadBalancers", text)


def _name(balancer: LoadBalancer) -> str:
    return balancer.name


OPERATIONS: dict[str, Operation] = {
    "CreateLoadBalancer": Operation(
        create_load_balancer,
        refuses={
            "Type": "Gateway load balancers are not served: use application or network.",
            "CustomerOwnedIpv4Pool": "Outposts are not served: leave CustomerOwnedIpv4Pool out.",
            "IpamPools": "IPAM pools are not served: leave IpamPools out.",
            **_ADDRESSES,
        },
        allowed={"Type": ("application", "network"), **_ADDRESSES_ALLOWED},
    ),
    "DeleteLoadBalancer": Operation(delete_load_balancer),
    "DescribeCapacityReservation": Operation(describe_capacity_reservation),
    "DescribeLoadBalancers": Operation(describe_load_balancers),
    "SetIpAddressType": Operation(
        set_ip_address_type,
        refuses={"IpAddressType": f"{_NO_IPV6} Use ipv4."},
        allowed={"IpAddressType": ("ipv4",)},
    ),
    "SetSecurityGroups": Operation(
        set_security_groups,
        refuses={"EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic": "PrivateLink is not served: leave it on."},
        allowed={"EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic": ("on",)},
    ),
    "SetSubnets": Operation(set_subnets, refuses=_ADDRESSES, allowed=_ADDRESSES_ALLOWED),
}
