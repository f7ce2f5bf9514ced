"""RunTask: standalone tasks, placed at once or refused at once.

The answer says what fits: a task for which the machine has no room is in `failures`, the others are in `tasks`. What
starts them is `control/ecs/tasks.py`.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from longshore.api.ecs import overrides as task_overrides
from longshore.api.ecs import placing, task_view
from longshore.api.ecs.lookup import find_cluster, find_runnable
from longshore.api.ecs.tags import checked_tags
from longshore.api.operation import Call, Operation
from longshore.decide.ecs.launch import resources_of
from longshore.decide.ecs.launching import TaskRequest, choose_subnet, new_task, room_for
from longshore.decide.ecs.roles import refused_role
from longshore.decide.ecs.served import INERT_OVERRIDES, UNSERVED_OVERRIDES
from longshore.domain.arn import ecs_arn
from longshore.domain.ecs.cluster import HOST_KEY, Cluster, Host
from longshore.domain.ecs.task import Task
from longshore.domain.ecs.task_definition import TaskDefinition, task_definition_key_of
from longshore.domain.iam import Role
from longshore.domain.tag import Tags
from longshore.wire.errors import ApiError

MAX_COUNT = 10
STARTED_BY = re.compile(r"[A-Za-z0-9_/-]{0,128}")
CLIENT_TOKEN = re.compile(r"[!-~]{1,64}")
DAY_S = 86400.0
HOUR_S = 3600.0


def run_task(call: Call) -> dict[str, Any]:
    """RunTask."""
    cluster = find_cluster(call)
    digest = _digest(call.params) if call.params.get("clientToken") else ""
    earlier = _earlier(call, cluster)
    if earlier:
        return _replay(call, earlier, digest)
    definition = find_runnable(call, call.params["taskDefinition"])
    request = _request(call, cluster, definition, digest)
    _check_roles(call, request)
    return _launch(call, request, _count(call))


def _request(call: Call, cluster: Cluster, definition: TaskDefinition, digest: str) -> TaskRequest:
    params = call.params
    launch_type = placing.launch_type(definition, params.get("launchType"))
    overrides = task_overrides.checked(definition, params.get("overrides"))
    cpu_units, _ = resources_of(definition, overrides)
    version = placing.platform_version(definition, params.get("platformVersion"), cpu_units)
    network = placing.network_configuration(call, definition, params.get("networkConfiguration"))
    placing.check_served(call, definition)
    return TaskRequest(
        cluster=cluster,
        definition=definition,
        launch_type=launch_type,
        platform_version=version,
        network_configuration=placing.with_default_group(call, network),
        overrides=overrides,
        group=_group(params),
        started_by=_started_by(params),
        client_token=params.get("clientToken", ""),
        digest=digest,
        tags=_tags(call, cluster, definition),
    )


def _check_roles(call: Call, request: TaskRequest) -> None:
    """Raise where roles must exist and one doesn't, or doesn't trust ECS's tasks."""
    if not call.access.enforce:
        return
    document = request.definition.document
    task_arn = ecs_arn(call.scope, "task", request.cluster.name, "*")
    reason = refused_role(lambda key: call.tx.get(Role, key), task_arn, call.scope.account, request.overrides, document)
    if reason is not None:
        raise ApiError("ClientException", reason)


def _launch(call: Call, request: TaskRequest, count: int) -> dict[str, Any]:
    subnets = placing.subnets_of(call, request.network_configuration)
    chance = call.ids.choice(len(subnets)) if subnets else 0
    tasks_in: dict[str, int] = {}
    tasks: list[dict[str, Any]] = []
    failures: list[dict[str, Any]] = []
    room = _Room(call)
    for _ in range(count):
        subnet = choose_subnet(subnets, tasks_in, chance) if subnets else None
        task = new_task(request, subnet=subnet, ids=call.ids, now=call.now)
        failure = room.take(task)
        if failure is not None:
            failures.append(failure)
            continue
        if subnet is not None:
            tasks_in[subnet.subnet_id] = tasks_in.get(subnet.subnet_id, 0) + 1
        call.tx.put(task)
        tasks.append(task_view.task(task, request.definition, include_tags=True))
    return {"tasks": tasks, "failures": failures}


class _Room:
    """What of the machine is taken, asked of the store once and then counted along."""

    def __init__(self, call: Call) -> None:
        self._host = call.tx.get(Host, HOST_KEY)
        self._cpu_used = call.tx.tally(Task, "cpu_units", ())
        self._memory_used = call.tx.tally(Task, "memory_mib", ())

    def take(self, task: Task) -> dict[str, Any] | None:
        """None where there is room for the task, which then has it; else an entry of `failures`."""
        host, cpu_used, memory_used = self._host, self._cpu_used, self._memory_used
        reason = room_for(
            host, cpu_used=cpu_used, memory_used=memory_used, cpu_units=task.cpu_units, memory_mib=task.memory_mib
        )
        if reason is None:
            self._cpu_used += task.cpu_units
            self._memory_used += task.memory_mib
            return None
        if host is None:
            detail = "The engine has not reported what its machine can carry yet. Try again in a moment."
        else:
            free_cpu, free_memory = max(0, host.cpu_units - cpu_used), max(0, host.memory_mib - memory_used)
            detail = (
                f"The task needs {task.cpu_units} CPU units and {task.memory_mib} MiB of memory; {free_cpu} CPU units "
                f"and {free_memory} MiB are free. Stop other tasks, or ask for less."
            )
        return {"reason": reason, "detail": detail}


def _count(call: Call) -> int:
    count = call.params.get("count")
    if count is None:
        return 1
    if not 1 <= count <= MAX_COUNT:
        raise ApiError("InvalidParameterException", f"count should be between 1 and {MAX_COUNT}")
    return int(count)


def _group(params: Mapping[str, Any]) -> str:
    group: str = params.get("group") or ""
    if len(group) > 255:
        raise ApiError("InvalidParameterException", "group should be no longer than 255 characters")
    return group


def _started_by(params: Mapping[str, Any]) -> str:
    started_by: str = params.get("startedBy") or ""
    if not STARTED_BY.fullmatch(started_by):
        text = "startedBy can have up to 128 letters, digits, hyphens, slashes and underscores."
        raise ApiError("InvalidParameterException", text)
    return started_by


def _tags(call: Call, cluster: Cluster, definition: TaskDefinition) -> Tags:
    """The tags a standalone task begins with: the definition's where they propagate, the caller's over them."""
    propagate = call.params.get("propagateTags")
    if propagate == "SERVICE":
        text = "propagateTags SERVICE is for services: RunTask takes TASK_DEFINITION or NONE."
        raise ApiError("InvalidParameterException", text)
    tags: Tags = dict(definition.tags) if propagate == "TASK_DEFINITION" else {}
    tags.update(checked_tags(call.params.get("tags")))
    if call.params.get("enableECSManagedTags"):
        tags["aws:ecs:clusterName"] = cluster.name
    return tags


def _digest(params: Mapping[str, Any]) -> str:
    """Tells a repeated request from a different one. The cluster is where the token is looked for, so not part."""
    asked = {name: value for name, value in params.items() if name not in {"clientToken", "cluster"}}
    return hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()[:32]


def _earlier(call: Call, cluster: Cluster) -> list[Task]:
    """The tasks that the same client token made, while it is remembered.

    ECS remembers it for a day, or until an hour after the last of its tasks stopped if that is sooner.
    """
    token = call.params.get("clientToken")
    if not token:
        return []
    if not CLIENT_TOKEN.fullmatch(token):
        text = "clientToken can have up to 64 ASCII characters, from 33 to 126."
        raise ApiError("InvalidParameterException", text)
    tasks = call.tx.select(Task, "token", (*cluster.scope, cluster.name, token))
    newest = max((task.created_at for task in tasks), default=0.0)
    batch = [task for task in tasks if task.created_at == newest]
    stopped = all(not task.live and call.now >= (task.stopped_at or 0.0) + HOUR_S for task in batch)
    return [] if stopped or call.now >= newest + DAY_S else sorted(batch, key=lambda task: task.task_id)


def _replay(call: Call, tasks: list[Task], digest: str) -> dict[str, Any]:
    if any(task.request_digest != digest for task in tasks):
        text = "A request with the same client token but different parameters has run tasks already. Use a new token."
        raise ApiError("ConflictException", text, members={"resourceIds": [task.arn for task in tasks]})
    views = [
        task_view.remembered(task, call.tx.get(TaskDefinition, task_definition_key_of(task.task_definition_arn)))
        for task in tasks
    ]
    return {"tasks": views, "failures": []}


OPERATION = Operation(
    run_task,
    refuses={
        **placing.NOT_SERVED,
        **{f"overrides.{path}": text for path, text in UNSERVED_OVERRIDES.items()},
    },
    allowed=placing.ALLOWED,
    inert={
        **placing.INERT,
        **{f"overrides.{path}": text for path, text in INERT_OVERRIDES.items()},
        "referenceId": "It would only be repeated in EventBridge events, which are not served yet.",
    },
)
