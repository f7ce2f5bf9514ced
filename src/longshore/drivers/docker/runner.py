"""One task's life in Docker: prepare, start in order, watch, stop in order, remove.

The engine makes a runner per task, feeds it events and tells it to stop. The runner looks at what there is, begins
what may be begun, and waits to be woken: every step can be done again after an outage. It never decides whether the
task should run.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from longshore.domain.ecs.launch import ContainerLaunch, TaskLaunch, TaskObservation
from longshore.drivers.docker.client import DockerError, UnreachableError
from longshore.drivers.docker.containers import create_container, delete_container, inspect_container, joined
from longshore.drivers.docker.ground import Ground, TaskFailureError
from longshore.drivers.docker.images import PullError
from longshore.drivers.docker.inspect import HEALTH, failed_start
from longshore.drivers.docker.names import PAUSE
from longshore.drivers.docker.slot import Slot, new_slots
from longshore.drivers.docker.task_logs import TaskLogs
from longshore.drivers.docker.tools import Tools
from longshore.drivers.docker.translate import container_payload
from longshore.drivers.ending import cancelled
from longshore.drivers.ordering import next_starts, next_stops
from longshore.drivers.ports import Permanent

log = logging.getLogger(__name__)


class TaskRunner:
    """One task."""

    def __init__(self, tools: Tools, launch: TaskLaunch) -> None:
        self.launch = launch
        self._tools = tools
        self._slots = new_slots(launch)
        self._ground = Ground(tools, launch)
        self._namespace = self._ground.namespace
        self._ready = False
        """Whether what the task stands on is there."""
        self._stop_wanted = False
        self._failure = ""
        self.ended = False
        self._sequence = 0
        self._pulls: tuple[float | None, float | None] = (None, None)
        self._actions: dict[str, asyncio.Task[None]] = {}
        self._pulling: set[str] = set()
        self._logs = TaskLogs(tools, launch)
        self._wake = asyncio.Event()
        self._main: asyncio.Task[None] | None = None
        self._removing = False

    # ---------------------------------------------------------------------------------------- what the engine calls

    def begin(self) -> asyncio.Task[None]:
        """Start, or resume what `adopt` found. An exception of the returned asyncio task is a fault of ours."""
        self._main = asyncio.create_task(self._run(), name=f"task {self.launch.task_id}")
        return self._main

    def adopt(self, documents: list[dict[str, Any]]) -> None:
        """Take over containers that exist (their inspect documents), before `begin`."""
        pause_runs = not self._namespace.needed
        for document in documents:
            name = document["Config"]["Labels"].get("longshore.container", "")
            if name == PAUSE:
                pause_runs = self._namespace.adopt(document)
            elif name in self._slots:
                self._slots[name].update(self.launch, document)
        for slot in self._slots.values():
            self._settle(slot)
            if slot.was_started:
                self._follow(slot)
        started = any(slot.was_started for slot in self._slots.values())
        self._ready = started and pause_runs
        if self._ready:
            self._ground.volumes_made.set()
        if started:
            self._limit_cpu()
        if started and not pause_runs and any(not slot.over for slot in self._slots.values()):
            self._failure = (
                "ContainerNetworkingError: the network namespace of the task is gone from the Docker Engine."
            )
        self._report()

    async def adopt_proxy(self) -> None:
        """After `adopt`: take over the task's proxy, or start it anew. Raises DockerError, UnreachableError."""
        if self._ready:
            try:
                await self._ground.begin_proxy()
            except TaskFailureError as error:
                log.warning("task %s: %s", self.launch.task_id, error)

    def stop(self) -> None:
        """Begin to stop; idempotent."""
        self._stop_wanted = True
        if self.ended:
            self._report()
        self._wake.set()

    async def on_event(self, container: str, action: str, attributes: Mapping[str, str]) -> None:
        """Something happened to a container of the task. Raises DockerError, UnreachableError."""
        if self._removing:
            return
        if container == PAUSE:
            # Not every end is the end of the namespace: one that is not as it was asked for is replaced.
            if action in {"die", "destroy"} and await self._namespace.lost(ran=self._ready):
                self._lost_namespace()
            return
        slot = self._slots.get(container)
        if slot is None or self.ended:
            return
        if action.startswith("health_status"):
            if slot.running:
                slot.change(health=HEALTH.get(action.rpartition(": ")[2], "UNKNOWN"))
                self._news()
        elif action in {"die", "destroy", "restart"}:
            await self._look(slot, gone_with=attributes.get("exitCode"))

    async def resync(self) -> None:
        """After an outage: look at everything again. Raises UnreachableError."""
        if self._removing or self.ended:
            return
        for slot in list(self._slots.values()):
            if slot.created and not slot.over:
                was_running = slot.running
                await self._look(slot, gone_with=None)
                if was_running and slot.over and not slot.seen.reason:
                    slot.change(reason="The Docker Engine stopped while the container ran.")
        if await self._namespace.lost(ran=self._ready):
            self._lost_namespace()
        self._news()

    async def remove(self) -> None:
        """Remove all of the task; what it printed is delivered first. Raises DockerError, UnreachableError."""
        self._stop_wanted = True
        self._wake.set()
        if self._main is not None:
            await asyncio.wait([self._main])
        self._removing = True
        await self._logs.delivered()
        names = [slot.container.name for slot in self._slots.values()]
        await asyncio.gather(*(self._delete(name) for name in names))
        await self._ground.remove()

    async def close(self) -> None:
        """Let go without touching the containers."""
        await cancelled((self._main, *self._actions.values()))
        await self._logs.abandon()

    def runtime_ids(self) -> dict[str, str]:
        """The running containers by name."""
        return {name: slot.seen.runtime_id for name, slot in self._slots.items() if slot.running}

    # ------------------------------------------------------------------------------------------------- the main loop

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            self._drop_done()
            wake_at = None
            if self._stop_wanted or self._failure:
                self._advance_stop()
            else:
                wake_at = self._advance_start()
            if not self._actions and all(s.over for s in self._slots.values()):
                break
            delay = None if wake_at is None else max(0.0, wake_at - self._tools.clock.now())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), delay)
        self.ended = True
        self._report()

    def _advance_start(self) -> float | None:
        """Begin all that may be begun; when to look again."""
        if not self._ready:
            self._act("ready", self._prepare)
        for slot in self._slots.values():
            if slot.seen.status == "PENDING" and self._sources_created(slot.container):
                self._act(slot.container.name, lambda slot=slot: self._create(slot))  # type: ignore[misc]  # bound now
        for name, slot in self._slots.items():
            if slot.restart_due:
                self._act(name, lambda slot=slot: self._restart(slot))  # type: ignore[misc]  # bound now
        starts = next_starts(self.launch, self._observations(), self._tools.clock.now())
        for name, reason in starts.doomed:
            self._fail(self._slots[name], reason, whole_task=True)
        for name in starts.ready:
            slot = self._slots[name]
            if self._ready and slot.seen.status == "CREATED":
                self._act(name, lambda slot=slot: self._start(slot))  # type: ignore[misc]  # bound now
        return starts.wake_at

    def _advance_stop(self) -> None:
        """Stop what runs, dependents first; what was not started stays so."""
        for name in self._pulling:  # may take minutes and changes nothing; other calls are waited for
            self._actions[name].cancel()
        if "ready" in self._actions and not self._namespace.asked:
            self._actions["ready"].cancel()
        for name, slot in self._slots.items():
            if name not in self._actions and (slot.restart_due or not (slot.running or slot.over)):
                slot.restart_due = False
                slot.change(status="STOPPED")
        running = {name for name, slot in self._slots.items() if slot.running}
        for name in next_stops(self.launch, running):
            slot = self._slots[name]
            slot.stopping = True
            self._act(name, lambda slot=slot: self._stop(slot))  # type: ignore[misc]  # bound now

    def _act(self, key: str, step: Callable[[], Awaitable[None]]) -> None:
        """Begin a step unless one with this key is under way. An outage repeats it: steps are idempotent."""
        if key in self._actions:
            return

        async def repeat() -> None:
            try:
                while True:
                    try:
                        await step()
                        break
                    except UnreachableError:
                        await self._tools.reachable()
            finally:
                self._wake.set()

        self._actions[key] = asyncio.create_task(repeat(), name=f"{key} of task {self.launch.task_id}")

    def _drop_done(self) -> None:
        for key, task in list(self._actions.items()):
            if task.done():
                del self._actions[key]
                if not task.cancelled() and (error := task.exception()) is not None:
                    raise error  # a fault of ours: the runner ends, visibly

    # ----------------------------------------------------------------------------------------------------- the steps

    async def _prepare(self) -> None:
        """Make what the task stands on."""
        try:
            await self._ground.make()
        except (DockerError, OSError, Permanent) as error:
            self._failure = self._failure or f"ResourceInitializationError: {error}"
            self._news()
        except TaskFailureError as error:
            self._failure = self._failure or str(error)
            self._news()
        else:
            self._ready = True

    async def _create(self, slot: Slot) -> None:
        """Image, then container."""
        container, tools = slot.container, self._tools
        if missing := self._logs.missing(container):
            self._fail(slot, f"ResourceInitializationError: failed to validate logger args: {missing}")
            return
        self._pulling.add(container.name)
        began = tools.clock.now()
        try:
            image = await tools.images.ensure(container.image)
            ended = tools.clock.now()
            self._pulls = (min(self._pulls[0] or began, began), max(self._pulls[1] or ended, ended))
            facts = await tools.facts()
            await self._ground.volumes_made.wait()
            await self._namespace.created.wait()
        except PullError as error:
            self._fail(slot, f"CannotPullContainerError: {error}")
            return
        except (DockerError, Permanent) as error:
            self._fail(slot, f"CannotCreateContainerError: {error}")
            return
        finally:
            self._pulling.discard(container.name)
        environment = tools.task_environment(self.launch, container.name)
        body = container_payload(
            self.launch, container, facts, tools.names, environment=environment, pause=self._namespace.container_id
        )
        body["Image"] = image.name
        name = tools.names.container(self.launch.task_id, container.name)
        joins = joined(body["HostConfig"])
        try:
            container_id, document = await create_container(tools.client, name, body)
            if document is not None and _waits_for_another(document, joins):
                await delete_container(tools.client, container_id)
                container_id, document = await create_container(tools.client, name, body)
        except DockerError as error:
            if joins and joins != await self._pause(container):
                return  # it is not there any more: this is tried again with the one that is
            self._fail(slot, f"CannotCreateContainerError: {error.message}")
            return
        slot.joins = joins
        slot.change(runtime_id=container_id, image_digest=image.digest)
        if document is None:
            slot.change(status="CREATED", created_at=tools.clock.now())
        else:
            slot.update(self.launch, document)
            self._settle(slot)
            if slot.was_started:
                self._follow(slot)
                self._news()

    async def _pause(self, container: ContainerLaunch) -> str:
        """The id of the pause container, once it is the task's for good."""
        self._pulling.add(container.name)
        try:
            await self._namespace.settled.wait()
        finally:
            self._pulling.discard(container.name)
        return self._namespace.container_id

    async def _start(self, slot: Slot) -> None:
        container, tools = slot.container, self._tools
        container_id = slot.seen.runtime_id
        if slot.last_start is not None or slot.over:  # repeated after an outage, or overtaken by an event
            return
        if slot.joins not in {"", self._namespace.container_id}:
            slot.change(status="PENDING", runtime_id="")  # that namespace is not the task's: it is created anew
            return
        try:
            await tools.client.post(f"/containers/{container_id}/start")
        except UnreachableError:
            await tools.reachable()
            await self._look(slot, gone_with=None)
            return
        except DockerError as error:
            self._fail(slot, failed_start(error.message, container))
            return
        self._limit_cpu()
        if not slot.was_started:  # else the event of its end was quicker
            slot.last_start = tools.clock.now()
            slot.change(status="RUNNING", started_at=slot.last_start)
        self._follow(slot)
        if self.launch.network_mode in {"bridge", "host"} and container.ports:
            await self._look(slot, gone_with=None)
        self._news()

    def _limit_cpu(self) -> None:
        """Hold the task to its CPU once its first container runs (later calls do nothing). An error fails the task."""
        try:
            self._ground.limit_cpu()
        except OSError as error:
            self._failure = self._failure or f"ResourceInitializationError: {error}"

    async def _stop(self, slot: Slot) -> None:
        """The image's stop signal, then SIGKILL; Docker keeps the time."""
        try:
            timeout_s = slot.container.stop_timeout_s
            await self._tools.client.post(f"/containers/{slot.seen.runtime_id}/stop", endless=True, t=timeout_s)
        except DockerError as error:
            if error.status != 404:
                slot.change(reason=f"CannotStopContainerError: {error.message}")
                await self._tools.client.post(f"/containers/{slot.seen.runtime_id}/kill")
        await self._look(slot, gone_with=None)

    async def _restart(self, slot: Slot) -> None:
        """Start again in place, as the restart policy says."""
        try:
            await self._tools.client.post(f"/containers/{slot.seen.runtime_id}/start")
        except DockerError as error:
            slot.restart_due = False
            self._fail(slot, failed_start(error.message, slot.container))
            return
        slot.restart_due = False
        slot.last_start = self._tools.clock.now()
        slot.change(status="RUNNING", exit_code=None, finished_at=None, restart_count=slot.seen.restart_count + 1)
        self._follow(slot)
        self._news()

    # -------------------------------------------------------------------------------------------------- observing

    async def _look(self, slot: Slot, *, gone_with: str | None) -> None:
        """See how a container is; one that is gone has stopped."""
        document = await inspect_container(self._tools.client, slot.seen.runtime_id) if slot.created else None
        if document is None:
            if not slot.over and slot.created:
                code = int(gone_with) if gone_with else slot.seen.exit_code
                slot.change(status="STOPPED", exit_code=code, finished_at=self._tools.clock.now())
                if not slot.stopping:
                    slot.change(reason="The container was removed from the Docker Engine by someone else.")
                self._news()
        elif slot.update(self.launch, document):
            self._settle(slot)
            self._news()
            if slot.was_started:
                self._limit_cpu()
                if slot.container.name not in self._logs.pumps:
                    self._follow(slot)

    def _settle(self, slot: Slot) -> None:
        """Answer an exit as the restart policy says. It stays RUNNING for the world, as on ECS."""
        if slot.over and slot.was_started and not self._stop_wanted and not self._failure and slot.should_restart():
            slot.change(status="RUNNING")
            slot.restart_due = True

    def _lost_namespace(self) -> None:
        if self.ended or all(slot.over for slot in self._slots.values()):
            return
        self._failure = self._failure or (
            "ContainerNetworkingError: the network namespace of the task ended or was removed from the Docker Engine."
        )
        self._news()

    def _fail(self, slot: Slot, reason: str, *, whole_task: bool = False) -> None:
        """A container can't run. An essential one takes the task with it."""
        slot.change(status="STOPPED", reason=reason)
        if slot.container.essential or whole_task:
            self._failure = self._failure or reason
        self._news()

    def _follow(self, slot: Slot) -> None:
        self._logs.follow(slot.container, slot.seen.runtime_id)

    def _sources_created(self, container: ContainerLaunch) -> bool:
        return all(self._slots[source].created for source, _ in container.volumes_from if source in self._slots)

    def _observations(self) -> dict[str, Any]:
        return {name: slot.seen for name, slot in self._slots.items()}

    def _news(self) -> None:
        self._report()
        self._wake.set()

    def _report(self) -> None:
        now = int(self._tools.clock.now() * 1_000_000)
        self._sequence = max(self._sequence + 1, now, self.launch.observed + 1)
        self._tools.report(
            TaskObservation(
                task_id=self.launch.task_id,
                sequence=self._sequence,
                containers=tuple(slot.seen for slot in self._slots.values()),
                pull_started_at=self._pulls[0],
                pull_stopped_at=self._pulls[1],
                failure=self._failure,
                ended=self.ended,
            )
        )

    async def _delete(self, container: str) -> None:
        name = self._tools.names.container(self.launch.task_id, container)
        await delete_container(self._tools.client, name)


def _waits_for_another(document: dict[str, Any], joins: str) -> bool:
    """Whether a container of an earlier attempt was never started, and would join another namespace than this."""
    return document["State"]["Status"] == "created" and joined(document["HostConfig"]) != joins
