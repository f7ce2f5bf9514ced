"""Everything that has tags: how each service's resources are listed with theirs, and tagged by its own rules.

A kind of record with tags is one line of its service's entry here; a service is tagged by its own operations, so that
no rule about tags stands twice. `tests/unit/chain/test_tagging.py` holds that no kind is forgotten.
"""

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from longshore.api.acm.tags import add_tags_to_certificate, remove_tags_from_certificate
from longshore.api.autoscaling import tags as autoscaling
from longshore.api.cloudwatch import tags as cloudwatch
from longshore.api.ec2 import tags as ec2
from longshore.api.ec2.resources import RESOURCES
from longshore.api.ecr import repositories as ecr
from longshore.api.ecs import tags as ecs
from longshore.api.elbv2 import tags as elbv2
from longshore.api.iam import tags as iam
from longshore.api.kms import tags as kms
from longshore.api.logs import tags as logs
from longshore.api.logs.lookup import group_arn
from longshore.api.operation import Call, Handler
from longshore.api.route53.tags import change_tags_for_resource
from longshore.api.secretsmanager import tags as secretsmanager
from longshore.api.servicediscovery import tags as servicediscovery
from longshore.api.ssm import tags as ssm
from longshore.domain.arn import Arn
from longshore.domain.ecr.repository import Repository
from longshore.domain.ecs.cluster import Cluster
from longshore.domain.ecs.service import Service
from longshore.domain.ecs.task import Task
from longshore.domain.ecs.task_definition import TaskDefinition
from longshore.domain.elbv2.balancer import Listener, LoadBalancer, Rule, TargetGroup, TrustStore
from longshore.domain.elbv2.certificate import Certificate
from longshore.domain.iam import IdentityProvider, InstanceProfile, Policy, iam_key_of
from longshore.domain.log import LogGroup
from longshore.domain.names.naming import DiscoveryService, Namespace
from longshore.domain.names.zone import HostedZone
from longshore.domain.record import Record, Scope
from longshore.domain.scaling.alarm import CompositeAlarm, Dashboard, MetricAlarm
from longshore.domain.scaling.scaling import ScalableTarget
from longshore.domain.secrets.encryption_key import EncryptionKey
from longshore.domain.secrets.parameter import Parameter
from longshore.domain.secrets.secret import Secret
from longshore.domain.tag import Tags, tags_list
from longshore.wire.errors import ApiError

GLOBAL_REGION = "us-east-1"
"""Where AWS shows the tags of what belongs to no region."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of record with tags."""

    record: type[Record]
    arn: Callable[[Any], str] = lambda record: str(record.arn)
    tags: Callable[[Any], Tags] = lambda record: dict(record.tags)
    shown: Callable[[Any], bool] = lambda _record: True
    """Whether AWS would still list it."""


@dataclass(frozen=True, slots=True)
class Tagged:
    """A service: its kinds, and how one of its resources gets and loses tags."""

    kinds: tuple[Kind, ...]
    add: Callable[[Call, str, Tags], None]
    remove: Callable[[Call, str, list[str]], None]


def asking(handler: Handler, call: Call, **params: Any) -> None:
    """Call an operation of another service, within the same transaction."""
    handler(replace(call, params=params))


def _pairs(tags: Tags) -> list[dict[str, str]]:
    return tags_list(tags, "Key", "Value")


def _ec2_arn(kind: str, record: Record) -> str:
    return str(Arn("ec2", record.scope, f"{kind}/{record.names()[0]}"))


def _ec2_id(call: Call, arn: str) -> str:
    """The id of a resource of EC2, whose ARN says its type as well."""
    kind, _, identifier = arn.rpartition(":")[2].partition("/")
    for resource in RESOURCES.values():
        if resource.type == kind and identifier.startswith(resource.prefix):
            return _own(arn, identifier, "ec2", call.scope, f"{kind}/{identifier}")
    raise _foreign(arn)


def _zone_id(arn: str) -> str:
    """The id of a hosted zone: zones are of no account and no region in their ARNs."""
    identifier = arn.rpartition("/")[2]
    return _own(arn, identifier, "route53", Scope("", ""), f"hostedzone/{identifier}")


def _own(arn: str, identifier: str, service: str, scope: Scope, resource: str) -> str:
    """The id, if the ARN is the one of such a resource here."""
    if str(Arn(service, scope, resource)) != arn:
        raise _foreign(arn)
    return identifier


def _secret(call: Call, arn: str) -> str:
    """The whole ARN of a secret: Secrets Manager itself takes a part of it, too."""
    if not call.tx.select(Secret, "arn", (arn,)):
        raise _foreign(arn)
    return arn


def _of_iam(call: Call, verb: str, arn: str, **params: Any) -> None:
    """Change the tags of what AWS has of IAM among these resources: no roles and no users."""
    for kind, noun in (("policy", "Policy"), ("oidc-provider", "OpenIDConnectProvider")):
        if f":{kind}/" in arn:
            return asking(iam.OPERATIONS[f"{verb}{noun}"].handler, call, **{f"{noun}Arn": arn}, **params)
    key = iam_key_of(arn, InstanceProfile.arn_type)
    profile = call.tx.get(InstanceProfile, key) if key else None
    if profile is None or profile.arn != arn or profile.account != call.scope.account:
        raise _foreign(arn)
    return asking(iam.OPERATIONS[f"{verb}InstanceProfile"].handler, call, InstanceProfileName=profile.name, **params)


def _foreign(arn: str) -> ApiError:
    return ApiError("ResourceNotFoundException", f"{arn} names nothing of this account and region that has tags.")


def _parameter(call: Call, arn: str) -> str:
    """The name of a parameter: in its ARN a slash at the name's beginning is not told from one before the name."""
    name = arn.partition(":parameter/")[2]
    _own(arn, name, "ssm", call.scope, f"parameter/{name.removeprefix('/')}")
    return name if call.tx.get(Parameter, (*call.scope, name)) is not None else f"/{name}"


def _active(record: Any) -> bool:
    return bool(record.status == "ACTIVE")


REGISTRY: Mapping[str, Tagged] = {
    "acm": Tagged(
        (Kind(Certificate),),
        lambda call, arn, tags: asking(add_tags_to_certificate, call, CertificateArn=arn, Tags=_pairs(tags)),
        lambda call, arn, keys: asking(
            remove_tags_from_certificate, call, CertificateArn=arn, Tags=[{"Key": key} for key in keys]
        ),
    ),
    "application-autoscaling": Tagged(
        (Kind(ScalableTarget),),
        lambda call, arn, tags: asking(autoscaling.tag_resource, call, ResourceARN=arn, Tags=tags),
        lambda call, arn, keys: asking(autoscaling.untag_resource, call, ResourceARN=arn, TagKeys=keys),
    ),
    "cloudwatch": Tagged(
        (Kind(MetricAlarm), Kind(CompositeAlarm), Kind(Dashboard)),
        lambda call, arn, tags: asking(cloudwatch.tag_resource, call, ResourceARN=arn, Tags=_pairs(tags)),
        lambda call, arn, keys: asking(cloudwatch.untag_resource, call, ResourceARN=arn, TagKeys=keys),
    ),
    "ec2": Tagged(
        tuple(Kind(record, arn=functools.partial(_ec2_arn, resource.type)) for record, resource in RESOURCES.items()),
        lambda call, arn, tags: asking(ec2.create_tags, call, Resources=[_ec2_id(call, arn)], Tags=_pairs(tags)),
        lambda call, arn, keys: asking(
            ec2.delete_tags, call, Resources=[_ec2_id(call, arn)], Tags=[{"Key": key} for key in keys]
        ),
    ),
    "ecr": Tagged(
        (Kind(Repository),),
        lambda call, arn, tags: asking(ecr.tag_resource, call, resourceArn=arn, tags=_pairs(tags)),
        lambda call, arn, keys: asking(ecr.untag_resource, call, resourceArn=arn, tagKeys=keys),
    ),
    "ecs": Tagged(
        (
            Kind(Cluster, shown=_active),
            Kind(Service, shown=_active),
            Kind(Task, shown=lambda task: bool(task.live)),
            Kind(TaskDefinition, shown=_active),
        ),
        lambda call, arn, tags: asking(ecs.tag_resource, call, resourceArn=arn, tags=tags_list(tags)),
        lambda call, arn, keys: asking(ecs.untag_resource, call, resourceArn=arn, tagKeys=keys),
    ),
    "elasticloadbalancing": Tagged(
        (
            Kind(LoadBalancer),
            Kind(TargetGroup),
            Kind(Listener),
            Kind(
                Listener,
                arn=lambda listener: str(listener.default_rule_arn),
                tags=lambda listener: dict(listener.default_rule_tags),
            ),
            Kind(Rule),
            Kind(TrustStore),
        ),
        lambda call, arn, tags: asking(elbv2.add_tags, call, ResourceArns=[arn], Tags=_pairs(tags)),
        lambda call, arn, keys: asking(elbv2.remove_tags, call, ResourceArns=[arn], TagKeys=keys),
    ),
    "iam": Tagged(
        (Kind(Policy), Kind(InstanceProfile), Kind(IdentityProvider)),
        lambda call, arn, tags: _of_iam(call, "Tag", arn, Tags=_pairs(tags)),
        lambda call, arn, keys: _of_iam(call, "Untag", arn, TagKeys=keys),
    ),
    "kms": Tagged(
        (Kind(EncryptionKey),),
        lambda call, arn, tags: asking(kms.tag_resource, call, KeyId=arn, Tags=tags_list(tags, "TagKey", "TagValue")),
        lambda call, arn, keys: asking(kms.untag_resource, call, KeyId=arn, TagKeys=keys),
    ),
    "logs": Tagged(
        (Kind(LogGroup, arn=group_arn),),
        lambda call, arn, tags: asking(logs.tag_resource, call, resourceArn=arn, tags=tags),
        lambda call, arn, keys: asking(logs.untag_resource, call, resourceArn=arn, tagKeys=keys),
    ),
    "route53": Tagged(
        (Kind(HostedZone, arn=lambda zone: f"arn:aws:route53:::hostedzone/{zone.zone_id}"),),
        lambda call, arn, tags: asking(
            change_tags_for_resource,
            call,
            ResourceType="hostedzone",
            ResourceId=_zone_id(arn),
            AddTags=_pairs(tags),
        ),
        lambda call, arn, keys: asking(
            change_tags_for_resource,
            call,
            ResourceType="hostedzone",
            ResourceId=_zone_id(arn),
            RemoveTagKeys=keys,
        ),
    ),
    "secretsmanager": Tagged(
        (Kind(Secret, shown=lambda secret: secret.deleted_at is None),),
        lambda call, arn, tags: asking(
            secretsmanager.tag_resource, call, SecretId=_secret(call, arn), Tags=_pairs(tags)
        ),
        lambda call, arn, keys: asking(secretsmanager.untag_resource, call, SecretId=_secret(call, arn), TagKeys=keys),
    ),
    "servicediscovery": Tagged(
        (Kind(Namespace), Kind(DiscoveryService)),
        lambda call, arn, tags: asking(servicediscovery.tag_resource, call, ResourceARN=arn, Tags=_pairs(tags)),
        lambda call, arn, keys: asking(servicediscovery.untag_resource, call, ResourceARN=arn, TagKeys=keys),
    ),
    "ssm": Tagged(
        (Kind(Parameter),),
        lambda call, arn, tags: asking(
            ssm.add_tags_to_resource,
            call,
            ResourceType="Parameter",
            ResourceId=_parameter(call, arn),
            Tags=_pairs(tags),
        ),
        lambda call, arn, keys: asking(
            ssm.remove_tags_from_resource,
            call,
            ResourceType="Parameter",
            ResourceId=_parameter(call, arn),
            TagKeys=keys,
        ),
    ),
}
"""By the service in ARNs."""


class Resource(NamedTuple):
    """Something with tags."""

    arn: str
    tags: Tags


def resources(call: Call) -> Iterator[Resource]:
    """All resources of the call's account and region that have a tag; those of no region too, where AWS has them."""
    scopes = {call.scope}
    if call.scope.region == GLOBAL_REGION:
        scopes.add(call.scope._replace(region=""))
    for tagged in REGISTRY.values():
        for kind in tagged.kinds:
            for record in call.tx.all(kind.record):
                if record.scope in scopes and kind.shown(record):
                    tags = kind.tags(record)
                    if tags:
                        yield Resource(kind.arn(record), tags)


def tagged_by(arn: str) -> Tagged | None:
    """How the resource with an ARN is tagged; None where its service has no tags here."""
    parsed = Arn.parse(arn)
    return REGISTRY.get(parsed.service) if parsed is not None else None
