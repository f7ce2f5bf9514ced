"""What a caller means by the name or ARN of a task, a service or a deployment.

Called by the operations on them; reads the store, changes nothing. Clusters and task definitions are in `lookup.py`.
"""

from longshore.api.operation import Call
from longshore.domain.arn import Arn, ecs_names
from longshore.domain.ecs.cluster import Cluster
from longshore.domain.ecs.service import Deployment, Service
from longshore.domain.ecs.task import Task
from longshore.domain.record import Scope
from longshore.wire.errors import ApiError


def name_in(reference: str, resource_type: str, cluster: Cluster) -> str:
    """The last name of a reference: `web` of `web`, `…:service/web` and `…:service/default/web`.

    An ARN that names another cluster, account or region than the call is refused, as ECS does.
    """
    arn = Arn.parse(reference)
    names = ecs_names(reference, resource_type)
    if arn is None:
        names = tuple(reference.removeprefix(f"{resource_type}/").split("/"))
    if not names or not all(names) or len(names) > 2:
        raise ApiError("InvalidParameterException", f"Invalid identifier: '{reference}' is no {resource_type}.")
    if len(names) == 2 and names[0] != cluster.name:
        text = f"Invalid identifier: Identifier is for cluster {names[0]}. Your cluster is {cluster.name}"
        raise ApiError("InvalidParameterException", text)
    if arn is not None and arn.scope != cluster.scope:
        text = (
            f"Invalid identifier: Identifier is for account {arn.scope.account} in {arn.scope.region}. "
            f"Your cluster is in account {cluster.account} in {cluster.region}"
        )
        raise ApiError("InvalidParameterException", text)
    return names[-1]


def task_named(call: Call, cluster: Cluster, reference: str) -> Task | None:
    """The task, by id or ARN."""
    return call.tx.get(Task, (*cluster.scope, cluster.name, name_in(reference, "task", cluster)))


def service_named(call: Call, cluster: Cluster, reference: str) -> Service | None:
    """The service, by name or ARN."""
    return call.tx.get(Service, (*cluster.scope, cluster.name, name_in(reference, "service", cluster)))


def deployment_of(call: Call, arn: str) -> Deployment | None:
    """The deployment behind the ARN of a service deployment."""
    names = _names(call.scope, arn, "service-deployment")
    found = call.tx.select(Deployment, "service_deployment", (names[-1],))
    return next((d for d in found if d.service_deployment_arn == arn), None)


def revision_of(call: Call, arn: str) -> Deployment | None:
    """The deployment behind the ARN of a service revision."""
    names = _names(call.scope, arn, "service-revision")
    found = call.tx.get(Deployment, (*call.scope, names[-1]))
    return found if found is not None and found.revision_arn == arn else None


def _names(scope: Scope, reference: str, resource_type: str) -> tuple[str, ...]:
    arn = Arn.parse(reference)
    names = ecs_names(reference, resource_type)
    if arn is None or len(names) != 3 or not all(names):
        text = f"Invalid identifier: '{reference}' is not the ARN of a {resource_type}."
        raise ApiError("InvalidParameterException", text)
    if arn.scope != scope:
        text = f"Invalid identifier: '{reference}' is of another account or region than this call."
        raise ApiError("InvalidParameterException", text)
    return names
