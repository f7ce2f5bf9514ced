"""The HTTP side of 169.254.170.2: which task asks, and for what.

Paths name a container by a key that cannot be guessed: a container that can reach the address learns nothing about
the tasks beside it.
"""

import hmac
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import unquote

import msgspec

from longshore.api.access.access import Access
from longshore.api.app import Receive, Scopes, Send, send_response
from longshore.api.task_endpoint.metadata import container_metadata, task_metadata, with_tags
from longshore.decide.ecs.roles import TASK_ROLE, UNASSUMABLE, assumable, role_arn
from longshore.domain.clock import Clock
from longshore.domain.ecs.launch import TaskLaunch
from longshore.domain.ecs.task import Container, Task
from longshore.domain.ecs.task_definition import TaskDefinition, task_definition_key_of
from longshore.domain.iam import Role, iam_arn
from longshore.store.store import Store
from longshore.wire.http import HttpResponse

ADDRESS = "169.254.170.2"
DEFAULT_ROLE = "longshore-task"
"""The role of tasks that name none, where roles need not exist: they may speak to Longshore as everybody may."""
EXECUTION_ENVIRONMENTS = {"FARGATE": "AWS_ECS_FARGATE", "EC2": "AWS_ECS_EC2", "EXTERNAL": "AWS_ECS_EXTERNAL"}

Stats = Callable[[str], Awaitable[Mapping[str, Mapping[str, Any]]]]


async def _no_stats(_task_id: str) -> Mapping[str, Mapping[str, Any]]:
    return {}


class TaskEndpoint:
    """Answers tasks, from the store."""

    def __init__(self, store: Store, access: Access, clock: Clock) -> None:
        self._store = store
        self._access = access
        self._credentials = access.credentials
        self._clock = clock
        self.stats: Stats = _no_stats
        """The engine's statistics; set by `main` once there is an engine."""

    def environment_for(self, launch: TaskLaunch, container: str, *, api_port: int) -> dict[str, str]:
        """What every container is told, unless its definition says otherwise."""
        key = self.key(launch.task_id, container)
        credentials = f"/v2/credentials/{key}"
        return {
            **({"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": credentials} if self._has_role(launch.task_id) else {}),
            "ECS_CONTAINER_METADATA_URI": f"http://{ADDRESS}/v3/{key}",
            "ECS_CONTAINER_METADATA_URI_V4": f"http://{ADDRESS}/v4/{key}",
            "ECS_AGENT_URI": f"http://{ADDRESS}/api/{key}",
            "AWS_EXECUTION_ENV": EXECUTION_ENVIRONMENTS.get(launch.launch_type, "AWS_ECS_EC2"),
            "AWS_REGION": launch.region,
            "AWS_DEFAULT_REGION": launch.region,
            "AWS_ENDPOINT_URL": f"http://{ADDRESS}:{api_port}",
        }

    def key(self, task_id: str, container: str) -> str:
        """A container's name in paths: the task's id, the container's place, and a part that can't be guessed."""
        secret = self._credentials.path_key("task-endpoint", f"{task_id}/{container}")
        return f"{task_id}-{secret}"

    async def app(self, scope: Scopes, _receive: Receive, send: Send) -> None:
        """The ASGI application. No path takes a body, so none is waited for."""
        if scope["type"] != "http":
            return
        await send_response(send, await self.answer(scope["method"], unquote(scope["path"])))

    async def answer(self, method: str, path: str) -> HttpResponse:
        """The answer to a path."""
        parts = [part for part in path.split("/") if part]
        if parts[:2] == ["v2", "credentials"] and len(parts) == 3:
            parts = ["credentials", parts[2]]
        if len(parts) < 2:
            return _missing(path)
        found = self._find(parts[1])
        if found is None:
            return _missing(path)
        task, container = found
        kind, rest = parts[0], "/".join(parts[2:])
        if kind == "credentials" and method == "GET" and not rest:
            return self._task_credentials(task)
        if kind in {"v3", "v4"} and method == "GET":
            return await self._metadata(task, container, rest, int(kind[1:]), path)
        if kind == "api" and rest == "task-protection/v1/state":
            return _json(400, _protection_unserved(task))
        return _missing(path)

    async def _metadata(self, task: Task, container: Container, rest: str, version: int, path: str) -> HttpResponse:
        match rest:
            case "":
                definition = self._store.get(TaskDefinition, task_definition_key_of(task.task_definition_arn))
                return _json(200, container_metadata(self._store, task, container, definition, version=version))
            case "task":
                return _json(200, task_metadata(self._store, task, version=version))
            case "taskWithTags":
                return _json(200, with_tags(task_metadata(self._store, task, version=version), task.tags))
            case "stats":
                return _json(200, (await self.stats(task.task_id)).get(container.name, {}))
            case "task/stats":
                stats = await self.stats(task.task_id)
                return _json(200, {c.runtime_id: stats.get(c.name) for c in task.containers if c.runtime_id})
        return _missing(path)

    def _find(self, key: str) -> tuple[Task, Container] | None:
        task_id = key.partition("-")[0]
        for task in self._store.select(Task, "id", (task_id,)):
            for container in task.containers:
                if task.live and hmac.compare_digest(self.key(task_id, container.name).encode(), key.encode()):
                    return task, container
        return None

    def _has_role(self, task_id: str) -> bool:
        """Whether a task is given credentials: where roles must exist only one that names a role, as on AWS."""
        return any(self._role(task) for task in self._store.select(Task, "id", (task_id,)))

    def _role(self, task: Task) -> str:
        """The ARN of a task's role, or nothing."""
        definition = self._store.get(TaskDefinition, task_definition_key_of(task.task_definition_arn))
        given = role_arn(TASK_ROLE, task.account, task.overrides, definition.document if definition else {})
        return given or ("" if self._access.enforce else iam_arn(task.account, f"role/{DEFAULT_ROLE}"))

    def _task_credentials(self, task: Task) -> HttpResponse:
        role = self._role(task)
        if not role:
            return _refused("NoIamRole", "The task has no task role, so there are no credentials for it.")
        if self._access.enforce and not assumable(lambda key: self._store.get(Role, key), role, task.account, task.arn):
            return _refused("InvalidIamRole", UNASSUMABLE.format(arn=role))
        return _json(200, self._credentials.for_task(task.arn, role, self._clock.now()))


def _protection_unserved(task: Task) -> dict[str, Any]:
    text = "Longshore doesn't serve task protection yet: the task is not protected."
    return {"error": {"Arn": task.arn, "Code": "UnsupportedFeatureException", "Message": text}}


def _refused(code: str, message: str) -> HttpResponse:
    return _json(400, {"code": code, "message": message, "HTTPErrorCode": 400})


def _missing(path: str) -> HttpResponse:
    return _json(404, {"code": "NotFound", "message": f"Nothing is known of {path!r}.", "HTTPErrorCode": 404})


def _json(status: int, document: Mapping[str, Any]) -> HttpResponse:
    return HttpResponse(status, [("content-type", "application/json")], msgspec.json.encode(document))
