"""The Resource Groups Tagging API: everything with tags is found, and tagged by its own service's rules."""

import re
from typing import Any

import pytest

from longshore.api import (
    acm,
    autoscaling,
    cloudwatch,
    ec2,
    ecr,
    ecs,
    elbv2,
    iam,
    kms,
    logs,
    route53,
    secretsmanager,
    servicediscovery,
    ssm,
    tagging,
)
from longshore.api.tagging.registry import REGISTRY
from longshore.domain.arn import Arn
from longshore.domain.ecs.cluster import Cluster
from longshore.domain.ecs.service import Service
from longshore.domain.kinds import KINDS
from longshore.domain.names.zone import HostedZone
from longshore.domain.record import Scope
from longshore.domain.tag import Tags
from tests.support.api import SCOPE, Api, awsvpc
from tests.support.identities import READS, TASKS
from tests.support.play_around import ALARM, BODY, SCALED, web_service

PAIRS = [{"Key": "team", "Value": "web"}]
LOWER = [{"key": "team", "value": "web"}]
ELSEWHERE = dict.fromkeys(("Group", "Role", "User"), "AWS shows the tags of these in IAM alone.")
"""Kinds with tags that the registry lacks, and why."""


class Whole(Api):
    """All services on one state."""

    def __init__(self) -> None:
        super().__init__(tagging.SERVICE.operations, service="resourcegroupstaggingapi")
        self.of = {}
        services = (acm, autoscaling, cloudwatch, ec2, ecr, ecs, elbv2, iam, kms, logs, route53)
        for service in (*services, secretsmanager, servicediscovery, ssm):
            made = Api(service.SERVICE.operations, service=service.SERVICE.name)
            made.store, made.ids = self.store, self.ids
            self.of[service.SERVICE.name] = made

    def found(self, **asked: Any) -> dict[str, Tags]:
        listed = self("GetResources", **asked)["ResourceTagMappingList"]
        return {each["ResourceARN"]: {pair["Key"]: pair["Value"] for pair in each["Tags"]} for each in listed}


def each_with(arns: list[str], tags: Tags) -> dict[str, Tags]:
    return {arn: dict(tags) for arn in arns}


@pytest.fixture
def api() -> Whole:
    return Whole()


def tagged(kind: str) -> dict[str, Any]:
    return {"ResourceType": kind, "Tags": PAIRS}


def furnish(api: Whole) -> list[str]:
    """One of each kind, with a tag; their ARNs."""
    of = api.of
    api.put(web_service(api))
    balancer = of["elbv2"]("CreateLoadBalancer", Name="a", Subnets=["subnet-a", "subnet-b"], Tags=PAIRS)
    lb_arn = balancer["LoadBalancers"][0]["LoadBalancerArn"]
    group = {"Name": "g", "Protocol": "HTTP", "Port": 80, "VpcId": "vpc-1", "TargetType": "ip"}
    group_arn = of["elbv2"]("CreateTargetGroup", **group, Tags=PAIRS)["TargetGroups"][0]["TargetGroupArn"]
    forward = [{"Type": "forward", "TargetGroupArn": group_arn}]
    listened = {"LoadBalancerArn": lb_arn, "Protocol": "HTTP", "Port": 80, "DefaultActions": forward}
    listener_arn = of["elbv2"]("CreateListener", **listened, Tags=PAIRS)["Listeners"][0]["ListenerArn"]
    conditions = [{"Field": "path-pattern", "Values": ["/a"]}]
    ruled = {"ListenerArn": listener_arn, "Priority": 1, "Conditions": conditions, "Actions": forward}
    rules = of["elbv2"]("DescribeRules", ListenerArn=listener_arn)["Rules"]
    of["elbv2"]("AddTags", ResourceArns=[rules[0]["RuleArn"]], Tags=PAIRS)
    of["logs"]("CreateLogGroup", logGroupName="/app", tags={"team": "web"})
    of["cloudwatch"]("PutMetricAlarm", **{**ALARM, "Tags": PAIRS})
    of["cloudwatch"]("PutDashboard", DashboardName="d", DashboardBody=BODY, Tags=PAIRS)
    ran = of["ecs"]("RunTask", taskDefinition="web", networkConfiguration=awsvpc(), tags=LOWER)
    container = [{"name": "a", "image": "b", "memory": 64}]
    defined = of["ecs"]("RegisterTaskDefinition", family="f", containerDefinitions=container, tags=LOWER)
    zone = of["route53"]("CreateHostedZone", Name="a.example", CallerReference="r")["HostedZone"]["Id"]
    zone_id = zone.rpartition("/")[2]
    of["route53"]("ChangeTagsForResource", ResourceType="hostedzone", ResourceId=zone_id, AddTags=PAIRS)
    named = of["servicediscovery"]("CreateHttpNamespace", Name="n", Tags=PAIRS)
    operation = of["servicediscovery"]("GetOperation", OperationId=named["OperationId"])["Operation"]
    namespace_id = operation["Targets"]["NAMESPACE"]
    made = of["servicediscovery"]("CreateService", Name="s", NamespaceId=namespace_id, Tags=PAIRS)["Service"]
    namespace = of["servicediscovery"]("GetNamespace", Id=namespace_id)["Namespace"]
    vpc_id = of["ec2"]("CreateVpc", CidrBlock="10.0.0.0/16", TagSpecifications=[tagged("vpc")])["Vpc"]["VpcId"]
    for name in ("/a/b", "plain"):
        of["ssm"]("PutParameter", Name=name, Value="v", Type="String", Tags=PAIRS)
    of["iam"]("CreateRole", RoleName="r", AssumeRolePolicyDocument=TASKS, Tags=PAIRS)
    policy = of["iam"]("CreatePolicy", PolicyName="p", Path="/a/", PolicyDocument=READS, Tags=PAIRS)["Policy"]
    profile = of["iam"]("CreateInstanceProfile", InstanceProfileName="i", Path="/a/", Tags=PAIRS)["InstanceProfile"]
    identity = of["iam"]("CreateOpenIDConnectProvider", Url="https://id.example/a", Tags=PAIRS)
    requested = of["acm"]("RequestCertificate", DomainName="a.example", KeyAlgorithm="EC_prime256v1", Tags=PAIRS)
    return [
        policy["Arn"],
        profile["Arn"],
        identity["OpenIDConnectProviderArn"],
        requested["CertificateArn"],
        of["application-autoscaling"](
            "RegisterScalableTarget", **SCALED, MinCapacity=1, MaxCapacity=2, Tags={"team": "web"}
        )["ScalableTargetARN"],
        "arn:aws:cloudwatch:us-east-1:123456789012:alarm:busy",
        "arn:aws:cloudwatch::123456789012:dashboard/d",
        of["ecs"]("CreateCluster", clusterName="c", tags=LOWER)["cluster"]["clusterArn"],
        ran["tasks"][0]["taskArn"],
        defined["taskDefinition"]["taskDefinitionArn"],
        lb_arn,
        group_arn,
        listener_arn,
        rules[0]["RuleArn"],
        of["elbv2"]("CreateRule", **ruled, Tags=PAIRS)["Rules"][0]["RuleArn"],
        "arn:aws:logs:us-east-1:123456789012:log-group:/app",
        f"arn:aws:route53:::hostedzone/{zone_id}",
        namespace["Arn"],
        made["Arn"],
        f"arn:aws:ec2:us-east-1:123456789012:vpc/{vpc_id}",
        "arn:aws:ssm:us-east-1:123456789012:parameter/a/b",
        "arn:aws:ssm:us-east-1:123456789012:parameter/plain",
        of["ecr"]("CreateRepository", repositoryName="app", tags=PAIRS)["repository"]["repositoryArn"],
        of["kms"]("CreateKey", Tags=[{"TagKey": "team", "TagValue": "web"}])["KeyMetadata"]["Arn"],
        of["secretsmanager"]("CreateSecret", Name="s", SecretString="x", Tags=PAIRS)["ARN"],
    ]


def test_everything_with_a_tag_is_found(api: Whole) -> None:
    arns = furnish(api)
    assert api.found() == each_with(arns, {"team": "web"})
    assert api("GetTagKeys")["TagKeys"] == ["team"]
    assert api("GetTagValues", Key="team")["TagValues"] == ["web"]
    assert api("GetTagValues", Key="other")["TagValues"] == []


def test_everything_is_tagged_and_untagged_from_here(api: Whole) -> None:
    arns = furnish(api)
    service = "arn:aws:ecs:us-east-1:123456789012:service/default/web"
    for arn in (*arns, service):
        assert api("TagResources", ResourceARNList=[arn], Tags={"a": "b", "team": "ops"}) == {"FailedResourcesMap": {}}
    assert api.found() == {**each_with(arns, {"team": "ops", "a": "b"}), service: {"a": "b", "team": "ops"}}
    for arn in (*arns, service):
        assert api("UntagResources", ResourceARNList=[arn], TagKeys=["team", "x"]) == {"FailedResourcesMap": {}}
    assert api.found() == each_with([*arns, service], {"a": "b"})
    for arn in (*arns, service):
        api("UntagResources", ResourceARNList=[arn], TagKeys=["a"])
    assert api.found() == {}


def test_no_kind_with_tags_is_forgotten() -> None:
    with_tags = {kind.__name__ for kind in KINDS if "tags" in kind.__struct_fields__}
    listed = {kind.record.__name__ for tagged in REGISTRY.values() for kind in tagged.kinds}
    assert with_tags - listed == set(ELSEWHERE)


def test_what_fails_is_told_one_by_one_and_the_rest_is_done(api: Whole) -> None:
    api.put(web_service(api))
    good = "arn:aws:ecs:us-east-1:123456789012:service/default/web"
    missing = "arn:aws:ecs:us-east-1:123456789012:cluster/none"
    foreign = "arn:aws:s3:::bucket"
    answer = api("TagResources", ResourceARNList=[missing, good, foreign, "x"], Tags={"a": "b"})
    failed = answer["FailedResourcesMap"]
    assert set(failed) == {missing, foreign, "x"}
    assert failed[missing]["ErrorMessage"].startswith("ClusterNotFoundException: ")
    assert failed[foreign]["ErrorCode"] == "InvalidParameterException"
    assert api.found() == {good: {"a": "b"}}
    reserved = api("TagResources", ResourceARNList=[good], Tags={"aws:a": "b"})["FailedResourcesMap"]
    assert "reserved" in reserved[good]["ErrorMessage"]
    assert set(api("UntagResources", ResourceARNList=[missing, good], TagKeys=["a"])["FailedResourcesMap"]) == {missing}


def test_the_arns_of_others_are_not_those_of_this_account_region_or_kind(api: Whole) -> None:
    arns = furnish(api)
    before = api.found()
    others = []
    for arn in arns:
        parsed = Arn.parse(arn)
        assert parsed is not None
        account, region = parsed.scope
        kind = re.split("[/:]", parsed.resource)[0]
        others += [
            str(Arn(parsed.service, Scope("111122223333", region), parsed.resource)),
            str(Arn(parsed.service, Scope(account, "eu-west-1"), parsed.resource)),
            str(Arn(parsed.service, parsed.scope, parsed.resource.replace(kind, "other", 1))),
            str(Arn(parsed.service, parsed.scope, f"other/{parsed.resource}")),
        ]
        if parsed.service == "ec2":
            others.append(arn.replace(":vpc/", ":subnet/"))
        if parsed.service == "secretsmanager":
            others.append(arn[:-7])
        if parsed.service == "ssm":
            others.append(arn.replace(":parameter/", ":parameter//"))
    for operation, asked in (("TagResources", {"Tags": {"a": "b"}}), ("UntagResources", {"TagKeys": ["team"]})):
        for arn in others:
            failed = api(operation, ResourceARNList=[arn], **asked)["FailedResourcesMap"]
            assert set(failed) == {arn}, operation
            assert failed[arn]["ErrorCode"] == "InvalidParameterException"
    assert api.found() == before


def clusters(api: Whole, tags: dict[str, Tags]) -> None:
    for name, own in tags.items():
        place: dict[str, Any] = {"account": SCOPE.account, "region": SCOPE.region}
        api.put(Cluster(**place, name=name, created_at=0.0, tags=own))


def names(found: dict[str, Tags]) -> list[str]:
    return [arn.rpartition("/")[2] for arn in found]


def test_resources_are_found_by_tag_and_type(api: Whole) -> None:
    clusters(api, {"a": {"k": "1", "l": "x"}, "b": {"k": "2"}, "c": {"l": "x"}, "d": {}})
    api.of["logs"]("CreateLogGroup", logGroupName="g", tags={"k": "1"})
    assert names(api.found(TagFilters=[{"Key": "k"}])) == ["a", "b", "arn:aws:logs:us-east-1:123456789012:log-group:g"]
    assert names(api.found(TagFilters=[{"Key": "k", "Values": ["2", "3"]}])) == ["b"]
    assert names(api.found(TagFilters=[{"Key": "k"}, {"Key": "l", "Values": ["x"]}])) == ["a"]
    assert names(api.found(ResourceTypeFilters=["ecs"])) == ["a", "b", "c"]
    assert names(api.found(ResourceTypeFilters=["ecs:cluster"])) == ["a", "b", "c"]
    assert names(api.found(ResourceTypeFilters=["ecs:clu", "ecs:service", "s3"])) == []
    assert len(api.found(ResourceTypeFilters=["logs:log-group"], TagFilters=[{"Key": "k"}])) == 1
    arn = "arn:aws:ecs:us-east-1:123456789012:cluster/b"
    assert api.found(ResourceARNList=[arn, f"{arn}x"]) == {arn: {"k": "2"}}


def test_pages_are_bounded_by_resources_and_by_tags(api: Whole) -> None:
    clusters(api, {f"c{number:02d}": {f"k{n}": "" for n in range(40)} for number in range(12)})
    for pages in ({"ResourcesPerPage": 5}, {"TagsPerPage": 200}, {"ResourcesPerPage": 100, "TagsPerPage": 100}):
        shown: list[str] = []
        token = ""
        while True:
            answer = api("GetResources", **pages, PaginationToken=token)
            listed = answer["ResourceTagMappingList"]
            assert len(listed) <= pages.get("ResourcesPerPage", 50)
            assert sum(len(each["Tags"]) for each in listed) <= pages.get("TagsPerPage", 5000)
            shown += [each["ResourceARN"] for each in listed]
            token = answer["PaginationToken"]
            if not token:
                break
        assert names(each_with(shown, {})) == [f"c{number:02d}" for number in range(12)]
        assert len(shown) == 12


def test_what_is_gone_or_elsewhere_is_not_found(api: Whole) -> None:
    place: dict[str, Any] = {"account": SCOPE.account, "created_at": 0.0, "tags": {"a": "b"}}
    api.put(Cluster(**place, region=SCOPE.region, name="gone", status="INACTIVE"))
    api.put(Cluster(**place, region="eu-west-1", name="elsewhere"))
    api.put(Cluster(**{**place, "account": "111122223333"}, region=SCOPE.region, name="theirs"))
    api.put(web_service(api).but(status="DRAINING", tags={"a": "b"}))
    assert api.found() == {}
    assert len(list(api.store.all(Service))) == 1


def test_what_has_no_region_is_found_where_aws_has_it(api: Whole, monkeypatch: pytest.MonkeyPatch) -> None:
    api.put(
        HostedZone(
            account=SCOPE.account,
            region="",
            zone_id="Z1",
            name="a",
            private=False,
            caller_reference="r",
            created_at=0.0,
            tags={"a": "b"},
        )
    )
    assert list(api.found()) == ["arn:aws:route53:::hostedzone/Z1"]
    monkeypatch.setattr("tests.support.api.SCOPE", Scope(SCOPE.account, "eu-west-1"))
    assert api.found() == {}


@pytest.mark.parametrize(
    "asked",
    [
        {"ResourcesPerPage": 0},
        {"ResourcesPerPage": 101},
        {"TagsPerPage": 50},
        {"TagsPerPage": 150},
        {"TagsPerPage": 600},
        {"ResourceTypeFilters": ["ecs"] * 101},
        {"ResourceTypeFilters": [""]},
        {"ResourceTypeFilters": ["ecs:"]},
        {"TagFilters": [{"Values": ["a"]}]},
        {"ResourceARNList": ["a"], "ResourcesPerPage": 1},
        {"ResourceARNList": ["a"], "TagFilters": [{"Key": "a"}]},
        {"PaginationToken": "x"},
        {"IncludeComplianceDetails": True},
        {"ExcludeCompliantResources": True},
    ],
)
def test_what_makes_no_sense_is_refused(api: Whole, asked: dict[str, Any]) -> None:
    assert api.error("GetResources", **asked).code == "InvalidParameterException"


def test_tokens_of_other_listings_are_refused(api: Whole) -> None:
    for operation, asked in (("GetTagKeys", {}), ("GetTagValues", {"Key": "a"})):
        assert api.error(operation, **asked, PaginationToken="x").code == "InvalidParameterException"
