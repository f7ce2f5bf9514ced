"""DescribeSubnets."""

from typing import Any

from longshore.api.ec2 import filters
from longshore.api.ec2.errors import Resource, chosen, end_dry_run, paged
from longshore.api.ec2.regions import zone_id
from longshore.api.operation import Call
from longshore.domain.arn import Arn
from longshore.domain.network import NetworkInterface, Subnet, usable_addresses
from longshore.domain.tag import tags_list

SUBNET = Resource("SubnetIds", "subnet-", "InvalidSubnetID.Malformed", "InvalidSubnetID.NotFound", "subnet ID")
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


def describe_subnets(call: Call) -> dict[str, Any]:
    """The subnets of a region."""
    end_dry_run(call)
    found = {subnet.subnet_id: subnet for subnet in call.tx.select(Subnet, "scope", call.scope)}
    records = chosen(found, call.params.get("SubnetIds") or (), SUBNET)
    views = (subnet_view(call, subnet) for subnet in records)
    shown = filters.apply(views, call.params.get("Filters"), FILTERS)
    return paged(call, "DescribeSubnets", "Subnets", shown, lambda view: str(view["SubnetId"]), "SubnetIds")


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
        "PrivateDnsNameOptionsOnLaunch": {
            "HostnameType": "ip-name",
            "EnableResourceNameDnsARecord": False,
            "EnableResourceNameDnsAAAARecord": False,
        },
        "BlockPublicAccessStates": {"InternetGatewayBlockMode": "off"},
        "Tags": tags_list(subnet.tags, "Key", "Value"),
    }
