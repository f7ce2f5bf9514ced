"""`longshore logs`: what a service's or a task's containers print, without looking up group and stream names first."""

import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from longshore.cli.client import Server

POLL_S = 0.5


class Stream(NamedTuple):
    """A container's log stream."""

    group: str
    name: str
    label: str


class NothingToShowError(Exception):
    """Says what was looked for and what to do."""


def lines(server: Server, cluster: str, name: str, *, follow: bool) -> Iterator[tuple[str, float, str]]:
    """`(label, epoch seconds, message)` of a service (by name) or a task (by id or the beginning of it)."""
    ecs, logs = server.client("ecs"), server.client("logs")
    after: dict[Stream, set[str]] = {}
    start_ms: dict[Stream, int] = {}
    while True:
        streams = _streams(ecs, cluster, name)
        if not streams and not follow:
            raise NothingToShowError(
                f"No task of {name!r} with the log driver awslogs was found in cluster {cluster!r}. "
                "`longshore status` lists services and tasks; logs need `logConfiguration` in the task definition."
            )
        for stream in streams:
            seen = after.setdefault(stream, set())
            for event in _events(logs, stream, start_ms.get(stream, 0)):
                if event["eventId"] not in seen:
                    seen.add(event["eventId"])
                    start_ms[stream] = max(start_ms.get(stream, 0), event["timestamp"])
                    yield stream.label, event["timestamp"] / 1000, event["message"]
        if not follow:
            return
        time.sleep(POLL_S)


def _events(logs: Any, stream: Stream, start_ms: int) -> Iterator[dict[str, Any]]:
    pages = logs.get_paginator("filter_log_events")
    try:
        for page in pages.paginate(logGroupName=stream.group, logStreamNames=[stream.name], startTime=start_ms):
            yield from page["events"]
    except logs.exceptions.ResourceNotFoundException:
        return  # the container has not printed anything yet


def _streams(ecs: Any, cluster: str, name: str) -> list[Stream]:
    found = []
    for task in _tasks(ecs, cluster, name):
        definition = ecs.describe_task_definition(taskDefinition=task["taskDefinitionArn"])["taskDefinition"]
        task_id = task["taskArn"].rpartition("/")[2]
        for container in definition["containerDefinitions"]:
            options = (container.get("logConfiguration") or {}).get("options", {})
            if "awslogs-group" in options and "awslogs-stream-prefix" in options:
                stream = f"{options['awslogs-stream-prefix']}/{container['name']}/{task_id}"
                found.append(Stream(options["awslogs-group"], stream, f"{task_id[:8]} {container['name']}"))
    return found


def _tasks(ecs: Any, cluster: str, name: str) -> list[dict[str, Any]]:
    arns = []
    for desired in ("STOPPED", "RUNNING"):
        pages = ecs.get_paginator("list_tasks").paginate(cluster=cluster, desiredStatus=desired)
        arns += [arn for page in pages for arn in page["taskArns"]]
    tasks: list[dict[str, Any]] = []
    for start in range(0, len(arns), 100):
        tasks += ecs.describe_tasks(cluster=cluster, tasks=arns[start : start + 100])["tasks"]
    return [
        task
        for task in tasks
        if task.get("group") == f"service:{name}"
        or (len(name) >= 6 and task["taskArn"].rpartition("/")[2].startswith(name))
    ]
