"""Which resources an operation of ECS is about, and what its conditions may look at.

Which operation has which resources: the service authorization reference of Amazon ECS.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from longshore.api.access.asking import ANY, Ask, Need, On, Rule, on
from longshore.domain.arn import Arn, ecs_arn, ecs_names
from longshore.domain.ecs.service import Service
from longshore.domain.ecs.task_definition import TaskDefinition, TaskDefinitionFamily, task_definition_key
from longshore.domain.iam import TASK_SESSIONS, iam_arn

DEFAULT_CLUSTER = "default"
ROLES = ("taskRoleArn", "executionRoleArn")


def _reference(ask: Ask, reference: str, kind: str) -> str:
    """The ARN of a cluster, as it is given or of its name."""
    if reference.startswith("arn:"):
        return reference
    return ecs_arn(ask.scope, kind, reference.removeprefix(f"{kind}/"))


def _cluster(ask: Ask) -> str:
    """The ARN of the cluster that a request is in."""
    return _reference(ask, ask.text("cluster") or DEFAULT_CLUSTER, "cluster")


def _in_cluster(ask: Ask, kind: str, references: Iterable[str]) -> list[str]:
    """The ARNs of tasks or services; those in the short format get their cluster's name."""
    cluster = _cluster(ask).rpartition("/")[2]
    found = []
    for reference in references:
        names = ecs_names(reference, kind)
        arn = Arn.parse(reference)
        if arn is not None and len(names) != 1:
            found.append(reference)
        else:
            found.append(ecs_arn(arn.scope if arn else ask.scope, kind, cluster, names[-1] if names else reference))
    return found


def _definition(ask: Ask, reference: str) -> tuple[str, Mapping[str, Any]]:
    """The ARN of a task definition, the latest revision where none is named; and its document, if it is there."""
    path = ecs_names(reference, "task-definition")
    family, colon, digits = (path[0] if path else reference).partition(":")
    known = ask.reader.get(TaskDefinitionFamily, (*ask.scope, family))
    number = int(digits[:9]) if digits.isascii() and digits.isdecimal() else known.last_revision if known else 0
    found = ask.reader.get(TaskDefinition, task_definition_key(ask.scope, family, number))
    if found is not None and (colon or found.status == "ACTIVE"):
        return found.arn, found.document
    if found is not None:
        active = ask.reader.select(TaskDefinition, "family_status", (*ask.scope, family, "ACTIVE"))
        if active:
            latest = max(active, key=lambda definition: definition.revision)
            return latest.arn, latest.document
    return (reference if reference.startswith("arn:") else ecs_arn(ask.scope, "task-definition", reference)), {}


def _passed(ask: Ask, *documents: Mapping[str, Any]) -> list[Need]:
    """The roles that a task is given: whoever gives them must be allowed to. The first document that names one wins."""
    needs = []
    for name in ROLES:
        role = next((str(document[name]) for document in documents if document.get(name)), "")
        if role:
            arn = role if role.startswith("arn:") else iam_arn(ask.scope.account, f"role/{role}")
            needs.append(Need("iam:PassRole", arn, values={"iam:passedtoservice": (TASK_SESSIONS,)}))
    return needs


def _clusters(name: str) -> Rule:
    def rule(ask: Ask) -> On:
        return on(_reference(ask, each, "cluster") for each in ask.texts(name) or [DEFAULT_CLUSTER])

    return rule


def _new_cluster(ask: Ask) -> On:
    return on([ecs_arn(ask.scope, "cluster", ask.text("clusterName") or DEFAULT_CLUSTER)])


def _own_cluster(ask: Ask) -> On:
    return on([_cluster(ask)])


def _within(ask: Ask) -> On:
    """Lists: no resource, but a cluster that conditions may look at."""
    return on([], {"ecs:cluster": (_cluster(ask),)})


def _tasks(*names: str) -> Rule:
    def rule(ask: Ask) -> On:
        return on(_in_cluster(ask, "task", ask.texts(*names)), {"ecs:cluster": (_cluster(ask),)})

    return rule


def _execute(ask: Ask) -> On:
    return on([_cluster(ask), *_in_cluster(ask, "task", ask.texts("task"))], {"ecs:cluster": (_cluster(ask),)})


def _services(*names: str) -> Rule:
    def rule(ask: Ask) -> On:
        return on(_in_cluster(ask, "service", ask.texts(*names)), {"ecs:cluster": (_cluster(ask),)})

    return rule


def _change_service(name: str) -> Rule:
    """CreateService and UpdateService: what they run and with which roles, too."""

    def rule(ask: Ask) -> On:
        arns = _in_cluster(ask, "service", ask.texts(name))
        values: dict[str, tuple[str, ...]] = {"ecs:cluster": (_cluster(ask),)}
        more: list[Need] = []
        given = ask.text("taskDefinition")
        if given:
            arn, document = _definition(ask, given)
            values["ecs:task-definition"] = (arn,)
            more = _passed(ask, document)
        values |= _flags(ask)
        return on(arns, values, more)

    return rule


def _flags(ask: Ask) -> dict[str, tuple[str, ...]]:
    """What conditions may look at of how tasks are run."""
    flags = {
        "ecs:enable-execute-command": ask.params.get("enableExecuteCommand"),
        "ecs:enable-ecs-managed-tags": ask.params.get("enableECSManagedTags"),
        "ecs:propagate-tags": ask.params.get("propagateTags"),
    }
    values: dict[str, tuple[str, ...]] = {
        key: (str(value).lower() if isinstance(value, bool) else str(value),) for key, value in flags.items() if value
    }
    providers = [
        str(each.get("capacityProvider"))
        for each in ask.params.get("capacityProviderStrategy") or ()
        if isinstance(each, Mapping)
    ]
    if providers:
        values["ecs:capacity-provider"] = tuple(
            _reference(ask, provider, "capacity-provider") for provider in providers
        )
    return values


def _run(ask: Ask) -> On:
    """RunTask and StartTask: the roles are those of the definition, or of its overrides."""
    arn, document = _definition(ask, ask.text("taskDefinition"))
    overrides = ask.params.get("overrides") or {}
    values = {"ecs:cluster": (_cluster(ask),), **_flags(ask)}
    return on([arn], values, _passed(ask, overrides, document))


def _register(ask: Ask) -> On:
    values = {
        key: (str(ask.params[name]),)
        for key, name in (("ecs:task-cpu", "cpu"), ("ecs:task-memory", "memory"))
        if ask.params.get(name)
    }
    return on([ecs_arn(ask.scope, "task-definition", f"{ask.text('family')}:*")], values, _passed(ask, ask.params))


def _definitions(ask: Ask) -> On:
    return on(_definition(ask, each)[0] for each in ask.texts("taskDefinitions"))


def _instances(ask: Ask) -> On:
    found = _in_cluster(ask, "container-instance", ask.texts("containerInstance", "containerInstances"))
    return on(found, {"ecs:cluster": (_cluster(ask),)})


def _as_named(name: str) -> Rule:
    def rule(ask: Ask) -> On:
        return on(each for each in ask.texts(name) if each.startswith("arn:"))

    return rule


def _providers(ask: Ask) -> On:
    found = ask.texts("capacityProvider", "capacityProviders", "name")
    return on(_reference(ask, each, "capacity-provider") for each in found)


def _task_sets(ask: Ask) -> On:
    """Task sets, and the service that they are of."""
    cluster = _cluster(ask)
    [service] = _in_cluster(ask, "service", [ask.text("service")])
    path = f"{cluster.rpartition('/')[2]}/{service.rpartition('/')[2]}"
    ids = ask.texts("taskSet", "taskSets", "primaryTaskSet") or [ANY]
    arns = [each if each.startswith("arn:") else ecs_arn(ask.scope, "task-set", path, each) for each in ids]
    more: list[Need] = []
    if ask.text("taskDefinition"):
        more = _passed(ask, _definition(ask, ask.text("taskDefinition"))[1])
    return on(arns, {"ecs:cluster": (cluster,), "ecs:service": (service,)}, more)


def service_arn_of(ask: Ask, cluster: str, name: str) -> str:
    """The ARN of a service, for what names it by its parts (Application Auto Scaling's resource ids)."""
    found = ask.reader.get(Service, (*ask.scope, cluster, name))
    return found.arn if found else ecs_arn(ask.scope, "service", cluster, name)


RULES: dict[str, Rule] = {
    "CreateCluster": _new_cluster,
    "CreateService": _change_service("serviceName"),
    "CreateTaskSet": _task_sets,
    "DeleteAttributes": _own_cluster,
    "DeleteCapacityProvider": _providers,
    "DeleteCluster": _own_cluster,
    "DeleteService": _services("service"),
    "DeleteTaskDefinitions": _definitions,
    "DeleteTaskSet": _task_sets,
    "DeregisterContainerInstance": _instances,
    "DescribeCapacityProviders": _providers,
    "DescribeClusters": _clusters("clusters"),
    "DescribeContainerInstances": _instances,
    "DescribeServiceDeployments": _as_named("serviceDeploymentArns"),
    "DescribeServiceRevisions": _as_named("serviceRevisionArns"),
    "DescribeServices": _services("services"),
    "DescribeTaskSets": _task_sets,
    "DescribeTasks": _tasks("tasks"),
    "ExecuteCommand": _execute,
    "GetTaskProtection": _tasks("tasks"),
    "ListAttributes": _own_cluster,
    "ListContainerInstances": _own_cluster,
    "ListServiceDeployments": _services("service"),
    "ListServices": _within,
    "ListTagsForResource": _as_named("resourceArn"),
    "ListTasks": _instances,
    "PutAttributes": _own_cluster,
    "PutClusterCapacityProviders": _own_cluster,
    "RegisterContainerInstance": _own_cluster,
    "RegisterTaskDefinition": _register,
    "RunTask": _run,
    "StartTask": _run,
    "StopServiceDeployment": _as_named("serviceDeploymentArn"),
    "StopTask": _tasks("task"),
    "TagResource": _as_named("resourceArn"),
    "UntagResource": _as_named("resourceArn"),
    "UpdateCapacityProvider": _providers,
    "UpdateCluster": _own_cluster,
    "UpdateClusterSettings": _own_cluster,
    "UpdateContainerAgent": _instances,
    "UpdateContainerInstancesState": _instances,
    "UpdateService": _change_service("service"),
    "UpdateServicePrimaryTaskSet": _task_sets,
    "UpdateTaskProtection": _tasks("tasks"),
    "UpdateTaskSet": _task_sets,
}
"""Operations that are not here have no resource: a policy allows them on `*`."""
