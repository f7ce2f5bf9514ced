"""The ports that drivers implement and `control` calls: all that is known of the outside world.

An engine runs tasks. Its calls are idempotent by the task's id; after an uncertain call it looks for what exists.
What it sees it reports as `TaskObservation`s; it never decides whether a task should run. A balancer driver
forwards: what it sees of its targets it reports as `TargetObservation`s. A name server asks `Zones`.
"""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol

from longshore.domain.ec2.firewall import Ruleset, RulesetChange
from longshore.domain.ec2.network import SecurityGroup, Subnet, Vpc
from longshore.domain.ecs.launch import TaskLaunch, TaskObservation, WarmNetwork
from longshore.domain.elbv2.balancing import (
    BalancerCounts,
    BalancerPlan,
    GroupCounts,
    Problem,
    TargetObservation,
    TargetPlan,
)
from longshore.domain.iam import Role
from longshore.domain.log import LogEvent, LogTarget
from longshore.domain.names.connect import ConnectCounts, ConnectPlan, Endpoint
from longshore.domain.names.naming import EndpointCheck
from longshore.domain.names.resolving import ZoneAnswer
from longshore.domain.record import Scope


class Retryable(Exception):  # noqa: N818  named for what the caller does about it
    """The step failed for now; it may be tried again after `after_s` seconds."""

    def __init__(self, reason: str, after_s: float = 1.0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after_s = after_s


class Permanent(Exception):  # noqa: N818
    """The step can't succeed as it was asked; `reason` is a sentence for the user."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class EngineCapacity(NamedTuple):
    """What the engine's machine has, before any overcommitment or reserve."""

    cpu_units: int
    memory_mib: int
    architecture: str
    """X86_64 or ARM64, as in `runtimePlatform.cpuArchitecture`."""


class LogSink(Protocol):
    """Where an engine puts what containers print."""

    def write(self, scope: Scope, target: LogTarget, events: Sequence[LogEvent]) -> None:
        """Append events to a stream, in order. Makes the stream, and the group where the target asks for it."""
        ...

    def resume_from_ms(self, scope: Scope, target: LogTarget) -> int | None:
        """The newest timestamp already in the stream, or None: where to go on after a restart."""
        ...

    def missing(self, scope: Scope, target: LogTarget) -> str | None:
        """Why the target can't be written to (its group does not exist), or None."""
        ...

    async def durable(self) -> None:
        """Return once all that was written is on disk: until then the container must not go. Raises if it never is."""
        ...


class TaskEngine(Protocol):
    """Something that runs tasks."""

    name: str

    async def open(self) -> None:
        """Connect. Raises Permanent with a sentence that says what to do when there is nothing to connect to."""
        ...

    async def close(self) -> None:
        """Let go. Containers go on running: the next start adopts them."""
        ...

    async def capacity(self) -> EngineCapacity:
        """What the machine has."""
        ...

    async def free_vpc_cidr(self, candidates: Sequence[str]) -> str:
        """The first candidate that collides with nothing on the machine."""
        ...

    async def networks(self) -> Sequence[str] | None:
        """The ranges that the machine uses for something else; None where tasks have no real addresses."""
        ...

    async def remove_network(self, vpc_id: str) -> None:
        """Remove what was made for a VPC that is no more. Idempotent. Raises Retryable while something is in it."""
        ...

    async def adopt(self, expected: Collection[TaskLaunch]) -> frozenset[str]:
        """Once, after open: take over what exists of the expected tasks and report it; remove what else is ours.

        Returns the ids of the expected tasks of which anything was found. What the absence of the others means is
        the caller's to say: one that was never started is started, one that had been running is lost.
        """
        ...

    async def prepare(self, networks: Sequence[WarmNetwork]) -> None:
        """Keep namespaces ready for tasks that will have these addresses; any made before for others may go.

        Returns at once. Only an offer: an engine may ignore it, and a task may come with another address.
        """
        ...

    async def start(self, launch: TaskLaunch) -> None:
        """See to it that the task runs. Returns at once; pulls, starts and failures are reported. Idempotent."""
        ...

    async def stop(self, task_id: str) -> None:
        """See to it that the task ends: each container its stop signal, its timeout, then SIGKILL, dependents first.

        Returns at once; an unknown task is reported as ended. Idempotent.
        """
        ...

    async def remove(self, task_id: str) -> None:
        """Remove all that an ended task left (containers, namespace, volumes); its last log lines are delivered first.

        Returns when nothing is left. Idempotent.
        """
        ...

    def observations(self) -> AsyncIterator[Sequence[TaskObservation]]:
        """Every report, as many at a time as there are, until the engine is closed. There is one reader."""
        ...

    async def stats(self, task_id: str) -> dict[str, dict[str, Any]]:
        """Docker-shaped statistics of the task's containers, by name: what the metadata endpoint's `/stats` answers."""
        ...


class BalancerDriver(Protocol):
    """Something that balances: the data plane of all load balancers. Calls are idempotent."""

    name: str

    async def open(self) -> None:
        """Get ready. Takes over a data plane that an earlier life of this Longshore left running.

        Targets that it has and that nobody speaks of within a minute after the first plan are removed.
        """
        ...

    async def close(self) -> None:
        """Let go. The data plane goes on working: the next start takes it over."""
        ...

    async def apply(self, plan: BalancerPlan) -> Mapping[str, Problem]:
        """Make the data plane what the plan says, without losing a connection; what is not in it any more ends.

        Returns why a load balancer can't work as planned, by its `lb_id`; the others do. One that worked goes on as it
        was where that can be. Raises Retryable.
        """
        ...

    async def serve(self, target: TargetPlan, *, known_healthy: bool = False) -> None:
        """Take a target in: probe it at once and quickly until its first success, then let it have its share.

        `known_healthy` after a restart: it was in service before, and is until a check says otherwise.
        The state, and every change of it, is reported. Raises Retryable.
        """
        ...

    async def drain(self, target: TargetPlan) -> None:
        """No new request or connection for the target; when its last one has ended, `drained` is reported.

        Reported at once for a target that isn't known. Raises Retryable.
        """
        ...

    async def remove(self, target: TargetPlan) -> None:
        """Forget the target; connections that it still has are cut. Raises Retryable."""
        ...

    def observations(self) -> AsyncIterator[TargetObservation]:
        """Every report, until the driver is closed. There is one reader."""
        ...

    async def counts(self) -> tuple[Sequence[BalancerCounts], Sequence[GroupCounts]]:
        """All counters as they are now."""
        ...


class TaskProxies(Protocol):
    """Where an engine has the proxies of tasks with Service Connect begin and end. Calls are idempotent."""

    async def begin(self, task_id: str, pid: int, plan: ConnectPlan, hosts: Path | None = None) -> None:
        """See to it that the task's proxy works, in the network namespace of a process. Returns when it does.

        One that an earlier life left running is taken over as it is. `plan` counts unless `ConnectDriver.apply` has
        given a newer one. `hosts` is the hosts file of the task's containers, to be written in place.
        Raises Permanent and Retryable.
        """
        ...

    async def end(self, task_id: str) -> None:
        """End the task's proxy, with all connections, and forget it."""
        ...

    async def keep(self, task_ids: Collection[str]) -> None:
        """Once, at a start: end those of all other tasks."""
        ...

    async def close(self) -> None:
        """Let go. Proxies go on."""
        ...


class ConnectDriver(Protocol):
    """What control tells the proxies of tasks. Calls are idempotent."""

    async def apply(self, task_id: str, plan: ConnectPlan) -> None:
        """Make the task's proxy what the plan says; returns when it is.

        An endpoint that is not in the plan any more gets nothing new; the connections that it has go on. Before the
        proxy begins the plan is kept for it. Raises Retryable.
        """
        ...

    async def busy(self, task_id: str) -> frozenset[Endpoint]:
        """The endpoints that have left the plan and have connections yet. Raises Retryable."""
        ...

    async def answers(self, endpoint: Endpoint) -> bool:
        """Whether somebody takes connections there."""
        ...

    async def counts(self, task_id: str) -> Sequence[ConnectCounts]:
        """What went through the task's proxy. Raises Retryable."""
        ...


class Firewall(Protocol):
    """What lets through only what security groups allow. What it was told stays in force when Longshore stops."""

    async def open(self) -> None:
        """Get ready. Raises Permanent with a sentence where this machine can't."""
        ...

    async def replace(self, wanted: Ruleset) -> None:
        """Put exactly this in force, at once, whatever was: no packet meets neither or half of it.

        Connections that are open stay open. Raises Retryable; what is in force is what was, then.
        """
        ...

    async def change(self, change: RulesetChange) -> None:
        """The same with what was told before, as this changes it. After a Retryable only `replace` will do."""
        ...

    async def intact(self) -> bool:
        """Whether what was told is in force still; somebody may have taken it away."""
        ...

    async def remove(self) -> None:
        """Let everything through, and leave nothing behind."""
        ...


class TaskNames(Protocol):
    """Names that mean something to one task alone. Implemented by `control`, called by a name server before `Zones`."""

    def answer_to(self, vpc_id: str, client: str, name: str, record_type: str) -> ZoneAnswer | None:
        """What the name means to the task at the address `client` of a VPC; None: nothing of its own. See Zones."""
        ...


class RegistryRequest(NamedTuple):
    """A request in the registry's protocol, to be passed on as it is."""

    method: str
    path: str
    query: str
    """As it was sent: encoded, and without a question mark."""
    headers: Mapping[str, str]
    body: AsyncIterator[bytes] | bytes | None = None


class RegistryAnswer(NamedTuple):
    """The answer, whose body comes as it is read."""

    status: int
    headers: Mapping[str, str]
    """Names in small letters."""
    chunks: AsyncIterator[bytes]


class RegistryDriver(Protocol):
    """Something that keeps manifests and layers. Repositories are called by their ids. Started when first needed.

    All calls raise Permanent where this machine has no registry, with what to do about it.
    """

    def exchange(self, request: RegistryRequest) -> AbstractAsyncContextManager[RegistryAnswer]:
        """Pass a request on to the registry. Raises Retryable where it does not answer."""
        ...

    async def repositories(self) -> frozenset[str]:
        """The ids of the repositories that there is anything of."""
        ...

    async def manifests(self, repository_id: str) -> frozenset[str]:
        """The digests of a repository's manifests."""
        ...

    async def put_manifest(self, repository_id: str, digest: str, media_type: str, manifest: bytes) -> None:
        """Have a manifest in a repository. Raises Permanent where the registry refuses it, and Retryable."""
        ...

    async def delete_manifest(self, repository_id: str, digest: str) -> None:
        """Take a manifest out of a repository. Idempotent. Raises Retryable."""
        ...

    async def delete_repository(self, repository_id: str) -> None:
        """Take a repository away, with all that is in it. Idempotent."""
        ...

    async def collect(self, wanted: Callable[[], Mapping[str, frozenset[str]]]) -> float | None:
        """Remove what no manifest names, if anything was taken away since the last time.

        `wanted`: the manifests that must be there, by repository; nothing is removed while one is missing. Returns how
        many seconds to wait before trying again, where something is pushed or missing. Raises Retryable.
        """
        ...


class HostedImage(NamedTuple):
    """An image of a repository of ours: how an engine gets it."""

    reference: str
    """What to pull: by digest, or by tag where nothing has it."""
    digest: str
    """Empty where nothing has the tag."""
    user: str
    password: str


class HostedImages(Protocol):
    """What names of images mean here. Implemented by `control`, asked by engines before they pull."""

    def find(self, image: str) -> HostedImage | None:
        """At once, from the state as it is; None for an image that isn't of a repository of ours."""
        ...


class EndpointProbe(Protocol):
    """Something that looks whether an endpoint answers."""

    async def __call__(self, check: EndpointCheck, /) -> bool:
        """Whether it passes the check. Never raises."""
        ...


class Zones(Protocol):
    """What Longshore's own names mean. Implemented by `control`, called by a name server for every question."""

    def answer(self, vpc_id: str | None, name: str, record_type: str) -> ZoneAnswer | None:
        """At once, from the state as it is; None for a name in none of these zones: that one is forwarded.

        `vpc_id` is where the question comes from: None for the host, and for tasks in bridge and host mode. `name` is
        in small letters and without a final dot; odd characters are escaped as in zone files. `record_type` is a
        mnemonic such as `A`, or `TYPE65280`. The server puts records in random order, gives eight addresses of a
        name at most, and follows a CNAME.
        """
        ...


class Around(NamedTuple):
    """What Longshore has of an account in a region, as far as requests to services of others name it."""

    revision: int
    """The store's, when it was read: what has a smaller one is older."""
    roles: Sequence[Role] | None
    """None where somebody else has them."""
    vpcs: Sequence[Vpc] | None
    """None as above; subnets and security groups are empty then."""
    subnets: Sequence[Subnet]
    groups: Sequence[SecurityGroup]


class PassedRequest(NamedTuple):
    """A request for a service that Longshore doesn't serve itself."""

    service: str
    """botocore's name of it."""
    signing_name: str
    account: str
    region: str
    method: str
    path: str
    """Percent-encoded, as it came; and so is the query."""
    query: str
    headers: Sequence[tuple[str, str]]
    """Names in small letters."""
    body: BinaryIO
    """At its beginning."""
    size: int
    around: Around | None = None
    """For a provider that asks for it."""


class PassedAnswer(NamedTuple):
    """What was answered; the body comes piece by piece."""

    status: int
    headers: list[tuple[str, str]]
    body: AsyncIterator[bytes]


class Unserved(Exception):  # noqa: N818  reads as what happened
    """A provider has not what it was asked for: the operation, or the whole service."""


class ProviderRefused(Exception):  # noqa: N818  reads as what happened
    """A provider can't be used as it was asked for; says what to do."""


class Provider(Protocol):
    """Who answers for services that Longshore doesn't serve itself."""

    name: str
    """For people: what it is, and where."""
    looks_around: bool
    """Whether requests are to come with what is around them."""

    async def open(self) -> None:
        """Get ready. Raises ProviderRefused where it can't."""
        ...

    async def close(self) -> None:
        """Let go."""
        ...

    def reset(self) -> None:
        """Forget everything, if that is ours to do."""
        ...

    async def answer(self, request: PassedRequest) -> PassedAnswer:
        """Its answer. Raises Unserved where it has none to give, Retryable or Permanent where it can't be had."""
        ...
