"""Security groups and their rules: what AWS's tools rely on, each refusal, and the records that enforcement reads."""

from typing import Any

import pytest

from longshore.api import ec2
from longshore.domain.ec2.network import SecurityGroupRule
from tests.support.api import SCOPE, Api
from tests.support.play_ec2 import one, tagged

EVERYWHERE = [{"CidrIp": "0.0.0.0/0"}]


@pytest.fixture
def api() -> Api:
    return Api(ec2.SERVICE.operations, service="ec2")


@pytest.fixture
def vpc(api: Api) -> str:
    return str(api("CreateVpc", CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"])


@pytest.fixture
def group(api: Api, vpc: str) -> str:
    return create(api, vpc, "web")


def create(api: Api, vpc: str, name: str) -> str:
    return str(api("CreateSecurityGroup", VpcId=vpc, GroupName=name, Description="d")["GroupId"])


def tcp(port: int, **peers: Any) -> dict[str, Any]:
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **peers}


def shown(api: Api, group: str) -> dict[str, Any]:
    found: dict[str, Any] = api("DescribeSecurityGroups", GroupIds=[group])["SecurityGroups"][0]
    return found


def allow(api: Api, group: str, *permissions: dict[str, Any], direction: str = "Ingress") -> list[dict[str, Any]]:
    made = api(f"AuthorizeSecurityGroup{direction}", GroupId=group, IpPermissions=list(permissions))
    rules: list[dict[str, Any]] = made["SecurityGroupRules"]
    return rules


def test_a_new_group_lets_nothing_in_and_everything_out(api: Api, vpc: str, group: str) -> None:
    found = shown(api, group)
    assert (found["IpPermissions"], found["VpcId"], found["GroupName"]) == ([], vpc, "web")
    assert found["IpPermissionsEgress"] == [
        {
            "IpProtocol": "-1",
            "IpRanges": EVERYWHERE,
            "Ipv6Ranges": [],
            "PrefixListIds": [],
            "UserIdGroupPairs": [],
        }
    ]


def test_names_alone_are_those_of_the_default_vpc(api: Api, vpc: str, group: str) -> None:
    assert api.error("DescribeSecurityGroups", GroupNames=["web"]).code == "InvalidGroup.NotFound"
    assert [each["GroupId"] for each in api("DescribeSecurityGroups", GroupNames=["default"])["SecurityGroups"]] == [
        "sg-default"
    ]
    assert len(api("DescribeSecurityGroups", Filters=one("group-name", "web"))["SecurityGroups"]) == 1
    own = create(api, "vpc-1", "web")
    assert [each["GroupId"] for each in api("DescribeSecurityGroups", GroupNames=["web"])["SecurityGroups"]] == [own]
    assert own != group
    assert shown(api, group)["VpcId"] == vpc


def test_a_group_without_a_vpc_is_in_the_default_one_and_found_by_name(api: Api) -> None:
    made = api("CreateSecurityGroup", GroupName="web", Description="d", **tagged("security-group"))
    assert made["Tags"] == [{"Key": "k", "Value": "v"}]
    assert shown(api, made["GroupId"])["VpcId"] == "vpc-1"
    api("AuthorizeSecurityGroupIngress", GroupName="web", IpProtocol="tcp", FromPort=80, ToPort=80, CidrIp="1.2.3.4/32")
    api("AuthorizeSecurityGroupIngress", GroupName="web", SourceSecurityGroupName="default")
    rules = api.store.select(SecurityGroupRule, "group", (*SCOPE, made["GroupId"]))
    assert {(rule.cidr_ipv4, rule.referenced_group_id) for rule in rules if not rule.is_egress} == {
        ("1.2.3.4/32", ""),
        ("", "sg-default"),
    }
    api("RevokeSecurityGroupIngress", GroupName="web", SourceSecurityGroupName="default")
    api("DeleteSecurityGroup", GroupName="web")
    assert api.error("DeleteSecurityGroup", GroupName="web").code == "InvalidGroup.NotFound"


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"GroupName": "web"}, "InvalidGroup.Duplicate"),
        ({"GroupName": "default"}, "InvalidGroup.Duplicate"),
        ({"GroupName": "sg-1"}, "InvalidParameterValue"),
        ({"GroupName": " x"}, "InvalidParameterValue"),
        ({"GroupName": "näh"}, "InvalidParameterValue"),
        ({"GroupName": "x" * 256}, "InvalidParameterValue"),
        ({"GroupName": ""}, "MissingParameter"),
        ({"Description": ""}, "MissingParameter"),
        ({"Description": "a\nb"}, "InvalidParameterValue"),
        ({"VpcId": "vpc-0"}, "InvalidVpcID.NotFound"),
    ],
)
@pytest.mark.usefixtures("group")
def test_groups_that_cannot_be(api: Api, vpc: str, asked: dict[str, Any], code: str) -> None:
    params = {"VpcId": vpc, "GroupName": "new", "Description": "d", **asked}
    if asked.get("GroupName") == "default":
        code = "InvalidParameterValue"
    assert api.error("CreateSecurityGroup", **params).code == code


def test_rules_have_ids_and_come_back_as_permissions(api: Api, vpc: str, group: str) -> None:
    other = create(api, vpc, "other")
    made = allow(
        api,
        group,
        tcp(80, IpRanges=[{"CidrIp": "10.0.0.0/8", "Description": "inside"}, {"CidrIp": "192.0.2.7/24"}]),
        tcp(80, UserIdGroupPairs=[{"GroupId": other}, {"GroupName": "web", "UserId": SCOPE.account}]),
        {"IpProtocol": "ICMP", "FromPort": 8, "ToPort": -1, "Ipv6Ranges": [{"CidrIpv6": "FD00:0::/56"}]},
        {"IpProtocol": "50", "PrefixListIds": [{"PrefixListId": "pl-63a5400a"}]},
        {"IpProtocol": "17", "FromPort": 53, "ToPort": 53, "IpRanges": EVERYWHERE},
    )
    assert len({rule["SecurityGroupRuleId"] for rule in made}) == 7
    assert [(rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) for rule in made[3:]] == [
        ("tcp", 80, 80),
        ("icmp", 8, -1),
        ("50", -1, -1),
        ("udp", 53, 53),
    ]
    assert made[2]["ReferencedGroupInfo"] == {"GroupId": other, "UserId": SCOPE.account}
    permissions = shown(api, group)["IpPermissions"]
    assert [each["IpProtocol"] for each in permissions] == ["tcp", "icmp", "50", "udp"]
    assert permissions[0]["IpRanges"] == [
        {"CidrIp": "10.0.0.0/8", "Description": "inside"},
        {"CidrIp": "192.0.2.0/24"},
    ]
    assert [pair["GroupId"] for pair in permissions[0]["UserIdGroupPairs"]] == [other, group]
    assert permissions[1]["Ipv6Ranges"] == [{"CidrIpv6": "fd00::/56"}]
    assert "FromPort" not in permissions[2]
    rules = api("DescribeSecurityGroupRules", Filters=one("group-id", group))["SecurityGroupRules"]
    assert len(rules) == 8
    by_id = api("DescribeSecurityGroupRules", SecurityGroupRuleIds=[made[0]["SecurityGroupRuleId"]])
    assert by_id["SecurityGroupRules"] == [made[0]]


@pytest.mark.parametrize(
    ("permission", "code", "text"),
    [
        (tcp(80, IpRanges=EVERYWHERE), "InvalidPermission.Duplicate", 'the specified rule "peer: 0.0.0.0/0, TCP, from'),
        ({"IpProtocol": "6", **tcp(80, IpRanges=EVERYWHERE)}, "InvalidPermission.Duplicate", "already exists"),
        (tcp(81, IpRanges=EVERYWHERE * 2), "InvalidParameterValue", "must not appear multiple times"),
        (tcp(70000, IpRanges=EVERYWHERE), "InvalidParameterValue", "Invalid TCP/UDP port range (70000:70000)"),
        (tcp(-1, IpRanges=EVERYWHERE), "InvalidParameterValue", "port range"),
        ({"IpProtocol": "tcp", "FromPort": 2, "ToPort": 1, "IpRanges": EVERYWHERE}, "InvalidParameterValue", "(2:1)"),
        ({"IpProtocol": "tcp", "IpRanges": EVERYWHERE}, "InvalidParameterValue", "both from and to ports"),
        ({"IpProtocol": "sctp", "IpRanges": EVERYWHERE}, "InvalidParameterValue", "Unknown protocol"),
        ({"IpProtocol": "256", "IpRanges": EVERYWHERE}, "InvalidParameterValue", "Unknown protocol"),
        ({"IpProtocol": "icmp", "FromPort": 256, "ToPort": 0, "IpRanges": EVERYWHERE}, "InvalidParameterValue", "ICMP"),
        ({"IpRanges": EVERYWHERE}, "MissingParameter", "ipProtocol"),
        (tcp(82), "MissingParameter", "ipPermissions"),
        (tcp(82, IpRanges=[{"CidrIp": "10.0.0.0"}]), "InvalidParameterValue", "malformed"),
        (tcp(82, IpRanges=[{"CidrIp": "::/0"}]), "InvalidParameterValue", "malformed"),
        (tcp(82, Ipv6Ranges=[{"CidrIpv6": "10.0.0.0/8"}]), "InvalidParameterValue", "malformed"),
        (tcp(82, UserIdGroupPairs=[{"GroupId": "sg-0"}]), "InvalidGroup.NotFound", "'sg-0'"),
        (tcp(82, UserIdGroupPairs=[{"GroupId": "sg-default"}]), "InvalidGroup.NotFound", "different networks"),
        (tcp(82, UserIdGroupPairs=[{"GroupName": "nobody"}]), "InvalidGroup.NotFound", "nobody"),
        (tcp(82, UserIdGroupPairs=[{"GroupId": "sg-1", "UserId": "999999999999"}]), "InvalidGroup.NotFound", "sg-1"),
        (tcp(82, PrefixListIds=[{"PrefixListId": "pl-0"}]), "InvalidPrefixListID.NotFound", "pl-0"),
        (tcp(82, IpRanges=[{"CidrIp": "10.0.0.0/8", "Description": "ä"}]), "InvalidParameterValue", "rule description"),
        (
            tcp(82, UserIdGroupPairs=[{"GroupId": "sg-1", "VpcPeeringConnectionId": "pcx-1"}]),
            "InvalidParameterException",
            "no VPC peering",
        ),
    ],
)
def test_permissions_that_cannot_be(api: Api, group: str, permission: dict[str, Any], code: str, text: str) -> None:
    allow(api, group, tcp(80, IpRanges=EVERYWHERE))
    error = api.error("AuthorizeSecurityGroupIngress", GroupId=group, IpPermissions=[permission])
    assert error.code == code
    assert text in error.message


def test_calls_without_a_permission_or_a_group_are_refused(api: Api, group: str) -> None:
    assert api.error("AuthorizeSecurityGroupIngress", GroupId=group).code == "MissingParameter"
    assert api.error("AuthorizeSecurityGroupIngress", CidrIp="10.0.0.0/8").code == "MissingParameter"
    assert api.error("AuthorizeSecurityGroupIngress", GroupId=group, IpProtocol="tcp").code == "MissingParameter"
    assert api.error("RevokeSecurityGroupEgress", GroupId=group).code == "MissingParameter"
    both = {"IpPermissions": [tcp(1, IpRanges=EVERYWHERE)], "IpProtocol": "-1", "CidrIp": "10.0.0.0/8"}
    refused = api.error("AuthorizeSecurityGroupIngress", GroupId=group, **both)
    assert refused.code == "InvalidParameterCombination"
    egress = api.error("AuthorizeSecurityGroupEgress", GroupId=group, SourceSecurityGroupName="web")
    assert egress.code == "InvalidParameterValue"


def test_a_refused_permission_among_others_changes_nothing(api: Api, group: str) -> None:
    wrong = tcp(82, UserIdGroupPairs=[{"GroupId": "sg-0"}])
    asked = [tcp(81, IpRanges=EVERYWHERE), wrong]
    assert api.error("AuthorizeSecurityGroupIngress", GroupId=group, IpPermissions=asked).code
    assert shown(api, group)["IpPermissions"] == []


def test_the_limit_of_rules_is_of_each_direction(api: Api, group: str) -> None:
    ranges = [{"CidrIp": f"10.{high}.{low}.0/24"} for high in range(4) for low in range(250)]
    allow(api, group, tcp(80, IpRanges=ranges))
    more = api.error("AuthorizeSecurityGroupIngress", GroupId=group, IpPermissions=[tcp(81, IpRanges=EVERYWHERE)])
    assert more.code == "RulesPerSecurityGroupLimitExceeded"
    allow(api, group, tcp(81, IpRanges=EVERYWHERE), direction="Egress")


def test_rules_are_revoked_by_permission_and_by_id(api: Api, group: str) -> None:
    first, second, third = allow(api, group, *(tcp(port, IpRanges=EVERYWHERE) for port in (1, 2, 3)))
    gone = api("RevokeSecurityGroupIngress", GroupId=group, IpPermissions=[tcp(1, IpRanges=EVERYWHERE)])
    assert gone["RevokedSecurityGroupRules"][0]["SecurityGroupRuleId"] == first["SecurityGroupRuleId"]
    ids = {"SecurityGroupRuleIds": [second["SecurityGroupRuleId"]]}
    assert api.error("RevokeSecurityGroupEgress", GroupId=group, **ids).code == "InvalidSecurityGroupRuleId.NotFound"
    api("RevokeSecurityGroupIngress", GroupId=group, **ids)
    left = api("DescribeSecurityGroupRules", Filters=one("group-id", group))["SecurityGroupRules"]
    assert third["SecurityGroupRuleId"] in {rule["SecurityGroupRuleId"] for rule in left}
    assert len(left) == 2
    unknown = api.error("RevokeSecurityGroupIngress", GroupId=group, IpPermissions=[tcp(1, IpRanges=EVERYWHERE)])
    assert unknown.code == "InvalidPermission.NotFound"
    missing = api.error("RevokeSecurityGroupIngress", GroupId=group, **ids)
    assert missing.code == "InvalidSecurityGroupRuleId.NotFound"


def test_in_a_default_vpc_an_unknown_permission_is_named_in_the_answer(api: Api) -> None:
    asked = [tcp(1, IpRanges=EVERYWHERE)]
    answer = api("RevokeSecurityGroupIngress", GroupId="sg-default", IpPermissions=asked)
    assert answer["UnknownIpPermissions"][0]["FromPort"] == 1
    assert answer["RevokedSecurityGroupRules"] == []


def test_the_default_group_can_be_emptied_but_not_deleted(api: Api, vpc: str) -> None:
    filters = [*one("vpc-id", vpc), *one("group-name", "default")]
    (default,) = api("DescribeSecurityGroups", Filters=filters)["SecurityGroups"]
    group = default["GroupId"]
    api("RevokeSecurityGroupIngress", GroupId=group, IpPermissions=default["IpPermissions"])
    api("RevokeSecurityGroupEgress", GroupId=group, IpPermissions=default["IpPermissionsEgress"])
    assert api("DescribeSecurityGroupRules", Filters=one("group-id", group))["SecurityGroupRules"] == []
    assert api.error("DeleteSecurityGroup", GroupId=group).code == "CannotDelete"


def test_rules_are_changed_in_place_and_keep_their_tags(api: Api, vpc: str, group: str) -> None:
    other = create(api, vpc, "other")
    asked = {"GroupId": group, "IpPermissions": [tcp(80, IpRanges=EVERYWHERE)]}
    made = api("AuthorizeSecurityGroupIngress", **asked, **tagged("security-group-rule"))["SecurityGroupRules"][0]
    rule_id = made["SecurityGroupRuleId"]

    def change(rule: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
        update = {"SecurityGroupRuleId": rule_id, **({} if rule is None else {"SecurityGroupRule": rule}), **more}
        return {"GroupId": group, "SecurityGroupRules": [update]}

    api("ModifySecurityGroupRules", **change({**tcp(90), "ReferencedGroupId": other, "Description": "new"}))
    (rule,) = api("DescribeSecurityGroupRules", SecurityGroupRuleIds=[rule_id])["SecurityGroupRules"]
    assert (rule["FromPort"], rule["Description"], rule["Tags"]) == (90, "new", [{"Key": "k", "Value": "v"}])
    assert "CidrIpv4" not in rule
    allow(api, group, tcp(91, IpRanges=EVERYWHERE))
    for update, code in (
        (change({**tcp(91), "CidrIpv4": "0.0.0.0/0"}), "InvalidPermission.Duplicate"),
        (change({**tcp(91)}), "InvalidParameterCombination"),
        (change({**tcp(91), "CidrIpv4": "10.0.0.0/8", "CidrIpv6": "::/0"}), "InvalidParameterCombination"),
        (change(None), "MissingParameter"),
        (change(tcp(1), SecurityGroupRuleId="sgr-0"), "InvalidSecurityGroupRuleId.NotFound"),
        ({**change(tcp(1)), "GroupId": other}, "InvalidSecurityGroupRuleId.NotFound"),
        ({"GroupId": group, "SecurityGroupRules": []}, "MissingParameter"),
    ):
        assert api.error("ModifySecurityGroupRules", **update).code == code


def test_two_rules_can_change_places(api: Api, group: str) -> None:
    first, second = allow(api, group, tcp(1, IpRanges=EVERYWHERE), tcp(2, IpRanges=EVERYWHERE))
    updates = [
        {
            "SecurityGroupRuleId": rule["SecurityGroupRuleId"],
            "SecurityGroupRule": {**tcp(port), "CidrIpv4": "0.0.0.0/0"},
        }
        for rule, port in ((first, 2), (second, 1))
    ]
    api("ModifySecurityGroupRules", GroupId=group, SecurityGroupRules=updates)


def test_descriptions_are_changed_by_permission_and_by_id(api: Api, group: str) -> None:
    (rule,) = allow(api, group, tcp(80, IpRanges=EVERYWHERE))
    update = "UpdateSecurityGroupRuleDescriptionsIngress"
    api(update, GroupId=group, IpPermissions=[tcp(80, IpRanges=[{"CidrIp": "0.0.0.0/0", "Description": "a"}])])
    assert shown(api, group)["IpPermissions"][0]["IpRanges"][0]["Description"] == "a"
    ids = [{"SecurityGroupRuleId": rule["SecurityGroupRuleId"], "Description": "b"}]
    api(update, GroupId=group, SecurityGroupRuleDescriptions=ids)
    assert shown(api, group)["IpPermissions"][0]["IpRanges"][0]["Description"] == "b"
    unknown = api.error(update, GroupId=group, IpPermissions=[tcp(81, IpRanges=EVERYWHERE)])
    assert unknown.code == "InvalidPermission.NotFound"
    assert api.error(update, GroupId=group).code == "MissingParameter"


def test_a_group_goes_only_when_nobody_has_or_names_it(api: Api, vpc: str, group: str) -> None:
    other = create(api, vpc, "other")
    allow(api, other, tcp(80, UserIdGroupPairs=[{"GroupId": group}]))
    allow(api, group, tcp(80, UserIdGroupPairs=[{"GroupId": group}]))
    error = api.error("DeleteSecurityGroup", GroupId=group)
    assert (error.code, error.message) == ("DependencyViolation", f"resource {group} has a dependent object")
    api("RevokeSecurityGroupIngress", GroupId=other, IpPermissions=[tcp(80, UserIdGroupPairs=[{"GroupId": group}])])
    subnet = api("CreateSubnet", VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    made = api("CreateNetworkInterface", SubnetId=subnet, Groups=[group])["NetworkInterface"]
    assert api.error("DeleteSecurityGroup", GroupId=group).code == "DependencyViolation"
    found = api("DescribeNetworkInterfaces", Filters=one("group-id", group))["NetworkInterfaces"]
    assert [each["NetworkInterfaceId"] for each in found] == [made["NetworkInterfaceId"]]
    api("DeleteNetworkInterface", NetworkInterfaceId=made["NetworkInterfaceId"])
    api("DeleteSecurityGroup", GroupId=group)
    left = api("DescribeSecurityGroupRules", Filters=one("group-id", group))["SecurityGroupRules"]
    assert left == []


def test_there_are_no_references_from_elsewhere_and_no_stale_rules(api: Api, vpc: str, group: str) -> None:
    assert api("DescribeSecurityGroupReferences", GroupId=[group])["SecurityGroupReferenceSet"] == []
    assert api("DescribeStaleSecurityGroups", VpcId=vpc)["StaleSecurityGroupSet"] == []
    assert api.error("DescribeSecurityGroupReferences", GroupId=["sg-0"]).code == "InvalidGroup.NotFound"
    names = [each["GroupName"] for each in api("GetSecurityGroupsForVpc", VpcId=vpc)["SecurityGroupForVpcs"]]
    assert sorted(names) == ["default", "web"]
