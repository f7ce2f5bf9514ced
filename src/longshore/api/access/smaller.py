"""Which resources an operation of the smaller services is about: logs, names, certificates, images, metrics."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from longshore.api.access.asking import ANY, Ask, Need, On, Rule, members, on
from longshore.api.access.secrets import kms, secretsmanager, ssm
from longshore.domain.arn import Arn
from longshore.domain.names.naming import DiscoveryService, Namespace, NamingOperation
from longshore.domain.scaling.alarm import alarm_arn, dashboard_arn
from longshore.domain.scaling.scaling import ScalableTarget


def by_operation(table: dict[str, Rule], other: Rule) -> Rule:
    """A rule that is another one for some operations."""

    def rule(ask: Ask) -> On:
        return table.get(ask.operation, other)(ask)

    return rule


def nothing(_ask: Ask) -> On:
    """No resource."""
    return On((ANY,))


def named(service: str, kind: str, *names: str, regional: bool = True, separator: str = "/") -> Rule:
    """The resources of a type whose names, or ARNs, are members of the input."""

    def rule(ask: Ask) -> On:
        return on(
            each if each.startswith("arn:") else ask.arn(service, f"{kind}{separator}{each}", regional=regional)
            for each in ask.texts(*names)
        )

    return rule


def tagging_new(action: str, ask: Ask, *resources: str) -> Iterator[Need]:
    """What it takes to give what is made its tags."""
    if ask.params.get("tags") or ask.params.get("Tags"):
        yield from (Need(action, resource) for resource in resources)


# ------------------------------------------------------------------------------------------------------------ logs

GROUP_MEMBERS = ("logGroupName", "logGroupIdentifier", "logGroupNames", "logGroupIdentifiers", "resourceArn")


def logs(ask: Ask) -> On:
    """Any operation of CloudWatch Logs: a stream where one is named, else a group, else all groups."""
    groups = [_group_name(each) for each in ask.texts(*GROUP_MEMBERS)]
    if not groups:
        return on([ask.arn("logs", "log-group::log-stream:")])
    stream = ask.text("logStreamName")
    also, resources = {}, []
    for group in groups:
        plain = ask.arn("logs", f"log-group:{group}")
        resource = f"{plain}:log-stream:{stream}"
        resources.append(resource)
        if not stream:
            also[resource] = (plain, f"{plain}:*")
    more: tuple[Need, ...] = ()
    if ask.operation == "CreateLogGroup" and ask.params.get("tags"):
        more = tuple(Need("logs:TagResource", resource, also[resource]) for resource in resources)
    if ask.operation == "PutSubscriptionFilter" and ask.text("roleArn"):
        more = (Need("iam:PassRole", ask.text("roleArn"), values={"iam:passedtoservice": ("logs.amazonaws.com",)}),)
    return On(tuple(dict.fromkeys(resources)), also=also, more=more)


def _group_name(reference: str) -> str:
    arn = Arn.parse(reference)
    return (arn.resource if arn else reference).removeprefix("log-group:").removesuffix(":*")


# ----------------------------------------------------------------------------------------------------------- names


def servicediscovery(ask: Ask) -> On:
    """Any operation of Cloud Map: by ids, and by names for who discovers."""
    if ask.operation.startswith("DiscoverInstances"):
        values = {
            "servicediscovery:namespacename": (ask.text("NamespaceName"),),
            "servicediscovery:servicename": (ask.text("ServiceName"),),
        }
        return on(_discovered(ask), values)
    if ask.operation == "GetOperation":
        return on(_changed(ask))
    if ask.operation in {"ListNamespaces", "ListServices", "ListOperations"}:
        return On((ANY,))
    kinds = {"ns": "namespace", "srv": "service"}
    found = []
    for each in ask.texts("Id", "NamespaceId", "ServiceId", "ResourceARN"):
        kind = kinds.get(each.partition("-")[0])
        if each.startswith("arn:"):
            found.append(each)
        elif kind:
            found.append(ask.arn("servicediscovery", f"{kind}/{each}"))
    more: list[Need] = []
    if ask.operation.startswith("Create"):
        made = "service" if ask.operation == "CreateService" else "namespace"
        more += tagging_new("servicediscovery:TagResource", ask, ask.arn("servicediscovery", f"{made}/*"))
    return on(found, more=more)


def _discovered(ask: Ask) -> Iterator[str]:
    """The namespaces and services of the names that are looked up."""
    name, service_name = ask.text("NamespaceName"), ask.text("ServiceName")
    for namespace in ask.reader.select(Namespace, "name", (*ask.scope, name.lower())):
        if namespace.name == name:
            yield namespace.arn
            services = ask.reader.select(DiscoveryService, "namespace", (*ask.scope, namespace.namespace_id))
            yield from (service.arn for service in services if service.name == service_name)


def _changed(ask: Ask) -> Iterator[str]:
    """The namespace and the service that an operation was about."""
    operation = ask.reader.get(NamingOperation, (*ask.scope, ask.text("OperationId")))
    for kind, identifier in operation.targets.items() if operation else ():
        if kind in {"NAMESPACE", "SERVICE"}:
            yield ask.arn("servicediscovery", f"{kind.lower()}/{identifier}")


def route53(ask: Ask) -> On:
    """Any operation of Route 53: zones and changes, which are of no region and no account."""

    def arn(kind: str, name: str) -> str:
        return ask.arn("route53", f"{kind}/{name.rpartition('/')[2]}", regional=False, owned=False)

    if ask.operation == "GetChange":
        return on([arn("change", ask.text("Id"))])
    if ask.operation.startswith(("ListHostedZones", "Create", "GetHostedZoneCount")):
        return On((ANY,))
    zones = ask.texts("Id", "HostedZoneId", "ResourceId", "ResourceIds")
    changes = (ask.params.get("ChangeBatch") or {}).get("Changes") or ()
    sets = [each.get("ResourceRecordSet") or {} for each in changes]
    values = {}
    if sets:
        values = {
            "route53:changeresourcerecordsetsnormalizedrecordnames": tuple(
                str(each.get("Name", "")).lower().removesuffix(".") for each in sets
            ),
            "route53:changeresourcerecordsetsrecordtypes": tuple(str(each.get("Type", "")) for each in sets),
            "route53:changeresourcerecordsetsactions": tuple(str(each.get("Action", "")) for each in changes),
        }
    return on((arn("hostedzone", each) for each in zones), values)


# ---------------------------------------------------------------------------------------------------- certificates


def _new_certificate(ask: Ask) -> On:
    arn = ask.text("CertificateArn") or ask.arn("acm", "certificate/*")
    return on([arn], more=tagging_new("acm:AddTagsToCertificate", ask, arn))


acm = by_operation(
    {"RequestCertificate": _new_certificate, "ImportCertificate": _new_certificate}, members("CertificateArn")
)


# ---------------------------------------------------------------------------------------- images, metrics and others


TAGGING = {
    "TagResources": {
        "acm": "AddTagsToCertificate",
        "ec2": "CreateTags",
        "elasticloadbalancing": "AddTags",
        "route53": "ChangeTagsForResource",
        "ssm": "AddTagsToResource",
    },
    "UntagResources": {
        "acm": "RemoveTagsFromCertificate",
        "ec2": "DeleteTags",
        "elasticloadbalancing": "RemoveTags",
        "route53": "ChangeTagsForResource",
        "ssm": "RemoveTagsFromResource",
    },
}
"""The actions of services that don't call them TagResource and UntagResource."""
OF_IAM = {"instance-profile": "InstanceProfile", "oidc-provider": "OpenIDConnectProvider", "policy": "Policy"}
"""What IAM's actions end with, by the type in the ARN: `iam:TagPolicy`."""


def tagging(ask: Ask) -> On:
    """Any operation of the tagging API: who changes tags must be allowed to by each resource's own service, too."""
    actions = TAGGING.get(ask.operation)
    more = []
    for each in ask.texts("ResourceARNList") if actions is not None else ():
        arn = Arn.parse(each)
        if arn is not None:
            own = (actions or {}).get(arn.service, ask.operation.removesuffix("s"))
            if arn.service == "iam":
                own = own.removesuffix("Resource") + OF_IAM.get(arn.resource.partition("/")[0], "Resource")
            meant = logs(replace(ask, params={"resourceArn": each})) if arn.service == "logs" else On((each,))
            more += [Need(f"{arn.service}:{own}", one, meant.also.get(one, ())) for one in meant.resources]
    return on([], more=more)


def ecr(ask: Ask) -> On:
    """Any operation of ECR."""
    if ask.operation in {"GetAuthorizationToken", "DescribeRegistry", "GetRegistryPolicy", "PutRegistryPolicy"}:
        return On((ANY,))
    given = ask.texts("repositoryName", "repositoryNames", "resourceArn")
    found = [
        each if each.startswith("arn:") else ask.arn("ecr", f"repository/{each}")
        for each in given or (["*"] if ask.operation == "DescribeRepositories" else [])
    ]
    created = found if ask.operation == "CreateRepository" else []
    return on(found, more=tagging_new("ecr:TagResource", ask, *created))


ALL_ALARMS = frozenset({"DescribeAlarmHistory", "DescribeAlarms"})
"""Operations that are about all alarms where they name none."""


def cloudwatch(ask: Ask) -> On:
    """Any operation of CloudWatch: alarms and dashboards have ARNs, metrics a namespace."""
    values = {"cloudwatch:namespace": (ask.text("Namespace"),)} if ask.text("Namespace") else {}
    alarms = ask.texts("AlarmName", "AlarmNames") or (["*"] if ask.operation in ALL_ALARMS else [])
    found = [
        *ask.texts("ResourceARN"),
        *(each if each.startswith("arn:") else alarm_arn(ask.scope, each) for each in alarms),
        *(dashboard_arn(ask.scope.account, each) for each in ask.texts("DashboardName", "DashboardNames")),
    ]
    created = found if ask.operation.startswith("Put") else []
    return on(found, values, tagging_new("cloudwatch:TagResource", ask, *created))


def codedeploy(ask: Ask) -> On:
    """Any operation of CodeDeploy."""
    application = ask.text("applicationName")
    group = ask.text("deploymentGroupName") or ask.text("currentDeploymentGroupName")
    if application and group:
        return on([ask.arn("codedeploy", f"deploymentgroup:{application}/{group}")])
    return on([ask.arn("codedeploy", f"application:{application}")] if application else ask.texts("ResourceArn"))


def application_autoscaling(ask: Ask) -> On:
    """Any operation of Application Auto Scaling: the scalable target; what is scaled is a condition's to look at."""
    keys = (("ServiceNamespace", "service-namespace"), ("ScalableDimension", "scalable-dimension"))
    values = {f"application-autoscaling:{key}": (ask.text(name),) for name, key in keys if ask.text(name)}
    if ask.operation.startswith("Describe"):
        return on([], values)
    found = ask.texts("ResourceARN") or [_scalable_target(ask)]
    created = found if ask.operation == "RegisterScalableTarget" else []
    return on(found, values, tagging_new("application-autoscaling:TagResource", ask, *created))


def _scalable_target(ask: Ask) -> str:
    """The ARN of the target that is meant by what is scaled; its id is not known before it is there."""
    key = (*ask.scope, ask.text("ResourceId"), ask.text("ScalableDimension"))
    target = ask.reader.get(ScalableTarget, key)
    return target.arn if target else ask.arn("application-autoscaling", "scalable-target/*")


SMALLER: dict[str, Callable[[Ask], On]] = {
    "acm": acm,
    "application-autoscaling": application_autoscaling,
    "cloudwatch": cloudwatch,
    "codedeploy": codedeploy,
    "ecr": ecr,
    "eks": named("eks", "cluster", "name", "clusterName", "resourceArn"),
    "kms": kms,
    "logs": logs,
    "resourcegroupstaggingapi": tagging,
    "route53": route53,
    "secretsmanager": secretsmanager,
    "servicediscovery": servicediscovery,
    "ssm": ssm,
}
"""By botocore's name of the service."""
