"""A user of a Longshore that fails: runs, stops, serves, rolls out, scales and deletes by chance, and remembers it all.

A call that gets no answer is repeated, with the same token where the API takes one, as AWS's SDKs do. So in the end
every call has an answer, and what the user remembers is exactly what must be there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from botocore import exceptions

from tests.support.server import STAY, sh, until, web

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from tests.support.server import Server

T = TypeVar("T")

NO_ANSWER = (exceptions.ConnectionError, exceptions.HTTPClientError, exceptions.IncompleteReadError)
TASKS_AT_ONCE = 3
"""Tasks of its own that stay, so that a small machine has room for all."""
SERVICES_AT_ONCE = 2
MOST_OF_A_SERVICE = 2
STOP_REASON = "enough"
LAST_WORD = "done"
"""What a task that ends by itself prints right before."""


@dataclass
class Run:
    """A task that RunTask answered with."""

    arn: str
    exit_code: int | None
    """What its container ends with by itself; None: it stays until it is told to stop."""
    stopped: bool = False
    """StopTask was answered."""


@dataclass
class Serve:
    """A service as the last answer left it."""

    name: str
    definition: str
    count: int
    deleted: bool = False


@dataclass
class User:
    """One user of one server."""

    server: Server
    chance: random.Random
    runs: list[Run] = field(default_factory=list)
    services: list[Serve] = field(default_factory=list)

    def prepare(self) -> None:
        """Make what all acts need, while everything works."""
        self._ecs = self.server.ecs
        self._network = self.server.network
        self._stays = self.server.define("stays", sh("app", STAY))
        self._ends = {
            code: self.server.define(f"ends-{code}", sh("app", f"sleep 0.{wait}; echo {LAST_WORD}; exit {code}"))
            for code, wait in ((0, 1), (7, 9))
        }
        self._web = [self._define_web() for _ in range(2)]

    def work(self, acts: int) -> None:
        """Do something, so many times."""
        for _ in range(acts):
            self.act()

    def act(self) -> None:
        """One act by chance, of those that are possible now."""
        staying = [run for run in self.runs if run.exit_code is None and not run.stopped]
        serving = [service for service in self.services if not service.deleted]
        acts: list[Callable[[], None]] = [self._run_once]
        if len(staying) < TASKS_AT_ONCE:
            acts.append(self.run_task_that_stays)
        if staying:
            acts.append(lambda: self._stop(self.chance.choice(staying)))
        if len(serving) < SERVICES_AT_ONCE:
            acts += [self._serve] * 2
        if serving:
            service = self.chance.choice(serving)
            acts += [lambda: self._roll(service)] * 2
            acts += [lambda: self._scale(service), lambda: self._delete(service)]
        self.chance.choice(acts)()

    # ------------------------------------------------------------------------------------------------------ the acts

    def _run_once(self) -> None:
        code = self.chance.choice(list(self._ends))
        self.runs.append(Run(self._run_task(self._ends[code]), code))

    def run_task_that_stays(self) -> None:
        """One of the acts."""
        self.runs.append(Run(self._run_task(self._stays), None))

    def _run_task(self, definition: str) -> str:
        request = {"taskDefinition": definition, "launchType": "FARGATE", "networkConfiguration": self._network}
        token = f"{self.chance.getrandbits(64):x}"
        answer = self.sure(lambda: self._ecs.run_task(clientToken=token, **request))
        assert len(answer["tasks"]) == 1, answer
        arn: str = answer["tasks"][0]["taskArn"]
        return arn

    def _stop(self, run: Run) -> None:
        self.sure(lambda: self._ecs.stop_task(task=run.arn, reason=STOP_REASON))
        run.stopped = True

    def _serve(self) -> None:
        service = Serve(f"web-{len(self.services)}", self.chance.choice(self._web), self._count())
        request = {
            "serviceName": service.name,
            "taskDefinition": service.definition,
            "desiredCount": service.count,
            "launchType": "FARGATE",
            "networkConfiguration": self._network,
        }
        self.sure(lambda: self._ecs.create_service(**request))
        self.services.append(service)

    def _roll(self, service: Serve) -> None:
        definition = self._define_web()
        self.sure(lambda: self._ecs.update_service(service=service.name, taskDefinition=definition))
        service.definition = definition

    def _scale(self, service: Serve) -> None:
        count = self._count()
        self.sure(lambda: self._ecs.update_service(service=service.name, desiredCount=count))
        service.count = count

    def _delete(self, service: Serve) -> None:
        self.sure(lambda: self._delete_service(service.name))
        service.deleted = True

    def _delete_service(self, name: str) -> Any:
        try:
            return self._ecs.delete_service(service=name, force=True)
        except self._ecs.exceptions.ServiceNotFoundException as gone:
            return gone.response  # an earlier attempt did it, and its answer was lost

    def _count(self) -> int:
        return self.chance.randint(1, MOST_OF_A_SERVICE)

    def _define_web(self) -> str:
        colour = f"{self.chance.getrandbits(32):x}"
        definition = web("$COLOUR", environment=[{"name": "COLOUR", "value": colour}])
        return self.sure(lambda: self.server.define("web", definition))

    def sure(self, ask: Callable[[], T]) -> T:
        """The answer to a call, which is repeated while the server is away or cannot write."""

        def answer() -> list[T]:
            try:
                return [ask()]
            except NO_ANSWER:
                return []
            except exceptions.ClientError as refusal:
                if refusal.response["Error"]["Code"] != "ServiceUnavailable":
                    raise
                return []

        return until(answer, "an answer of the server")[0]
