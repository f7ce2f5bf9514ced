"""Which resources an operation of the smaller services is about: logs, names, certificates, images, metrics."""

from collections.abc import Callable

from longshore.api.access.asking import ANY, Ask, Need, On, Rule, members, on
from longshore.api.access.secrets import kms, secretsmanager, ssm
from longshore.domain.arn import Arn


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
    return On(tuple(dict.fromkeys(resources)), also=also)


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
        return on([], values)
    if ask.operation in {"ListNamespaces", "ListServices", "ListOperations", "GetOperation"}:
        return On((ANY,))
    kinds = {"ns": "namespace", "srv": "service"}
    found = []
    for each in ask.texts("Id", "NamespaceId", "ServiceId", "ResourceARN"):
        kind = kinds.get(each.partition("-")[0])
        if each.startswith("arn:"):
            found.append(each)
        elif kind:
            found.append(ask.arn("servicediscovery", f"{kind}/{each}"))
    return on(found)


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
    given = ask.text("CertificateArn")
    return on([given or ask.arn("acm", "certificate/*")])


acm = by_operation(
    {"RequestCertificate": _new_certificate, "ImportCertificate": _new_certificate}, members("CertificateArn")
)


# ---------------------------------------------------------------------------------------- images, metrics and others


TAGGING = {
    "TagResources": {
        "acm": "AddTagsToCertificate",
        "ec2": "CreateTags",
        "elasticloadbalancing": "AddTags",
        "iam": "TagResource",
        "route53": "ChangeTagsForResource",
        "ssm": "AddTagsToResource",
    },
    "UntagResources": {
        "acm": "RemoveTagsFromCertificate",
        "ec2": "DeleteTags",
        "elasticloadbalancing": "RemoveTags",
        "iam": "UntagResource",
        "route53": "ChangeTagsForResource",
        "ssm": "RemoveTagsFromResource",
    },
}
"""The actions of services that don't call them TagResource and UntagResource."""


def tagging(ask: Ask) -> On:
    """Any operation of the tagging API: who changes tags must be allowed to by each resource's own service, too."""
    actions = TAGGING.get(ask.operation)
    more = []
    for each in ask.texts("ResourceARNList") if actions is not None else ():
        arn = Arn.parse(each)
        if arn is not None:
            own = (actions or {}).get(arn.service, ask.operation.removesuffix("s"))
            more.append(Need(f"{arn.service}:{own}", each))
    return on([], more=more)


def ecr(ask: Ask) -> On:
    """Any operation of ECR."""
    if ask.operation in {"GetAuthorizationToken", "DescribeRegistry", "GetRegistryPolicy", "PutRegistryPolicy"}:
        return On((ANY,))
    given = ask.texts("repositoryName", "repositoryNames", "resourceArn")
    return on(
        each if each.startswith("arn:") else ask.arn("ecr", f"repository/{each}")
        for each in given or (["*"] if ask.operation == "DescribeRepositories" else [])
    )


def cloudwatch(ask: Ask) -> On:
    """Any operation of CloudWatch: alarms have ARNs, metrics a namespace."""
    values = {"cloudwatch:namespace": (ask.text("Namespace"),)} if ask.text("Namespace") else {}
    alarms = ask.texts("AlarmName", "AlarmNames", "ResourceARN")
    return on((each if each.startswith("arn:") else ask.arn("cloudwatch", f"alarm:{each}") for each in alarms), values)


def codedeploy(ask: Ask) -> On:
    """Any operation of CodeDeploy."""
    application = ask.text("applicationName")
    group = ask.text("deploymentGroupName") or ask.text("currentDeploymentGroupName")
    if application and group:
        return on([ask.arn("codedeploy", f"deploymentgroup:{application}/{group}")])
    return on([ask.arn("codedeploy", f"application:{application}")] if application else ask.texts("ResourceArn"))


def application_autoscaling(ask: Ask) -> On:
    """Any operation of Application Auto Scaling: what it scales is a condition's to look at."""
    keys = (("ServiceNamespace", "service-namespace"), ("ScalableDimension", "scalable-dimension"))
    values = {f"application-autoscaling:{key}": (ask.text(name),) for name, key in keys if ask.text(name)}
    return on([], values)


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
