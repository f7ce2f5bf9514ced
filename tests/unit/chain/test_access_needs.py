"""What requests ask for: the actions, resources and conditions of operations, one line each."""

from __future__ import annotations

from typing import Any

import pytest

from longshore.api import (
    autoscaling,
    cloudwatch,
    ec2,
    iam,
    kms,
    secretsmanager,
    servicediscovery,
    ssm,
)
from longshore.api.access.access import needs
from longshore.api.access.asking import Ask
from longshore.api.access.tags import request_tags, values_of
from longshore.decide.policy.context import resource_values
from longshore.domain.iam import Role
from tests.support.api import SCOPE, Api
from tests.support.identities import READS, TASKS
from tests.support.play_around import ALARM, SCALED, web_service

A, R = SCOPE
ECS, EC2, ELB = f"arn:aws:ecs:{R}:{A}", f"arn:aws:ec2:{R}:{A}", f"arn:aws:elasticloadbalancing:{R}:{A}"
LOGS, IAM, MAP = f"arn:aws:logs:{R}:{A}:log-group", f"arn:aws:iam::{A}", f"arn:aws:servicediscovery:{R}:{A}"
LB = f"{ELB}:loadbalancer/app/web/1"
LISTENER = f"{ELB}:listener/app/web/1/2"
ME = f"{IAM}:user/me"
SCALING = f"arn:aws:application-autoscaling:{R}:{A}:scalable-target"
TAGS = [{"Key": "k", "Value": "v"}]


def ask(service: str, operation: str, api: Api | None = None, /, **params: Any) -> Ask:
    return Ask((api or Api({})).store, SCOPE, service, operation, params, ME)


def asked(service: str, operation: str, api: Api | None = None, /, **params: Any) -> list[tuple[str, str]]:
    return [(need.action, need.resource) for need in needs(ask(service, operation, api, **params))]


def tags_of(api: Api, arn: str) -> dict[str, str]:
    """What conditions know of a resource's tags."""
    begin = "aws:resourcetag/"
    known = values_of(api.store, arn, A)
    return {key.removeprefix(begin): value for key, (value,) in known.items() if key.startswith(begin)}


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
        ("ecs", "CreateCluster", {"clusterName": "c"}, [f"{ECS}:cluster/c"]),
        ("ecs", "CreateCluster", {}, [f"{ECS}:cluster/default"]),
        ("ecs", "RegisterTaskDefinition", {"family": "web"}, [f"{ECS}:task-definition/web:*"]),
        ("ecs", "DeregisterTaskDefinition", {"taskDefinition": "web:1"}, ["*"]),
        ("ecs", "DeleteTaskDefinitions", {"taskDefinitions": ["web:1"]}, [f"{ECS}:task-definition/web:1"]),
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
        ("ec2", "DescribeVpcAttribute", {"VpcId": "vpc-1"}, [f"{EC2}:vpc/vpc-1"]),
        ("ec2", "GetSecurityGroupsForVpc", {"VpcId": "vpc-1"}, [f"{EC2}:vpc/vpc-1"]),
        ("ec2", "DescribeSecurityGroupReferences", {"GroupId": ["sg-1"]}, [f"{EC2}:security-group/sg-1"]),
        ("ec2", "GetManagedPrefixListEntries", {"PrefixListId": "pl-1"}, [f"{EC2}:prefix-list/pl-1"]),
        ("ec2", "DescribeSubnets", {"SubnetIds": ["subnet-1"]}, ["*"]),
        ("ec2", "CreateTags", {"Resources": ["vpc-1"], "Tags": [{"Key": "a", "Value": "sg-1"}]}, [f"{EC2}:vpc/vpc-1"]),
        (
            "ec2",
            "CreateSecurityGroup",
            {"GroupName": "eni-1", "Description": "sg-1", "VpcId": "vpc-1"},
            [f"{EC2}:security-group/*", f"{EC2}:vpc/vpc-1"],
        ),
        (
            "ec2",
            "CreateNetworkInterface",
            {"SubnetId": "subnet-1", "Groups": ["sg-1"], "Description": "eni-2", "ClientToken": "vpc-3"},
            [f"{EC2}:network-interface/*", f"{EC2}:subnet/subnet-1", f"{EC2}:security-group/sg-1"],
        ),
        (
            "ec2",
            "ModifyVpcEndpoint",
            {
                "VpcEndpointId": "vpce-1",
                "AddSubnetIds": ["subnet-1"],
                "SubnetConfigurations": [{"SubnetId": "subnet-2"}],
            },
            [f"{EC2}:vpc-endpoint/vpce-1", f"{EC2}:subnet/subnet-1", f"{EC2}:subnet/subnet-2"],
        ),
        (
            "ec2",
            "ModifyNetworkInterfaceAttribute",
            {"NetworkInterfaceId": "eni-1", "Description": {"Value": "sg-9"}, "Groups": ["sg-1"]},
            [f"{EC2}:network-interface/eni-1", f"{EC2}:security-group/sg-1"],
        ),
        (
            "ec2",
            "AuthorizeSecurityGroupIngress",
            {
                "GroupId": "sg-1",
                "IpPermissions": [
                    {
                        "UserIdGroupPairs": [{"GroupId": "sg-2", "VpcId": "vpc-1", "Description": "eni-1"}],
                        "PrefixListIds": [{"PrefixListId": "pl-1"}],
                        "IpRanges": [{"CidrIp": "10.0.0.0/16", "Description": "vpc-9"}],
                    }
                ],
            },
            [f"{EC2}:security-group/sg-1"],
        ),
        (
            "ec2",
            "ModifySecurityGroupRules",
            {
                "GroupId": "sg-1",
                "SecurityGroupRules": [
                    {
                        "SecurityGroupRuleId": "sgr-1",
                        "SecurityGroupRule": {"PrefixListId": "pl-1", "Description": "sg-3"},
                    },
                    {"SecurityGroupRuleId": "sgr-2", "SecurityGroupRule": {"ReferencedGroupId": "sg-4"}},
                ],
            },
            [
                f"{EC2}:security-group/sg-1",
                f"{EC2}:security-group-rule/sgr-1",
                f"{EC2}:prefix-list/pl-1",
                f"{EC2}:security-group-rule/sgr-2",
            ],
        ),
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
        ("iam", "GetLoginProfile", {}, [ME]),
        ("iam", "DeleteAccessKey", {"AccessKeyId": "AKIA"}, [ME]),
        ("iam", "GetAccessKeyLastUsed", {"AccessKeyId": "AKIA"}, ["*"]),
        ("iam", "GetContextKeysForPrincipalPolicy", {"PolicySourceArn": f"{IAM}:role/r"}, [f"{IAM}:role/r"]),
        (
            "iam",
            "GetServiceLinkedRoleDeletionStatus",
            {"DeletionTaskId": "task/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS/1-2"},
            [f"{IAM}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"],
        ),
        ("iam", "GetServiceLinkedRoleDeletionStatus", {"DeletionTaskId": "x"}, ["*"]),
        ("iam", "GetAccountAuthorizationDetails", {}, ["*"]),
        ("iam", "UpdateAccountPasswordPolicy", {}, ["*"]),
        ("iam", "ListOpenIDConnectProviders", {}, ["*"]),
        ("iam", "CreateOpenIDConnectProvider", {"Url": "https://a.example/b"}, [f"{IAM}:oidc-provider/a.example/b"]),
        (
            "iam",
            "GetOpenIDConnectProvider",
            {"OpenIDConnectProviderArn": f"{IAM}:oidc-provider/a.example"},
            [f"{IAM}:oidc-provider/a.example"],
        ),
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
        ("cloudwatch", "DescribeAlarms", {}, [f"arn:aws:cloudwatch:{R}:{A}:alarm:*"]),
        ("cloudwatch", "DescribeAlarms", {"AlarmNamePrefix": "a"}, [f"arn:aws:cloudwatch:{R}:{A}:alarm:*"]),
        ("cloudwatch", "DescribeAlarmHistory", {}, [f"arn:aws:cloudwatch:{R}:{A}:alarm:*"]),
        ("cloudwatch", "DescribeAlarmsForMetric", {"MetricName": "m"}, ["*"]),
        ("cloudwatch", "GetDashboard", {"DashboardName": "d"}, [f"arn:aws:cloudwatch::{A}:dashboard/d"]),
        ("cloudwatch", "PutDashboard", {"DashboardName": "d"}, [f"arn:aws:cloudwatch::{A}:dashboard/d"]),
        (
            "cloudwatch",
            "DeleteDashboards",
            {"DashboardNames": ["d", "e"]},
            [f"arn:aws:cloudwatch::{A}:dashboard/d", f"arn:aws:cloudwatch::{A}:dashboard/e"],
        ),
        ("cloudwatch", "ListDashboards", {}, ["*"]),
        ("codedeploy", "GetApplication", {"applicationName": "a"}, [f"arn:aws:codedeploy:{R}:{A}:application:a"]),
        ("application-autoscaling", "DescribeScalableTargets", {"ServiceNamespace": "ecs"}, ["*"]),
        ("application-autoscaling", "RegisterScalableTarget", SCALED, [f"{SCALING}/*"]),
        ("application-autoscaling", "TagResource", {"ResourceARN": f"{SCALING}/1"}, [f"{SCALING}/1"]),
        ("application-autoscaling", "ListTagsForResource", {"ResourceARN": f"{SCALING}/1"}, [f"{SCALING}/1"]),
        ("servicediscovery", "DiscoverInstances", {"NamespaceName": "n", "ServiceName": "s"}, ["*"]),
        ("servicediscovery", "GetOperation", {"OperationId": "none"}, ["*"]),
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
            "ec2",
            "CreateFlowLogs",
            {"DeliverLogsPermissionArn": f"{IAM}:role/flow"},
            ("iam:PassRole", f"{IAM}:role/flow"),
        ),
        (
            "logs",
            "PutSubscriptionFilter",
            {"logGroupName": "g", "roleArn": f"{IAM}:role/send"},
            ("iam:PassRole", f"{IAM}:role/send"),
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
        (
            "logs",
            "CreateLogGroup",
            {"logGroupName": "/a", "tags": {"k": "v"}},
            ("logs:TagResource", f"{LOGS}:/a:log-stream:"),
        ),
        ("kms", "CreateKey", {"Tags": TAGS}, ("kms:TagResource", f"arn:aws:kms:{R}:{A}:key/*")),
        (
            "ecr",
            "CreateRepository",
            {"repositoryName": "web", "tags": TAGS},
            ("ecr:TagResource", f"arn:aws:ecr:{R}:{A}:repository/web"),
        ),
        (
            "application-autoscaling",
            "RegisterScalableTarget",
            {**SCALED, "Tags": {"k": "v"}},
            ("application-autoscaling:TagResource", f"{SCALING}/*"),
        ),
        (
            "cloudwatch",
            "PutMetricAlarm",
            {"AlarmName": "a", "Tags": TAGS},
            ("cloudwatch:TagResource", f"arn:aws:cloudwatch:{R}:{A}:alarm:a"),
        ),
        (
            "cloudwatch",
            "PutDashboard",
            {"DashboardName": "d", "Tags": TAGS},
            ("cloudwatch:TagResource", f"arn:aws:cloudwatch::{A}:dashboard/d"),
        ),
        (
            "servicediscovery",
            "CreatePrivateDnsNamespace",
            {"Name": "n", "Vpc": "vpc-1", "Tags": TAGS},
            ("servicediscovery:TagResource", f"{MAP}:namespace/*"),
        ),
        (
            "servicediscovery",
            "CreateService",
            {"Name": "s", "NamespaceId": "ns-1", "Tags": TAGS},
            ("servicediscovery:TagResource", f"{MAP}:service/*"),
        ),
        (
            "acm",
            "RequestCertificate",
            {"DomainName": "x", "Tags": TAGS},
            ("acm:AddTagsToCertificate", f"arn:aws:acm:{R}:{A}:certificate/*"),
        ),
        (
            "acm",
            "ImportCertificate",
            {"CertificateArn": f"arn:aws:acm:{R}:{A}:certificate/1", "Tags": TAGS},
            ("acm:AddTagsToCertificate", f"arn:aws:acm:{R}:{A}:certificate/1"),
        ),
        ("iam", "CreateRole", {"RoleName": "r", "Tags": TAGS}, ("iam:TagRole", f"{IAM}:role/r")),
        ("iam", "CreatePolicy", {"PolicyName": "p", "Tags": TAGS}, ("iam:TagPolicy", f"{IAM}:policy/p")),
        (
            "iam",
            "CreateOpenIDConnectProvider",
            {"Url": "https://a.example", "Tags": TAGS},
            ("iam:TagOpenIDConnectProvider", f"{IAM}:oidc-provider/a.example"),
        ),
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
    for kind, noun in (
        ("policy", "Policy"),
        ("instance-profile", "InstanceProfile"),
        ("oidc-provider", "OpenIDConnectProvider"),
    ):
        arn = f"{IAM}:{kind}/a/b"
        for operation, verb in (("TagResources", "Tag"), ("UntagResources", "Untag")):
            found = asked("resourcegroupstaggingapi", operation, ResourceARNList=[arn])
            assert found[1] == (f"iam:{verb}{noun}", arn)
    assert asked("resourcegroupstaggingapi", "TagResources", ResourceARNList=arns, Tags={"k": "v"}) == [
        ("tag:TagResources", "*"),
        ("ecs:TagResource", arns[0]),
        ("ec2:CreateTags", arns[1]),
        ("elasticloadbalancing:AddTags", LB),
    ]
    assert asked("resourcegroupstaggingapi", "UntagResources", ResourceARNList=arns[:1])[1][0] == "ecs:UntagResource"
    for group in (f"{LOGS}:/a", f"{LOGS}:/a:*"):
        _, need = needs(ask("resourcegroupstaggingapi", "TagResources", ResourceARNList=[group], Tags={"k": "v"}))
        assert {need.resource, *need.also} == {f"{LOGS}:/a:log-stream:", f"{LOGS}:/a", f"{LOGS}:/a:*"}
    assert asked("resourcegroupstaggingapi", "GetResources", ResourceARNList=arns) == [("tag:GetResources", "*")]


def test_secrets_and_keys_are_meant_by_name_and_alias() -> None:
    api = Api(secretsmanager.SERVICE.operations, service="secretsmanager")
    arn = api("CreateSecret", Name="db", SecretString="s", Tags=[{"Key": "team", "Value": "a"}])["ARN"]
    assert asked("secretsmanager", "GetSecretValue", api, SecretId="db") == [("secretsmanager:GetSecretValue", arn)]
    assert asked("secretsmanager", "GetSecretValue", api, SecretId=arn[:-7])[0][1] == arn
    assert tags_of(api, arn) == {"team": "a"}
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
    assert named == [
        ("ecs:RegisterTaskDefinition", f"{ECS}:task-definition/f:*"),
        ("iam:PassRole", f"{IAM}:role/short"),
    ]


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
        assert tags_of(api, arn) == {"k": "v"}


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
    assert tags_of(api, cluster.arn) == {"team": "x"}
    assert tags_of(api, role.arn) == {"env": "a"}
    for nothing in ("*", "arn:aws:ecs:::x", f"{ELB}:loadbalancer", f"{IAM}:role/none", f"{EC2}:subnet/subnet-none"):
        assert tags_of(api, nothing) == {}


def test_tags_of_a_resource_are_known_to_conditions_under_aws_and_under_its_service() -> None:
    assert resource_values(A, "ecs", {"Team": "x"}) == {
        "aws:resourceaccount": (A,),
        "aws:resourcetag/team": ("x",),
        "ecs:resourcetag/team": ("x",),
    }


def test_a_key_that_is_asked_about_is_its_users() -> None:
    users = Api(iam.SERVICE.operations, service="iam")
    users("CreateUser", UserName="bob", Path="/team/")
    key = users("CreateAccessKey", UserName="bob")["AccessKey"]["AccessKeyId"]
    assert asked("iam", "GetAccessKeyLastUsed", users, AccessKeyId=key) == [
        ("iam:GetAccessKeyLastUsed", f"{IAM}:user/team/bob")
    ]


@pytest.mark.parametrize("noun", ["Role", "User"])
def test_conditions_know_the_boundary_of_who_is_changed(noun: str) -> None:
    api = Api(iam.SERVICE.operations, service="iam")
    boundary, other = f"{IAM}:policy/edge", f"{IAM}:policy/other"
    api("CreatePolicy", PolicyName="edge", PolicyDocument=READS)
    made = {"AssumeRolePolicyDocument": TASKS} if noun == "Role" else {}
    for name, given in (("within", {"PermissionsBoundary": boundary}), ("free", {})):
        api(f"Create{noun}", **{f"{noun}Name": name}, **made, **given)

    def known(operation: str, name: str = "within", **params: Any) -> tuple[str, ...]:
        need, *_ = needs(ask("iam", operation, api, **{f"{noun}Name": name}, **params))
        return need.values.get("iam:permissionsboundary", ())

    bounded = ["Attach{}Policy", "Delete{}PermissionsBoundary", "Delete{}Policy", "Detach{}Policy", "Put{}Policy"]
    if noun == "Role":
        bounded += ["Delete{}", "Get{}", "Update{}", "Update{}Description"]
        assert known("UpdateAssumeRolePolicy") == (boundary,)
    for operation in bounded:
        assert known(operation.format(noun)) == (boundary,), operation
        assert known(operation.format(noun), "free") == ()
    for operation in ("Create{}", "Put{}PermissionsBoundary"):  # the one that it is to have
        assert known(operation.format(noun), PermissionsBoundary=other) == (other,)
        assert known(operation.format(noun)) == ()
    assert known(f"Tag{noun}", Tags=TAGS) == ()


class Network:
    """A VPC's parts, of which each is known by its id and by other names."""

    def __init__(self) -> None:
        self.api = Api(ec2.SERVICE.operations, service="ec2")
        api = self.api
        self.group = api("CreateSecurityGroup", GroupName="web", Description="d")["GroupId"]
        self.table = api("CreateRouteTable", VpcId="vpc-1")["RouteTable"]["RouteTableId"]
        associated = api("AssociateRouteTable", RouteTableId=self.table, SubnetId="subnet-a")
        self.table_association = associated["AssociationId"]
        made = api("CreateNetworkInterface", SubnetId="subnet-a")["NetworkInterface"]
        self.interface = made["NetworkInterfaceId"]
        address = api("AllocateAddress")
        self.allocation, self.public_ip = address["AllocationId"], address["PublicIp"]
        address = api("AssociateAddress", AllocationId=self.allocation, NetworkInterfaceId=self.interface)
        self.address_association = address["AssociationId"]
        [acl] = api("DescribeNetworkAcls", Filters=[{"Name": "vpc-id", "Values": ["vpc-1"]}])["NetworkAcls"]
        self.acl = acl["NetworkAclId"]
        self.acl_association = next(
            each["NetworkAclAssociationId"] for each in acl["Associations"] if each["SubnetId"] == "subnet-a"
        )
        [main] = api("DescribeRouteTables", Filters=[{"Name": "association.main", "Values": ["true"]}])["RouteTables"]
        self.main, self.main_association = main["RouteTableId"], main["Associations"][0]["RouteTableAssociationId"]
        rule = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "CidrIp": "10.0.0.0/16"}
        rules = api("AuthorizeSecurityGroupIngress", GroupId=self.group, **rule)["SecurityGroupRules"]
        self.rule = rules[0]["SecurityGroupRuleId"]

    def asked(self, operation: str, **params: Any) -> list[str]:
        found = asked("ec2", operation, self.api, **params)
        assert {action for action, _ in found} == {f"ec2:{operation}"}
        return [resource.removeprefix(f"{EC2}:") for _, resource in found]


def test_what_is_named_otherwise_than_by_its_id_is_the_same_resource() -> None:
    net = Network()
    group, address = [f"security-group/{net.group}"], f"elastic-ip/{net.allocation}"
    interface, subnet = f"network-interface/{net.interface}", "subnet/subnet-a"
    table, main, acl = f"route-table/{net.table}", f"route-table/{net.main}", f"network-acl/{net.acl}"
    for operation in (
        "DeleteSecurityGroup",
        "AuthorizeSecurityGroupIngress",
        "RevokeSecurityGroupIngress",
        "UpdateSecurityGroupRuleDescriptionsEgress",
    ):
        assert net.asked(operation, GroupName="web") == group
    rule_ids = [net.rule]
    assert net.asked("RevokeSecurityGroupIngress", SecurityGroupRuleIds=rule_ids) == group
    described = [{"SecurityGroupRuleId": net.rule, "Description": "x"}]
    update = "UpdateSecurityGroupRuleDescriptionsIngress"
    assert net.asked(update, SecurityGroupRuleDescriptions=described) == group
    assert net.asked("ReleaseAddress", PublicIp=net.public_ip) == [address]
    assert net.asked("AssociateAddress", PublicIp=net.public_ip, NetworkInterfaceId="eni-1") == [
        "network-interface/eni-1",
        address,
    ]
    for named in ({"PublicIp": net.public_ip}, {"AssociationId": net.address_association}):
        assert net.asked("DisassociateAddress", **named) == [address, interface]
    assert net.asked("DisassociateRouteTable", AssociationId=net.table_association) == [subnet, table]
    replaced = net.asked("ReplaceRouteTableAssociation", AssociationId=net.table_association, RouteTableId="rtb-1")
    assert replaced == ["route-table/rtb-1", subnet, table]
    replaced = net.asked("ReplaceRouteTableAssociation", AssociationId=net.main_association, RouteTableId="rtb-1")
    assert replaced == ["route-table/rtb-1", main]
    replaced = net.asked("ReplaceNetworkAclAssociation", AssociationId=net.acl_association, NetworkAclId="acl-1")
    assert replaced == ["network-acl/acl-1", subnet, acl]
    for operation, params in (
        ("DeleteSecurityGroup", {"GroupName": "none"}),
        ("ReleaseAddress", {"PublicIp": "192.0.2.1"}),
        ("DisassociateRouteTable", {"AssociationId": "rtbassoc-none"}),
        ("RevokeSecurityGroupIngress", {"SecurityGroupRuleIds": ["sgr-none"]}),
    ):
        assert net.asked(operation, **params) == ["*"]


def test_conditions_know_the_region_and_the_vpc_of_what_ec2_is_asked() -> None:
    net = Network()
    [need] = needs(ask("ec2", "DescribeVpcs"))
    assert need.values["ec2:region"] == (R,)
    vpc = {"ec2:vpc": (f"{EC2}:vpc/vpc-1",)}
    for resource in (
        f"security-group/{net.group}",
        f"network-interface/{net.interface}",
        f"route-table/{net.table}",
        "subnet/subnet-a",
    ):
        arn = f"{EC2}:{resource}"
        assert values_of(net.api.store, arn, A)["ec2:vpc"] == vpc["ec2:vpc"]
    for resource in ("vpc/vpc-1", f"elastic-ip/{net.allocation}", "subnet/subnet-none"):
        assert "ec2:vpc" not in values_of(net.api.store, f"{EC2}:{resource}", A)


def test_a_scalable_target_is_meant_by_what_is_scaled() -> None:
    api = Api(autoscaling.SERVICE.operations, service="application-autoscaling")
    api.put(web_service(api))
    bounds = {"MinCapacity": 1, "MaxCapacity": 2}
    arn = api("RegisterScalableTarget", **SCALED, **bounds, Tags={"k": "v"})["ScalableTargetARN"]
    for operation in (
        "RegisterScalableTarget",
        "DeregisterScalableTarget",
        "PutScalingPolicy",
        "DeleteScalingPolicy",
        "PutScheduledAction",
        "DeleteScheduledAction",
    ):
        assert asked("application-autoscaling", operation, api, **SCALED) == [
            (f"application-autoscaling:{operation}", arn)
        ]
    assert asked("application-autoscaling", "DescribeScalingPolicies", api, **SCALED)[0][1] == "*"
    again = asked("application-autoscaling", "RegisterScalableTarget", api, **SCALED, Tags={"k": "w"})
    assert again[1] == ("application-autoscaling:TagResource", arn)
    assert tags_of(api, arn) == {"k": "v"}
    beside(api, cloudwatch)("PutMetricAlarm", **{**ALARM, "Tags": TAGS})
    assert tags_of(api, f"arn:aws:cloudwatch:{R}:{A}:alarm:{ALARM['AlarmName']}") == {"k": "v"}


def test_names_that_are_looked_up_are_namespaces_and_services() -> None:
    api = Api(servicediscovery.SERVICE.operations, service="servicediscovery")
    operation_id = api("CreateHttpNamespace", Name="n")["OperationId"]
    namespace = api("ListNamespaces")["Namespaces"][0]["Arn"]
    namespace_id = namespace.rpartition("/")[2]
    service = api("CreateService", Name="S", NamespaceId=namespace_id)["Service"]["Arn"]
    both = [namespace, service]
    for operation in ("DiscoverInstances", "DiscoverInstancesRevision"):
        found = asked("servicediscovery", operation, api, NamespaceName="n", ServiceName="S")
        assert found == [(f"servicediscovery:{operation}", each) for each in both]
        found = asked("servicediscovery", operation, api, NamespaceName="n", ServiceName="none")
        assert found == [(f"servicediscovery:{operation}", namespace)]
    assert asked("servicediscovery", "GetOperation", api, OperationId=operation_id)[0][1] == namespace


def test_conditions_know_what_kind_of_key_it_is() -> None:
    keys = Api(kms.SERVICE.operations, service="kms")
    made = keys("CreateKey", KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
    kind = {
        "kms:keyorigin": ("AWS_KMS",),
        "kms:keyspec": ("RSA_2048",),
        "kms:keyusage": ("SIGN_VERIFY",),
        "kms:multiregion": ("false",),
    }
    known = values_of(keys.store, made["Arn"], A)
    assert {key: known[key] for key in kind} == kind
    [need] = needs(ask("kms", "CreateKey", KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY"))
    assert need.values == kind
    [need] = needs(ask("kms", "CreateKey"))
    assert need.values["kms:keyspec"] == ("SYMMETRIC_DEFAULT",)
    assert need.values["kms:keyusage"] == ("ENCRYPT_DECRYPT",)
