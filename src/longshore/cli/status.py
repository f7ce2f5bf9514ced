"""`longshore status`: clusters, services and tasks at a glance, and why something is not running."""

from collections.abc import Iterator
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from longshore.cli.client import Server

COLOURS = {"RUNNING": "green", "ACTIVE": "green", "COMPLETED": "green", "STOPPED": "dim", "FAILED": "red"}
STOPPED_SHOWN = 5


def render(server: Server, now: float) -> RenderableType:
    """One picture of everything."""
    ecs = server.client("ecs")
    arns = [arn for page in ecs.get_paginator("list_clusters").paginate() for arn in page["clusterArns"]]
    if not arns:
        return Text("No clusters yet. Make one:  aws ecs create-cluster --cluster-name default", style="yellow")
    parts: list[RenderableType] = []
    for start in range(0, len(arns), 100):
        for cluster in ecs.describe_clusters(clusters=arns[start : start + 100])["clusters"]:
            parts += _cluster(ecs, cluster, now)
    parts += _recorded(server)
    return Group(*parts)


def _recorded(server: Server) -> Iterator[Text]:
    """What users may think is acted on, and is not yet."""
    scaling, cloudwatch = server.client("application-autoscaling"), server.client("cloudwatch")
    counts = {
        "scalable target": _count(scaling, "describe_scalable_targets", "ScalableTargets", ServiceNamespace="ecs"),
        "scaling policy": _count(scaling, "describe_scaling_policies", "ScalingPolicies", ServiceNamespace="ecs"),
        "scheduled action": _count(scaling, "describe_scheduled_actions", "ScheduledActions", ServiceNamespace="ecs"),
        "alarm": sum(
            _count(cloudwatch, "describe_alarms", f"{kind}s", AlarmTypes=[kind])
            for kind in ("MetricAlarm", "CompositeAlarm")
        ),
    }
    said = [f"{count} {_plural(noun) if count > 1 else noun}" for noun, count in counts.items() if count]
    if said:
        yield Text(f"  ! recorded, not acted on yet: {', '.join(said)}", style="yellow")


def _count(client: Any, operation: str, member: str, **asked: Any) -> int:
    return sum(len(page[member]) for page in client.get_paginator(operation).paginate(**asked))


def _plural(noun: str) -> str:
    return f"{noun.removesuffix('y')}ies" if noun.endswith("y") else f"{noun}s"


def _cluster(ecs: Any, cluster: dict[str, Any], now: float) -> Iterator[RenderableType]:
    name = cluster["clusterName"]
    yield Text.assemble(
        ("cluster ", "dim"),
        (name, "bold"),
        f"  {cluster['runningTasksCount']} running, {cluster['pendingTasksCount']} pending",
    )
    services = list(_services(ecs, name))
    if services:
        yield _service_table(services, now)
    live = list(_tasks(ecs, name, "RUNNING"))
    stopped = sorted(_tasks(ecs, name, "STOPPED"), key=lambda task: task.get("stoppedAt", task["createdAt"]))
    if live or stopped:
        yield _task_table([*live, *stopped[-STOPPED_SHOWN:]], now)
    yield from (Text(f"  ! {line}", style="yellow") for line in _troubles(services, stopped))


def _services(ecs: Any, cluster: str) -> Iterator[dict[str, Any]]:
    for page in ecs.get_paginator("list_services").paginate(cluster=cluster, maxResults=10):
        if page["serviceArns"]:
            yield from ecs.describe_services(cluster=cluster, services=page["serviceArns"])["services"]


def _tasks(ecs: Any, cluster: str, desired: str) -> Iterator[dict[str, Any]]:
    for page in ecs.get_paginator("list_tasks").paginate(cluster=cluster, desiredStatus=desired):
        if page["taskArns"]:
            yield from ecs.describe_tasks(cluster=cluster, tasks=page["taskArns"])["tasks"]


def _service_table(services: list[dict[str, Any]], now: float) -> Table:
    table = _table("service", "status", "running", "pending", "task definition", "rollout", "last event")
    for service in services:
        primary: dict[str, Any] = next((d for d in service["deployments"] if d["status"] == "PRIMARY"), {})
        event = service["events"][0] if service["events"] else None
        table.add_row(
            service["serviceName"],
            _coloured(service["status"]),
            f"{service['runningCount']}/{service['desiredCount']}",
            str(service["pendingCount"]),
            service["taskDefinition"].rpartition("/")[2],
            _coloured(primary.get("rolloutState", "")),
            f"{_ago(event['createdAt'], now)}: {_short(event['message'])}" if event else "",
        )
    return table


def _task_table(tasks: list[dict[str, Any]], now: float) -> Table:
    table = _table("task", "of", "status", "health", "address", "age", "containers")
    for task in tasks:
        containers = ", ".join(_container(container) for container in task["containers"])
        table.add_row(
            task["taskArn"].rpartition("/")[2][:12],
            task.get("group", "").removeprefix("service:"),
            _coloured(task["lastStatus"]),
            task.get("healthStatus", "").replace("UNKNOWN", ""),
            _address(task),
            _ago(task["createdAt"], now),
            containers,
        )
    return table


def _container(container: dict[str, Any]) -> str:
    code = container.get("exitCode")
    return f"{container['name']} {container['lastStatus'].lower()}" + (f" ({code})" if code is not None else "")


def _address(task: dict[str, Any]) -> str:
    details = [detail for attachment in task["attachments"] for detail in attachment["details"]]
    return next((detail["value"] for detail in details if detail["name"] == "privateIPv4Address"), "")


def _troubles(services: list[dict[str, Any]], stopped: list[dict[str, Any]]) -> Iterator[str]:
    """Why something is not running, newest reason per service."""
    for service in services:
        if service["runningCount"] >= service["desiredCount"]:
            continue
        own = [task for task in stopped if task.get("group") == f"service:{service['serviceName']}"]
        if own:
            yield f"{service['serviceName']}: its last task stopped: {_why(own[-1])}"
        unable = [e["message"] for e in service["events"] if "unable" in e["message"] or "failed" in e["message"]]
        yield from unable[:1]


def _why(task: dict[str, Any]) -> str:
    reasons = [task.get("stoppedReason", "")]
    reasons += [f"{c['name']}: {c['reason']}" for c in task["containers"] if c.get("reason")]
    reasons += [f"{c['name']} exited with {c['exitCode']}" for c in task["containers"] if c.get("exitCode")]
    return "; ".join(dict.fromkeys(reason for reason in reasons if reason))


def _table(*columns: str) -> Table:
    table = Table(*columns, box=None, header_style="dim", padding=(0, 2, 0, 2))
    table.columns[-1].overflow = "fold"
    return table


def _coloured(status: str) -> Text:
    return Text(status, style=COLOURS.get(status, "yellow"))


def _short(message: str) -> str:
    return message.partition(") ")[2] or message


def _ago(when: Any, now: float) -> str:
    seconds = max(0, int(now - when.timestamp()))
    if seconds < 120:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"
