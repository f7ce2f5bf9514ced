"""The Docker engine: TaskEngine over one Docker Engine, for one Longshore instance.

Built by `main`, called by `control`. It holds the runners, the stream of Docker's events that wakes them, and the
knowledge of whether Docker answers. Containers, networks and volumes of other instances are never touched.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal

from longshore.domain.clock import Clock
from longshore.domain.ecs.launch import TaskLaunch, TaskObservation, WarmNetwork
from longshore.drivers.docker.addresses import HostAddresses
from longshore.drivers.docker.cgroups import TaskCgroups
from longshore.drivers.docker.client import DockerClient, DockerError, UnreachableError, json_lines
from longshore.drivers.docker.containers import delete_container
from longshore.drivers.docker.ground import remove_cgroup
from longshore.drivers.docker.images import Images
from longshore.drivers.docker.names import CONTAINER, PAUSE, TASK, Names
from longshore.drivers.docker.network import BridgeReady, Networks
from longshore.drivers.docker.probe import cpu_architecture, probe
from longshore.drivers.docker.runner import TaskRunner
from longshore.drivers.docker.tools import Tools
from longshore.drivers.docker.translate import EngineFacts
from longshore.drivers.docker.warm import WarmNamespaces
from longshore.drivers.ending import cancelled
from longshore.drivers.ports import EngineCapacity, HostedImages, LogSink, Permanent, Retryable, TaskProxies

log = logging.getLogger(__name__)

EVENTS = ["die", "destroy", "health_status"]
BACK_OFF_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class DockerEngine:
    """Tasks as containers of a Docker Engine.

    `task_environment(launch, container name)` gives variables that are set unless the definition sets them.
    `bridge_ready(device, VPC id)` is awaited when a bridge of ours appears, before the first container starts on it;
    `bridge_gone(VPC id)` when it has been removed with its VPC.
    `proxies` are those of tasks with Service Connect.
    `name_server` is the address that containers ask for names; where it does not answer they ask the host's resolvers.
    """

    name = "docker"

    def __init__(  # noqa: PLR0913  what it is built from
        self,
        instance_id: str,
        sink: LogSink,
        clock: Clock,
        *,
        task_environment: Callable[[TaskLaunch, str], Mapping[str, str]],
        docker_url: str | None = None,
        pull: Literal["missing", "always"] = "missing",
        bridge_ready: BridgeReady | None = None,
        bridge_gone: Callable[[str], Awaitable[None]] | None = None,
        name_server: str | None = None,
        proxies: TaskProxies | None = None,
        hosted: HostedImages | None = None,
    ) -> None:
        self._name_server = name_server
        self._bridge_gone = bridge_gone
        self._names = Names(instance_id)
        self._client = DockerClient(docker_url)
        self._cgroups = TaskCgroups(self._names)
        self._info: dict[str, Any] = {}
        self._runners: dict[str, TaskRunner] = {}
        self._reports: dict[str, TaskObservation] = {}
        self._vanished: dict[str, int] = {}
        """Expected at the start and not found: the sequence of each one's last report."""
        self._reported = asyncio.Event()
        self._closed = False
        self._fault: BaseException | None = None
        self._answers = asyncio.Event()
        self._watcher: asyncio.Task[None] | None = None
        self._probe: asyncio.Task[EngineFacts] | None = None
        self._last_cpu: dict[str, dict[str, Any]] = {}
        self._clock = clock
        networks = Networks(self._client, self._names, bridge_ready)
        self._addresses = HostAddresses(self._client, self._names, networks)
        self._warm = WarmNamespaces(self._client, self._names, networks, self._facts, self._wait_until_reachable)
        self._tools = Tools(
            client=self._client,
            names=self._names,
            images=Images(self._client, pull, hosted),
            networks=networks,
            warm=self._warm,
            cgroups=self._cgroups,
            sink=sink,
            clock=clock,
            facts=self._facts,
            reachable=self._wait_until_reachable,
            report=self._report,
            task_environment=task_environment,
            proxies=proxies,
        )

    # ------------------------------------------------------------------------------------------------- open, close

    async def open(self) -> None:
        """Connect. Raises Permanent with what to do when no Docker Engine answers."""
        try:
            await self._client.open()
            self._info = await self._client.get("/info")
        except (UnreachableError, DockerError) as error:
            await self._client.close()
            raise Permanent(
                f"No Docker Engine answers at {self._client.url} ({error}). Start Docker, or set DOCKER_HOST to where "
                "it listens; your user must be allowed to use it (group docker)."
            ) from error
        why_not = self._cgroups.why_not(self._info, local=self._client.local)
        if why_not:
            log.warning("limits of whole tasks are applied to each container instead, because %s", why_not)
        listening = asyncio.get_running_loop().create_future()
        self._watcher = asyncio.create_task(self._watch(listening), name="docker events")
        self._watcher.add_done_callback(self._done)
        await asyncio.wait([listening, self._watcher], return_when=asyncio.FIRST_COMPLETED)
        self._start_probe()

    def _start_probe(self) -> None:
        task_cgroups = not self._cgroups.why_not(self._info, local=self._client.local)
        self._probe = asyncio.create_task(
            probe(self._client, self._names, self._info, task_cgroups=task_cgroups, name_server=self._name_server),
            name="docker probe",
        )

    async def close(self) -> None:
        """Let go. Containers of tasks go on running."""
        self._closed = True
        self._reported.set()
        await cancelled((self._watcher, self._probe))
        await asyncio.gather(self._warm.close(), *(runner.close() for runner in self._runners.values()))
        if self._tools.proxies is not None:
            await self._tools.proxies.close()
        await self._tools.images.close()
        await self._client.close()

    async def _facts(self) -> EngineFacts:
        """What open's probe found out. An outage during it means to probe again."""
        while True:
            if self._probe is None:
                self._start_probe()
            assert self._probe is not None  # noqa: S101  set by the line above
            probe_task = self._probe
            try:
                return await asyncio.shield(probe_task)
            except (UnreachableError, DockerError) as error:
                if self._probe is probe_task:
                    self._probe = None
                if isinstance(error, DockerError):
                    raise
                await self._wait_until_reachable()

    # ---------------------------------------------------------------------------------------------------- the port

    async def capacity(self) -> EngineCapacity:
        """What Docker says the machine has."""
        info = self._info
        architecture = cpu_architecture(str(info["Architecture"]))
        return EngineCapacity(int(info["NCPU"]) * 1024, int(info["MemTotal"]) >> 20, architecture)

    async def free_vpc_cidr(self, candidates: Sequence[str]) -> str:
        """The first candidate that collides with no other Docker network and no route of the machine."""
        async with self._calls():
            return await self._tools.networks.free_cidr(candidates)

    async def networks(self) -> Sequence[str] | None:
        """The ranges of other Docker networks and of the machine's routes."""
        async with self._calls():
            return sorted({str(network) for network in await self._tools.networks.taken()})

    async def remove_network(self, vpc_id: str) -> None:
        """Remove a VPC's Docker network."""
        self._require_answers()
        async with self._calls():
            self._addresses.forget(vpc_id)
            await self._warm.leave(vpc_id)
            if not await self._tools.networks.remove_vpc(vpc_id):
                raise Retryable(f"The Docker network of {vpc_id} has containers in it still.")
            if self._bridge_gone is not None:
                await self._bridge_gone(vpc_id)

    async def claim_addresses(self, addresses: Sequence[str], vpc_id: str, vpc_cidr: str) -> None:
        """Give this host addresses in a VPC: a load balancer's. Raises Permanent where it can't be, Retryable."""
        self._require_answers()
        async with self._calls():
            await self._addresses.claim(addresses, vpc_id, vpc_cidr)

    async def release_addresses(self, keep: Collection[str]) -> None:
        """Take away all others that were claimed, in this life or an earlier one. Raises Retryable."""
        self._require_answers()
        async with self._calls():
            await self._addresses.release(keep)

    async def adopt(self, expected: Collection[TaskLaunch]) -> frozenset[str]:
        """Take over what runs of the expected tasks; remove what else carries our label."""
        async with self._calls():
            await self._facts()  # its probe container must not be taken for an orphan
            found: dict[str, list[dict[str, Any]]] = {}
            for container in await self._client.get(
                "/containers/json", all=True, filters=self._names.instance_filter()
            ):
                task_id = self._names.task_of(container["Labels"], container["Names"][0])
                found.setdefault(task_id, []).append(container)
            launches = {launch.task_id: launch for launch in expected}
            # First, for a namespace that was kept warm may hold the address of a task that was about to take it.
            orphans = [c["Id"] for task_id, cs in found.items() if task_id not in launches for c in cs]
            await asyncio.gather(*(delete_container(self._client, container) for container in orphans))
            known = found.keys() & launches.keys() - self._runners.keys()
            await asyncio.gather(*(self._adopt(launches[task_id], found[task_id]) for task_id in known))
            await self._remove_left_over(expected)
            self._vanished = {launch.task_id: launch.observed for launch in expected if launch.task_id not in found}
        return frozenset(found.keys() & launches.keys())

    async def _adopt(self, launch: TaskLaunch, containers: Sequence[Mapping[str, Any]]) -> None:
        await self._tools.networks.ensure(launch)
        documents = [await self._client.get(f"/containers/{container['Id']}/json") for container in containers]
        runner = TaskRunner(self._tools, launch)
        runner.adopt(documents)
        await runner.adopt_proxy()
        self._begin(runner)
        await runner.resync()  # what happened between the look and now had no runner to be told

    def _begin(self, runner: TaskRunner) -> None:
        self._runners[runner.launch.task_id] = runner
        runner.begin().add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        """A fault of ours in a runner or the watcher stops the work: the reader of reports gets it."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fault = self._fault or error
            self._reported.set()

    async def _remove_left_over(self, expected: Collection[TaskLaunch]) -> None:
        """Volumes, networks and cgroups that no expected task has."""
        keep = {launch.task_id for launch in expected}
        if self._tools.proxies is not None:
            await self._tools.proxies.keep(keep)
        await self._remove_volumes(self._names.instance_filter(), keep)
        await self._tools.networks.remove_unused(expected)
        for task_id in self._cgroups.known() - keep:
            await remove_cgroup(self._cgroups, task_id)

    async def prepare(self, networks: Sequence[WarmNetwork]) -> None:
        """Keep pause containers running at these addresses."""
        self._warm.prepare(networks)

    async def start(self, launch: TaskLaunch) -> None:
        """Begin the task unless it has begun. Raises Retryable while Docker doesn't answer."""
        self._require_answers()
        if launch.task_id not in self._runners:
            self._begin(TaskRunner(self._tools, launch))

    async def stop(self, task_id: str) -> None:
        """Begin to stop the task; one that isn't known is reported as ended. Raises Retryable while Docker is away."""
        self._require_answers()
        runner = self._runners.get(task_id)
        if runner is not None:
            runner.stop()
            return
        # Newer than any report of it, even if the clock has been set back since.
        sequence = max(int(self._clock.now() * 1_000_000), self._vanished.get(task_id, 0) + 1)
        self._report(TaskObservation(task_id=task_id, sequence=sequence, ended=True))

    async def remove(self, task_id: str) -> None:
        """Remove all that the task left. Raises Retryable."""
        self._require_answers()
        async with self._calls():
            runner = self._runners.get(task_id)
            if runner is not None:
                await runner.remove()
                self._runners.pop(task_id, None)
                return
            left = await self._client.get("/containers/json", all=True, filters=self._names.task_filter(task_id))
            pause = self._names.container(task_id, PAUSE)  # without the task's label, if it was kept warm
            ids = {pause, *(container["Id"] for container in left)}
            await asyncio.gather(*(delete_container(self._client, container) for container in ids))
            if self._tools.proxies is not None:
                await self._tools.proxies.end(task_id)
            await self._remove_volumes(self._names.task_filter(task_id), set())
            await remove_cgroup(self._cgroups, task_id)

    async def purge(self) -> None:
        """Remove everything of this instance: containers, volumes, networks, cgroups. Raises Retryable.

        For `longshore down --purge`, resets and tests; the engine forgets all its tasks.
        """
        await self._facts()
        async with self._calls():
            await asyncio.gather(self._warm.close(), *(runner.close() for runner in self._runners.values()))
            self._runners.clear()
            await self.adopt(())

    async def observations(self) -> AsyncIterator[Sequence[TaskObservation]]:
        """The newest report of each task that has one, in the order in which they became due."""
        while not self._closed:
            await self._reported.wait()
            self._reported.clear()
            if self._fault is not None:
                raise self._fault
            reports, self._reports = self._reports, {}
            yield list(reports.values())

    async def stats(self, task_id: str) -> dict[str, dict[str, Any]]:
        """Docker's statistics of the running containers, each with the previous reading in `precpu_stats`."""
        runner = self._runners.get(task_id)
        ids = runner.runtime_ids() if runner is not None else {}
        async with self._calls():
            readings = await asyncio.gather(*(self._reading(container) for container in ids.values()))
        return {name: reading for name, reading in zip(ids, readings, strict=True) if reading}

    async def _reading(self, container: str) -> dict[str, Any] | None:
        try:
            params = {"stream": False, "one-shot": True}
            reading: dict[str, Any] = await self._client.request("GET", f"/containers/{container}/stats", params=params)
        except DockerError as error:
            if error.status in {404, 409}:
                return None
            raise
        before = self._last_cpu.get(container)
        if before is not None:
            reading["precpu_stats"], reading["preread"] = before["cpu_stats"], before["read"]
        self._last_cpu[container] = {"cpu_stats": reading["cpu_stats"], "read": reading["read"]}
        return reading

    # ------------------------------------------------------------------------------------------------- helpers

    async def _remove_volumes(self, filters: dict[str, list[str]], keep: Collection[str]) -> None:
        volumes = (await self._client.get("/volumes", filters=filters))["Volumes"] or ()
        for volume in volumes:
            if volume["Labels"].get(TASK) not in keep:
                await self._client.delete(f"/volumes/{volume['Name']}", force=True)

    @asynccontextmanager
    async def _calls(self) -> AsyncIterator[None]:
        """The port's errors for Docker's."""
        try:
            yield
        except UnreachableError as error:
            raise Retryable(str(error)) from error
        except DockerError as error:
            raise Retryable(f"The Docker Engine refused: {error.message}") from error

    def _require_answers(self) -> None:
        if not self._answers.is_set():
            raise Retryable(f"The Docker Engine at {self._client.url} does not answer at the moment.")

    async def _wait_until_reachable(self) -> None:
        """Until Docker answers; at once if it seems to, after a moment for it to be noticed that it doesn't."""
        await asyncio.sleep(BACK_OFF_S[0])
        await self._answers.wait()

    def _report(self, observation: TaskObservation) -> None:
        self._reports[observation.task_id] = observation
        self._reported.set()

    # ------------------------------------------------------------------------------------------------- events

    async def _watch(self, listening: asyncio.Future[None]) -> None:
        """Follow Docker's events for ever; after a break look at everything again."""
        failures = 0
        while True:
            try:
                filters = self._names.instance_filter(type=["container"], event=EVENTS)
                async with self._client.stream("GET", "/events", params={"filters": filters}) as response:
                    if listening.done():
                        await self._resync()
                    else:
                        listening.set_result(None)
                    self._answers.set()
                    failures = 0
                    async for event in json_lines(response):
                        await self._dispatch(event)
                raise UnreachableError("The Docker Engine ended the stream of events.")
            except (UnreachableError, DockerError) as error:
                if self._answers.is_set():
                    log.warning("lost the connection to the Docker Engine: %s", error)
                self._answers.clear()
                await asyncio.sleep(BACK_OFF_S[min(failures, len(BACK_OFF_S) - 1)])
                failures += 1

    async def _dispatch(self, event: dict[str, Any]) -> None:
        attributes = event["Actor"]["Attributes"]
        task_id = self._names.task_of(attributes, attributes.get("name", ""))
        runner = self._runners.get(task_id)
        if not task_id:
            self._warm.died(event["Actor"]["ID"])
        elif runner is not None:
            await runner.on_event(attributes.get(CONTAINER, ""), event["Action"], attributes)

    async def _resync(self) -> None:
        self._tools.networks.forget()
        await self._addresses.renew()
        self._warm.renew()
        for runner in list(self._runners.values()):
            await runner.resync()
