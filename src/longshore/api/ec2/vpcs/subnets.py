"""Subnets: created, described, changed, deleted; a default one made anew."""

from collections import Counter
from typing import Any

from longshore.api.ec2 import filters
from longshore.api.ec2.defaults import default_vpc
from longshore.api.ec2.errors import bad_value, invalid, listed, required
from longshore.api.ec2.making import new_subnet
from longshore.api.ec2.regions import zone_id, zones_of
from longshore.api.ec2.resources import RESOURCES, find, in_use
from longshore.api.ec2.tags import new_tags, shown
from longshore.api.ec2.vpcs.ranges import Network, block, usable_block
from longshore.api.operation import Call, Operation
from longshore.domain.arn import Arn
from longshore.domain.ec2.network import NetworkInterface, Subnet, Vpc, usable_addresses
from longshore.wire.errors import ApiError

MAX_SUBNETS = 200
"""Per VPC."""
_NO_IPV6 = "Subnets have IPv4 addresses alone."
_NO_IPAM = "There is no IP address manager: give the range as CidrBlock."
_NO_OUTPOST = "There are no Outposts."
_OPTIONS = "PrivateDnsNameOptionsOnLaunch"
FILTERS = {
    **filters.table(
        availability_zone="AvailabilityZone",
        availabilityZone="AvailabilityZone",
        availability_zone_id="AvailabilityZoneId",
        availabilityZoneId="AvailabilityZoneId",
        available_ip_address_count="AvailableIpAddressCount",
        cidr_block="CidrBlock",
        cidr="CidrBlock",
        cidrBlock="CidrBlock",
        customer_owned_ipv4_pool="CustomerOwnedIpv4Pool",
        default_for_az="DefaultForAz",
        defaultForAz="DefaultForAz",
        enable_dns64="EnableDns64",
        enable_lni_at_device_index="EnableLniAtDeviceIndex",
        ipv6_native="Ipv6Native",
        map_customer_owned_ip_on_launch="MapCustomerOwnedIpOnLaunch",
        map_public_ip_on_launch="MapPublicIpOnLaunch",
        outpost_arn="OutpostArn",
        owner_id="OwnerId",
        state="State",
        subnet_arn="SubnetArn",
        subnet_id="SubnetId",
        vpc_id="VpcId",
    ),
    "ipv6-cidr-block-association.ipv6-cidr-block": filters.at("Ipv6CidrBlockAssociationSet.Ipv6CidrBlock"),
    "ipv6-cidr-block-association.association-id": filters.at("Ipv6CidrBlockAssociationSet.AssociationId"),
    "ipv6-cidr-block-association.state": filters.at("Ipv6CidrBlockAssociationSet.Ipv6CidrBlockState.State"),
    "private-dns-name-options-on-launch.hostname-type": filters.at(f"{_OPTIONS}.HostnameType"),
    "private-dns-name-options-on-launch.enable-resource-name-dns-a-record": filters.at(
        f"{_OPTIONS}.EnableResourceNameDnsARecord"
    ),
    "private-dns-name-options-on-launch.enable-resource-name-dns-aaaa-record": filters.at(
        f"{_OPTIONS}.EnableResourceNameDnsAAAARecord"
    ),
}


def create_subnet(call: Call) -> dict[str, Any]:
    """CreateSubnet: a part of the VPC's range that no other subnet has."""
    asked = call.params.get("CidrBlock")
    vpc = find(call, Vpc, call.params["VpcId"])
    if not asked:
        raise required("cidrBlock")
    if block(asked) is None:
        raise bad_value(asked, "cidrBlock", "This is not a valid CIDR block.")
    network = usable_block(asked)
    if network is None or not network.subnet_of(Network(vpc.cidr)):
        raise ApiError("InvalidSubnet.Range", f"The CIDR '{asked}' is invalid.")
    others = call.tx.select(Subnet, "vpc", (*call.scope, vpc.vpc_id))
    if any(network.overlaps(Network(other.cidr)) for other in others):
        raise ApiError("InvalidSubnet.Conflict", f"The CIDR '{asked}' conflicts with another subnet")
    if len(others) >= MAX_SUBNETS:
        text = f"The maximum number of subnets has been reached: {MAX_SUBNETS} per VPC."
        raise ApiError("SubnetLimitExceeded", text)
    zone = _zone(call) or _emptiest(call, others)
    subnet = new_subnet(vpc, str(network), zone, call.ids, tags=new_tags(call, "subnet"))
    call.tx.put(subnet)
    return {"Subnet": subnet_view(call, subnet)}


def create_default_subnet(call: Call) -> dict[str, Any]:
    """CreateDefaultSubnet: a default VPC's subnet in a zone that has none."""
    zone = _zone(call)
    if not zone:
        raise required("availabilityZone")
    vpc = default_vpc(call.tx, call.scope)
    if vpc is None:
        text = "A default VPC does not exist in this region. Create one with CreateDefaultVpc."
        raise ApiError("DefaultVpcDoesNotExist", text)
    others = call.tx.select(Subnet, "vpc", (*call.scope, vpc.vpc_id))
    if any(subnet.is_default and subnet.availability_zone == zone for subnet in others):
        taken = next(subnet for subnet in others if subnet.is_default and subnet.availability_zone == zone)
        text = f"'{taken.subnet_id}' is already the default subnet in {zone}."
        raise ApiError("DefaultSubnetAlreadyExistsInAvailabilityZone", text)
    used = [Network(other.cidr) for other in others]
    blocks = Network(vpc.cidr).subnets(new_prefix=20)
    free = next((each for each in blocks if not any(each.overlaps(other) for other in used)), None)
    if free is None:
        text = "The default VPC has no room left for another default subnet (a /20)."
        raise ApiError("InsufficientSubnetCapacity", text)
    subnet = new_subnet(vpc, str(free), zone, call.ids, is_default=True, map_public_ip=True)
    call.tx.put(subnet)
    return {"Subnet": subnet_view(call, subnet)}


def delete_subnet(call: Call) -> dict[str, Any]:
    """DeleteSubnet, once no network interface is left in it."""
    subnet = find(call, Subnet, call.params["SubnetId"])
    if call.tx.count(NetworkInterface, "subnet", (*call.scope, subnet.subnet_id)):
        raise in_use(RESOURCES[Subnet], subnet.subnet_id)
    call.tx.delete(Subnet, subnet.key)
    return {}


FLAGS = {
    "MapPublicIpOnLaunch": "map_public_ip",
    "EnableResourceNameDnsARecordOnLaunch": "resource_name_dns_a",
}
UNCHANGED = (
    "AssignIpv6AddressOnCreation",
    "EnableDns64",
    "EnableResourceNameDnsAAAARecordOnLaunch",
    "MapCustomerOwnedIpOnLaunch",
    "DisableLniAtDeviceIndex",
)
"""Attributes that are refused but for their default."""


def modify_subnet_attribute(call: Call) -> dict[str, Any]:
    """ModifySubnetAttribute: one at a time."""
    subnet = find(call, Subnet, call.params["SubnetId"])
    given = {member: call.params.get(member) for member in FLAGS}
    changes: dict[str, Any] = {
        FLAGS[member]: bool(value.get("Value")) for member, value in given.items() if value is not None
    }
    hostname_type = call.params.get("PrivateDnsHostnameTypeOnLaunch")
    if hostname_type:
        changes["hostname_type"] = hostname_type
    count = len(changes) + sum(call.params.get(member) is not None for member in UNCHANGED)
    if not count:
        raise required("attribute")
    if count > 1:
        raise ApiError("InvalidParameterCombination", "Only one attribute can be changed at a time")
    call.tx.put(subnet.but(**changes))
    return {}


def describe_subnets(call: Call) -> dict[str, Any]:
    """DescribeSubnets."""
    return listed(
        call,
        Subnet,
        lambda subnet: subnet_view(call, subnet),
        FILTERS,
        "Subnets",
        operation="DescribeSubnets",
        member="SubnetId",
    )


def subnet_view(call: Call, subnet: Subnet) -> dict[str, Any]:
    """A subnet, as EC2 answers it; the free addresses are counted, not looked for."""
    taken = call.tx.tally(NetworkInterface, "addresses", (*subnet.scope, subnet.subnet_id))
    return {
        "SubnetId": subnet.subnet_id,
        "SubnetArn": str(Arn("ec2", subnet.scope, f"subnet/{subnet.subnet_id}")),
        "VpcId": subnet.vpc_id,
        "OwnerId": subnet.account,
        "State": "available",
        "CidrBlock": subnet.cidr,
        "AvailabilityZone": subnet.availability_zone,
        "AvailabilityZoneId": zone_id(subnet.availability_zone),
        "AvailableIpAddressCount": max(0, usable_addresses(subnet.cidr) - taken),
        "DefaultForAz": subnet.is_default,
        "MapPublicIpOnLaunch": subnet.map_public_ip,
        "MapCustomerOwnedIpOnLaunch": False,
        "AssignIpv6AddressOnCreation": False,
        "Ipv6CidrBlockAssociationSet": [],
        "EnableDns64": False,
        "Ipv6Native": False,
        _OPTIONS: {
            "HostnameType": subnet.hostname_type,
            "EnableResourceNameDnsARecord": subnet.resource_name_dns_a,
            "EnableResourceNameDnsAAAARecord": False,
        },
        "BlockPublicAccessStates": {"InternetGatewayBlockMode": "off"},
        "Tags": shown(subnet.tags),
    }


def _zone(call: Call) -> str:
    """The availability zone that is asked for by name or id; empty for none."""
    zones = zones_of(call.scope.region)
    name, by_id = call.params.get("AvailabilityZone"), call.params.get("AvailabilityZoneId")
    if name and by_id:
        text = "Only one of availabilityZone and availabilityZoneId can be given"
        raise ApiError("InvalidParameterCombination", text)
    if name and name not in zones:
        why = f"Subnets can currently only be created in the following availability zones: {', '.join(zones)}."
        raise bad_value(name, "availabilityZone", why)
    if by_id:
        found = next((zone for zone in zones if zone_id(zone) == by_id), None)
        if found is None:
            raise invalid(f"Invalid availability zone: [{by_id[:64]}]")
        return found
    return name or ""


def _emptiest(call: Call, others: list[Subnet]) -> str:
    """The zone with the fewest subnets of the VPC, where the user names none."""
    counts = Counter(subnet.availability_zone for subnet in others)
    return min(zones_of(call.scope.region), key=lambda zone: counts[zone])


_PUBLIC = "Kept and answered: tasks have no public address, whatever it says."
OPERATIONS = {
    "CreateDefaultSubnet": Operation(
        create_default_subnet, refuses={"Ipv6Native": _NO_IPV6}, allowed={"Ipv6Native": (False,)}
    ),
    "CreateSubnet": Operation(
        create_subnet,
        refuses={
            "Ipv6CidrBlock": _NO_IPV6,
            "Ipv6Native": _NO_IPV6,
            "Ipv6IpamPoolId": _NO_IPV6,
            "Ipv6NetmaskLength": _NO_IPV6,
            "Ipv4IpamPoolId": _NO_IPAM,
            "Ipv4NetmaskLength": _NO_IPAM,
            "OutpostArn": _NO_OUTPOST,
        },
        allowed={"Ipv6Native": (False,)},
    ),
    "DeleteSubnet": Operation(delete_subnet),
    "DescribeSubnets": Operation(describe_subnets),
    "ModifySubnetAttribute": Operation(
        modify_subnet_attribute,
        refuses={
            "AssignIpv6AddressOnCreation.Value": _NO_IPV6,
            "EnableDns64.Value": _NO_IPV6,
            "EnableResourceNameDnsAAAARecordOnLaunch.Value": _NO_IPV6,
            "MapCustomerOwnedIpOnLaunch.Value": _NO_OUTPOST,
            "CustomerOwnedIpv4Pool": _NO_OUTPOST,
            "EnableLniAtDeviceIndex": _NO_OUTPOST,
            "DisableLniAtDeviceIndex.Value": _NO_OUTPOST,
        },
        allowed={
            "AssignIpv6AddressOnCreation.Value": (False,),
            "EnableDns64.Value": (False,),
            "EnableResourceNameDnsAAAARecordOnLaunch.Value": (False,),
            "MapCustomerOwnedIpOnLaunch.Value": (False,),
            "DisableLniAtDeviceIndex.Value": (False,),
        },
        inert={
            "MapPublicIpOnLaunch": _PUBLIC,
            "PrivateDnsHostnameTypeOnLaunch": "Kept and answered: private DNS names are those of addresses.",
            "EnableResourceNameDnsARecordOnLaunch": "Kept and answered: there are no instances with such names.",
        },
    ),
}
