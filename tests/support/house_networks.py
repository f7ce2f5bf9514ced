"""What a `House` has of EC2: a VPC beside the default one with something of each kind in it, and requests for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from longshore.domain.ec2.endpoint import EndpointServiceConfiguration, PrefixList, VpcEndpoint
from longshore.domain.ec2.network import NetworkInterface, SecurityGroup, SecurityGroupRule, Subnet, Vpc
from longshore.domain.ec2.network_acl import NetworkAcl
from longshore.domain.ec2.network_settings import DhcpOptions, FlowLog
from longshore.domain.ec2.routing import Address, InternetGateway, NatGateway, RouteTable
from longshore.domain.elbv2.balancer import LoadBalancer
from longshore.domain.record import Record

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from longshore.store.store import Reader

TAG = {"Key": "a", "Value": "b"}
IDS: dict[str, type[Record]] = {
    "allocationid": Address,
    "dhcpoptionsid": DhcpOptions,
    "flowlogid": FlowLog,
    "internetgatewayid": InternetGateway,
    "natgatewayid": NatGateway,
    "networkaclid": NetworkAcl,
    "networkinterfaceid": NetworkInterface,
    "prefixlistid": PrefixList,
    "routetableid": RouteTable,
    "securitygroupruleid": SecurityGroupRule,
    "subnetid": Subnet,
    "serviceid": EndpointServiceConfiguration,
    "vpcendpointid": VpcEndpoint,
}
"""The members that take ids, in small letters and in the singular, and whose ids."""


async def furnish_networks(ok: Callable[..., Awaitable[Any]], default_vpc: str) -> None:
    """Make them."""

    async def made(operation: str, member: str, name: str, **params: Any) -> str:
        return str((await ok("ec2", operation, **params))[member][name])

    vpc = await made("CreateVpc", "Vpc", "VpcId", CidrBlock="10.0.0.0/16")
    subnets = []
    for number, zone in enumerate("ab"):
        asked = {"VpcId": vpc, "CidrBlock": f"10.0.{number}.0/24", "AvailabilityZone": f"eu-west-1{zone}"}
        subnets.append(await made("CreateSubnet", "Subnet", "SubnetId", **asked))
    gateway = await made("CreateInternetGateway", "InternetGateway", "InternetGatewayId")
    await ok("ec2", "AttachInternetGateway", InternetGatewayId=gateway, VpcId=vpc)
    for _ in range(2):
        address = (await ok("ec2", "AllocateAddress"))["AllocationId"]
    await ok("ec2", "CreateNatGateway", SubnetId=subnets[0], AllocationId=address)
    table = await made("CreateRouteTable", "RouteTable", "RouteTableId", VpcId=vpc)
    await ok("ec2", "CreateRoute", RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    await ok("ec2", "AssociateRouteTable", RouteTableId=table, SubnetId=subnets[0])
    group = (await ok("ec2", "CreateSecurityGroup", GroupName="web", Description="d", VpcId=vpc))["GroupId"]
    await ok("ec2", "AuthorizeSecurityGroupIngress", GroupId=group, IpPermissions=[permission(group)])
    await ok("ec2", "CreateNetworkAcl", VpcId=vpc)
    service = {"VpcId": vpc, "ServiceName": "com.amazonaws.eu-west-1.s3"}
    await ok("ec2", "CreateVpcEndpoint", **service, RouteTableIds=[table])
    interface = {"VpcEndpointType": "Interface", "SubnetIds": subnets[:1]}
    await ok("ec2", "CreateVpcEndpoint", **service, **interface)
    await ok("ec2", "CreateManagedPrefixList", PrefixListName="p", AddressFamily="IPv4", MaxEntries=9)
    await ok("ec2", "CreateNetworkInterface", SubnetId=subnets[1])
    await ok("ec2", "CreateDhcpOptions", DhcpConfigurations=[{"Key": "domain-name", "Values": ["a.internal"]}])
    await ok("ec2", "CreateTags", Resources=[vpc, default_vpc], Tags=[TAG])
    flow_log = {"ResourceType": "VPC", "TrafficType": "ALL", "LogGroupName": "/app"}
    await ok("ec2", "CreateFlowLogs", ResourceIds=[vpc], **flow_log)


def permission(group: str) -> dict[str, Any]:
    """What a group's own members may do."""
    pairs = [{"GroupId": group}]
    return {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "UserIdGroupPairs": pairs}


def known_networks(read: Reader) -> dict[str, list[str]]:
    """Ids of what exists, by the members that take them (in small letters)."""
    ids = {name: [record.names()[0] for record in read.all(cls)] for name, cls in IDS.items()}
    groups = [group.group_id for group in read.all(SecurityGroup)]
    everything = [each for found in ids.values() for each in found]
    associations = [subnet.route_table_association_id for subnet in read.all(Subnet) if subnet.route_table_id]
    associations += [subnet.network_acl_association for subnet in read.all(Subnet)]
    associations += [address.association_id for address in read.all(Address) if address.association_id]
    return {
        **ids,
        **{f"{name}s": found for name, found in ids.items()},
        "subnetids": ids["subnetid"],
        "groupid": groups,
        "securitygroupids": groups,
        "groups": groups,
        "gatewayid": ids["internetgatewayid"],
        "associationid": [*associations, *(vpc.main_association for vpc in read.all(Vpc))],
        "publicip": [address.public_ip for address in read.all(Address)],
        "resources": everything,
        "resourceids": [*ids["subnetid"], *(vpc.vpc_id for vpc in read.all(Vpc))],
        "cidrblock": ["10.1.0.0/16", "10.0.9.0/24", "0.0.0.0/0"],
        "destinationcidrblock": ["0.0.0.0/0", "10.9.0.0/16"],
    }


def network_examples(read: Reader) -> dict[str, dict[str, Any]]:
    """What operations take that hardly take anything drawn at random."""
    group = next((each for each in read.all(SecurityGroup) if each.name == "web"), None)
    rule = next((each for each in read.all(SecurityGroupRule) if group and each.group_id == group.group_id), None)
    if group is None or rule is None:
        return {}
    own = {"GroupId": group.group_id}
    new = {"IpProtocol": "tcp", "FromPort": 90, "ToPort": 90, "CidrIpv4": "10.0.0.0/8"}
    permissions = {**own, "IpPermissions": [permission(group.group_id)]}
    ranged = {**own, "IpPermissions": [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}]}
    entry = {"Protocol": "6", "RuleNumber": 7, "PortRange": {"From": 1, "To": 2}, "CidrBlock": "10.0.0.0/8"}
    tags = {"Resources": [group.vpc_id], "Tags": [TAG]}
    return {
        "AuthorizeSecurityGroupIngress": ranged,
        "AuthorizeSecurityGroupEgress": permissions,
        "RevokeSecurityGroupIngress": permissions,
        "RevokeSecurityGroupEgress": ranged,
        "UpdateSecurityGroupRuleDescriptionsIngress": permissions,
        "ModifySecurityGroupRules": {
            **own,
            "SecurityGroupRules": [{"SecurityGroupRuleId": rule.rule_id, "SecurityGroupRule": new}],
        },
        "CreateSecurityGroup": {"GroupName": "new", "Description": "d"},
        "CreateVpc": {"CidrBlock": "10.2.0.0/16"},
        "CreateSubnet": {"VpcId": group.vpc_id, "CidrBlock": "10.0.77.0/24"},
        "CreateNetworkAclEntry": entry,
        "ReplaceNetworkAclEntry": entry,
        "CreateVpcEndpointServiceConfiguration": {
            "NetworkLoadBalancerArns": [each.arn for each in read.all(LoadBalancer) if each.type == "network"][:1]
        },
        "ModifyVpcEndpointServicePermissions": {"AddAllowedPrincipals": ["arn:aws:iam::222222222222:root"]},
        "CreateVpcEndpoint": {"VpcId": group.vpc_id, "ServiceName": "com.amazonaws.eu-west-1.dynamodb"},
        "CreateManagedPrefixList": {"PrefixListName": "q", "AddressFamily": "IPv4", "MaxEntries": 5},
        "CreateRoute": {"DestinationCidrBlock": "10.9.0.0/16"},
        "CreateFlowLogs": {"ResourceType": "VPC", "ResourceIds": [group.vpc_id], "TrafficType": "ALL"},
        "CreateDhcpOptions": {"DhcpConfigurations": [{"Key": "domain-name", "Values": ["b.internal"]}]},
        "ModifyVpcAttribute": {"VpcId": group.vpc_id, "EnableDnsHostnames": {"Value": True}},
        "ModifySubnetAttribute": {"MapPublicIpOnLaunch": {"Value": True}},
        "ModifyNetworkInterfaceAttribute": {"Description": {"Value": "d"}},
        "CreateTags": tags,
        "DeleteTags": tags,
    }
