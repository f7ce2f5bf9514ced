"""What conditions look at of tags in a request, and of the resources that it names: their tags, and what they are."""

from collections.abc import Callable, Mapping
from typing import Any

from longshore.api.access.asking import Ask
from longshore.decide.policy.context import Values, record_values, resource_values, tag_values
from longshore.domain.arn import Arn
from longshore.domain.ec2.endpoint import EndpointServiceConfiguration, PrefixList, VpcEndpoint
from longshore.domain.ec2.network import NetworkInterface, SecurityGroup, SecurityGroupRule, Subnet, Vpc
from longshore.domain.ec2.network_acl import NetworkAcl
from longshore.domain.ec2.network_settings import DhcpOptions, FlowLog
from longshore.domain.ec2.routing import Address, InternetGateway, NatGateway, RouteTable
from longshore.domain.ecr.repository import Repository
from longshore.domain.ecs.cluster import Cluster
from longshore.domain.ecs.service import Service
from longshore.domain.ecs.task import Task
from longshore.domain.ecs.task_definition import TaskDefinition, task_definition_key
from longshore.domain.elbv2.balancer import Listener, LoadBalancer, Rule, TargetGroup, TrustStore
from longshore.domain.elbv2.certificate import Certificate, certificate_key_of
from longshore.domain.iam import Group, IdentityProvider, InstanceProfile, Policy, Role, User
from longshore.domain.log import LogGroup
from longshore.domain.names.naming import DiscoveryService, Namespace
from longshore.domain.names.zone import GLOBAL, HostedZone
from longshore.domain.record import Record
from longshore.domain.scaling.alarm import CompositeAlarm, MetricAlarm
from longshore.domain.scaling.scaling import ScalableTarget
from longshore.domain.secrets.encryption_key import EncryptionKey
from longshore.domain.secrets.parameter import Parameter
from longshore.domain.secrets.secret import Secret
from longshore.domain.tag import Tags
from longshore.store.store import Reader

GIVEN = ("tags", "Tags", "TagList", "AddTags", "TagsToAdd")
TAKEN = ("tagKeys", "TagKeys", "RemoveTagKeys", "TagKeyList")

Classes = Mapping[str, type[Record]]
Finder = Callable[[Reader, Arn, str, str], Record | None]
"""`(reader, the ARN, the type in it, the path behind that)`."""

OF_EC2: Classes = {
    "dhcp-options": DhcpOptions,
    "elastic-ip": Address,
    "internet-gateway": InternetGateway,
    "natgateway": NatGateway,
    "network-acl": NetworkAcl,
    "network-interface": NetworkInterface,
    "prefix-list": PrefixList,
    "route-table": RouteTable,
    "security-group": SecurityGroup,
    "security-group-rule": SecurityGroupRule,
    "subnet": Subnet,
    "vpc": Vpc,
    "vpc-endpoint": VpcEndpoint,
    "vpc-endpoint-service": EndpointServiceConfiguration,
    "vpc-flow-log": FlowLog,
}
OF_ECS: Classes = {"cluster": Cluster, "service": Service, "task": Task}
OF_IAM: Classes = {"group": Group, "instance-profile": InstanceProfile, "policy": Policy, "role": Role, "user": User}
OF_NAMES: Classes = {"namespace": Namespace, "service": DiscoveryService}
OF_ELB: Mapping[str, tuple[type[Record], int]] = {
    "listener": (Listener, 2),
    "listener-rule": (Rule, 3),
    "loadbalancer": (LoadBalancer, 1),
    "targetgroup": (TargetGroup, 1),
    "truststore": (TrustStore, 1),
}
"""By the type in the ARN; of load balancers, how many ids at its end are the record's names."""


def request_tags(ask: Ask) -> Values:
    """`aws:RequestTag/KEY` and `aws:TagKeys` of a request."""
    found: Tags = {}
    for name in GIVEN:
        found.update(_pairs(ask.params.get(name)))
    for specification in ask.params.get("TagSpecifications") or ():
        if isinstance(specification, Mapping):
            found.update(_pairs(specification.get("Tags")))
    keys = [*found, *ask.texts(*TAKEN)]
    values = tag_values(("aws:requesttag",), found)
    return {**values, "aws:tagkeys": tuple(keys)} if keys else values


def _pairs(given: Any) -> Tags:
    """Tags in any of the forms that services have them in."""
    if isinstance(given, Mapping):
        return {str(key): str(value) for key, value in given.items()}
    found: Tags = {}
    for pair in given if isinstance(given, list) else ():
        if isinstance(pair, Mapping):
            key = pair.get("Key", pair.get("key", pair.get("TagKey")))
            value = pair.get("Value", pair.get("value", pair.get("TagValue")))
            if isinstance(key, str):
                found[key] = value if isinstance(value, str) else ""
    return found


def values_of(reader: Reader, resource: str, account: str) -> Values:
    """What conditions may look at of what an ARN names, or of `*`.

    `account` is the caller's: the ARN of a hosted zone names none.
    """
    arn = Arn.parse(resource)
    if arn is None:
        return resource_values(account, "", {})
    record = _record_of(reader, arn, resource, account)
    known = resource_values(arn.scope.account or account, arn.service, getattr(record, "tags", {}))
    return {**known, **record_values(record)}


def _record_of(reader: Reader, arn: Arn, text: str, account: str) -> Record | None:
    kind, _, path = arn.resource.partition("/")
    match arn.service:
        case "route53":
            return reader.get(HostedZone, (account, GLOBAL, path))
        case "acm":
            key = certificate_key_of(text)
            return reader.get(Certificate, key) if key else None
        case "secretsmanager":
            return next(iter(reader.select(Secret, "arn", (text,))), None)
    find = FINDERS.get(arn.service)
    return find(reader, arn, kind, path) if find else None


def _of_ecs(reader: Reader, arn: Arn, kind: str, path: str) -> Record | None:
    names = tuple(path.split("/"))
    if kind == "task-definition":
        family, _, digits = path.partition(":")
        number = int(digits[:9]) if digits.isascii() and digits.isdecimal() else 0
        return reader.get(TaskDefinition, task_definition_key(arn.scope, family, number))
    return reader.get(OF_ECS[kind], (*arn.scope, *names)) if kind in OF_ECS else None


def _of_elb(reader: Reader, arn: Arn, kind: str, path: str) -> Record | None:
    """The ids at the end of an ARN are the record's names."""
    if kind not in OF_ELB:
        return None
    cls, ids = OF_ELB[kind]
    return reader.get(cls, (*arn.scope, *path.split("/")[-ids:]))


def _of_iam(reader: Reader, arn: Arn, kind: str, path: str) -> Record | None:
    if kind == "oidc-provider":
        return reader.get(IdentityProvider, (arn.scope.account, GLOBAL, path))
    name = path.rpartition("/")[2]
    return reader.get(OF_IAM[kind], (arn.scope.account, GLOBAL, name)) if kind in OF_IAM else None


def _of_logs(reader: Reader, arn: Arn, _kind: str, _path: str) -> Record | None:
    name = arn.resource.removeprefix("log-group:").partition(":log-stream:")[0].removesuffix(":*")
    return reader.get(LogGroup, (*arn.scope, name))


def _of_ssm(reader: Reader, arn: Arn, _kind: str, path: str) -> Record | None:
    return reader.get(Parameter, (*arn.scope, f"/{path}")) or reader.get(Parameter, (*arn.scope, path))


def _by_id(classes: Classes) -> Finder:
    """What the path in an ARN is the key of."""

    def find(reader: Reader, arn: Arn, kind: str, path: str) -> Record | None:
        return reader.get(classes[kind], (*arn.scope, path)) if kind in classes else None

    return find


def _of_cloudwatch(reader: Reader, arn: Arn, _kind: str, _path: str) -> Record | None:
    key = (*arn.scope, arn.resource.removeprefix("alarm:"))
    return reader.get(MetricAlarm, key) or reader.get(CompositeAlarm, key)


def _of_scaling(reader: Reader, arn: Arn, _kind: str, _path: str) -> Record | None:
    return next(iter(reader.select(ScalableTarget, "arn", (str(arn),))), None)


FINDERS: Mapping[str, Finder] = {
    "application-autoscaling": _of_scaling,
    "cloudwatch": _of_cloudwatch,
    "ec2": _by_id(OF_EC2),
    "ecr": _by_id({"repository": Repository}),
    "ecs": _of_ecs,
    "elasticloadbalancing": _of_elb,
    "iam": _of_iam,
    "kms": _by_id({"key": EncryptionKey}),
    "logs": _of_logs,
    "servicediscovery": _by_id(OF_NAMES),
    "ssm": _of_ssm,
}
"""By the service in the ARN."""
