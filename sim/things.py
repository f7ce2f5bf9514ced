"""What users build around their services, and what they do with it: the things of `sim/stack.py`, as a table."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from longshore.api import cloudwatch, ec2, ecr, ecs, iam, kms, logs, route53, secretsmanager, servicediscovery, ssm
from longshore.api.operation import Service
from sim.world import SCOPE

TRUST = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", '
    '"Principal": {"Service": "ecs-tasks.amazonaws.com"}}]}'
)
Params = dict[str, Any]


class Ask(NamedTuple):
    """One call about a thing: how it is called, and what it is given for an id and a number of the story's own."""

    operation: str
    params: Callable[[Any, int], Params]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of thing, and what users do with it."""

    service: Service
    make: Ask
    """Given its name, which no other thing has."""
    id_of: Callable[[str, Mapping[str, Any]], Any] = lambda name, _answer: name
    """From its name and the answer to `make`."""
    called: Callable[[Any], str] = str
    """From its id: what every answer that shows it has in it."""
    looks: tuple[Ask, ...]
    """What is told of it: the same after a crash. The first shows it while it is there."""
    changes: tuple[Ask, ...] = ()
    """Each shows, by `nth`, the number that it is given."""
    drop: Ask | None = None
    stays: str = ""
    """What the first look has in it after the end of a thing that is shown for a while yet; all else is as before."""


def nth(n: int) -> str:
    """What a change puts somewhere, so that it is seen again: in any text, as a tag, or as the id of a statement."""
    return f"The{n}th"


def _policy(n: int) -> str:
    allowed = {"Sid": nth(n), "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [allowed]})


def _policy_of(action: str, n: int) -> str:
    """A policy of a resource, that lets its account do something."""
    principal = {"AWS": f"arn:aws:iam::{SCOPE.account}:root"}
    allowed = {"Sid": nth(n), "Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [allowed]})


def _repository_policy(n: int) -> str:
    allowed = {"Sid": nth(n), "Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"}
    return json.dumps({"Version": "2012-10-17", "Statement": [allowed]})


def _alarm(name: str, n: int) -> Params:
    return {
        "AlarmName": name,
        "AlarmDescription": nth(n),
        "Namespace": "AWS/ECS",
        "MetricName": "CPUUtilization",
        "Statistic": "Average",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": float(n),
        "ComparisonOperator": "GreaterThanThreshold",
    }


KINDS: dict[str, Kind] = {
    "role": Kind(
        service=iam.SERVICE,
        make=Ask("CreateRole", lambda name, _: {"RoleName": name, "AssumeRolePolicyDocument": TRUST}),
        looks=(Ask("GetRole", lambda name, _: {"RoleName": name}),),
        changes=(Ask("UpdateRole", lambda name, n: {"RoleName": name, "Description": nth(n)}),),
        drop=Ask("DeleteRole", lambda name, _: {"RoleName": name}),
    ),
    "policy": Kind(
        service=iam.SERVICE,
        make=Ask("CreatePolicy", lambda name, n: {"PolicyName": name, "PolicyDocument": _policy(n)}),
        id_of=lambda _, answer: answer["Policy"]["Arn"],
        looks=(
            Ask("GetPolicy", lambda arn, _: {"PolicyArn": arn}),
            Ask("ListPolicyTags", lambda arn, _: {"PolicyArn": arn}),
        ),
        changes=(Ask("TagPolicy", lambda arn, n: {"PolicyArn": arn, "Tags": [{"Key": "n", "Value": nth(n)}]}),),
        drop=Ask("DeletePolicy", lambda arn, _: {"PolicyArn": arn}),
    ),
    "user": Kind(
        service=iam.SERVICE,
        make=Ask("CreateUser", lambda name, _: {"UserName": name}),
        looks=(
            Ask("GetUser", lambda name, _: {"UserName": name}),
            Ask("GetUserPolicy", lambda name, _: {"UserName": name, "PolicyName": "own"}),
        ),
        changes=(
            Ask("PutUserPolicy", lambda name, n: {"UserName": name, "PolicyName": "own", "PolicyDocument": _policy(n)}),
        ),
    ),
    "VPC": Kind(
        service=ec2.SERVICE,
        make=Ask("CreateVpc", lambda _, n: {"CidrBlock": f"10.{n % 250}.0.0/16"}),
        id_of=lambda _, answer: answer["Vpc"]["VpcId"],
        looks=(
            Ask("DescribeVpcs", lambda vpc, _: {"VpcIds": [vpc]}),
            Ask("DescribeRouteTables", lambda vpc, _: {"Filters": [{"Name": "vpc-id", "Values": [vpc]}]}),
        ),
        changes=(Ask("CreateTags", lambda vpc, n: {"Resources": [vpc], "Tags": [{"Key": "n", "Value": nth(n)}]}),),
        drop=Ask("DeleteVpc", lambda vpc, _: {"VpcId": vpc}),
    ),
    "elastic IP address": Kind(
        service=ec2.SERVICE,
        make=Ask("AllocateAddress", lambda _name, _: {"Domain": "vpc"}),
        id_of=lambda _, answer: answer["AllocationId"],
        looks=(Ask("DescribeAddresses", lambda allocation, _: {"AllocationIds": [allocation]}),),
        drop=Ask("ReleaseAddress", lambda allocation, _: {"AllocationId": allocation}),
    ),
    "key": Kind(
        service=kms.SERVICE,
        make=Ask("CreateKey", lambda name, _: {"Description": name}),
        id_of=lambda _, answer: answer["KeyMetadata"]["KeyId"],
        looks=(
            Ask("DescribeKey", lambda key, _: {"KeyId": key}),
            Ask("GetKeyPolicy", lambda key, _: {"KeyId": key, "PolicyName": "default"}),
            Ask("ListGrants", lambda key, _: {"KeyId": key}),
        ),
        changes=(
            Ask("UpdateKeyDescription", lambda key, n: {"KeyId": key, "Description": nth(n)}),
            Ask(
                "PutKeyPolicy",
                lambda key, n: {"KeyId": key, "PolicyName": "default", "Policy": _policy_of("kms:*", n)},
            ),
            Ask(
                "CreateGrant",
                lambda key, n: {
                    "KeyId": key,
                    "Name": nth(n),
                    "GranteePrincipal": f"arn:aws:iam::{SCOPE.account}:root",
                    "Operations": ["Decrypt"],
                },
            ),
        ),
        drop=Ask("ScheduleKeyDeletion", lambda key, _: {"KeyId": key, "PendingWindowInDays": 30}),
        stays="PendingDeletion",
    ),
    "parameter": Kind(
        service=ssm.SERVICE,
        make=Ask("PutParameter", lambda name, _: {"Name": name, "Type": "SecureString", "Value": "first"}),
        looks=(Ask("GetParameter", lambda name, _: {"Name": name, "WithDecryption": True}),),
        changes=(
            Ask(
                "PutParameter",
                lambda name, n: {"Name": name, "Type": "SecureString", "Value": nth(n), "Overwrite": True},
            ),
        ),
        drop=Ask("DeleteParameter", lambda name, _: {"Name": name}),
    ),
    "secret": Kind(
        service=secretsmanager.SERVICE,
        make=Ask("CreateSecret", lambda name, _: {"Name": name, "SecretString": "first"}),
        looks=(
            Ask("GetSecretValue", lambda name, _: {"SecretId": name}),
            Ask("GetResourcePolicy", lambda name, _: {"SecretId": name}),
        ),
        changes=(
            Ask("PutSecretValue", lambda name, n: {"SecretId": name, "SecretString": nth(n)}),
            Ask(
                "PutResourcePolicy",
                lambda name, n: {"SecretId": name, "ResourcePolicy": _policy_of("secretsmanager:GetSecretValue", n)},
            ),
        ),
        drop=Ask("DeleteSecret", lambda name, _: {"SecretId": name, "ForceDeleteWithoutRecovery": True}),
    ),
    "repository": Kind(
        service=ecr.SERVICE,
        make=Ask("CreateRepository", lambda name, _: {"repositoryName": name}),
        looks=(
            Ask("DescribeRepositories", lambda name, _: {"repositoryNames": [name]}),
            Ask("GetRepositoryPolicy", lambda name, _: {"repositoryName": name}),
        ),
        changes=(
            Ask(
                "SetRepositoryPolicy",
                lambda name, n: {"repositoryName": name, "policyText": _repository_policy(n)},
            ),
        ),
        drop=Ask("DeleteRepository", lambda name, _: {"repositoryName": name}),
    ),
    "log group": Kind(
        service=logs.SERVICE,
        make=Ask("CreateLogGroup", lambda name, _: {"logGroupName": name}),
        looks=(
            Ask("DescribeLogGroups", lambda name, _: {"logGroupNamePrefix": name}),
            Ask("ListTagsLogGroup", lambda name, _: {"logGroupName": name}),
        ),
        changes=(Ask("TagLogGroup", lambda name, n: {"logGroupName": name, "tags": {"n": nth(n)}}),),
        drop=Ask("DeleteLogGroup", lambda name, _: {"logGroupName": name}),
    ),
    "zone": Kind(
        service=route53.SERVICE,
        make=Ask("CreateHostedZone", lambda name, _: {"Name": f"{name}.example", "CallerReference": name}),
        id_of=lambda _, answer: answer["HostedZone"]["Id"].rpartition("/")[2],
        looks=(
            Ask("GetHostedZone", lambda zone, _: {"Id": zone}),
            Ask("GetDNSSEC", lambda zone, _: {"HostedZoneId": zone}),
            Ask("ListResourceRecordSets", lambda zone, _: {"HostedZoneId": zone}),
            Ask("ListTagsForResource", lambda zone, _: {"ResourceType": "hostedzone", "ResourceId": zone}),
        ),
        changes=(
            Ask(
                "ChangeTagsForResource",
                lambda zone, n: {
                    "ResourceType": "hostedzone",
                    "ResourceId": zone,
                    "AddTags": [{"Key": "n", "Value": nth(n)}],
                },
            ),
        ),
        drop=Ask("DeleteHostedZone", lambda zone, _: {"Id": zone}),
    ),
    "namespace": Kind(
        service=servicediscovery.SERVICE,
        make=Ask("CreateHttpNamespace", lambda name, _: {"Name": name}),
        id_of=lambda name, answer: (name, answer["OperationId"]),
        called=lambda ids: str(ids[0]),
        looks=(
            Ask("ListNamespaces", lambda ids, _: {"Filters": [{"Name": "NAME", "Values": [ids[0]]}]}),
            Ask("GetOperation", lambda ids, _: {"OperationId": ids[1]}),
        ),
    ),
    "alarm": Kind(
        service=cloudwatch.SERVICE,
        make=Ask("PutMetricAlarm", _alarm),
        looks=(Ask("DescribeAlarms", lambda name, _: {"AlarmNames": [name]}),),
        changes=(Ask("PutMetricAlarm", _alarm),),
        drop=Ask("DeleteAlarms", lambda name, _: {"AlarmNames": [name]}),
    ),
    "cluster": Kind(
        service=ecs.SERVICE,
        make=Ask("CreateCluster", lambda name, _: {"clusterName": name}),
        id_of=lambda _, answer: answer["cluster"]["clusterArn"],
        looks=(Ask("DescribeClusters", lambda arn, _: {"clusters": [arn], "include": ["TAGS", "SETTINGS"]}),),
        changes=(Ask("TagResource", lambda arn, n: {"resourceArn": arn, "tags": [{"key": "n", "value": nth(n)}]}),),
        drop=Ask("DeleteCluster", lambda arn, _: {"cluster": arn}),
        stays="INACTIVE",
    ),
}
