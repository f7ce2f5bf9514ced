"""What requests ask for: the actions, resources and conditions of operations, one line each."""

from __future__ import annotations

from typing import Any

import pytest

from longshore.api import kms, secretsmanager, ssm
from longshore.api.access.access import needs
from longshore.api.access.asking import Ask
from longshore.api.access.tags import request_tags, resource_tags
from longshore.decide.policy.context import resource_values
from longshore.domain.iam import Role
from tests.support.api import SCOPE, Api
from tests.support.identities import TASKS

A, R = SCOPE
ECS, EC2, ELB = f"arn:aws:ecs:{R}:{A}", f"arn:aws:ec2:{R}:{A}", f"arn:aws:elasticloadbalancing:{R}:{A}"
LOGS, IAM, MAP = f"arn:aws:logs:{R}:{A}:log-group", f"arn:aws:iam::{A}", f"arn:aws:servicediscovery:{R}:{A}"
LB = f"{ELB}:loadbalancer/app/web/1"
LISTENER = f"{ELB}:listener/app/web/1/2"
ME = f"{IAM}:user/me"
TAGS = [{"Key": "k", "Value": "v"}]


def ask(service: str, operation: str, api: Api | None = None, /, **params: Any) -> Ask:
    return Ask((api or Api({})).store, SCOPE, service, operation, params, ME)


def asked(service: str, operation: str, api: Api | None = None, /, **params: Any) -> list[tuple[str, str]]:
    return [(need.action, need.resource) for need in needs(ask(service, operation, api, **params))]


@pytest.mark.parametrize(
    ("service", "operation", "params", "resources"),
    [
        ("ecs", "ListClusters", {}, ["*"]),
        ("ecs", "DescribeClusters", {}, [f"{ECS}:cluster/default"]),
        ("ecs", "DescribeClusters", {"clusters": ["a", f"{ECS}:cluster/b"]}, [f"{ECS}:cluster/a", f"{ECS}:cluster/b"]),
        ("ecs", "DescribeServices", {"cluster": "c", "services": ["web"]}, [f"{ECS}:service/c/web"]),
        ("ecs", "DeleteService", {"service": f"{ECS}:service/web"}, [f"{ECS}:service/default/web"]),
        ("ecs", "UpdateService", {"service": f"{ECS}:service/c/web"}, [f"{ECS}:service/c/web"]),
        ("ecs", "StopTask", {"cluster": f"{ECS}:cluster/c", "task": "t1"}, [f"{ECS}:task/c/t1"]),
        ("ecs", "DescribeTasks", {"tasks": ["t1", f"{ECS}:task/d/t2"]}, [f"{ECS}:task/default/t1", f"{ECS}:task/d/t2"]),
        ("ecs", "ExecuteCommand", {"cluster": "c", "task": "t"}, [f"{ECS}:cluster/c", f"{ECS}:task/c/t"]),
        ("ecs", "RunTask", {"taskDefinition": "none:3"}, [f"{ECS}:task-definition/none:3"]),
        ("ecs", "TagResource", {"resourceArn": f"{ECS}:cluster/c"}, [f"{ECS}:cluster/c"]),
        ("ecs", "UpdateCapacityProvider", {"name": "p"}, [f"{ECS}:capacity-provider/p"]),
        ("ecs", "DescribeTaskSets", {"cluster": "c", "service": "s"}, [f"{ECS}:task-set/c/s/*"]),
        ("ec2", "DescribeVpcs", {"VpcIds": ["vpc-1"]}, ["*"]),
        ("ec2", "CreateVpc", {"CidrBlock": "10.0.0.0/16"}, [f"{EC2}:vpc/*"]),
        ("ec2", "CreateSubnet", {"VpcId": "vpc-1a"}, [f"{EC2}:subnet/*", f"{EC2}:vpc/vpc-1a"]),
        ("ec2", "DeleteSecurityGroup", {"GroupId": "sg-1a"}, [f"{EC2}:security-group/sg-1a"]),
        ("ec2", "CreateRoute", {"RouteTableId": "rtb-1", "GatewayId": "igw-1"}, [f"{EC2}:route-table/rtb-1"]),
        (
            "ec2",
            "CreateTags",
            {"Resources": ["vpc-1", "eni-2"]},
            [f"{EC2}:vpc/vpc-1", f"{EC2}:network-interface/eni-2"],
        ),
        ("ec2", "DeleteVpcEndpoints", {"VpcEndpointIds": ["vpce-1"]}, [f"{EC2}:vpc-endpoint/vpce-1"]),
        ("elbv2", "DescribeRules", {"ListenerArn": LISTENER}, ["*"]),
        ("elbv2", "CreateLoadBalancer", {"Name": "web"}, [f"{ELB}:loadbalancer/app/web/*"]),
        ("elbv2", "CreateLoadBalancer", {"Name": "n", "Type": "network"}, [f"{ELB}:loadbalancer/net/n/*"]),
        ("elbv2", "CreateTargetGroup", {"Name": "web"}, [f"{ELB}:targetgroup/web/*"]),
        ("elbv2", "CreateListener", {"LoadBalancerArn": LB}, [LB]),
        ("elbv2", "DeleteListener", {"ListenerArn": LISTENER}, [LISTENER]),
        ("elbv2", "SetRulePriorities", {"RulePriorities": [{"RuleArn": LISTENER, "Priority": 1}]}, [LISTENER]),
        ("logs", "CreateLogGroup", {"logGroupName": "/a"}, [f"{LOGS}:/a:log-stream:"]),
        ("logs", "PutLogEvents", {"logGroupName": "/a", "logStreamName": "s"}, [f"{LOGS}:/a:log-stream:s"]),
        ("logs", "TagResource", {"resourceArn": f"{LOGS}:/a"}, [f"{LOGS}:/a:log-stream:"]),
        ("logs", "DescribeLogGroups", {}, [f"{LOGS}::log-stream:"]),
        ("servicediscovery", "ListNamespaces", {}, ["*"]),
        ("servicediscovery", "DeleteService", {"Id": "srv-1"}, [f"{MAP}:service/srv-1"]),
        ("servicediscovery", "DeleteNamespace", {"Id": "ns-1"}, [f"{MAP}:namespace/ns-1"]),
        ("route53", "GetHostedZone", {"Id": "/hostedzone/Z1"}, ["arn:aws:route53:::hostedzone/Z1"]),
        ("route53", "GetDNSSEC", {"HostedZoneId": "Z1"}, ["arn:aws:route53:::hostedzone/Z1"]),
        ("route53", "GetChange", {"Id": "/change/C1"}, ["arn:aws:route53:::change/C1"]),
        ("route53", "ListHostedZones", {}, ["*"]),
        ("acm", "RequestCertificate", {"DomainName": "x"}, [f"arn:aws:acm:{R}:{A}:certificate/*"]),
        ("iam", "ListRoles", {}, ["*"]),
        ("iam", "CreateRole", {"RoleName": "r", "Path": "/p/"}, [f"{IAM}:role/p/r"]),
        ("iam", "GetUser", {}, [ME]),
        ("iam", "GetUser", {"UserName": "ann"}, [f"{IAM}:user/ann"]),
        ("iam", "AddUserToGroup", {"GroupName": "g", "UserName": "ann"}, [f"{IAM}:group/g"]),
        ("iam", "GetPolicy", {"PolicyArn": f"{IAM}:policy/p"}, [f"{IAM}:policy/p"]),
        ("iam", "AttachRolePolicy", {"RoleName": "r", "PolicyArn": f"{IAM}:policy/p"}, [f"{IAM}:role/r"]),
        ("secretsmanager", "GetSecretValue", {"SecretId": "db"}, [f"arn:aws:secretsmanager:{R}:{A}:secret:db"]),
        ("ssm", "GetParameter", {"Name": "/a/b"}, [f"arn:aws:ssm:{R}:{A}:parameter/a/b"]),
        ("ssm", "GetParameters", {"Names": ["x", "y"]}, [f"arn:aws:ssm:{R}:{A}:parameter/{n}" for n in "xy"]),
        ("ecr", "BatchGetImage", {"repositoryName": "web"}, [f"arn:aws:ecr:{R}:{A}:repository/web"]),
        ("ecr", "GetAuthorizationToken", {}, ["*"]),
        ("kms", "Decrypt", {"KeyId": "1234"}, [f"arn:aws:kms:{R}:{A}:key/1234"]),
        ("kms", "Encrypt", {"KeyId": "alias/a"}, [f"arn:aws:kms:{R}:{A}:alias/a"]),
        ("cloudwatch", "DeleteAlarms", {"AlarmNames": ["a"]}, [f"arn:aws:cloudwatch:{R}:{A}:alarm:a"]),
        ("codedeploy", "GetApplication", {"applicationName": "a"}, [f"arn:aws:codedeploy:{R}:{A}:application:a"]),
        ("application-autoscaling", "DescribeScalableTargets", {"ServiceNamespace": "ecs"}, ["*"]),
    ],
)
def test_resources_of_operations(service: str, operation: str, params: dict[str, Any], resources: list[str]) -> None:
    prefix = {"elbv2": "elasticloadbalancing"}.get(service, service)
    assert asked(service, operation, **params) == [(f"{prefix}:{operation}", each) for each in resources]


@pytest.mark.parametrize(
    ("service", "operation", "params", "more"),
    [
        ("ecs", "CreateCluster", {"clusterName": "c", "tags": TAGS}, ("ecs:TagResource", f"{ECS}:cluster/c")),
        (
            "ecs",
            "CreateService",
            {"cluster": "c", "serviceName": "s", "tags": TAGS},
            ("ecs:TagResource", f"{ECS}:service/c/s"),
        ),
        (
            "ec2",
            "CreateVpc",
            {"TagSpecifications": [{"ResourceType": "vpc", "Tags": TAGS}]},
            ("ec2:CreateTags", f"{EC2}:vpc/*"),
        ),
        (
            "elbv2",
            "CreateTargetGroup",
            {"Name": "g", "Tags": TAGS},
            ("elasticloadbalancing:AddTags", f"{ELB}:targetgroup/g/*"),
        ),
        (
            "elbv2",
            "CreateRule",
            {"ListenerArn": LISTENER, "Tags": TAGS},
            ("elasticloadbalancing:AddTags", f"{ELB}:listener-rule/app/web/1/2/*"),
        ),
        ("iam", "CreateRole", {"RoleName": "r", "Tags": TAGS}, ("iam:TagRole", f"{IAM}:role/r")),
        ("iam", "CreatePolicy", {"PolicyName": "p", "Tags": TAGS}, ("iam:TagPolicy", f"{IAM}:policy/p")),
        (
            "iam",
            "AddRoleToInstanceProfile",
            {"InstanceProfileName": "i", "RoleName": "r"},
            ("iam:PassRole", f"{IAM}:role/r"),
        ),
    ],
)
def test_actions_beside_the_operations_own(
    service: str, operation: str, params: dict[str, Any], more: tuple[str, str]
) -> None:
    found = asked(service, operation, **params)
    assert len(found) == 2
    assert found[1] == more


def test_tags_of_any_resource_are_its_services_to_allow() -> None:
    arns = [f"{ECS}:cluster/c", f"{EC2}:vpc/vpc-1", LB, "nonsense"]
    assert asked("resourcegroupstaggingapi", "TagResources", ResourceARNList=arns, Tags={"k": "v"}) == [
        ("tag:TagResources", "*"),
        ("ecs:TagResource", arns[0]),
        ("ec2:CreateTags", arns[1]),
        ("elasticloadbalancing:AddTags", LB),
    ]
    assert asked("resourcegroupstaggingapi", "UntagResources", ResourceARNList=arns[:1])[1][0] == "ecs:UntagResource"
    assert asked("resourcegroupstaggingapi", "GetResources", ResourceARNList=arns) == [("tag:GetResources", "*")]


def test_secrets_and_keys_are_meant_by_name_and_alias() -> None:
    api = Api(secretsmanager.SERVICE.operations, service="secretsmanager")
    arn = api("CreateSecret", Name="db", SecretString="s", Tags=[{"Key": "team", "Value": "a"}])["ARN"]
    assert asked("secretsmanager", "GetSecretValue", api, SecretId="db") == [("secretsmanager:GetSecretValue", arn)]
    assert asked("secretsmanager", "GetSecretValue", api, SecretId=arn[:-7])[0][1] == arn
    assert resource_tags(api.store, arn, A)["team"] == "a"
    keys = Api(kms.SERVICE.operations, service="kms")
    key = keys("CreateKey")["KeyMetadata"]
    keys("CreateAlias", AliasName="alias/k", TargetKeyId=key["KeyId"])
    assert asked("kms", "Encrypt", keys, KeyId="alias/k", Plaintext=b"x") == [("kms:Encrypt", key["Arn"])]
    alias = f"arn:aws:kms:{R}:{A}:alias/k"
    assert asked("kms", "DeleteAlias", keys, AliasName="alias/k") == [
        ("kms:DeleteAlias", alias),
        ("kms:DeleteAlias", key["Arn"]),
    ]


def test_roles_are_passed_where_a_definition_names_them() -> None:
    api = Api({})
    api.define("web", 1, taskRoleArn=f"{IAM}:role/task", executionRoleArn=f"{IAM}:role/execution")
    passed = [("iam:PassRole", f"{IAM}:role/task"), ("iam:PassRole", f"{IAM}:role/execution")]
    assert asked("ecs", "RunTask", api, taskDefinition="web")[0] == ("ecs:RunTask", f"{ECS}:task-definition/web:1")
    assert asked("ecs", "RunTask", api, taskDefinition="web")[1:] == passed
    assert (
        asked("ecs", "CreateService", api, serviceName="s", taskDefinition=f"{ECS}:task-definition/web:1")[1:] == passed
    )
    over = asked("ecs", "RunTask", api, taskDefinition="web:1", overrides={"taskRoleArn": f"{IAM}:role/other"})
    assert over[1:] == [("iam:PassRole", f"{IAM}:role/other"), passed[1]]
    named = asked("ecs", "RegisterTaskDefinition", family="f", taskRoleArn="short")
    assert named == [("ecs:RegisterTaskDefinition", "*"), ("iam:PassRole", f"{IAM}:role/short")]


def test_the_latest_active_revision_is_meant_where_none_is_named() -> None:
    api = Api({})
    for revision in (1, 2, 3):
        made = api.define("web", revision)
    api.put(made.but(status="INACTIVE"))
    assert asked("ecs", "RunTask", api, taskDefinition="web") == [("ecs:RunTask", f"{ECS}:task-definition/web:2")]


def test_conditions_know_the_cluster_and_the_definition() -> None:
    api = Api({})
    made = api.define("web", 1)
    [need] = needs(ask("ecs", "CreateService", api, cluster="c", serviceName="s", taskDefinition="web"))
    assert need.values == {"ecs:cluster": (f"{ECS}:cluster/c",), "ecs:task-definition": (made.arn,)}
    flags = {"enableExecuteCommand": True, "capacityProviderStrategy": [{"capacityProvider": "FARGATE"}]}
    [need] = needs(ask("ecs", "RunTask", api, taskDefinition="web", **flags))
    assert need.values["ecs:enable-execute-command"] == ("true",)
    assert need.values["ecs:capacity-provider"] == (f"{ECS}:capacity-provider/FARGATE",)


def test_conditions_know_what_dns_records_change() -> None:
    changes = [{"Action": "CREATE", "ResourceRecordSet": {"Name": "A.Example.com.", "Type": "A"}}]
    [need] = needs(ask("route53", "ChangeResourceRecordSets", HostedZoneId="Z1", ChangeBatch={"Changes": changes}))
    assert need.values["route53:changeresourcerecordsetsnormalizedrecordnames"] == ("a.example.com",)
    assert need.values["route53:changeresourcerecordsetsactions"] == ("CREATE",)


def test_a_group_of_logs_can_be_written_in_three_ways() -> None:
    [need] = needs(ask("logs", "DescribeLogStreams", logGroupName="/a"))
    assert {need.resource, *need.also} == {f"{LOGS}:/a:log-stream:", f"{LOGS}:/a", f"{LOGS}:/a:*"}


def beside(api: Api, service: Any) -> Api:
    made = Api(service.SERVICE.operations, service=service.SERVICE.name)
    made.store, made.ids = api.store, api.ids
    return made


def test_secrets_and_keys_are_meant_by_their_whole_arns() -> None:
    api = Api({})
    keys, manager, parameters = beside(api, kms), beside(api, secretsmanager), beside(api, ssm)
    key = keys("CreateKey")["KeyMetadata"]["Arn"]
    keys("CreateAlias", AliasName="alias/own", TargetKeyId=key)
    plain = manager("CreateSecret", Name="plain", SecretString="x")["ARN"]
    own = manager("CreateSecret", Name="own", SecretString="x", KmsKeyId="alias/own")["ARN"]
    parameters("PutParameter", Name="/own", Value="x", Type="SecureString", KeyId=key)
    read = "secretsmanager:GetSecretValue"
    assert asked("secretsmanager", "GetSecretValue", api, SecretId="plain") == [(read, plain)]
    assert asked("secretsmanager", "GetSecretValue", api, SecretId=own[:-7]) == [(read, own), ("kms:Decrypt", key)]
    many = asked("secretsmanager", "BatchGetSecretValue", api, SecretIdList=["plain", "own"])
    assert many == [("secretsmanager:BatchGetSecretValue", "*")]  # its handler asks for each secret
    many = asked("secretsmanager", "BatchGetSecretValue", api, Filters=[{"Key": "name", "Values": ["own"]}])
    assert many == [("secretsmanager:BatchGetSecretValue", "*"), ("secretsmanager:ListSecrets", "*")]
    update = asked("secretsmanager", "UpdateSecret", api, SecretId="own", KmsKeyId="alias/aws/secretsmanager")
    assert update[1:] == [("kms:Decrypt", key)]  # of the key that it has been under
    assert asked("secretsmanager", "UpdateSecret", api, SecretId="own", KmsKeyId="")[1:] == update[1:]
    assert len(asked("secretsmanager", "UpdateSecret", api, SecretId="own", Description="x")) == 1
    put = asked("secretsmanager", "PutSecretValue", api, SecretId="own", SecretString="y")
    assert put[1:] == [("kms:GenerateDataKey", key), ("kms:Decrypt", key)]
    made = asked("secretsmanager", "CreateSecret", api, Name="new", Tags=TAGS)
    assert made[1] == ("secretsmanager:TagResource", f"arn:aws:secretsmanager:{R}:{A}:secret:new")
    parameter = f"arn:aws:ssm:{R}:{A}:parameter"
    whole = {"WithDecryption": True}
    assert asked("ssm", "GetParameter", api, Name="/own:1", **whole) == [
        ("ssm:GetParameter", f"{parameter}/own"),
        ("kms:Decrypt", key),
    ]
    assert asked("ssm", "GetParameter", api, Name=f"{parameter}/own") == [("ssm:GetParameter", f"{parameter}/own")]
    below = asked("ssm", "GetParametersByPath", api, Path="/", **whole)
    assert below == [("ssm:GetParametersByPath", f"{parameter}/"), ("kms:Decrypt", key)]
    by_name = asked("ssm", "GetParameter", api, Name="/aws/reference/secretsmanager/plain", **whole)
    assert by_name[1:] == [(read, plain)]
    by_name = asked("ssm", "GetParameter", api, Name="/aws/reference/secretsmanager/own", **whole)
    assert by_name[1:] == [(read, own), ("kms:Decrypt", key)]
    put = asked("ssm", "PutParameter", api, Name="/new", Value="x", Type="SecureString", KeyId="alias/own", Tags=TAGS)
    assert put[1:] == [("kms:Encrypt", key), ("ssm:AddTagsToResource", f"{parameter}/new")]


def test_a_ciphertext_means_its_key_and_re_encryption_two() -> None:
    api = Api({})
    keys = beside(api, kms)
    first, second = (keys("CreateKey")["KeyMetadata"]["Arn"] for _ in range(2))
    keys("CreateAlias", AliasName="alias/own", TargetKeyId=first)
    alias = f"arn:aws:kms:{R}:{A}:alias/own"
    blob = keys("Encrypt", KeyId="alias/own", Plaintext=b"p")["CiphertextBlob"]
    assert asked("kms", "Decrypt", api, CiphertextBlob=blob) == [("kms:Decrypt", first)]
    assert asked("kms", "Decrypt", api, CiphertextBlob=b"x") == [("kms:Decrypt", "*")]
    both = asked("kms", "ReEncrypt", api, CiphertextBlob=blob, DestinationKeyId=second)
    assert both == [("kms:ReEncryptFrom", first), ("kms:ReEncryptTo", second)]
    moved = asked("kms", "UpdateAlias", api, AliasName="alias/own", TargetKeyId=second)
    assert {resource for _, resource in moved} == {alias, first, second}
    assert {resource for _, resource in asked("kms", "DeleteAlias", api, AliasName="alias/own")} == {alias, first}
    context = {"Tenant": "one"}
    [need] = needs(ask("kms", "Encrypt", api, KeyId="alias/own", Plaintext=b"p", EncryptionContext=context))
    assert need.resource == first
    assert need.values == {
        "kms:requestalias": ("alias/own",),
        "kms:encryptioncontext:tenant": ("one",),
        "kms:encryptioncontextkeys": ("Tenant",),
    }


def test_tags_of_secrets_parameters_and_keys_are_found() -> None:
    api = Api({})
    key = beside(api, kms)("CreateKey", Tags=[{"TagKey": "k", "TagValue": "v"}])["KeyMetadata"]["Arn"]
    secret = beside(api, secretsmanager)("CreateSecret", Name="x", Tags=TAGS)["ARN"]
    for name in ("/path", "plain"):
        beside(api, ssm)("PutParameter", Name=name, Value="x", Type="String", Tags=TAGS)
    parameters = [f"arn:aws:ssm:{R}:{A}:parameter/{name}" for name in ("path", "plain")]
    for arn in (key, secret, *parameters):
        assert resource_tags(api.store, arn, A)["k"] == "v"


@pytest.mark.parametrize(
    "params",
    [
        {"tags": [{"key": "Env", "value": "a"}]},
        {"Tags": [{"Key": "Env", "Value": "a"}]},
        {"tags": {"Env": "a"}},
        {"Tags": [{"TagKey": "Env", "TagValue": "a"}]},
        {"AddTags": [{"Key": "Env", "Value": "a"}]},
        {"TagSpecifications": [{"ResourceType": "vpc", "Tags": [{"Key": "Env", "Value": "a"}]}]},
    ],
)
def test_tags_are_found_in_every_form(params: dict[str, Any]) -> None:
    assert request_tags(ask("x", "Y", **params)) == {"aws:requesttag/env": ("a",), "aws:tagkeys": ("Env",)}


def test_keys_of_tags_to_be_removed_are_keys_of_tags() -> None:
    assert request_tags(ask("x", "Y", tagKeys=["a", "b"])) == {"aws:tagkeys": ("a", "b")}


def test_keys_of_versions_without_a_label_of_aws_are_no_matter_of_another_key() -> None:
    api = Api({})
    keys, manager = beside(api, kms), beside(api, secretsmanager)
    first, second = (keys("CreateKey")["KeyMetadata"]["Arn"] for _ in range(2))
    manager("CreateSecret", Name="db", SecretString="one", KmsKeyId=first)
    for value in ("two", "three"):
        manager("PutSecretValue", SecretId="db", SecretString=value)
    manager("UpdateSecret", SecretId="db", KmsKeyId=second)
    update = asked("secretsmanager", "UpdateSecret", api, SecretId="db", KmsKeyId="")
    assert update[1:] == [("kms:Decrypt", second)] * 2


def test_tags_of_resources_are_found_by_arn() -> None:
    api = Api({})
    cluster = next(iter(api.store.select(type(api.define()), "status", (*SCOPE, "ACTIVE")))).but(tags={"Team": "x"})
    role = Role(account=A, region="", name="r", unique_id="AROA", created_at=0.0, trust=TASKS, tags={"Env": "a"})
    api.put(cluster, role)
    assert resource_tags(api.store, cluster.arn, A) == {"Team": "x"}
    assert resource_tags(api.store, role.arn, A) == {"Env": "a"}
    for nothing in ("*", "arn:aws:ecs:::x", f"{ELB}:loadbalancer", f"{IAM}:role/none", f"{EC2}:subnet/subnet-none"):
        assert resource_tags(api.store, nothing, A) == {}


def test_tags_of_a_resource_are_known_to_conditions_under_aws_and_under_its_service() -> None:
    assert resource_values(A, "ecs", {"Team": "x"}) == {
        "aws:resourceaccount": (A,),
        "aws:resourcetag/team": ("x",),
        "ecs:resourcetag/team": ("x",),
    }
