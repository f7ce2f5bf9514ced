"""The request chain behind a real HTTP server, in a thread of its own, so that blocking clients can call it."""

import asyncio
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import boto3
import uvloop
from botocore.config import Config

from longshore.api.access.access import Access
from longshore.api.access.keys import UserKeys
from longshore.api.app import Chain, aws_app
from longshore.api.auth import Gate, Listener
from longshore.api.credentials import Credentials, KeyPair
from longshore.api.ec2.defaults import seed
from longshore.api.internal import internal_paths
from longshore.api.metrics import Metrics
from longshore.api.operation import Operation, Service
from longshore.api.server import HttpServer, bind
from longshore.api.services import SERVICES
from longshore.domain.kinds import KINDS
from longshore.domain.record import Scope
from longshore.store.events import EventLog
from longshore.store.open import open_store
from longshore.system import SystemClock, SystemIds
from longshore.vault import MasterVault

ACCOUNT = "123456789012"
REGION = "us-east-1"


class ShiftedClock(SystemClock):
    """The machine's clock, some seconds off."""

    shift_s = 0.0

    def now(self) -> float:
        return super().now() + self.shift_s


def furnished(*, auth: bool = False) -> "Serving":
    """A server whose account has its default VPC already."""
    made = Serving(auth=auth)
    with made.store.transaction() as tx:
        seed(tx, Scope(ACCOUNT, REGION), "172.31.0.0/16", SystemIds(), 0.0)
    return made


class Serving:
    """A server in a `with` block; `url` is where. `operations` replace or add to those of a service."""

    def __init__(
        self,
        operations: Mapping[str, Mapping[str, Operation]] | None = None,
        *,
        auth: bool = False,
        resettable: bool = False,
    ) -> None:
        self.store = open_store(None, KINDS)
        self.events = EventLog()
        self.clock = ShiftedClock()
        self.credentials = Credentials(b"m" * 32, ACCOUNT)
        self.resets = 0
        self._resettable = resettable
        self._auth = auth
        self._services = _with(operations or {})
        self._socket = bind("127.0.0.1", 0)
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._started = threading.Event()
        self._thread = threading.Thread(target=uvloop.run, args=(self._serve(),), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._started.wait(30)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def client(self, service: str, *, keys: KeyPair | None = None, region: str = REGION, **options: Any) -> Any:
        """A boto3 client, with the root key pair unless told otherwise; it never tries again."""
        pair = keys or self.credentials.root()
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=region,
            aws_access_key_id=pair.access_key_id,
            aws_secret_access_key=pair.secret_access_key,
            config=Config(
                retries={"total_max_attempts": 1},
                read_timeout=20,
                inject_host_prefix=False,  # DiscoverInstances is sent to `data-` and the host: see docs/names.md
            ),
            **options,
        )

    def tasks(self) -> int:
        """How many asyncio tasks there are."""
        found = asyncio.run_coroutine_threadsafe(_count_tasks(), self._loop)
        return found.result(30)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        listener = Listener("test", signatures=self._auth)
        self.metrics = metrics = Metrics(self.store)
        vault = MasterVault(b"m" * 32)
        chain = Chain(
            store=self.store,
            events=self.events,
            services=self._services,
            gate=Gate(self.credentials, UserKeys(self.store, vault), ACCOUNT, REGION),
            access=Access(self.credentials, enforce=self._auth),
            clock=self.clock,
            ids=SystemIds(),
            vault=vault,
            metrics=metrics,
        )
        own = internal_paths(
            store=self.store,
            metrics=metrics,
            engine="sim",
            listener=listener,
            reset=self._reset if self._resettable else None,
        )
        self.server = HttpServer(aws_app(chain, listener, own), [self._socket])
        await self.server.start()
        self._started.set()
        await self._stop.wait()
        await self.server.stop()
        self._socket.close()

    def _reset(self) -> None:
        self.resets += 1


async def _count_tasks() -> int:
    return len(asyncio.all_tasks()) - 1


def _with(operations: Mapping[str, Mapping[str, Operation]]) -> list[Service]:
    known = {service.name: service for service in SERVICES}
    for name, table in operations.items():
        found = known.get(name, Service(name=name, operations={}, refusal_code="InvalidParameterException"))
        known[name] = Service(
            name=name,
            operations={**found.operations, **table},
            refusal_code=found.refusal_code,
            validation_code=found.validation_code,
        )
    return list(known.values())
