"""Every operation of EC2, in an order in which all of them work: called by tests that look at what handlers read."""

from collections.abc import Callable
from typing import Any

from longshore.api.ec2.absent import KINDS
from tests.support.api import Api
from tests.support.balancers import standing_at
from tests.support.security_groups import PLACE

Call = Callable[..., dict[str, Any]]
TAG = {"Key": "k", "Value": "v"}
DESCRIBED = (
    ("DescribeAddresses", "domain", "vpc"),
    ("DescribeAvailabilityZones", "zone-name", "us-east-1a"),
    ("DescribeDhcpOptions", "key", "domain-name"),
    ("DescribeInternetGateways", "attachment.vpc-id", "vpc-1"),
    ("DescribeManagedPrefixLists", "owner-id", "AWS"),
    ("DescribeNetworkAcls", "default", "true"),
    ("DescribeNetworkInterfaces", "subnet-id", "subnet-a"),
    ("DescribePrefixLists", "prefix-list-name", "com.amazonaws.us-east-1.s3"),
    ("DescribeRegions", "region-name", "us-east-1"),
    ("DescribeRouteTables", "vpc-id", "vpc-1"),
    ("DescribeSecurityGroupRules", "group-id", "sg-default"),
    ("DescribeSecurityGroups", "group-name", "default"),
    ("DescribeSubnets", "vpc-id", "vpc-1"),
    ("DescribeTags", "resource-type", "vpc"),
    ("DescribeVpcEndpointServices", "service-type", "Gateway"),
    ("DescribeVpcEndpoints", "vpc-id", "vpc-1"),
    ("DescribeVpcs", "is-default", "true"),
)


def tagged(resource_type: str) -> dict[str, Any]:
    """What makes a resource with a tag."""
    return {"TagSpecifications": [{"ResourceType": resource_type, "Tags": [TAG]}]}


def one(name: str, *values: str) -> list[dict[str, Any]]:
    """A filter."""
    return [{"Name": name, "Values": list(values)}]


def play_ec2(call: Call, api: Api) -> None:
    """Each operation of EC2."""
    for operation, name, value in DESCRIBED:
        call(operation, Filters=one(name, value))
    for operation, kind in KINDS.items():
        call(operation, Filters=one("tag-key", "k"), **{ids.parameter: [] for ids in kind.ids})
    call("DescribeVpcBlockPublicAccessOptions")
    vpc = call("CreateVpc", CidrBlock="10.0.0.0/16", InstanceTenancy="default", **tagged("vpc"))["Vpc"]["VpcId"]
    _play_vpc(call, vpc)
    asked = {"VpcId": vpc, "CidrBlock": "10.0.1.0/24", "AvailabilityZone": "us-east-1a"}
    subnet = call("CreateSubnet", **asked, **tagged("subnet"))["Subnet"]["SubnetId"]
    call("GetSubnetCidrReservations", SubnetId=subnet, Filters=one("cidr", "10.0.0.0/28"))
    call("ModifySubnetAttribute", SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})
    call("ModifySubnetAttribute", SubnetId=subnet, EnableResourceNameDnsARecordOnLaunch={"Value": True})
    call("ModifySubnetAttribute", SubnetId=subnet, PrivateDnsHostnameTypeOnLaunch="resource-name")
    _play_routing(call, vpc, subnet)
    _play_groups(call, vpc)
    _play_acls(call, vpc, subnet)
    _play_endpoints(call, api, vpc, subnet)
    _play_interfaces(call, subnet)
    call("DescribeAccountAttributes", AttributeNames=["default-vpc"])
    call("CreateTags", Resources=[vpc], Tags=[TAG])
    call("DeleteTags", Resources=[vpc], Tags=[TAG])
    call("DeleteSubnet", SubnetId=subnet)
    call("DeleteVpc", VpcId=vpc)
    _play_defaults(call)


def _play_vpc(call: Call, vpc: str) -> None:
    call("DescribeVpcAttribute", VpcId=vpc, Attribute="enableDnsSupport")
    for attribute in ("EnableDnsSupport", "EnableDnsHostnames", "EnableNetworkAddressUsageMetrics"):
        call("ModifyVpcAttribute", VpcId=vpc, **{attribute: {"Value": True}})
    configurations = [{"Key": "domain-name", "Values": ["example.internal"]}]
    made = call("CreateDhcpOptions", DhcpConfigurations=configurations, **tagged("dhcp-options"))["DhcpOptions"]
    call("AssociateDhcpOptions", DhcpOptionsId=made["DhcpOptionsId"], VpcId=vpc)
    call("AssociateDhcpOptions", DhcpOptionsId="default", VpcId=vpc)
    call("DeleteDhcpOptions", DhcpOptionsId=made["DhcpOptionsId"])
    flow_log = {"ResourceIds": [vpc], "ResourceType": "VPC", "TrafficType": "ALL", "LogGroupName": "flow"}
    ids = call("CreateFlowLogs", ClientToken="t", **flow_log, **tagged("vpc-flow-log"))["FlowLogIds"]
    options = {"FileFormat": "parquet", "HiveCompatiblePartitions": True, "PerHourPartition": True}
    to_s3 = {"LogDestinationType": "s3", "LogDestination": "arn:aws:s3:::flow", "DestinationOptions": options}
    call("CreateFlowLogs", ResourceIds=[vpc], ResourceType="VPC", TrafficType="ALL", **to_s3)
    call("DescribeFlowLogs", Filter=one("resource-id", vpc))
    call("DeleteFlowLogs", FlowLogIds=ids)


def _play_routing(call: Call, vpc: str, subnet: str) -> None:
    gateway = call("CreateInternetGateway", **tagged("internet-gateway"))["InternetGateway"]["InternetGatewayId"]
    call("AttachInternetGateway", InternetGatewayId=gateway, VpcId=vpc)
    address = call("AllocateAddress", Domain="vpc", **tagged("elastic-ip"))["AllocationId"]
    asked = {"SubnetId": subnet, "AllocationId": address, "ClientToken": "t", "PrivateIpAddress": "10.0.1.9"}
    made = call("CreateNatGateway", **asked, **tagged("natgateway"), ConnectivityType="public")["NatGateway"]
    nat = made["NatGatewayId"]
    call("DescribeNatGateways", Filter=one("vpc-id", vpc))
    asked = {"VpcId": vpc, "ClientToken": "t"}
    table = call("CreateRouteTable", **asked, **tagged("route-table"))["RouteTable"]["RouteTableId"]
    route: dict[str, Any] = {"RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0"}
    call("CreateRoute", **route, GatewayId=gateway)
    call("ReplaceRoute", **route, NatGatewayId=nat)
    call("DeleteRoute", **route)
    association = call("AssociateRouteTable", RouteTableId=table, SubnetId=subnet)["AssociationId"]
    association = call("ReplaceRouteTableAssociation", AssociationId=association, RouteTableId=table)[
        "NewAssociationId"
    ]
    call("DisassociateRouteTable", AssociationId=association)
    call("DeleteRouteTable", RouteTableId=table)
    call("DescribeAddresses", AllocationIds=[address])
    call("DescribeAddresses", PublicIps=[made["NatGatewayAddresses"][0]["PublicIp"]])
    call("DescribeAddressesAttribute", AllocationIds=[address], Attribute="domain-name")
    call("DeleteNatGateway", NatGatewayId=nat)
    interface = call("CreateNetworkInterface", SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    asked = {"AllocationId": address, "NetworkInterfaceId": interface, "AllowReassociation": True}
    association = call("AssociateAddress", **asked)["AssociationId"]
    call("DisassociateAddress", AssociationId=association)
    call("ReleaseAddress", AllocationId=address)
    call("DeleteNetworkInterface", NetworkInterfaceId=interface)
    call("DetachInternetGateway", InternetGatewayId=gateway, VpcId=vpc)
    call("DeleteInternetGateway", InternetGatewayId=gateway)


def _play_groups(call: Call, vpc: str) -> None:
    asked = {"GroupName": "web", "Description": "the web", "VpcId": vpc}
    group = call("CreateSecurityGroup", **asked, **tagged("security-group"))["GroupId"]
    permission = {
        "IpProtocol": "tcp",
        "FromPort": 80,
        "ToPort": 80,
        "IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "inside"}],
        "Ipv6Ranges": [{"CidrIpv6": "::/0", "Description": "IPv6"}],
        "PrefixListIds": [{"PrefixListId": "pl-63a5400a", "Description": "S3"}],
        "UserIdGroupPairs": [{"GroupId": group, "Description": "own"}],
    }
    named = {"IpPermissions": [{"IpProtocol": "udp", "FromPort": 1, "ToPort": 2}]}
    named["IpPermissions"][0]["UserIdGroupPairs"] = [{"GroupName": "web", "UserId": "123456789012"}]
    single = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "0.0.0.0/0"}
    for direction in ("Ingress", "Egress"):
        made = call(
            f"AuthorizeSecurityGroup{direction}",
            GroupId=group,
            IpPermissions=[permission],
            **tagged("security-group-rule"),
        )["SecurityGroupRules"]
        call(f"AuthorizeSecurityGroup{direction}", GroupId=group, **named)
        call(f"AuthorizeSecurityGroup{direction}", GroupId=group, **single)
        call(f"UpdateSecurityGroupRuleDescriptions{direction}", GroupId=group, IpPermissions=[permission])
        description = {"SecurityGroupRuleId": made[0]["SecurityGroupRuleId"], "Description": "other"}
        update = {"SecurityGroupRuleDescriptions": [description]}
        call(f"UpdateSecurityGroupRuleDescriptions{direction}", GroupId=group, **update)
        rule = {"IpProtocol": "tcp", "FromPort": 90, "ToPort": 90, "CidrIpv4": "10.0.0.0/8", "Description": "d"}
        changes = [{"SecurityGroupRuleId": made[0]["SecurityGroupRuleId"], "SecurityGroupRule": rule}]
        call("ModifySecurityGroupRules", GroupId=group, SecurityGroupRules=changes)
        ids = [each["SecurityGroupRuleId"] for each in made]
        call(f"RevokeSecurityGroup{direction}", GroupId=group, SecurityGroupRuleIds=ids)
        call(f"RevokeSecurityGroup{direction}", GroupId=group, **named)
        call(f"RevokeSecurityGroup{direction}", GroupId=group, **single)
        call(f"AuthorizeSecurityGroup{direction}", GroupId=group, IpPermissions=[permission])
        call(f"RevokeSecurityGroup{direction}", GroupId=group, IpPermissions=[permission])
    call("DescribeSecurityGroupReferences", GroupId=[group])
    call("DescribeStaleSecurityGroups", VpcId=vpc)
    call("GetSecurityGroupsForVpc", VpcId=vpc, Filters=one("group-name", "web"))
    call("DeleteSecurityGroup", GroupId=group)


def _play_acls(call: Call, vpc: str, subnet: str) -> None:
    made = call("CreateNetworkAcl", VpcId=vpc, ClientToken="t", **tagged("network-acl"))["NetworkAcl"]
    acl = {"NetworkAclId": made["NetworkAclId"]}
    entry: dict[str, Any] = {**acl, "RuleNumber": 1, "Protocol": "6", "RuleAction": "allow", "Egress": True}
    call("CreateNetworkAclEntry", **entry, CidrBlock="10.0.0.0/8", PortRange={"From": 1, "To": 2})
    entry["Protocol"] = "1"
    icmp = {"Type": 1, "Code": -1}
    call("ReplaceNetworkAclEntry", **entry, Ipv6CidrBlock="::/0", IcmpTypeCode=icmp)
    call(
        "ReplaceNetworkAclEntry", **{**entry, "Protocol": "17"}, CidrBlock="10.0.0.0/8", PortRange={"From": 1, "To": 2}
    )
    call("CreateNetworkAclEntry", **{**entry, "RuleNumber": 2}, CidrBlock="10.0.0.0/8", IcmpTypeCode=icmp)
    call("DeleteNetworkAclEntry", **acl, RuleNumber=1, Egress=True)
    default = call("DescribeNetworkAcls", Filters=one("association.subnet-id", subnet))["NetworkAcls"][0]
    association = default["Associations"][0]["NetworkAclAssociationId"]
    association = call("ReplaceNetworkAclAssociation", AssociationId=association, **acl)["NewAssociationId"]
    back = {"AssociationId": association, "NetworkAclId": default["NetworkAclId"]}
    call("ReplaceNetworkAclAssociation", **back)
    call("DeleteNetworkAcl", **acl)


def _play_endpoint_services(call: Call, api: Api, vpc: str) -> None:
    balancers = [standing_at(dns_name=f"{name}.test").but(**PLACE, lb_id=name * 16, type="network") for name in "ab"]
    api.put(*balancers)
    one_, two = ([balancer.arn] for balancer in balancers)
    asked = {
        "NetworkLoadBalancerArns": one_,
        "AcceptanceRequired": True,
        "PrivateDnsName": "a.test",
        "ClientToken": "t",
    }
    made = call("CreateVpcEndpointServiceConfiguration", **asked, **tagged("vpc-endpoint-service"))
    name = made["ServiceConfiguration"]["ServiceName"]
    of = {"ServiceId": made["ServiceConfiguration"]["ServiceId"]}
    change = {"AddNetworkLoadBalancerArns": two, "RemoveNetworkLoadBalancerArns": one_, "AcceptanceRequired": True}
    call("ModifyVpcEndpointServiceConfiguration", **of, **change, PrivateDnsName="b.test")
    call("ModifyVpcEndpointServiceConfiguration", **of, RemovePrivateDnsName=True)
    call("ModifyVpcEndpointServicePermissions", **of, AddAllowedPrincipals=["*"], RemoveAllowedPrincipals=["*"])
    call("DescribeVpcEndpointServicePermissions", **of, Filters=one("principal", "*"))
    call("DescribeVpcEndpointServiceConfigurations", ServiceIds=list(of.values()), Filters=one("service-name", name))
    made = call("CreateVpcEndpoint", VpcId=vpc, ServiceName=name, VpcEndpointType="Interface")
    endpoints = {"VpcEndpointIds": [made["VpcEndpoint"]["VpcEndpointId"]]}
    call("DescribeVpcEndpointConnections", Filters=one("service-id", *of.values()))
    call("AcceptVpcEndpointConnections", **of, **endpoints)
    call("RejectVpcEndpointConnections", **of, **endpoints)
    call("DeleteVpcEndpoints", **endpoints)
    call("DeleteVpcEndpointServiceConfigurations", ServiceIds=list(of.values()))


def _play_endpoints(call: Call, api: Api, vpc: str, subnet: str) -> None:
    asked: dict[str, Any] = {"VpcId": vpc, "ServiceName": "com.amazonaws.us-east-1.ecr.api"}
    asked |= {"VpcEndpointType": "Interface", "SecurityGroupIds": [], "PrivateDnsEnabled": True, "RouteTableIds": []}
    options = {"DnsRecordIpType": "ipv4", "PrivateDnsOnlyForInboundResolverEndpoint": False}
    fixed = {"SubnetConfigurations": [{"SubnetId": subnet, "Ipv4": "10.0.1.99"}], "DnsOptions": options}
    more = {"PolicyDocument": "{}", "SubnetIds": [subnet], "ClientToken": "t", **tagged("vpc-endpoint")}
    made = call("CreateVpcEndpoint", **asked, **fixed, **more)["VpcEndpoint"]["VpcEndpointId"]
    change: dict[str, Any] = {"VpcEndpointId": made, "PolicyDocument": "{}", "PrivateDnsEnabled": False}
    call("ModifyVpcEndpoint", **change, RemoveSubnetIds=[subnet], ResetPolicy=True, DnsOptions=options)
    call("ModifyVpcEndpoint", **change, AddSubnetIds=[subnet], SubnetConfigurations=fixed["SubnetConfigurations"])
    call("DeleteVpcEndpoints", VpcEndpointIds=[made])
    _play_endpoint_services(call, api, vpc)
    entry = {"Cidr": "10.0.0.0/8", "Description": "d"}
    asked = {"PrefixListName": "own", "AddressFamily": "IPv4", "MaxEntries": 5, "Entries": [entry], "ClientToken": "t"}
    made = call("CreateManagedPrefixList", **asked, **tagged("prefix-list"))["PrefixList"]["PrefixListId"]
    added = {"AddEntries": [{**entry, "Cidr": "11.0.0.0/8"}], "RemoveEntries": [{"Cidr": "10.0.0.0/8"}]}
    call("ModifyManagedPrefixList", PrefixListId=made, CurrentVersion=1, **added)
    call("ModifyManagedPrefixList", PrefixListId=made, PrefixListName="other", MaxEntries=6)
    call("GetManagedPrefixListEntries", PrefixListId=made, TargetVersion=1)
    call("RestoreManagedPrefixListVersion", PrefixListId=made, PreviousVersion=1, CurrentVersion=2)
    call("GetManagedPrefixListAssociations", PrefixListId=made)
    call("DeleteManagedPrefixList", PrefixListId=made)


def _play_interfaces(call: Call, subnet: str) -> None:
    addresses = {"PrivateIpAddresses": [{"PrivateIpAddress": "10.0.1.77", "Primary": True}]}
    asked = {"SubnetId": subnet, "Description": "d", "Groups": [], "ClientToken": "t", **tagged("network-interface")}
    made = call("CreateNetworkInterface", **asked, **addresses)["NetworkInterface"]
    interface = {"NetworkInterfaceId": made["NetworkInterfaceId"]}
    call("ModifyNetworkInterfaceAttribute", **interface, Description={"Value": "other"})
    call("ModifyNetworkInterfaceAttribute", **interface, SourceDestCheck={"Value": False})
    groups = [each["GroupId"] for each in made["Groups"]]
    call("ModifyNetworkInterfaceAttribute", **interface, Groups=groups)
    call("DescribeNetworkInterfaceAttribute", **interface, Attribute="description")
    call("DeleteNetworkInterface", **interface)


def _play_defaults(call: Call) -> None:
    """The default VPC, taken down and made anew."""
    (vpc,) = call("DescribeVpcs", Filters=one("is-default", "true"))["Vpcs"]
    (gateway,) = call("DescribeInternetGateways")["InternetGateways"]
    call("DetachInternetGateway", InternetGatewayId=gateway["InternetGatewayId"], VpcId=vpc["VpcId"])
    for subnet in call("DescribeSubnets")["Subnets"]:
        call("DeleteSubnet", SubnetId=subnet["SubnetId"])
    call("CreateDefaultSubnet", AvailabilityZone="us-east-1a")
    (made,) = call("DescribeSubnets")["Subnets"]
    call("DeleteSubnet", SubnetId=made["SubnetId"])
    call("DeleteVpc", VpcId=vpc["VpcId"])
    call("CreateDefaultVpc")
