"""Network ACLs, endpoints, prefix lists, users' own interfaces, DHCP options, flow logs and tags: with each error."""

from typing import Any

import pytest

from longshore.api import ec2
from longshore.domain.ec2.network import NetworkInterface
from tests.support.api import SCOPE, Api
from tests.support.play_ec2 import TAG, one, tagged

S3 = "com.amazonaws.us-east-1.s3"


@pytest.fixture
def api() -> Api:
    return Api(ec2.SERVICE.operations, service="ec2")


@pytest.fixture
def vpc(api: Api) -> str:
    return str(api("CreateVpc", CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"])


@pytest.fixture
def subnet(api: Api, vpc: str) -> str:
    return create_subnet(api, vpc, 1, "a")


def create_subnet(api: Api, vpc: str, number: int, zone: str) -> str:
    asked = {"CidrBlock": f"10.0.{number}.0/24", "AvailabilityZone": f"us-east-1{zone}"}
    return str(api("CreateSubnet", VpcId=vpc, **asked)["Subnet"]["SubnetId"])


# --------------------------------------------------------------------------------------------------- network ACLs


def acl_of(api: Api, subnet: str) -> tuple[str, str]:
    """The id of a subnet's ACL, and that of the association."""
    (acl,) = api("DescribeNetworkAcls", Filters=one("association.subnet-id", subnet))["NetworkAcls"]
    found = next(each for each in acl["Associations"] if each["SubnetId"] == subnet)
    return acl["NetworkAclId"], found["NetworkAclAssociationId"]


def test_a_subnet_has_its_vpcs_default_acl_until_it_gets_another(api: Api, vpc: str, subnet: str) -> None:
    made = api("CreateNetworkAcl", VpcId=vpc, **tagged("network-acl"))["NetworkAcl"]
    assert [each["RuleNumber"] for each in made["Entries"]] == [32767, 32767]
    default, association = acl_of(api, subnet)
    back = {"AssociationId": association, "NetworkAclId": made["NetworkAclId"]}
    new = api("ReplaceNetworkAclAssociation", **back)["NewAssociationId"]
    assert acl_of(api, subnet) == (made["NetworkAclId"], new)
    assert api.error("ReplaceNetworkAclAssociation", **back).code == "InvalidAssociationID.NotFound"
    assert api.error("DeleteNetworkAcl", NetworkAclId=made["NetworkAclId"]).code == "DependencyViolation"
    assert api.error("DeleteNetworkAcl", NetworkAclId=default).code == "InvalidParameterValue"
    _, elsewhere = acl_of(api, "subnet-a")
    crossed = {"AssociationId": elsewhere, "NetworkAclId": made["NetworkAclId"]}
    assert api.error("ReplaceNetworkAclAssociation", **crossed).code == "InvalidParameterValue"
    api("ReplaceNetworkAclAssociation", AssociationId=new, NetworkAclId=default)
    api("DeleteNetworkAcl", NetworkAclId=made["NetworkAclId"])


ENTRY: dict[str, Any] = {"RuleNumber": 10, "Protocol": "6", "RuleAction": "deny", "Egress": False}
PORTS = {"PortRange": {"From": 1, "To": 2}}
RANGE = {"CidrBlock": "10.0.0.0/8"}


def test_entries_are_sorted_by_direction_and_number(api: Api, vpc: str) -> None:
    acl = {"NetworkAclId": api("CreateNetworkAcl", VpcId=vpc)["NetworkAcl"]["NetworkAclId"]}
    api("CreateNetworkAclEntry", **acl, **ENTRY, **PORTS, **RANGE)
    icmp = {"Protocol": "icmp", "IcmpTypeCode": {"Type": -1, "Code": -1}, "RuleNumber": 5}
    api("CreateNetworkAclEntry", **acl, **{**ENTRY, **icmp}, Ipv6CidrBlock="::/0")
    api("CreateNetworkAclEntry", **acl, **{**ENTRY, "Egress": True, "Protocol": "-1"}, CidrBlock="10.1.2.3/16")
    (found,) = api("DescribeNetworkAcls", NetworkAclIds=list(acl.values()))["NetworkAcls"]
    entries = [(each["Egress"], each["RuleNumber"], each["Protocol"]) for each in found["Entries"]]
    assert entries == [(True, 10, "-1"), (True, 32767, "-1"), (False, 5, "1"), (False, 10, "6"), (False, 32767, "-1")]
    assert found["Entries"][0]["CidrBlock"] == "10.1.0.0/16"
    assert found["Entries"][2]["IcmpTypeCode"] == {"Type": -1, "Code": -1}
    assert api.error("CreateNetworkAclEntry", **acl, **ENTRY, **PORTS, **RANGE).code == "NetworkAclEntryAlreadyExists"
    api("ReplaceNetworkAclEntry", **acl, **{**ENTRY, "RuleAction": "allow"}, **PORTS, **RANGE)
    missing = api.error("ReplaceNetworkAclEntry", **acl, **{**ENTRY, "RuleNumber": 11}, **PORTS, **RANGE)
    assert missing.code == "InvalidNetworkAclEntry.NotFound"
    api("DeleteNetworkAclEntry", **acl, RuleNumber=10, Egress=True)
    gone = api.error("DeleteNetworkAclEntry", **acl, RuleNumber=10, Egress=True)
    assert gone.code == "InvalidNetworkAclEntry.NotFound"
    assert api.error("DeleteNetworkAclEntry", **acl, RuleNumber=32767, Egress=True).code == "InvalidParameterValue"
    for number in range(100, 138):
        api("CreateNetworkAclEntry", **acl, **{**ENTRY, "RuleNumber": number}, **PORTS, **RANGE)
    full = api.error("CreateNetworkAclEntry", **acl, **{**ENTRY, "RuleNumber": 200}, **PORTS, **RANGE)
    assert full.code == "NetworkAclEntryLimitExceeded"


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"RuleNumber": 0, **PORTS, **RANGE}, "InvalidParameterValue"),
        ({"RuleNumber": 32767, **PORTS, **RANGE}, "InvalidParameterValue"),
        ({**PORTS}, "MissingParameter"),
        ({**PORTS, **RANGE, "Ipv6CidrBlock": "::/0"}, "InvalidParameterValue"),
        ({**PORTS, "CidrBlock": "ten"}, "InvalidParameterValue"),
        ({**PORTS, "Ipv6CidrBlock": "ten"}, "InvalidParameterValue"),
        ({**RANGE}, "MissingParameter"),
        ({**RANGE, "PortRange": {"From": 3, "To": 2}}, "InvalidParameterValue"),
        ({**RANGE, "Protocol": "icmp"}, "MissingParameter"),
        ({**RANGE, "Protocol": "1", "IcmpTypeCode": {"Type": 300, "Code": 0}}, "InvalidParameterValue"),
        ({**RANGE, "Protocol": "carrier-pigeon"}, "InvalidParameterValue"),
        ({**RANGE, "Protocol": "256"}, "InvalidParameterValue"),
        ({**RANGE, **PORTS, "NetworkAclId": "acl-0"}, "InvalidNetworkAclID.NotFound"),
    ],
)
def test_entries_that_cannot_be(api: Api, vpc: str, asked: dict[str, Any], code: str) -> None:
    acl = api("CreateNetworkAcl", VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    assert api.error("CreateNetworkAclEntry", **{"NetworkAclId": acl, **ENTRY, **asked}).code == code


# ------------------------------------------------------------------------------------------------------ endpoints


def test_a_gateway_endpoint_is_a_route_in_its_tables(api: Api, vpc: str) -> None:
    tables = [api("CreateRouteTable", VpcId=vpc)["RouteTable"]["RouteTableId"] for _ in range(2)]
    made = api("CreateVpcEndpoint", VpcId=vpc, ServiceName=S3, RouteTableIds=tables[:1])["VpcEndpoint"]
    assert (made["State"], made["VpcEndpointType"], made["RouteTableIds"]) == ("available", "Gateway", tables[:1])
    (table,) = api("DescribeRouteTables", RouteTableIds=tables[:1])["RouteTables"]
    (listed,) = api("DescribePrefixLists", Filters=one("prefix-list-name", S3))["PrefixLists"]
    route = table["Routes"][-1]
    assert (route["DestinationPrefixListId"], route["GatewayId"]) == (listed["PrefixListId"], made["VpcEndpointId"])
    again = api.error("CreateVpcEndpoint", VpcId=vpc, ServiceName=S3, RouteTableIds=tables)
    assert again.code == "RouteAlreadyExists"
    change = {"VpcEndpointId": made["VpcEndpointId"]}
    api("ModifyVpcEndpoint", **change, AddRouteTableIds=tables[1:], RemoveRouteTableIds=tables[:1])
    missing = api.error("ModifyVpcEndpoint", **change, RemoveRouteTableIds=tables[:1])
    assert missing.code == "InvalidRouteTableID.NotFound"
    assert api.error("ModifyVpcEndpoint", **change, AddSubnetIds=["subnet-a"]).code == "InvalidParameter"
    assert api.error("ModifyVpcEndpoint", **change, AddSecurityGroupIds=["sg-1"]).code == "InvalidParameter"
    api("DeleteRouteTable", RouteTableId=tables[1])
    (left,) = api("DescribeVpcEndpoints", VpcEndpointIds=list(change.values()))["VpcEndpoints"]
    assert left["RouteTableIds"] == []
    answer = api("DeleteVpcEndpoints", VpcEndpointIds=[made["VpcEndpointId"], "vpce-0"])
    assert [each["ResourceId"] for each in answer["Unsuccessful"]] == ["vpce-0"]


def test_an_interface_endpoint_has_an_address_in_each_subnet(api: Api, vpc: str, subnet: str) -> None:
    second, beside = create_subnet(api, vpc, 2, "b"), create_subnet(api, vpc, 3, "a")
    api("ModifyVpcAttribute", VpcId=vpc, EnableDnsHostnames={"Value": True})
    group = api("CreateSecurityGroup", VpcId=vpc, GroupName="g", Description="d")["GroupId"]
    name = "com.amazonaws.us-east-1.ecr.api"
    asked = {"VpcId": vpc, "ServiceName": name, "VpcEndpointType": "Interface", "PrivateDnsEnabled": True}
    made = api("CreateVpcEndpoint", **asked, SubnetIds=[subnet], SecurityGroupIds=[group])["VpcEndpoint"]
    assert made["State"] == "pending"
    assert made["Groups"] == [{"GroupId": group, "GroupName": "g"}]
    assert made["DnsEntries"][-1]["DnsName"] == "api.ecr.us-east-1.amazonaws.com"
    assert api.error("CreateVpcEndpoint", **asked).code == "InvalidParameter"  # the name is taken
    assert api.error("DeleteSubnet", SubnetId=subnet).code == "DependencyViolation"
    assert api.error("DeleteSecurityGroup", GroupId=group).code == "DependencyViolation"
    change = {"VpcEndpointId": made["VpcEndpointId"]}
    same_zone = api.error("ModifyVpcEndpoint", **change, AddSubnetIds=[beside])
    assert same_zone.code == "DuplicateSubnetsInSameZone"
    api("ModifyVpcEndpoint", **change, AddSubnetIds=[second], RemoveSubnetIds=[subnet])
    default = api("DescribeSecurityGroups", Filters=[*one("vpc-id", vpc), *one("group-name", "default")])
    other = default["SecurityGroups"][0]["GroupId"]
    api("ModifyVpcEndpoint", **change, AddSecurityGroupIds=[other], RemoveSecurityGroupIds=[group])
    (shown,) = api("DescribeVpcEndpoints", Filters=one("service-name", name))["VpcEndpoints"]
    assert (shown["SubnetIds"], [each["GroupId"] for each in shown["Groups"]]) == ([second], [other])
    (interface,) = api("DescribeNetworkInterfaces", NetworkInterfaceIds=shown["NetworkInterfaceIds"])[
        "NetworkInterfaces"
    ]
    assert (interface["InterfaceType"], interface["Groups"][0]["GroupId"]) == ("vpc_endpoint", other)
    api("DeleteVpcEndpoints", VpcEndpointIds=list(change.values()))
    assert api.store.count(NetworkInterface, "vpc", (*SCOPE, vpc)) == 0


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"ServiceName": "com.amazonaws.us-east-1.nothing"}, "InvalidServiceName"),
        ({"ServiceName": "com.amazonaws.us-east-1.ecs"}, "InvalidParameter"),
        ({"SubnetIds": ["subnet-a"]}, "InvalidParameter"),
        ({"RouteTableIds": ["rtb-0"]}, "InvalidRouteTableID.NotFound"),
        ({"RouteTableIds": ["elsewhere"]}, "InvalidParameter"),
        ({"PolicyDocument": "{"}, "InvalidPolicyDocument"),
        ({"PolicyDocument": "[" * 9000}, "InvalidPolicyDocument"),
        ({"VpcId": "vpc-0"}, "InvalidVpcID.NotFound"),
        ({"VpcEndpointType": "Interface", "RouteTableIds": ["rtb-0"]}, "InvalidParameter"),
        ({"VpcEndpointType": "Interface", "PrivateDnsEnabled": True}, "InvalidParameter"),
        ({"VpcEndpointType": "Interface", "SubnetIds": ["subnet-a"]}, "InvalidParameter"),
        ({"VpcEndpointType": "Interface", "SecurityGroupIds": ["sg-default"]}, "InvalidGroup.NotFound"),
        ({"VpcEndpointType": "GatewayLoadBalancer"}, "InvalidParameterException"),
    ],
)
def test_endpoints_that_cannot_be(api: Api, vpc: str, asked: dict[str, Any], code: str) -> None:
    (table,) = api("DescribeRouteTables", Filters=one("vpc-id", "vpc-1"))["RouteTables"]
    params = {name: [table["RouteTableId"]] if value == ["elsewhere"] else value for name, value in asked.items()}
    assert api.error("CreateVpcEndpoint", **{"VpcId": vpc, "ServiceName": S3, **params}).code == code


def test_services_for_endpoints_are_found_by_name_and_type(api: Api) -> None:
    asked = {"ServiceNames": [S3], "Filters": one("service-type", "Gateway")}
    answer = api("DescribeVpcEndpointServices", **asked)
    assert (answer["ServiceNames"], len(answer["ServiceDetails"])) == ([S3], 1)
    assert len(api("DescribeVpcEndpointServices", ServiceNames=[S3])["ServiceDetails"]) == 2
    unknown = api.error("DescribeVpcEndpointServices", ServiceNames=["com.amazonaws.us-east-1.x"])
    assert unknown.code == "InvalidServiceName"


# --------------------------------------------------------------------------------------------------- prefix lists


def test_a_prefix_list_keeps_its_versions(api: Api) -> None:
    asked = {"PrefixListName": "own", "AddressFamily": "IPv4", "MaxEntries": 2}
    entries = [{"Cidr": "10.0.0.0/8", "Description": "d"}]
    made = api("CreateManagedPrefixList", **asked, Entries=entries)["PrefixList"]
    own = {"PrefixListId": made["PrefixListId"]}
    assert (made["State"], made["Version"]) == ("create-in-progress", 1)
    change = {"AddEntries": [{"Cidr": "11.0.0.0/8"}], "RemoveEntries": [{"Cidr": "10.0.0.0/8"}]}
    assert api.error("ModifyManagedPrefixList", **own, **change).code == "MissingParameter"
    stale = api.error("ModifyManagedPrefixList", **own, **change, CurrentVersion=2)
    assert stale.code == "PrefixListVersionMismatch"
    api("ModifyManagedPrefixList", **own, **change, CurrentVersion=1)
    assert api("GetManagedPrefixListEntries", **own)["Entries"] == [{"Cidr": "11.0.0.0/8"}]
    assert api("GetManagedPrefixListEntries", **own, TargetVersion=1)["Entries"] == entries
    missing = api.error("GetManagedPrefixListEntries", **own, TargetVersion=3)
    assert missing.code == "InvalidPrefixListVersion.NotFound"
    more = [{"Cidr": "12.0.0.0/8"}, {"Cidr": "13.0.0.0/8"}]
    full = api.error("ModifyManagedPrefixList", **own, CurrentVersion=2, AddEntries=more)
    assert full.code == "PrefixListMaxEntriesExceeded"
    small = {"MaxEntries": 5, "AddEntries": more, "CurrentVersion": 2}
    assert api.error("ModifyManagedPrefixList", **own, **small).code == "InvalidParameterCombination"
    (shown,) = api("DescribeManagedPrefixLists", PrefixListIds=[made["PrefixListId"]])["PrefixLists"]
    assert (shown["State"], shown["Version"]) == ("modify-complete", 2)
    group = api("CreateSecurityGroup", GroupName="g", Description="d")["GroupId"]
    permission = {"IpProtocol": "-1", "PrefixListIds": [own]}
    api("AuthorizeSecurityGroupIngress", GroupId=group, IpPermissions=[permission])
    assert api.error("DeleteManagedPrefixList", **own).code == "DependencyViolation"
    api("RevokeSecurityGroupIngress", GroupId=group, IpPermissions=[permission])
    api("DeleteManagedPrefixList", **own)
    assert api.error("DeleteManagedPrefixList", **own).code == "InvalidPrefixListID.NotFound"
    assert [each["OwnerId"] for each in api("DescribeManagedPrefixLists")["PrefixLists"]] == ["AWS", "AWS"]


def test_a_version_of_a_prefix_list_is_restored(api: Api) -> None:
    asked = {"PrefixListName": "own", "AddressFamily": "IPv4", "MaxEntries": 2}
    made = api("CreateManagedPrefixList", **asked, Entries=[{"Cidr": "10.0.0.0/8"}])["PrefixList"]
    own = {"PrefixListId": made["PrefixListId"]}
    change = {"AddEntries": [{"Cidr": "11.0.0.0/8"}], "RemoveEntries": [{"Cidr": "10.0.0.0/8"}]}
    api("ModifyManagedPrefixList", **own, **change, CurrentVersion=1)
    stale = api.error("RestoreManagedPrefixListVersion", **own, PreviousVersion=1, CurrentVersion=1)
    assert stale.code == "PrefixListVersionMismatch"
    missing = api.error("RestoreManagedPrefixListVersion", **own, PreviousVersion=0, CurrentVersion=2)
    assert missing.code == "InvalidPrefixListVersion.NotFound"
    restored = api("RestoreManagedPrefixListVersion", **own, PreviousVersion=1, CurrentVersion=2)["PrefixList"]
    assert (restored["State"], restored["Version"]) == ("restore-in-progress", 3)
    assert api("GetManagedPrefixListEntries", **own)["Entries"] == [{"Cidr": "10.0.0.0/8"}]


def test_who_names_a_prefix_list_is_listed(api: Api, vpc: str) -> None:
    asked = {"PrefixListName": "own", "AddressFamily": "IPv4", "MaxEntries": 2}
    own = {"PrefixListId": api("CreateManagedPrefixList", **asked)["PrefixList"]["PrefixListId"]}
    assert api("GetManagedPrefixListAssociations", **own)["PrefixListAssociations"] == []
    group = api("CreateSecurityGroup", VpcId=vpc, GroupName="g", Description="d")["GroupId"]
    api("AuthorizeSecurityGroupIngress", GroupId=group, IpPermissions=[{"IpProtocol": "-1", "PrefixListIds": [own]}])
    found = api("GetManagedPrefixListAssociations", **own)["PrefixListAssociations"]
    assert found == [{"ResourceId": group, "ResourceOwner": "123456789012"}]
    unknown = api.error("GetManagedPrefixListAssociations", PrefixListId="pl-0")
    assert unknown.code == "InvalidPrefixListID.NotFound"


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"PrefixListName": ""}, "InvalidParameterValue"),
        ({"PrefixListName": "com.amazonaws.x"}, "InvalidParameterValue"),
        ({"AddressFamily": "IPX"}, "InvalidParameterValue"),
        ({"MaxEntries": 0}, "InvalidParameterValue"),
        ({"Entries": [{"Cidr": "::/0"}]}, "InvalidParameterValue"),
        ({"Entries": [{"Cidr": "10.0.0.0/8"}] * 2}, "InvalidParameterValue"),
        ({"Entries": [{"Cidr": "10.0.0.0/8"}, {"Cidr": "11.0.0.0/8"}]}, "PrefixListMaxEntriesExceeded"),
    ],
)
def test_prefix_lists_that_cannot_be(api: Api, asked: dict[str, Any], code: str) -> None:
    params = {"PrefixListName": "own", "AddressFamily": "IPv4", "MaxEntries": 1, **asked}
    assert api.error("CreateManagedPrefixList", **params).code == code


# ----------------------------------------------------------------------------------------------------- interfaces


def test_an_interface_of_a_user_holds_its_address(api: Api, subnet: str) -> None:
    asked = {"SubnetId": subnet, "PrivateIpAddress": "10.0.1.50", "Description": "d"}
    made = api("CreateNetworkInterface", **asked, **tagged("network-interface"))["NetworkInterface"]
    own = {"NetworkInterfaceId": made["NetworkInterfaceId"]}
    (shown,) = api("DescribeNetworkInterfaces", NetworkInterfaceIds=list(own.values()))["NetworkInterfaces"]
    assert (shown["Status"], shown["RequesterManaged"], "Attachment" in shown) == ("available", False, False)
    assert shown["TagSet"] == [TAG]
    taken = api.error("CreateNetworkInterface", SubnetId=subnet, PrivateIpAddress="10.0.1.50")
    assert taken.code == "InvalidIPAddress.InUse"
    api("ModifyNetworkInterfaceAttribute", **own, SourceDestCheck={"Value": False})
    check = api("DescribeNetworkInterfaceAttribute", **own, Attribute="sourceDestCheck")
    assert check["SourceDestCheck"] == {"Value": False}
    both = {"Description": {"Value": "e"}, "SourceDestCheck": {"Value": True}}
    assert api.error("ModifyNetworkInterfaceAttribute", **own, **both).code == "InvalidParameterCombination"
    assert api.error("ModifyNetworkInterfaceAttribute", **own).code == "MissingParameter"
    api("DeleteNetworkInterface", **own)
    assert api.error("DeleteNetworkInterface", **own).code == "InvalidNetworkInterfaceID.NotFound"


def test_an_interface_of_a_service_is_not_a_users_to_change(api: Api, subnet: str) -> None:
    made = api("CreateNatGateway", SubnetId=subnet, ConnectivityType="private")["NatGateway"]
    own = {"NetworkInterfaceId": made["NatGatewayAddresses"][0]["NetworkInterfaceId"]}
    error = api.error("DeleteNetworkInterface", **own)
    assert (error.code, "currently in use" in error.message) == ("InvalidParameterValue", True)
    change = {"Description": {"Value": "mine"}}
    assert api.error("ModifyNetworkInterfaceAttribute", **own, **change).code == "OperationNotPermitted"
    attachment = api("DescribeNetworkInterfaceAttribute", **own, Attribute="attachment")["Attachment"]
    assert attachment["AttachmentId"].startswith("ela-attach-")


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"SubnetId": "subnet-0"}, "InvalidSubnetID.NotFound"),
        ({"PrivateIpAddress": "10.0.2.9"}, "InvalidParameterValue"),
        ({"PrivateIpAddress": "ten"}, "InvalidParameterValue"),
        ({"PrivateIpAddress": "10.0.1.255"}, "InvalidParameterValue"),
        ({"Groups": ["sg-0"]}, "InvalidGroup.NotFound"),
        ({"Groups": ["sg-default"]}, "InvalidParameterValue"),
        ({"Description": "d" * 256}, "InvalidParameterValue"),
        ({"PrivateIpAddresses": [{"PrivateIpAddress": f"10.0.1.{n}"} for n in (8, 9)]}, "UnsupportedOperation"),
        ({"PrivateIpAddresses": [{"PrivateIpAddress": "10.0.1.8", "Primary": False}]}, "InvalidParameterValue"),
        (
            {"PrivateIpAddress": "10.0.1.8", "PrivateIpAddresses": [{"PrivateIpAddress": "10.0.1.8"}]},
            "InvalidParameterCombination",
        ),
        ({"SecondaryPrivateIpAddressCount": 1}, "InvalidParameterException"),
    ],
)
def test_interfaces_that_cannot_be(api: Api, subnet: str, asked: dict[str, Any], code: str) -> None:
    assert api.error("CreateNetworkInterface", **{"SubnetId": subnet, **asked}).code == code


# ------------------------------------------------------------------------------------- what is only said, and tags


def test_dhcp_options_are_of_vpcs(api: Api, vpc: str) -> None:
    (own,) = api("DescribeDhcpOptions")["DhcpOptions"]
    assert own["DhcpConfigurations"][0] == {"Key": "domain-name", "Values": [{"Value": "ec2.internal"}]}
    assert api("DescribeVpcs", VpcIds=[vpc])["Vpcs"][0]["DhcpOptionsId"] == own["DhcpOptionsId"]
    configurations = [{"Key": "domain-name-servers", "Values": ["10.0.0.2", "AmazonProvidedDNS"]}]
    made = api("CreateDhcpOptions", DhcpConfigurations=configurations)["DhcpOptions"]["DhcpOptionsId"]
    api("AssociateDhcpOptions", DhcpOptionsId=made, VpcId=vpc)
    assert api.error("DeleteDhcpOptions", DhcpOptionsId=made).code == "DependencyViolation"
    api("AssociateDhcpOptions", DhcpOptionsId="default", VpcId=vpc)
    assert api("DescribeVpcs", VpcIds=[vpc])["Vpcs"][0]["DhcpOptionsId"] == "default"
    api("DeleteDhcpOptions", DhcpOptionsId=made)
    gone = api.error("AssociateDhcpOptions", DhcpOptionsId=made, VpcId=vpc)
    assert gone.code == "InvalidDhcpOptionID.NotFound"


@pytest.mark.parametrize(
    ("key", "values"),
    [("colour", ["red"]), ("domain-name", []), ("domain-name", ["a", "b"]), ("ntp-servers", ["ten"])],
)
def test_dhcp_options_that_cannot_be(api: Api, key: str, values: list[str]) -> None:
    error = api.error("CreateDhcpOptions", DhcpConfigurations=[{"Key": key, "Values": values}])
    assert error.code == "InvalidParameterValue"
    assert api.error("CreateDhcpOptions", DhcpConfigurations=[]).code == "MissingParameter"


def test_flow_logs_are_kept(api: Api, subnet: str) -> None:
    asked = {"ResourceType": "Subnet", "ResourceIds": [subnet, "subnet-a"], "TrafficType": "REJECT"}
    to = {"LogGroupName": "flow", "DeliverLogsPermissionArn": "arn:aws:iam::123456789012:role/r"}
    made = api("CreateFlowLogs", **asked, **to, ClientToken="t")
    assert api("CreateFlowLogs", **asked, **to, ClientToken="t")["FlowLogIds"] == made["FlowLogIds"]
    (shown,) = api("DescribeFlowLogs", Filter=one("resource-id", subnet))["FlowLogs"]
    assert (shown["FlowLogStatus"], shown["LogGroupName"], shown["TrafficType"]) == ("ACTIVE", "flow", "REJECT")
    answer = api("DeleteFlowLogs", FlowLogIds=[*made["FlowLogIds"], "fl-0"])
    assert [each["ResourceId"] for each in answer["Unsuccessful"]] == ["fl-0"]
    assert api("DescribeFlowLogs")["FlowLogs"] == []


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"ResourceIds": ["subnet-0"]}, "InvalidSubnetID.NotFound"),
        ({"ResourceIds": []}, "InvalidParameterValue"),
        ({"TrafficType": None}, "MissingParameter"),
        ({"LogGroupName": None}, "MissingParameter"),
        ({"LogDestination": "arn:aws:s3:::b"}, "InvalidParameterValue"),
        ({"LogDestinationType": "s3"}, "InvalidParameterValue"),
        ({"MaxAggregationInterval": 61}, "InvalidParameterValue"),
        ({"ResourceType": "TransitGateway"}, "InvalidParameterException"),
    ],
)
def test_flow_logs_that_cannot_be(api: Api, asked: dict[str, Any], code: str) -> None:
    params = {"ResourceType": "Subnet", "ResourceIds": ["subnet-a"], "TrafficType": "ALL", "LogGroupName": "f"}
    assert api.error("CreateFlowLogs", **{**params, **asked}).code == code


def test_every_kind_of_resource_can_be_tagged(api: Api, vpc: str, subnet: str) -> None:
    rules = api("DescribeSecurityGroupRules")["SecurityGroupRules"]
    resources = [vpc, subnet, "sg-default", rules[0]["SecurityGroupRuleId"]]
    resources += [each["RouteTableId"] for each in api("DescribeRouteTables")["RouteTables"]]
    resources += [each["NetworkAclId"] for each in api("DescribeNetworkAcls")["NetworkAcls"]]
    resources += [each["InternetGatewayId"] for each in api("DescribeInternetGateways")["InternetGateways"]]
    resources += [each["DhcpOptionsId"] for each in api("DescribeDhcpOptions")["DhcpOptions"]]
    api("CreateTags", Resources=resources, Tags=[TAG, {"Key": "Name"}])
    tags = api("DescribeTags", Filters=one("key", "k"))["Tags"]
    assert sorted(each["ResourceId"] for each in tags) == sorted(resources)
    assert {each["ResourceType"] for each in tags} == {
        "dhcp-options",
        "internet-gateway",
        "network-acl",
        "route-table",
        "security-group",
        "security-group-rule",
        "subnet",
        "vpc",
    }
    assert len(api("DescribeTags", Filters=one("tag:Name", ""))["Tags"]) == len(resources)
    assert len(api("DescribeTags", Filters=one("resource-id", vpc))["Tags"]) == 2
    api("DeleteTags", Resources=[vpc], Tags=[{"Key": "k", "Value": "other"}, {"Key": "Name"}])
    assert api("DescribeVpcs", VpcIds=[vpc])["Vpcs"][0]["Tags"] == [TAG]
    api("DeleteTags", Resources=resources)
    assert api("DescribeTags")["Tags"] == []


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"Resources": ["x-1"]}, "InvalidID"),
        ({"Resources": ["vpc-0"]}, "InvalidVpcID.NotFound"),
        ({"Tags": []}, "MissingParameter"),
        ({"Tags": [{"Key": "aws:x", "Value": "y"}]}, "InvalidParameterValue"),
        ({"Tags": [{"Key": "", "Value": "y"}]}, "InvalidParameterValue"),
        ({"Tags": [{"Key": "k" * 129}]}, "InvalidParameterValue"),
        ({"Tags": [{"Key": "k", "Value": "v" * 257}]}, "InvalidParameterValue"),
        ({"Tags": [TAG, TAG]}, "InvalidParameterValue"),
        ({"Tags": [{"Key": f"k{n}"} for n in range(51)]}, "TagLimitExceeded"),
    ],
)
def test_tags_that_cannot_be(api: Api, asked: dict[str, Any], code: str) -> None:
    assert api.error("CreateTags", **{"Resources": ["vpc-1"], "Tags": [TAG], **asked}).code == code


def test_account_attributes_name_the_default_vpc(api: Api) -> None:
    (found,) = api("DescribeAccountAttributes", AttributeNames=["default-vpc"])["AccountAttributes"]
    assert found["AttributeValues"] == [{"AttributeValue": "vpc-1"}]
    names = {each["AttributeName"] for each in api("DescribeAccountAttributes")["AccountAttributes"]}
    assert {"supported-platforms", "max-elastic-ips"} <= names
