"""StopTask, DescribeTasks and ListTasks; RunTask is in `run_task.py`.

A stop is only a wish here: `control/ecs/tasks.py` carries it out.
"""

from typing import Any

from longshore.api.ecs import run_task, task_view
from longshore.api.ecs.listing import listed
from longshore.api.ecs.lookup import find_cluster
from longshore.api.ecs.references import name_in, service_named, task_named
from longshore.api.operation import Call, Operation
from longshore.decide.ecs.task import request_stop
from longshore.domain.arn import ecs_arn
from longshore.domain.ecs.cluster import Cluster
from longshore.domain.ecs.task import Task
from longshore.domain.ecs.task_definition import TaskDefinition, task_definition_key_of
from longshore.domain.record import Key
from longshore.wire.errors import ApiError

MAX_DESCRIBED = 100
NOT_WITH_STARTED_BY = ("family", "serviceName", "launchType")
DEFAULT_REASON = "Task stopped by user"


def stop_task(call: Call) -> dict[str, Any]:
    """StopTask: the first wish names the reason; a task that is stopping or stopped is answered as it is."""
    cluster = find_cluster(call)
    task = task_named(call, cluster, call.params["task"])
    if task is None:
        raise ApiError("InvalidParameterException", "The referenced task was not found.")
    if task.live:
        task = request_stop(task, "UserInitiated", call.params.get("reason") or DEFAULT_REASON)
        call.tx.put(task)
    return {"task": task_view.task(task, _definition(call, task), include_tags=True)}


def describe_tasks(call: Call) -> dict[str, Any]:
    """DescribeTasks."""
    cluster = find_cluster(call)
    references = call.params["tasks"]
    if not references:
        raise ApiError("InvalidParameterException", "Tasks cannot be empty.")
    if len(references) > MAX_DESCRIBED:
        raise ApiError("InvalidParameterException", f"Tasks can have at most {MAX_DESCRIBED} items.")
    include_tags = "TAGS" in (call.params.get("include") or ())
    tasks, failures = [], []
    for reference in dict.fromkeys(references):
        task = task_named(call, cluster, reference)
        if task is None:
            missing = ecs_arn(cluster.scope, "task", cluster.name, name_in(reference, "task", cluster))
            failures.append({"arn": missing, "reason": "MISSING"})
        else:
            tasks.append(task_view.shown(task, _definition(call, task), include_tags))
    return {"tasks": tasks, "failures": failures}


def list_tasks(call: Call) -> dict[str, Any]:
    """ListTasks."""
    cluster = find_cluster(call)
    keys = sorted(_listed_keys(call, cluster))
    shown, token = listed(call, "ListTasks", keys, lambda key: key[-1])
    arns = [ecs_arn(cluster.scope, "task", cluster.name, key[-1]) for key in shown]
    return {"taskArns": arns, "nextToken": token}


def _listed_keys(call: Call, cluster: Cluster) -> list[Key]:
    """The keys that every filter lets through, found by the indexes of the filters given."""
    params = call.params
    desired = params.get("desiredStatus") or "RUNNING"
    place = (*cluster.scope, cluster.name)
    if params.get("startedBy") and any(params.get(name) for name in NOT_WITH_STARTED_BY):
        text = "startedBy must be the only filter: leave out family, serviceName and launchType."
        raise ApiError("InvalidParameterException", text)
    questions = []
    if params.get("startedBy"):
        questions.append(("started_by", params["startedBy"]))
    if params.get("serviceName"):
        service = service_named(call, cluster, params["serviceName"])
        if service is None:
            raise ApiError("ServiceNotFoundException", "Service not found.")
        questions.append(("service", service.name))
    if params.get("family"):
        questions.append(("family", params["family"]))
    if desired == "PENDING":  # ECS knows no task that is desired to be pending
        return []
    if params.get("launchType") not in {None, "FARGATE"}:  # no other launch type is served: there are no such tasks
        return []
    found = [call.tx.select_keys(Task, index, (*place, value, desired)) for index, value in questions]
    if not found:
        return call.tx.select_keys(Task, "desired", (*place, desired))
    return list(set(found[0]).intersection(*found[1:]))


def _definition(call: Call, task: Task) -> TaskDefinition | None:
    return call.tx.get(TaskDefinition, task_definition_key_of(task.task_definition_arn))


OPERATIONS: dict[str, Operation] = {
    "RunTask": run_task.OPERATION,
    "StopTask": Operation(stop_task),
    "DescribeTasks": Operation(describe_tasks),
    "ListTasks": Operation(
        list_tasks,
        refuses={
            "containerInstance": "Container instances are not served yet: leave the filter out.",
            "daemonName": "Daemons are not served: leave the filter out.",
        },
    ),
}
