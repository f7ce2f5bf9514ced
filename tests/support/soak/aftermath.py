"""What must hold once the faults are over: all that was acknowledged is there, once, and nothing else is.

Looks only from outside: the AWS APIs, the Docker Engine, the kernel's cgroups.
"""

from __future__ import annotations

import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support import engine
from tests.support.server import LOG_GROUP, address, until
from tests.support.soak.user import LAST_WORD, NO_ANSWER, STOP_REASON

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tests.support.server import Server
    from tests.support.soak.user import Run, Serve, User

CGROUPS = Path("/sys/fs/cgroup")
PER_TASK = Counter({"app": 1, "~pause": 1})
CONVERGED_S = 120.0
Task = dict[str, Any]


class Aftermath:
    """Compares a server with what its user remembers."""

    def __init__(self, server: Server, user: User) -> None:
        self._server = server
        self._user = user
        self._ecs = server.ecs
        self._ec2 = server.client("ec2")
        self._logs = server.client("logs")
        self._stopped: dict[str, Task] = {}
        """Tasks found STOPPED and right: they cannot change any more."""
        self._seen_running: dict[str, tuple[str, datetime]] = {}
        self._excused_until = datetime.fromtimestamp(0, UTC)

    def excuse(self) -> None:
        """The Engine failed: a task made until now may have ended by it."""
        self._excused_until = datetime.fromtimestamp(time.time(), UTC)

    def settle(self) -> None:
        """Wait until all is as it must be; AssertionError with all that is not if it does not come to that."""
        found: list[str] = []

        def right() -> bool:
            try:
                found[:] = self.complaints()
            except NO_ANSWER as error:
                found[:] = [f"the server does not answer: {error}"]
            return not found

        try:
            until(right, "everything to be right", CONVERGED_S)
        except AssertionError as late:
            report = "\n  ".join(found)
            raise AssertionError(f"{late}; the server's output: {self._server.log}\n  {report}") from None

    def all_acknowledged(self) -> None:
        """Every task that was ever answered can still be described."""
        arns = [run.arn for run in self._user.runs]
        assert {task["taskArn"] for task in self._describe(arns)} == set(arns)

    def complaints(self) -> list[str]:
        """All that is not as it must be at the moment."""
        arns = self._listed()
        known = {**self._stopped, **{t["taskArn"]: t for t in self._describe([*(set(arns) - set(self._stopped))])}}
        tasks = [known[arn] for arn in arns if arn in known]
        live = {task["taskArn"]: task for task in tasks if task["lastStatus"] != "STOPPED"}
        complaints = [
            *self._of_runs(known, tasks),
            *(text for service in self._user.services for text in self._of_service(service, tasks)),
            *(text for task in tasks if task["taskArn"] not in self._stopped for text in self._of_task(task)),
            *self._of_containers(live),
            *self._of_leftovers(live),
        ]
        if not complaints:
            self._stopped |= {task["taskArn"]: task for task in tasks if task["lastStatus"] == "STOPPED"}
            self._seen_running = {arn: _identity(task) for arn, task in live.items()}
        return complaints

    # -------------------------------------------------------------------------------------------------- what is right

    def _of_runs(self, known: Mapping[str, Task], tasks: Iterable[Task]) -> Iterator[str]:
        """Each RunTask made one task, and nothing else did."""
        for run in self._user.runs:
            task = known.get(run.arn)
            if task is None:
                yield f"{run.arn} was acknowledged and is gone"
            elif task["lastStatus"] != ("STOPPED" if run.stopped or run.exit_code is not None else "RUNNING"):
                if not (task["lastStatus"] == "STOPPED" and self._excused(task)):
                    yield f"{run.arn} is {task['lastStatus']}"
            elif task["lastStatus"] == "STOPPED" and not self._excused(task) and run.arn not in self._stopped:
                yield from _wrong_end(run, task)
                yield from self._of_output(run)
        asked = {run.arn for run in self._user.runs}
        for task in tasks:
            if not task["group"].startswith("service:") and task["taskArn"] not in asked:
                yield f"{task['taskArn']} is more than was asked for"

    def _of_output(self, run: Run) -> Iterator[str]:
        """What a task that ended by itself printed is there, once."""
        if run.exit_code is None:
            return
        stream = f"t/app/{run.arn.rpartition('/')[2]}"
        try:
            events = self._logs.get_log_events(logGroupName=LOG_GROUP, logStreamName=stream)["events"]
        except self._logs.exceptions.ResourceNotFoundException:
            events = []
        if [event["message"] for event in events] != [LAST_WORD]:
            yield f"{run.arn} printed {LAST_WORD} once, and its log has {events}"

    def _of_service(self, service: Serve, tasks: Iterable[Task]) -> Iterator[str]:
        """A service has its tasks, all of its newest definition, and no other ever ended by itself."""
        (found,) = self._ecs.describe_services(services=[service.name])["services"]
        count = 0 if service.deleted else service.count
        wanted = ("INACTIVE" if service.deleted else "ACTIVE", count, 0, service.definition)
        state = (found["status"], found["runningCount"], found["pendingCount"], found["taskDefinition"])
        if state != wanted:
            yield f"service {service.name} is {state} and should be {wanted}: {_last_events(found)}"
        if not service.deleted and [d["rolloutState"] for d in found["deployments"]] != ["COMPLETED"]:
            yield f"service {service.name} has not completed its rollout: {found['deployments']}"
        own = [task for task in tasks if task["group"] == f"service:{service.name}"]
        running = [task["taskDefinitionArn"] for task in own if task["lastStatus"] == "RUNNING"]
        if running != [service.definition] * count:
            yield f"service {service.name} runs {running}"
        for task in own:
            by_itself = task["lastStatus"] == "STOPPED" and task["stopCode"] != "ServiceSchedulerInitiated"
            if by_itself and not self._excused(task):
                yield f"{task['taskArn']} of service {service.name} ended by itself: {task['stoppedReason']}"

    def _of_task(self, task: Task) -> Iterator[str]:
        """A task has come to rest; a stopped one says why; one that ran before the faults runs on unharmed."""
        arn, status = task["taskArn"], task["lastStatus"]
        if status not in {"RUNNING", "STOPPED"} or task["desiredStatus"] != status:
            yield f"{arn} is {status} and should be {task['desiredStatus']}"
        elif status == "STOPPED":
            if not task.get("stoppedReason") or not task.get("stopCode") or "stoppedAt" not in task:
                yield f"{arn} stopped without a reason: {task}"
            if any(container["lastStatus"] != "STOPPED" for container in task["containers"]):
                yield f"{arn} stopped with containers that did not: {task['containers']}"
        elif self._seen_running.get(arn, _identity(task)) != _identity(task):
            yield f"{arn} was started anew: {self._seen_running[arn]} became {_identity(task)}"

    def _of_containers(self, live: Mapping[str, Task]) -> Iterator[str]:
        """The Engine runs each live task's containers, once, with its address, and no other."""
        counts: dict[str, Counter[str]] = {}
        for container in self._server.containers():
            labels = container["Labels"]
            arn, name = labels.get("com.amazonaws.ecs.task-arn", ""), labels.get("longshore.container", "")
            counts.setdefault(arn, Counter())[name] += 1
            if container["State"] != "running":
                yield f"container {name} of {arn} is {container['State']}"
            if name == "~pause" and arn in live:
                networks = container["NetworkSettings"]["Networks"].values()
                if [network["IPAddress"] for network in networks] != [address(live[arn])]:
                    yield f"{arn} should have {address(live[arn])} and has {networks}"
        for arn in counts.keys() | live.keys():
            if counts.get(arn) != (PER_TASK if arn in live else None):
                yield f"the containers of {arn or 'no task'} are {dict(counts.get(arn, {}))}"

    def _of_leftovers(self, live: Mapping[str, Task]) -> Iterator[str]:
        """No network, volume, cgroup or address is left of what is not live."""
        instance = self._server.instance
        things = [t for t in engine.labelled(self._server.docker_url, "longshore.instance") if t.instance == instance]
        if len([thing for thing in things if thing.kind == "networks"]) > 1:
            yield f"there are several networks: {things}"
        yield from (f"volume {thing.name} is left" for thing in things if thing.kind == "volumes")
        ids = {arn.rpartition("/")[2] for arn in live}
        yield from (f"cgroup {folder} is left" for folder in task_cgroups(instance) if folder.name not in ids)
        taken = Counter(i["PrivateIpAddress"] for i in self._ec2.describe_network_interfaces()["NetworkInterfaces"])
        wanted = Counter(address(task) for task in live.values())
        if taken != wanted:
            yield f"addresses taken: {dict(taken)}; of live tasks: {dict(wanted)}"

    def _excused(self, task: Task) -> bool:
        created: datetime = task["createdAt"]
        return created < self._excused_until

    # -------------------------------------------------------------------------------------------------------- reading

    def _listed(self) -> list[str]:
        pages = self._ecs.get_paginator("list_tasks")
        return [
            arn
            for status in ("RUNNING", "STOPPED")
            for page in pages.paginate(cluster="default", desiredStatus=status)
            for arn in page["taskArns"]
        ]

    def _describe(self, arns: list[str]) -> Iterator[Task]:
        for start in range(0, len(arns), 100):
            yield from self._ecs.describe_tasks(tasks=arns[start : start + 100])["tasks"]


def task_cgroups(instance: str) -> Iterator[Path]:
    """The cgroups of an instance's tasks, in every hierarchy (cgroup v1) or the only one (v2)."""
    for hierarchy in (CGROUPS, *(entry for entry in CGROUPS.iterdir() if entry.is_dir() and not entry.is_symlink())):
        root = hierarchy / f"longshore-{instance}"
        if root.is_dir():
            yield from (entry for entry in root.iterdir() if entry.is_dir())


def _wrong_end(run: Run, task: Task) -> Iterator[str]:
    """A task ended as it was told to, or by itself with its own exit code."""
    if run.stopped:
        if (task["stopCode"], task["stoppedReason"]) != ("UserInitiated", STOP_REASON):
            yield f"{run.arn} should have been stopped by its user: {task['stopCode']} {task['stoppedReason']}"
    elif (task["stopCode"], task["containers"][0].get("exitCode")) != ("EssentialContainerExited", run.exit_code):
        yield f"{run.arn} should have ended with {run.exit_code}: {task['stoppedReason']} {task['containers']}"


def _identity(task: Task) -> tuple[str, datetime]:
    """What a start anew would change."""
    return task["containers"][0].get("runtimeId", ""), task.get("startedAt", datetime.max.replace(tzinfo=UTC))


def _last_events(service: Mapping[str, Any]) -> list[str]:
    return [event["message"] for event in service["events"][:5]]
